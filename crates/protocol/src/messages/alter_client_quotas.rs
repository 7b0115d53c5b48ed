//! Changes what clients may use.

use crate::StrBytes;

messages! {
    /// Quotas to change.
    request AlterClientQuotasRequest (AlterClientQuotas, 0..=1, flexible 1) {
        /// The entities.
        entries: Vec<EntryData> = 0..;
        /// Whether to check only, and change nothing.
        validate_only: bool = 0..;
    }

    /// Changes to the quotas of one entity.
    part EntryData {
        /// Whose: the parts together.
        entity: Vec<EntityData> = 0..;
        /// The changes.
        ops: Vec<OpData> = 0..;
    }

    /// Part of an entity.
    part EntityData {
        /// Its kind: `user`, `client-id` or `ip`.
        entity_type: StrBytes = 0..;
        /// Its name; absent for the default entity.
        entity_name: Option<StrBytes> = 0.., nullable 0..;
    }

    /// A change to one quota.
    part OpData {
        /// Its name.
        key: StrBytes = 0..;
        /// Its value.
        value: f64 = 0..;
        /// Whether to drop the quota instead.
        remove: bool = 0..;
    }

    /// What became of the quotas.
    response AlterClientQuotasResponse (AlterClientQuotas, 0..=1, flexible 1) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// The entities.
        entries: Vec<EntryResult> = 0..;
    }

    /// What became of the quotas of one entity.
    part EntryResult {
        /// Why they were not changed.
        error_code: i16 = 0..;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 0.., nullable 0..;
        /// Whose: the parts together.
        entity: Vec<EntityData> = 0..;
    }
}

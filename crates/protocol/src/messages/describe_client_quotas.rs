//! What clients may use.

use crate::StrBytes;

messages! {
    /// Asks for quotas.
    request DescribeClientQuotasRequest (DescribeClientQuotas, 0..=1, flexible 1) {
        /// Whose quotas; all of these must fit.
        components: Vec<ComponentData> = 0..;
        /// Whether to leave out entities with further parts.
        strict: bool = 0..;
    }

    /// Part of an entity that is asked for.
    part ComponentData {
        /// Its kind: `user`, `client-id` or `ip`.
        entity_type: StrBytes = 0..;
        /// 0 for exactly this name, 1 for the default entity, 2 for any that is named.
        match_type: i8 = 0..;
        /// The name; absent unless one is asked for.
        match_name: Option<StrBytes> = 0.., nullable 0..;
    }

    /// The quotas.
    response DescribeClientQuotasResponse (DescribeClientQuotas, 0..=1, flexible 1) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// Why there is no answer.
        error_code: i16 = 0..;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 0.., nullable 0..;
        /// The entities; absent if an error is answered.
        entries: Option<Vec<EntryData>> = 0.., nullable 0..;
    }

    /// The quotas of one entity.
    part EntryData {
        /// Whose: the parts together.
        entity: Vec<EntityData> = 0..;
        /// The quotas.
        values: Vec<ValueData> = 0..;
    }

    /// Part of an entity.
    part EntityData {
        /// Its kind: `user`, `client-id` or `ip`.
        entity_type: StrBytes = 0..;
        /// Its name; absent for the default entity.
        entity_name: Option<StrBytes> = 0.., nullable 0..;
    }

    /// A quota.
    part ValueData {
        /// Its name.
        key: StrBytes = 0..;
        /// Its value.
        value: f64 = 0..;
    }
}

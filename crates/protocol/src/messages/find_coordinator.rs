//! The broker that keeps a group or a transaction.

use crate::StrBytes;

messages! {
    /// Asks for coordinators.
    request FindCoordinatorRequest (FindCoordinator, 0..=6, flexible 3) {
        /// The group or transaction.
        key: StrBytes = 0..=3;
        /// 0 for groups, 1 for transactions, 2 for share groups.
        key_type: i8 = 1..;
        /// The groups or transactions.
        coordinator_keys: Vec<StrBytes> = 4..;
    }

    /// The coordinators.
    response FindCoordinatorResponse (FindCoordinator, 0..=6, flexible 3) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 1..;
        /// Why there is none.
        error_code: i16 = 0..=3;
        /// Why there is none, in words.
        error_message: Option<StrBytes> = 1..=3, nullable 1..=3;
        /// The broker's id.
        node_id: i32 = 0..=3;
        /// Its host.
        host: StrBytes = 0..=3;
        /// Its port.
        port: i32 = 0..=3;
        /// One coordinator per key.
        coordinators: Vec<Coordinator> = 4..;
    }

    /// A coordinator.
    part Coordinator {
        /// The group or transaction.
        key: StrBytes = 4..;
        /// The broker's id.
        node_id: i32 = 4..;
        /// Its host.
        host: StrBytes = 4..;
        /// Its port.
        port: i32 = 4..;
        /// Why there is none.
        error_code: i16 = 4..;
        /// Why there is none, in words.
        error_message: Option<StrBytes> = 4.., nullable 4..;
    }
}

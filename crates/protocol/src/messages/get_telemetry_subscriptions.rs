//! Which of its own figures a client should send (KIP-714).

use crate::{StrBytes, Uuid};

messages! {
    /// Asks for a subscription.
    request GetTelemetrySubscriptionsRequest (GetTelemetrySubscriptions, 0..=0, flexible 0) {
        /// The client's id; zero to be given one.
        client_instance_id: Uuid = 0..;
    }

    /// The subscription.
    response GetTelemetrySubscriptionsResponse (GetTelemetrySubscriptions, 0..=0, flexible 0) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// Why there is none.
        error_code: i16 = 0..;
        /// The client's id.
        client_instance_id: Uuid = 0..;
        /// The id of the subscription.
        subscription_id: i32 = 0..;
        /// The codecs it may pack them with, best first, numbered as in record batches.
        accepted_compression_types: Vec<i8> = 0..;
        /// How often to send them.
        push_interval_ms: i32 = 0..;
        /// How many bytes they may have at once.
        telemetry_max_bytes: i32 = 0..;
        /// Whether to send changes instead of totals.
        delta_temporality: bool = 0..;
        /// The figures, by the beginnings of their names; empty for none, one empty name for all.
        requested_metrics: Vec<StrBytes> = 0..;
    }
}

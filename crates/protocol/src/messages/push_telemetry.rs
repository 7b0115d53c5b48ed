//! Figures a client sends about itself (KIP-714).

use bytes::Bytes;

use crate::Uuid;

messages! {
    /// Figures.
    request PushTelemetryRequest (PushTelemetry, 0..=0, flexible 0) {
        /// The client's id.
        client_instance_id: Uuid = 0..;
        /// The id of the subscription.
        subscription_id: i32 = 0..;
        /// Whether these are the last.
        terminating: bool = 0..;
        /// The codec they are packed with, numbered as in record batches.
        compression_type: i8 = 0..;
        /// The figures, in the format of OpenTelemetry.
        metrics: Bytes = 0..;
    }

    /// What became of them.
    response PushTelemetryResponse (PushTelemetry, 0..=0, flexible 0) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// Why they were not taken.
        error_code: i16 = 0..;
    }
}

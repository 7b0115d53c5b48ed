//! One more voter that keeps the cluster's metadata.

use crate::{StrBytes, Uuid};

messages! {
    /// A voter to add.
    request AddRaftVoterRequest (AddRaftVoter, 0..=1, flexible 0) {
        /// The cluster; absent if the client does not care.
        cluster_id: Option<StrBytes> = 0.., nullable 0..;
        /// How long the broker may take.
        timeout_ms: i32 = 0..;
        /// The voter's id.
        voter_id: i32 = 0..;
        /// The directory it keeps the metadata in.
        voter_directory_id: Uuid = 0..;
        /// Where it is reached.
        listeners: Vec<Listener> = 0..;
        /// Whether to answer only once most voters know.
        ack_when_committed: bool = 1.., default true;
    }

    /// An address.
    part Listener {
        /// The listener's name.
        name: StrBytes = 0..;
        /// Its host.
        host: StrBytes = 0..;
        /// Its port.
        port: u16 = 0..;
    }

    /// What became of it.
    response AddRaftVoterResponse (AddRaftVoter, 0..=1, flexible 0) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// Why it was not added.
        error_code: i16 = 0..;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 0.., nullable 0..;
    }
}

//! One voter fewer that keeps the cluster's metadata.

use crate::{StrBytes, Uuid};

messages! {
    /// A voter to remove.
    request RemoveRaftVoterRequest (RemoveRaftVoter, 0..=0, flexible 0) {
        /// The cluster; absent if the client does not care.
        cluster_id: Option<StrBytes> = 0.., nullable 0..;
        /// The voter's id.
        voter_id: i32 = 0..;
        /// The directory it keeps the metadata in.
        voter_directory_id: Uuid = 0..;
    }

    /// What became of it.
    response RemoveRaftVoterResponse (RemoveRaftVoter, 0..=0, flexible 0) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// Why it was not removed.
        error_code: i16 = 0..;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 0.., nullable 0..;
    }
}

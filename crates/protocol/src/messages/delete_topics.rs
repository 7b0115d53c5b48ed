//! Drops topics.

use crate::{StrBytes, Uuid};

messages! {
    /// Topics to drop.
    request DeleteTopicsRequest (DeleteTopics, 0..=6, flexible 4) {
        /// The topics, by name or id.
        topics: Vec<DeleteTopicState> = 6..;
        /// The topics' names.
        topic_names: Vec<StrBytes> = 0..=5;
        /// How long the broker may take.
        timeout_ms: i32 = 0..;
    }

    /// A topic to drop.
    part DeleteTopicState {
        /// Its name, if it is not named by its id.
        name: Option<StrBytes> = 6.., nullable 6..;
        /// Its id, zero if it is named by its name.
        topic_id: Uuid = 6..;
    }

    /// What became of the topics.
    response DeleteTopicsResponse (DeleteTopics, 0..=6, flexible 4) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 1..;
        /// The topics.
        responses: Vec<DeletableTopicResult> = 0..;
    }

    /// What became of one topic.
    part DeletableTopicResult {
        /// Its name.
        name: Option<StrBytes> = 0.., nullable 6..;
        /// Its id.
        topic_id: Uuid = 6..;
        /// Why it is still there.
        error_code: i16 = 0..;
        /// Why it is still there, in words.
        error_message: Option<StrBytes> = 5.., nullable 5..;
    }
}

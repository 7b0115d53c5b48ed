//! A member of a new consumer group (KIP-848) is alive, joins, leaves, or says what it owns.

use crate::{StrBytes, Uuid};

messages! {
    /// What a member says. Between its first and last heartbeat, what did not change is absent.
    request ConsumerGroupHeartbeatRequest (ConsumerGroupHeartbeat, 0..=1, flexible 0) {
        /// The group.
        group_id: StrBytes = 0..;
        /// The member; it chooses its own id from version 1 on.
        member_id: StrBytes = 0..;
        /// The member's epoch; 0 to join, -1 to leave, -2 for a static member that will be back.
        member_epoch: i32 = 0..;
        /// The name of a member that outlives restarts.
        instance_id: Option<StrBytes> = 0.., nullable 0..;
        /// Where the member stands.
        rack_id: Option<StrBytes> = 0.., nullable 0..;
        /// How long the member may take to give partitions back, -1 if that did not change.
        rebalance_timeout_ms: i32 = 0.., default -1;
        /// The topics it wants; absent if they did not change.
        subscribed_topic_names: Option<Vec<StrBytes>> = 0.., nullable 0..;
        /// The pattern of topics it wants; absent if it did not change, empty to drop it.
        subscribed_topic_regex: Option<StrBytes> = 1.., nullable 1..;
        /// The way of assigning it wants; absent for the broker's choice, or if it did not change.
        server_assignor: Option<StrBytes> = 0.., nullable 0..;
        /// What it owns; absent if that did not change.
        topic_partitions: Option<Vec<TopicPartitions>> = 0.., nullable 0..;
    }

    /// Partitions of one topic.
    part TopicPartitions {
        /// The topic's id.
        topic_id: Uuid = 0..;
        /// The partitions' numbers.
        partitions: Vec<i32> = 0..;
    }

    /// What the member has to know.
    response ConsumerGroupHeartbeatResponse (ConsumerGroupHeartbeat, 0..=1, flexible 0) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// Why the member is not, or no longer, in the group.
        error_code: i16 = 0..;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 0.., nullable 0..;
        /// The member; absent if an error is answered.
        member_id: Option<StrBytes> = 0.., nullable 0..;
        /// The member's epoch.
        member_epoch: i32 = 0..;
        /// When the next heartbeat is due.
        heartbeat_interval_ms: i32 = 0..;
        /// What the member may own now; absent if that did not change.
        assignment: Option<Assignment> = 0.., nullable 0..;
    }

    /// What a member owns.
    part Assignment {
        /// Its partitions, by topic.
        topic_partitions: Vec<TopicPartitions> = 0..;
    }
}

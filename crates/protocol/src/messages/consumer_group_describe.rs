//! New consumer groups (KIP-848) and their members.

use crate::{StrBytes, Uuid};

messages! {
    /// Asks for groups.
    request ConsumerGroupDescribeRequest (ConsumerGroupDescribe, 0..=1, flexible 0) {
        /// The groups.
        group_ids: Vec<StrBytes> = 0..;
        /// Whether to say what the client may do with each group.
        include_authorized_operations: bool = 0..;
    }

    /// The groups.
    response ConsumerGroupDescribeResponse (ConsumerGroupDescribe, 0..=1, flexible 0) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// The groups.
        groups: Vec<DescribedGroup> = 0..;
    }

    /// A group.
    part DescribedGroup {
        /// Why the group cannot be described.
        error_code: i16 = 0..;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 0.., nullable 0..;
        /// The group.
        group_id: StrBytes = 0..;
        /// Its state: `Empty`, `Assigning`, `Reconciling`, `Stable` ...
        group_state: StrBytes = 0..;
        /// How often what it has to share out has changed.
        group_epoch: i32 = 0..;
        /// The epoch that the target assignment belongs to.
        assignment_epoch: i32 = 0..;
        /// Its way of assigning.
        assignor_name: StrBytes = 0..;
        /// Its members.
        members: Vec<Member> = 0..;
        /// What the client may do with it, one bit per operation.
        authorized_operations: i32 = 0.., default i32::MIN;
    }

    /// A member.
    part Member {
        /// The member.
        member_id: StrBytes = 0..;
        /// The name of a member that outlives restarts.
        instance_id: Option<StrBytes> = 0.., nullable 0..;
        /// Where it stands.
        rack_id: Option<StrBytes> = 0.., nullable 0..;
        /// Its epoch.
        member_epoch: i32 = 0..;
        /// What its client calls itself.
        client_id: StrBytes = 0..;
        /// Where its client connects from.
        client_host: StrBytes = 0..;
        /// The topics it wants.
        subscribed_topic_names: Vec<StrBytes> = 0..;
        /// The pattern of topics it wants.
        subscribed_topic_regex: Option<StrBytes> = 0.., nullable 0..;
        /// What it owns.
        assignment: Assignment = 0..;
        /// What it is to own.
        target_assignment: Assignment = 0..;
        /// 0 for the classic protocol, 1 for the new one, -1 if unknown.
        member_type: i8 = 1.., default -1;
    }

    /// What a member owns.
    part Assignment {
        /// Its partitions, by topic.
        topic_partitions: Vec<TopicPartitions> = 0..;
    }

    /// Partitions of one topic.
    part TopicPartitions {
        /// The topic's id.
        topic_id: Uuid = 0..;
        /// The topic's name.
        topic_name: StrBytes = 0..;
        /// The partitions' numbers.
        partitions: Vec<i32> = 0..;
    }
}

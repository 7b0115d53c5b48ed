//! Streams groups (KIP-1071), their topologies and members.

use crate::StrBytes;

messages! {
    /// Asks for groups.
    request StreamsGroupDescribeRequest (StreamsGroupDescribe, 0..=0, flexible 0) {
        /// The groups.
        group_ids: Vec<StrBytes> = 0..;
        /// Whether to say what the client may do with each group.
        include_authorized_operations: bool = 0..;
    }

    /// The groups.
    response StreamsGroupDescribeResponse (StreamsGroupDescribe, 0..=0, flexible 0) {
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
        /// Its state: `Empty`, `NotReady`, `Assigning`, `Reconciling`, `Stable` ...
        group_state: StrBytes = 0..;
        /// How often what it has to share out has changed.
        group_epoch: i32 = 0..;
        /// The epoch that the target assignment belongs to.
        assignment_epoch: i32 = 0..;
        /// What the application does; absent before a member has said it.
        topology: Option<Topology> = 0.., nullable 0..;
        /// Its members.
        members: Vec<Member> = 0..;
        /// What the client may do with it, one bit per operation.
        authorized_operations: i32 = 0.., default i32::MIN;
    }

    /// What an application does.
    part Topology {
        /// How often that has changed.
        epoch: i32 = 0..;
        /// Its parts; absent before it could be set up.
        subtopologies: Option<Vec<Subtopology>> = 0.., nullable 0..;
    }

    /// Part of a topology: what runs together in one task.
    part Subtopology {
        /// The part of the topology.
        subtopology_id: StrBytes = 0..;
        /// The topics it reads.
        source_topics: Vec<StrBytes> = 0..;
        /// The topics it writes for other parts.
        repartition_sink_topics: Vec<StrBytes> = 0..;
        /// The topics that keep its state.
        state_changelog_topics: Vec<TopicInfo> = 0..;
        /// The topics it reads from other parts.
        repartition_source_topics: Vec<TopicInfo> = 0..;
    }

    /// A topic of the application's own.
    part TopicInfo {
        /// The topic's name.
        name: StrBytes = 0..;
        /// How many partitions, 0 if that depends on other topics.
        partitions: i32 = 0..;
        /// How many copies, 0 for the broker's default.
        replication_factor: i16 = 0..;
        /// Its settings.
        topic_configs: Vec<KeyValue> = 0..;
    }

    /// A setting or a tag.
    part KeyValue {
        /// Its name.
        key: StrBytes = 0..;
        /// Its value.
        value: StrBytes = 0..;
    }

    /// A member.
    part Member {
        /// The member.
        member_id: StrBytes = 0..;
        /// Its epoch.
        member_epoch: i32 = 0..;
        /// The name of a member that outlives restarts.
        instance_id: Option<StrBytes> = 0.., nullable 0..;
        /// Where it stands.
        rack_id: Option<StrBytes> = 0.., nullable 0..;
        /// What its client calls itself.
        client_id: StrBytes = 0..;
        /// Where its client connects from.
        client_host: StrBytes = 0..;
        /// The epoch of the topology it runs.
        topology_epoch: i32 = 0..;
        /// The process; members of one share its state.
        process_id: StrBytes = 0..;
        /// Where its queries are answered; absent if nowhere.
        user_endpoint: Option<Endpoint> = 0.., nullable 0..;
        /// Its tags, to spread copies over.
        client_tags: Vec<KeyValue> = 0..;
        /// How far the state of its tasks is.
        task_offsets: Vec<TaskOffset> = 0..;
        /// How far it could be.
        task_end_offsets: Vec<TaskOffset> = 0..;
        /// What it runs.
        assignment: Assignment = 0..;
        /// What it is to run.
        target_assignment: Assignment = 0..;
        /// Whether it still speaks the classic protocol.
        is_classic: bool = 0..;
    }

    /// An address.
    part Endpoint {
        /// Its host.
        host: StrBytes = 0..;
        /// Its port.
        port: u16 = 0..;
    }

    /// How far the state of a task is.
    part TaskOffset {
        /// The part of the topology.
        subtopology_id: StrBytes = 0..;
        /// The partition the task reads.
        partition: i32 = 0..;
        /// The sum of its offsets in the topics that keep it.
        offset: i64 = 0..;
    }

    /// Tasks of a member.
    part Assignment {
        /// The tasks it runs.
        active_tasks: Vec<TaskIds> = 0..;
        /// The tasks whose state it keeps a copy of.
        standby_tasks: Vec<TaskIds> = 0..;
        /// The tasks whose state it builds up, to run them later.
        warmup_tasks: Vec<TaskIds> = 0..;
    }

    /// Tasks of one part of the topology.
    part TaskIds {
        /// The part of the topology.
        subtopology_id: StrBytes = 0..;
        /// The tasks, by the partition they read.
        partitions: Vec<i32> = 0..;
    }
}

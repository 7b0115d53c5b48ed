//! A member of a Streams group (KIP-1071) is alive, joins, leaves, or says what it runs.

use crate::StrBytes;

messages! {
    /// What a member says. Between its first and last heartbeat, what did not change is absent.
    request StreamsGroupHeartbeatRequest (StreamsGroupHeartbeat, 0..=0, flexible 0) {
        /// The group.
        group_id: StrBytes = 0..;
        /// The member; it chooses its own id.
        member_id: StrBytes = 0..;
        /// The member's epoch; 0 to join, -1 to leave, -2 for a static member that will be back.
        member_epoch: i32 = 0..;
        /// The epoch of the addresses it knows.
        endpoint_information_epoch: i32 = 0..;
        /// The name of a member that outlives restarts.
        instance_id: Option<StrBytes> = 0.., nullable 0..;
        /// Where the member stands.
        rack_id: Option<StrBytes> = 0.., nullable 0..;
        /// How long the member may take to give tasks back, -1 if that did not change.
        rebalance_timeout_ms: i32 = 0.., default -1;
        /// What the application does; absent but for the first time.
        topology: Option<Topology> = 0.., nullable 0..;
        /// The tasks it runs; absent if they did not change.
        active_tasks: Option<Vec<TaskIds>> = 0.., nullable 0..;
        /// The tasks whose state it keeps a copy of; absent if they did not change.
        standby_tasks: Option<Vec<TaskIds>> = 0.., nullable 0..;
        /// The tasks whose state it builds up, to run them later; absent if they did not change.
        warmup_tasks: Option<Vec<TaskIds>> = 0.., nullable 0..;
        /// The process; members of one share its state.
        process_id: Option<StrBytes> = 0.., nullable 0..;
        /// Where its queries are answered; absent if nowhere, or if that did not change.
        user_endpoint: Option<Endpoint> = 0.., nullable 0..;
        /// Its tags, to spread copies over; absent if they did not change.
        client_tags: Option<Vec<KeyValue>> = 0.., nullable 0..;
        /// How far the state of its tasks is; absent if it does not say.
        task_offsets: Option<Vec<TaskOffset>> = 0.., nullable 0..;
        /// How far it could be; absent if it does not say.
        task_end_offsets: Option<Vec<TaskOffset>> = 0.., nullable 0..;
        /// Whether the whole application is to stop.
        shutdown_application: bool = 0..;
    }

    /// What an application does.
    part Topology {
        /// How often that has changed.
        epoch: i32 = 0..;
        /// Its parts.
        subtopologies: Vec<Subtopology> = 0..;
    }

    /// Part of a topology: what runs together in one task.
    part Subtopology {
        /// The part of the topology.
        subtopology_id: StrBytes = 0..;
        /// The topics it reads.
        source_topics: Vec<StrBytes> = 0..;
        /// Patterns of topics it reads.
        source_topic_regex: Vec<StrBytes> = 0..;
        /// The topics that keep its state.
        state_changelog_topics: Vec<TopicInfo> = 0..;
        /// The topics it writes for other parts.
        repartition_sink_topics: Vec<StrBytes> = 0..;
        /// The topics it reads from other parts.
        repartition_source_topics: Vec<TopicInfo> = 0..;
        /// Topics that must have equally many partitions.
        copartition_groups: Vec<CopartitionGroup> = 0..;
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

    /// Topics that must have equally many partitions, as places in the lists of the part.
    part CopartitionGroup {
        /// Places in `source_topics`.
        source_topics: Vec<i16> = 0..;
        /// Places in `source_topic_regex`.
        source_topic_regex: Vec<i16> = 0..;
        /// Places in `repartition_source_topics`.
        repartition_source_topics: Vec<i16> = 0..;
    }

    /// Tasks of one part of the topology.
    part TaskIds {
        /// The part of the topology.
        subtopology_id: StrBytes = 0..;
        /// The tasks, by the partition they read.
        partitions: Vec<i32> = 0..;
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

    /// What the member has to know.
    response StreamsGroupHeartbeatResponse (StreamsGroupHeartbeat, 0..=0, flexible 0) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// Why the member is not, or no longer, in the group.
        error_code: i16 = 0..;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 0.., nullable 0..;
        /// The member.
        member_id: StrBytes = 0..;
        /// The member's epoch.
        member_epoch: i32 = 0..;
        /// When the next heartbeat is due.
        heartbeat_interval_ms: i32 = 0..;
        /// How far behind a copy of a state may be and still count as ready.
        acceptable_recovery_lag: i32 = 0..;
        /// How often to say how far the state is.
        task_offset_interval_ms: i32 = 0..;
        /// What is amiss; absent if that did not change.
        status: Option<Vec<Status>> = 0.., nullable 0..;
        /// The tasks it is to run; absent if they did not change.
        active_tasks: Option<Vec<TaskIds>> = 0.., nullable 0..;
        /// The tasks whose state it is to keep a copy of; absent if they did not change.
        standby_tasks: Option<Vec<TaskIds>> = 0.., nullable 0..;
        /// The tasks whose state it is to build up; absent if they did not change.
        warmup_tasks: Option<Vec<TaskIds>> = 0.., nullable 0..;
        /// The epoch of the addresses that follow.
        endpoint_information_epoch: i32 = 0..;
        /// Where which partition is queried; absent if that did not change.
        partitions_by_user_endpoint: Option<Vec<EndpointToPartitions>> = 0.., nullable 0..;
    }

    /// Something that is amiss.
    part Status {
        /// 0 stale topology, 1 missing source topics, 2 partitions that do not match, 3 missing
        /// internal topics, 4 the application is to stop ...
        status_code: i8 = 0..;
        /// The same in words.
        status_detail: StrBytes = 0..;
    }

    /// What is queried at an address.
    part EndpointToPartitions {
        /// The address.
        user_endpoint: Endpoint = 0..;
        /// What is run there.
        active_partitions: Vec<TopicPartition> = 0..;
        /// What is kept there as a copy.
        standby_partitions: Vec<TopicPartition> = 0..;
    }

    /// Partitions of one topic.
    part TopicPartition {
        /// The topic's name.
        topic: StrBytes = 0..;
        /// The partitions' numbers.
        partitions: Vec<i32> = 0..;
    }
}

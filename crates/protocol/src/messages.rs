//! The messages: one file per API.
//!
//! Requests and responses are named here; the structures inside of them live in the file of their
//! API, as several APIs have structures of the same name.

macro_rules! apis {
    ($($(#[$doc:meta])* $module:ident: $key:ident, $request:ident, $response:ident;)*) => {
        $($(#[$doc])* pub mod $module;)*
        $(pub use $module::{$request, $response};)*

        /// The versions of an API that this crate speaks.
        pub(crate) fn versions(key: crate::ApiKey) -> Option<std::ops::RangeInclusive<i16>> {
            match key {
                $(crate::ApiKey::$key => Some(<$request as crate::Message>::VERSIONS),)*
                _ => None,
            }
        }

        /// Calls a macro with every pair of messages.
        #[cfg(test)]
        macro_rules! every_api {
            ($callback:ident) => {
                $($callback! { $request, $response })*
            };
        }
        #[cfg(test)]
        pub(crate) use every_api;
    };
}

apis! {
    /// Key 18: which APIs and versions a broker serves.
    api_versions: ApiVersions, ApiVersionsRequest, ApiVersionsResponse;
    /// Key 37: more partitions for a topic.
    create_partitions: CreatePartitions, CreatePartitionsRequest, CreatePartitionsResponse;
    /// Key 19: new topics.
    create_topics: CreateTopics, CreateTopicsRequest, CreateTopicsResponse;
    /// Key 42: forgets empty groups.
    delete_groups: DeleteGroups, DeleteGroupsRequest, DeleteGroupsResponse;
    /// Key 21: drops the oldest records.
    delete_records: DeleteRecords, DeleteRecordsRequest, DeleteRecordsResponse;
    /// Key 20: drops topics.
    delete_topics: DeleteTopics, DeleteTopicsRequest, DeleteTopicsResponse;
    /// Key 60: the brokers of a cluster.
    describe_cluster: DescribeCluster, DescribeClusterRequest, DescribeClusterResponse;
    /// Key 32: the settings of topics and brokers.
    describe_configs: DescribeConfigs, DescribeConfigsRequest, DescribeConfigsResponse;
    /// Key 15: groups and their members.
    describe_groups: DescribeGroups, DescribeGroupsRequest, DescribeGroupsResponse;
    /// Key 1: reads records.
    fetch: Fetch, FetchRequest, FetchResponse;
    /// Key 10: who keeps a group or a transaction.
    find_coordinator: FindCoordinator, FindCoordinatorRequest, FindCoordinatorResponse;
    /// Key 12: a group member is alive.
    heartbeat: Heartbeat, HeartbeatRequest, HeartbeatResponse;
    /// Key 22: an id for an idempotent producer.
    init_producer_id: InitProducerId, InitProducerIdRequest, InitProducerIdResponse;
    /// Key 11: enters a group.
    join_group: JoinGroup, JoinGroupRequest, JoinGroupResponse;
    /// Key 13: leaves a group.
    leave_group: LeaveGroup, LeaveGroupRequest, LeaveGroupResponse;
    /// Key 16: all groups.
    list_groups: ListGroups, ListGroupsRequest, ListGroupsResponse;
    /// Key 2: offsets by time.
    list_offsets: ListOffsets, ListOffsetsRequest, ListOffsetsResponse;
    /// Key 3: brokers, topics and partitions.
    metadata: Metadata, MetadataRequest, MetadataResponse;
    /// Key 8: remembers how far a group has read.
    offset_commit: OffsetCommit, OffsetCommitRequest, OffsetCommitResponse;
    /// Key 9: how far a group has read.
    offset_fetch: OffsetFetch, OffsetFetchRequest, OffsetFetchResponse;
    /// Key 23: where a leader's epoch ends.
    offset_for_leader_epoch: OffsetForLeaderEpoch, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse;
    /// Key 0: appends records.
    produce: Produce, ProduceRequest, ProduceResponse;
    /// Key 14: hands out a group's assignment.
    sync_group: SyncGroup, SyncGroupRequest, SyncGroupResponse;
}

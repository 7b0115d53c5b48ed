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
    /// Key 25: a group whose offsets a transaction will commit.
    add_offsets_to_txn: AddOffsetsToTxn, AddOffsetsToTxnRequest, AddOffsetsToTxnResponse;
    /// Key 24: partitions that a transaction will write to.
    add_partitions_to_txn: AddPartitionsToTxn, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse;
    /// Key 33: replaces all settings of topics or brokers.
    alter_configs: AlterConfigs, AlterConfigsRequest, AlterConfigsResponse;
    /// Key 18: which APIs and versions a broker serves.
    api_versions: ApiVersions, ApiVersionsRequest, ApiVersionsResponse;
    /// Key 69: new consumer groups and their members.
    consumer_group_describe: ConsumerGroupDescribe, ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse;
    /// Key 68: a member of a new consumer group is alive, joins or leaves.
    consumer_group_heartbeat: ConsumerGroupHeartbeat, ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse;
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
    /// Key 35: the directories partitions are kept in, and their sizes.
    describe_log_dirs: DescribeLogDirs, DescribeLogDirsRequest, DescribeLogDirsResponse;
    /// Key 61: who writes to a partition with idempotence or in transactions.
    describe_producers: DescribeProducers, DescribeProducersRequest, DescribeProducersResponse;
    /// Key 75: topics and their partitions, in pages.
    describe_topic_partitions: DescribeTopicPartitions, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse;
    /// Key 65: transactions, as their coordinator knows them.
    describe_transactions: DescribeTransactions, DescribeTransactionsRequest, DescribeTransactionsResponse;
    /// Key 26: commits or aborts a transaction.
    end_txn: EndTxn, EndTxnRequest, EndTxnResponse;
    /// Key 1: reads records.
    fetch: Fetch, FetchRequest, FetchResponse;
    /// Key 10: who keeps a group or a transaction.
    find_coordinator: FindCoordinator, FindCoordinatorRequest, FindCoordinatorResponse;
    /// Key 12: a group member is alive.
    heartbeat: Heartbeat, HeartbeatRequest, HeartbeatResponse;
    /// Key 44: changes single settings of topics or brokers.
    incremental_alter_configs: IncrementalAlterConfigs, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse;
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
    /// Key 66: all transactions.
    list_transactions: ListTransactions, ListTransactionsRequest, ListTransactionsResponse;
    /// Key 3: brokers, topics and partitions.
    metadata: Metadata, MetadataRequest, MetadataResponse;
    /// Key 8: remembers how far a group has read.
    offset_commit: OffsetCommit, OffsetCommitRequest, OffsetCommitResponse;
    /// Key 47: forgets how far a group has read.
    offset_delete: OffsetDelete, OffsetDeleteRequest, OffsetDeleteResponse;
    /// Key 9: how far a group has read.
    offset_fetch: OffsetFetch, OffsetFetchRequest, OffsetFetchResponse;
    /// Key 23: where a leader's epoch ends.
    offset_for_leader_epoch: OffsetForLeaderEpoch, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse;
    /// Key 0: appends records.
    produce: Produce, ProduceRequest, ProduceResponse;
    /// Key 14: hands out a group's assignment.
    sync_group: SyncGroup, SyncGroupRequest, SyncGroupResponse;
    /// Key 28: remembers how far a group has read, as part of a transaction.
    txn_offset_commit: TxnOffsetCommit, TxnOffsetCommitRequest, TxnOffsetCommitResponse;
    /// Key 27: writes the ends of transactions into partitions.
    write_txn_markers: WriteTxnMarkers, WriteTxnMarkersRequest, WriteTxnMarkersResponse;
}

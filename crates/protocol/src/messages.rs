//! The messages: one file per API.
//!
//! Requests and responses are named here; the structures inside of them live in the file of their
//! API, as several APIs have structures of the same name.

use bytes::Bytes;

use crate::{ApiKey, DecodeError, Message};

/// Which of an API's two messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// What a client sends.
    Request,
    /// What a broker answers.
    Response,
}

fn again<M: Message>(bytes: Bytes, version: i16) -> Result<Bytes, DecodeError> {
    M::from_bytes(bytes, version).map(|message| message.to_bytes(version))
}

macro_rules! apis {
    ($($(#[$doc:meta])* $module:ident: $key:ident, $request:ident, $response:ident;)*) => {
        $($(#[$doc])* pub mod $module;)*
        $(pub use $module::{$request, $response};)*

        /// The versions of an API that this crate speaks.
        pub(crate) fn versions(key: ApiKey) -> Option<std::ops::RangeInclusive<i16>> {
            match key {
                $(ApiKey::$key => Some(<$request as Message>::VERSIONS),)*
                _ => None,
            }
        }

        /// Reads a message of any API and writes it again: for tools that learn only at run time
        /// which message they have, such as recorders and fuzzers. `None` if this crate has no
        /// message for that API and version.
        ///
        /// # Errors
        /// As [`Message::from_bytes`].
        #[must_use]
        pub fn rewrite(
            key: ApiKey,
            side: Side,
            version: i16,
            bytes: Bytes,
        ) -> Option<Result<Bytes, DecodeError>> {
            if !versions(key)?.contains(&version) {
                return None;
            }
            Some(match (key, side) {
                $((ApiKey::$key, Side::Request) => again::<$request>(bytes, version),)*
                $((ApiKey::$key, Side::Response) => again::<$response>(bytes, version),)*
                _ => return None,
            })
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
    /// Key 80: one more voter that keeps the cluster's metadata.
    add_raft_voter: AddRaftVoter, AddRaftVoterRequest, AddRaftVoterResponse;
    /// Key 49: changes what clients may use.
    alter_client_quotas: AlterClientQuotas, AlterClientQuotasRequest, AlterClientQuotasResponse;
    /// Key 33: replaces all settings of topics or brokers.
    alter_configs: AlterConfigs, AlterConfigsRequest, AlterConfigsResponse;
    /// Key 45: moves partitions to other brokers.
    alter_partition_reassignments: AlterPartitionReassignments, AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse;
    /// Key 34: moves partitions to other directories of a broker.
    alter_replica_log_dirs: AlterReplicaLogDirs, AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse;
    /// Key 51: changes the SCRAM credentials of users.
    alter_user_scram_credentials: AlterUserScramCredentials, AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse;
    /// Key 18: which APIs and versions a broker serves.
    api_versions: ApiVersions, ApiVersionsRequest, ApiVersionsResponse;
    /// Key 69: new consumer groups and their members.
    consumer_group_describe: ConsumerGroupDescribe, ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse;
    /// Key 68: a member of a new consumer group is alive, joins or leaves.
    consumer_group_heartbeat: ConsumerGroupHeartbeat, ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse;
    /// Key 30: new rules about who may do what.
    create_acls: CreateAcls, CreateAclsRequest, CreateAclsResponse;
    /// Key 38: a new token that stands for a user.
    create_delegation_token: CreateDelegationToken, CreateDelegationTokenRequest, CreateDelegationTokenResponse;
    /// Key 37: more partitions for a topic.
    create_partitions: CreatePartitions, CreatePartitionsRequest, CreatePartitionsResponse;
    /// Key 19: new topics.
    create_topics: CreateTopics, CreateTopicsRequest, CreateTopicsResponse;
    /// Key 31: drops rules about who may do what.
    delete_acls: DeleteAcls, DeleteAclsRequest, DeleteAclsResponse;
    /// Key 42: forgets empty groups.
    delete_groups: DeleteGroups, DeleteGroupsRequest, DeleteGroupsResponse;
    /// Key 21: drops the oldest records.
    delete_records: DeleteRecords, DeleteRecordsRequest, DeleteRecordsResponse;
    /// Key 20: drops topics.
    delete_topics: DeleteTopics, DeleteTopicsRequest, DeleteTopicsResponse;
    /// Key 29: who may do what.
    describe_acls: DescribeAcls, DescribeAclsRequest, DescribeAclsResponse;
    /// Key 48: what clients may use.
    describe_client_quotas: DescribeClientQuotas, DescribeClientQuotasRequest, DescribeClientQuotasResponse;
    /// Key 60: the brokers of a cluster.
    describe_cluster: DescribeCluster, DescribeClusterRequest, DescribeClusterResponse;
    /// Key 32: the settings of topics and brokers.
    describe_configs: DescribeConfigs, DescribeConfigsRequest, DescribeConfigsResponse;
    /// Key 41: tokens that stand for users.
    describe_delegation_token: DescribeDelegationToken, DescribeDelegationTokenRequest, DescribeDelegationTokenResponse;
    /// Key 15: groups and their members.
    describe_groups: DescribeGroups, DescribeGroupsRequest, DescribeGroupsResponse;
    /// Key 35: the directories partitions are kept in, and their sizes.
    describe_log_dirs: DescribeLogDirs, DescribeLogDirsRequest, DescribeLogDirsResponse;
    /// Key 61: who writes to a partition with idempotence or in transactions.
    describe_producers: DescribeProducers, DescribeProducersRequest, DescribeProducersResponse;
    /// Key 55: the voters that keep the cluster's metadata.
    describe_quorum: DescribeQuorum, DescribeQuorumRequest, DescribeQuorumResponse;
    /// Key 75: topics and their partitions, in pages.
    describe_topic_partitions: DescribeTopicPartitions, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse;
    /// Key 65: transactions, as their coordinator knows them.
    describe_transactions: DescribeTransactions, DescribeTransactionsRequest, DescribeTransactionsResponse;
    /// Key 50: which users have SCRAM credentials.
    describe_user_scram_credentials: DescribeUserScramCredentials, DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse;
    /// Key 43: elects the leaders of partitions anew.
    elect_leaders: ElectLeaders, ElectLeadersRequest, ElectLeadersResponse;
    /// Key 26: commits or aborts a transaction.
    end_txn: EndTxn, EndTxnRequest, EndTxnResponse;
    /// Key 40: changes when a token ends.
    expire_delegation_token: ExpireDelegationToken, ExpireDelegationTokenRequest, ExpireDelegationTokenResponse;
    /// Key 1: reads records.
    fetch: Fetch, FetchRequest, FetchResponse;
    /// Key 10: who keeps a group or a transaction.
    find_coordinator: FindCoordinator, FindCoordinatorRequest, FindCoordinatorResponse;
    /// Key 71: which of its own figures a client should send.
    get_telemetry_subscriptions: GetTelemetrySubscriptions, GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse;
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
    /// Key 74: what has settings.
    list_config_resources: ListConfigResources, ListConfigResourcesRequest, ListConfigResourcesResponse;
    /// Key 16: all groups.
    list_groups: ListGroups, ListGroupsRequest, ListGroupsResponse;
    /// Key 2: offsets by time.
    list_offsets: ListOffsets, ListOffsetsRequest, ListOffsetsResponse;
    /// Key 46: partitions that are on their way to other brokers.
    list_partition_reassignments: ListPartitionReassignments, ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse;
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
    /// Key 72: figures a client sends about itself.
    push_telemetry: PushTelemetry, PushTelemetryRequest, PushTelemetryResponse;
    /// Key 81: one voter fewer that keeps the cluster's metadata.
    remove_raft_voter: RemoveRaftVoter, RemoveRaftVoterRequest, RemoveRaftVoterResponse;
    /// Key 39: makes a token last longer.
    renew_delegation_token: RenewDelegationToken, RenewDelegationTokenRequest, RenewDelegationTokenResponse;
    /// Key 36: a client says who it is.
    sasl_authenticate: SaslAuthenticate, SaslAuthenticateRequest, SaslAuthenticateResponse;
    /// Key 17: how a client will say who it is.
    sasl_handshake: SaslHandshake, SaslHandshakeRequest, SaslHandshakeResponse;
    /// Key 89: Streams groups, their topologies and members.
    streams_group_describe: StreamsGroupDescribe, StreamsGroupDescribeRequest, StreamsGroupDescribeResponse;
    /// Key 88: a member of a Streams group is alive, joins or leaves.
    streams_group_heartbeat: StreamsGroupHeartbeat, StreamsGroupHeartbeatRequest, StreamsGroupHeartbeatResponse;
    /// Key 14: hands out a group's assignment.
    sync_group: SyncGroup, SyncGroupRequest, SyncGroupResponse;
    /// Key 28: remembers how far a group has read, as part of a transaction.
    txn_offset_commit: TxnOffsetCommit, TxnOffsetCommitRequest, TxnOffsetCommitResponse;
    /// Key 64: forgets a broker that will not come back.
    unregister_broker: UnregisterBroker, UnregisterBrokerRequest, UnregisterBrokerResponse;
    /// Key 57: switches features of the whole cluster.
    update_features: UpdateFeatures, UpdateFeaturesRequest, UpdateFeaturesResponse;
    /// Key 27: writes the ends of transactions into partitions.
    write_txn_markers: WriteTxnMarkers, WriteTxnMarkersRequest, WriteTxnMarkersResponse;
}

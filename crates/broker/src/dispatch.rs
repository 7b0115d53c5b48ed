//! The table: which API is served in which versions by which handler.
//!
//! A request is decoded once and answered once, here. Handlers are called in the order of arrival and begin
//! their work at once; what they return only waits, so that pipelined requests keep their order.

use std::ops::RangeInclusive;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use protocol::messages as message;
use protocol::{ApiKey, DecodeError, Decoder, ErrorCode, Frame, Message, RequestHeader};

use crate::api;
use crate::context::{Client, Context, Principal, Shared};
use crate::memory::Lease;

/// Why a connection is closed without an answer: nothing that follows can be understood.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the request's header cannot be read")]
    Header(#[source] DecodeError),
    #[error("api key {api_key} is not served")]
    UnknownApi { api_key: i16 },
    #[error("version {version} of {api} is not served, {served:?} are")]
    Version { api: ApiKey, version: i16, served: RangeInclusive<i16> },
    #[error("{api} version {version} cannot be read")]
    Body { api: ApiKey, version: i16, source: DecodeError },
}

/// What becomes of a request.
#[derive(Debug)]
pub(crate) enum Reply {
    /// These bytes go to the client.
    Send(Vec<Bytes>),
    /// The client asked for no answer.
    Nothing,
    /// The client asked for no answer and has to notice that something went wrong.
    Close,
}

/// A reply on its way, with the memory that it holds.
pub(crate) type Answer = Pin<Box<dyn Future<Output = (Reply, Lease)> + Send>>;

/// One line of the table.
pub(crate) struct Route {
    pub(crate) api: ApiKey,
    pub(crate) versions: RangeInclusive<i16>,
    serve: fn(&Context, &mut Decoder, i32, Lease) -> Result<Answer, DecodeError>,
}

macro_rules! routes {
    ($($api:ident, $request:ident => $module:ident;)*) => {
        /// Everything that is served, by key.
        pub(crate) static ROUTES: &[Route] = &[$(Route {
            api: ApiKey::$api,
            versions: <message::$request as Message>::VERSIONS,
            serve: |context, decoder, correlation_id, lease| {
                let version = context.api_version;
                let request = <message::$request as Message>::decode(decoder, version)?;
                let waiting = api::$module::handle(context, request);
                Ok(Box::pin(async move {
                    let response = waiting.await;
                    (encode(correlation_id, version, &response), lease)
                }))
            },
        },)*];
    };
}

routes! {
    ListOffsets, ListOffsetsRequest => list_offsets;
    Metadata, MetadataRequest => metadata;
    OffsetCommit, OffsetCommitRequest => offset_commit;
    OffsetFetch, OffsetFetchRequest => offset_fetch;
    FindCoordinator, FindCoordinatorRequest => find_coordinator;
    JoinGroup, JoinGroupRequest => join_group;
    Heartbeat, HeartbeatRequest => heartbeat;
    LeaveGroup, LeaveGroupRequest => leave_group;
    SyncGroup, SyncGroupRequest => sync_group;
    DescribeGroups, DescribeGroupsRequest => describe_groups;
    ListGroups, ListGroupsRequest => list_groups;
    ApiVersions, ApiVersionsRequest => api_versions;
    CreateTopics, CreateTopicsRequest => create_topics;
    DeleteTopics, DeleteTopicsRequest => delete_topics;
    InitProducerId, InitProducerIdRequest => init_producer_id;
    AddPartitionsToTxn, AddPartitionsToTxnRequest => add_partitions_to_txn;
    AddOffsetsToTxn, AddOffsetsToTxnRequest => add_offsets_to_txn;
    EndTxn, EndTxnRequest => end_txn;
    WriteTxnMarkers, WriteTxnMarkersRequest => write_txn_markers;
    TxnOffsetCommit, TxnOffsetCommitRequest => txn_offset_commit;
    DescribeProducers, DescribeProducersRequest => describe_producers;
    DescribeTransactions, DescribeTransactionsRequest => describe_transactions;
    ListTransactions, ListTransactionsRequest => list_transactions;
    OffsetForLeaderEpoch, OffsetForLeaderEpochRequest => offset_for_leader_epoch;
    DescribeConfigs, DescribeConfigsRequest => describe_configs;
    DeleteGroups, DeleteGroupsRequest => delete_groups;
    OffsetDelete, OffsetDeleteRequest => offset_delete;
    DescribeCluster, DescribeClusterRequest => describe_cluster;
    CreatePartitions, CreatePartitionsRequest => create_partitions;
    DeleteRecords, DeleteRecordsRequest => delete_records;
    DescribeLogDirs, DescribeLogDirsRequest => describe_log_dirs;
    DescribeTopicPartitions, DescribeTopicPartitionsRequest => describe_topic_partitions;
    AlterConfigs, AlterConfigsRequest => alter_configs;
    IncrementalAlterConfigs, IncrementalAlterConfigsRequest => incremental_alter_configs;
    ListConfigResources, ListConfigResourcesRequest => list_config_resources;
    ElectLeaders, ElectLeadersRequest => elect_leaders;
    AlterPartitionReassignments, AlterPartitionReassignmentsRequest => alter_partition_reassignments;
    ListPartitionReassignments, ListPartitionReassignmentsRequest => list_partition_reassignments;
    DescribeQuorum, DescribeQuorumRequest => describe_quorum;
    DescribeClientQuotas, DescribeClientQuotasRequest => describe_client_quotas;
    AlterClientQuotas, AlterClientQuotasRequest => alter_client_quotas;
    DescribeUserScramCredentials, DescribeUserScramCredentialsRequest => describe_user_scram_credentials;
    AlterUserScramCredentials, AlterUserScramCredentialsRequest => alter_user_scram_credentials;
    DescribeAcls, DescribeAclsRequest => describe_acls;
    CreateAcls, CreateAclsRequest => create_acls;
    DeleteAcls, DeleteAclsRequest => delete_acls;
    AlterReplicaLogDirs, AlterReplicaLogDirsRequest => alter_replica_log_dirs;
    UpdateFeatures, UpdateFeaturesRequest => update_features;
    ConsumerGroupHeartbeat, ConsumerGroupHeartbeatRequest => consumer_group_heartbeat;
    ConsumerGroupDescribe, ConsumerGroupDescribeRequest => consumer_group_describe;
}

/// The two that move records: their answers hold memory, or may be unwanted.
static DATA_ROUTES: &[Route] = &[
    Route {
        api: ApiKey::Produce,
        versions: <message::ProduceRequest as Message>::VERSIONS,
        serve: |context, decoder, correlation_id, lease| {
            let version = context.api_version;
            let request = message::ProduceRequest::decode(decoder, version)?;
            let silent = request.acks == 0;
            let waiting = api::produce::handle(context, request);
            Ok(Box::pin(async move {
                let response = waiting.await;
                let reply = match silent {
                    true if api::produce::has_error(&response) => Reply::Close,
                    true => Reply::Nothing,
                    false => encode(correlation_id, version, &response),
                };
                (reply, lease)
            }))
        },
    },
    Route {
        api: ApiKey::Fetch,
        versions: <message::FetchRequest as Message>::VERSIONS,
        serve: |context, decoder, correlation_id, mut lease| {
            let version = context.api_version;
            let request = message::FetchRequest::decode(decoder, version)?;
            let waiting = api::fetch::handle(context, request);
            Ok(Box::pin(async move {
                let (response, held) = waiting.await;
                lease.absorb(held);
                (encode(correlation_id, version, &response), lease)
            }))
        },
    },
];

/// Every route, by key.
pub(crate) fn routes() -> impl Iterator<Item = &'static Route> {
    DATA_ROUTES.iter().chain(ROUTES)
}

/// Reads a request and starts on it.
pub(crate) fn dispatch(
    shared: &Arc<Shared>,
    client: &Arc<Client>,
    frame: Bytes,
    lease: Lease,
) -> Result<Answer, Refusal> {
    let mut decoder = Decoder::new(frame);
    let header = RequestHeader::decode(&mut decoder).map_err(Refusal::Header)?;
    let (api_key, version) = (header.api_key, header.api_version);
    let route = routes().find(|route| route.api.code() == api_key).ok_or(Refusal::UnknownApi { api_key })?;
    let api = route.api;
    if !route.versions.contains(&version) {
        return too_new(route, &header, lease);
    }
    let context = Context {
        shared: Arc::clone(shared),
        client: Arc::clone(client),
        client_id: header.client_id,
        api_version: version,
    };
    authorise(&context, api)?;
    if api != ApiKey::Produce {
        // It shall see what came before it.
        client.burst().run();
    }
    tracing::debug!(peer = %client.peer, %api, version, "request");
    (route.serve)(&context, &mut decoder, header.correlation_id, lease).map_err(|source| Refusal::Body {
        api,
        version,
        source,
    })
}

/// Only `ApiVersions` is answered in a version that is not served: the client asks in order to learn.
fn too_new(route: &Route, header: &RequestHeader, lease: Lease) -> Result<Answer, Refusal> {
    if route.api != ApiKey::ApiVersions {
        return Err(Refusal::Version {
            api: route.api,
            version: header.api_version,
            served: route.versions.clone(),
        });
    }
    let response = message::ApiVersionsResponse {
        error_code: ErrorCode::UnsupportedVersion.code(),
        api_keys: api::api_versions::served(),
        ..Default::default()
    };
    let reply = encode(header.correlation_id, 0, &response);
    Ok(Box::pin(async move { (reply, lease) }))
}

/// The place where a principal's rights are looked up. Everybody may do everything as long as nobody has a name.
fn authorise(context: &Context, api: ApiKey) -> Result<(), Refusal> {
    match (context.client.principal, api) {
        (Principal::Anonymous, _) => Ok(()),
    }
}

fn encode<M: Message>(correlation_id: i32, version: i16, response: &M) -> Reply {
    Reply::Send(Frame::response(correlation_id, version, response).into_chunks())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_route_with_its_versions() {
        let page = include_str!("../../../docs/kafka.md");
        let documented: Vec<(i16, String)> = page
            .lines()
            .filter_map(|line| {
                let mut cells = line.strip_prefix("| ")?.split(" | ");
                let (key, api, versions) = (cells.next()?, cells.next()?, cells.next()?);
                Some((key.parse().ok()?, format!("{api} {versions}")))
            })
            .collect();
        let mut served: Vec<(i16, String)> = routes()
            .map(|route| {
                let (first, last) = (route.versions.start(), route.versions.end());
                (route.api.code(), format!("{} {first}-{last}", route.api))
            })
            .collect();
        served.sort();
        assert_eq!(documented, served);
    }
}

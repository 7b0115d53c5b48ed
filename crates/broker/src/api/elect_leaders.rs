//! ElectLeaders, key 43, versions 0 to 2.
//!
//! There is one broker, so every partition has the leader it should have: an election is not needed.

use protocol::messages::elect_leaders::{PartitionResult, ReplicaElectionResult, TopicPartitions};
use protocol::messages::{ElectLeadersRequest, ElectLeadersResponse};
use protocol::{ErrorCode, StrBytes};

use crate::context::{Context, partition};

pub(crate) fn handle(
    context: &Context,
    request: ElectLeadersRequest,
) -> impl Future<Output = ElectLeadersResponse> + Send + use<> {
    let elect = |wanted: TopicPartitions| {
        let topic = context.topics().topic(&wanted.topic);
        let judge = |index: i32| {
            let found = topic.as_ref().and_then(|topic| partition(topic, index));
            let (code, message) = match found {
                Some(_) => (ErrorCode::ElectionNotNeeded, "this broker leads it already"),
                None => (ErrorCode::UnknownTopicOrPartition, "there is no such partition"),
            };
            let error_message = Some(StrBytes::from_static(message));
            PartitionResult { partition_id: index, error_code: code.code(), error_message }
        };
        let partition_result = wanted.partitions.into_iter().map(judge).collect();
        ReplicaElectionResult { topic: wanted.topic, partition_result }
    };
    // Asked for all partitions, Kafka names only those whose leader changed.
    let wanted = request.topic_partitions.unwrap_or_default();
    let replica_election_results = wanted.into_iter().map(elect).collect();
    std::future::ready(ElectLeadersResponse { replica_election_results, ..Default::default() })
}

//! DescribeProducers, key 61, version 0.
//!
//! Tells which producers a partition remembers, and where their open transactions begin.

use protocol::messages::describe_producers::{PartitionResponse, ProducerState, TopicRequest, TopicResponse};
use protocol::messages::{DescribeProducersRequest, DescribeProducersResponse};
use protocol::{ErrorCode, StrBytes};
use topics::ProducerStatus;

use crate::context::{Context, partition};

pub(crate) fn handle(
    context: &Context,
    request: DescribeProducersRequest,
) -> impl Future<Output = DescribeProducersResponse> + Send + use<> {
    let topics = request.topics.into_iter().map(|topic| describe(context, topic)).collect();
    std::future::ready(DescribeProducersResponse { topics, ..Default::default() })
}

fn describe(context: &Context, wanted: TopicRequest) -> TopicResponse {
    let topic = context.topics().topic(&wanted.name);
    let one = |partition_index: i32| {
        let Some(partition) = topic.as_ref().and_then(|topic| partition(topic, partition_index)) else {
            return PartitionResponse {
                partition_index,
                error_code: ErrorCode::UnknownTopicOrPartition.code(),
                error_message: Some(StrBytes::from_static("there is no such partition")),
                ..Default::default()
            };
        };
        let active_producers = partition.producers().into_iter().map(state).collect();
        PartitionResponse { partition_index, active_producers, ..Default::default() }
    };
    let partitions = wanted.partition_indexes.into_iter().map(one).collect();
    TopicResponse { name: wanted.name, partitions }
}

fn state(producer: ProducerStatus) -> ProducerState {
    ProducerState {
        producer_id: producer.producer_id,
        producer_epoch: i32::from(producer.epoch),
        last_sequence: producer.last_sequence,
        last_timestamp: producer.last_timestamp,
        coordinator_epoch: producer.coordinator_epoch,
        current_txn_start_offset: producer.transaction_first_offset.unwrap_or(-1),
    }
}

//! WriteTxnMarkers, key 27, versions 0 to 2.
//!
//! Ends a transaction in single partitions. Kafka's coordinators speak this to each other; here it is how
//! `kafka-transactions.sh abort` ends a transaction that hangs. The coordinator's own state is not touched.
//!
//! Version 2 says which epoch the marker carries (KIP-1228): the partition looks at that by itself.

use futures::future::{Either, join_all, ready};
use groups::TransactionalProducer;
use protocol::ErrorCode;
use protocol::messages::write_txn_markers::{
    WritableTxnMarker, WritableTxnMarkerPartitionResult, WritableTxnMarkerResult,
    WritableTxnMarkerTopicResult,
};
use protocol::messages::{WriteTxnMarkersRequest, WriteTxnMarkersResponse};

use crate::context::{Context, partition};
use crate::error_code;
use crate::journal::{OFFSETS_TOPIC, TRANSACTIONS_TOPIC};

pub(crate) fn handle(
    context: &Context,
    request: WriteTxnMarkersRequest,
) -> impl Future<Output = WriteTxnMarkersResponse> + Send + use<> {
    let writing = join_all(request.markers.into_iter().map(|marker| write(context, marker)));
    async move { WriteTxnMarkersResponse { markers: writing.await } }
}

fn write(
    context: &Context,
    marker: WritableTxnMarker,
) -> impl Future<Output = WritableTxnMarkerResult> + Send + use<> {
    let producer = TransactionalProducer { id: marker.producer_id, epoch: marker.producer_epoch };
    let end =
        End { producer, commit: marker.transaction_result, coordinator_epoch: marker.coordinator_epoch };
    let topics = join_all(marker.topics.into_iter().map(|topic| {
        let each =
            topic.partition_indexes.into_iter().map(|partition_index| {
                let written = write_one(context, &end, &topic.name, partition_index);
                async move {
                    WritableTxnMarkerPartitionResult { partition_index, error_code: written.await.code() }
                }
            });
        let partitions = join_all(each);
        async move { WritableTxnMarkerTopicResult { name: topic.name, partitions: partitions.await } }
    }));
    async move { WritableTxnMarkerResult { producer_id: producer.id, topics: topics.await } }
}

struct End {
    producer: TransactionalProducer,
    commit: bool,
    coordinator_epoch: i32,
}

fn write_one(
    context: &Context,
    end: &End,
    topic: &str,
    index: i32,
) -> impl Future<Output = ErrorCode> + Send + use<> {
    if topic == OFFSETS_TOPIC {
        let ending = context.coordinator().end_transaction(end.producer, end.commit);
        let written =
            async move { ending.await.map_or(ErrorCode::CoordinatorNotAvailable, |()| ErrorCode::None) };
        return Either::Left(written);
    }
    let found = context.topics().topic(topic).filter(|_| topic != TRANSACTIONS_TOPIC);
    let Some(partition) = found.and_then(|topic| partition(&topic, index)) else {
        return Either::Right(Either::Left(ready(ErrorCode::UnknownTopicOrPartition)));
    };
    let appending =
        partition.end_transaction(end.producer.id, end.producer.epoch, end.commit, end.coordinator_epoch);
    Either::Right(Either::Right(async move {
        let written = match appending {
            Ok(appending) => appending.await.map(drop),
            Err(error) => Err(error),
        };
        written.map_or_else(|error| error_code::append(&error), |()| ErrorCode::None)
    }))
}

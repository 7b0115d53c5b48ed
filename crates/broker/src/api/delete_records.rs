//! DeleteRecords, key 21, versions 0 to 2.
//!
//! Lets partitions begin later, durably: the records before the offset are gone for readers when the answer leaves.
//! Offset -1 is the high watermark.

use futures::future::join_all;
use protocol::ErrorCode;
use protocol::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use protocol::messages::{DeleteRecordsRequest, DeleteRecordsResponse};
use topics::Topic;

use crate::context::{Context, is_internal, partition};
use crate::error_code;

/// Everything that there is.
const HIGH_WATERMARK: i64 = -1;

pub(crate) fn handle(
    context: &Context,
    request: DeleteRecordsRequest,
) -> impl Future<Output = DeleteRecordsResponse> + Send + use<> {
    let topics: Vec<_> =
        request.topics.into_iter().map(|wanted| (context.topics().topic(&wanted.name), wanted)).collect();
    async move {
        let topics = topics.into_iter().map(|(topic, wanted)| async move {
            let deleting = wanted.partitions.iter().map(|one| delete(topic.as_ref(), one));
            DeleteRecordsTopicResult { partitions: join_all(deleting).await, name: wanted.name }
        });
        DeleteRecordsResponse { topics: join_all(topics).await, ..Default::default() }
    }
}

async fn delete(topic: Option<&Topic>, wanted: &DeleteRecordsPartition) -> DeleteRecordsPartitionResult {
    let index = wanted.partition_index;
    let mut result =
        DeleteRecordsPartitionResult { partition_index: index, low_watermark: -1, ..Default::default() };
    match delete_before(topic, index, wanted.offset).await {
        Ok(low_watermark) => result.low_watermark = low_watermark,
        Err(error) => result.error_code = error.code(),
    }
    result
}

async fn delete_before(topic: Option<&Topic>, index: i32, offset: i64) -> Result<i64, ErrorCode> {
    let topic = topic.ok_or(ErrorCode::UnknownTopicOrPartition)?;
    if is_internal(topic.name()) {
        return Err(ErrorCode::InvalidTopicException);
    }
    let partition = partition(topic, index).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    let high_watermark = partition.high_watermark();
    let offset = if offset == HIGH_WATERMARK { high_watermark } else { offset };
    if !(0..=high_watermark).contains(&offset) {
        return Err(ErrorCode::OffsetOutOfRange);
    }
    partition.delete_before(offset).await.map_err(|error| error_code::append(&error))
}

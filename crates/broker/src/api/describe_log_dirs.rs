//! DescribeLogDirs, key 35, versions 0 to 5.
//!
//! The one directory, with the bytes of each partition and the space of its disk.

use protocol::messages::describe_log_dirs::{
    DescribableLogDirTopic, DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use protocol::messages::{DescribeLogDirsRequest, DescribeLogDirsResponse};
use protocol::{ErrorCode, StrBytes};
use tokio::task::spawn_blocking;
use topics::Topic;

use crate::context::Context;

pub(crate) fn handle(
    context: &Context,
    request: DescribeLogDirsRequest,
) -> impl Future<Output = DescribeLogDirsResponse> + Send + use<> {
    let context = context.clone();
    let looking = spawn_blocking(move || {
        let result = describe(&context, request.topics);
        DescribeLogDirsResponse { results: vec![result], ..Default::default() }
    });
    async move { looking.await.expect("looking does not panic") }
}

fn describe(context: &Context, wanted: Option<Vec<DescribableLogDirTopic>>) -> DescribeLogDirsResult {
    let topics = context.topics();
    let described = match wanted {
        None => topics.list().iter().map(|topic| sizes(topic, |_| true)).collect(),
        Some(wanted) => wanted
            .iter()
            .filter_map(|one| {
                Some(sizes(&topics.topic(&one.topic)?, |index| one.partitions.contains(&index)))
            })
            .collect(),
    };
    let mut result = DescribeLogDirsResult {
        log_dir: StrBytes::from(topics.config().data_dir.display().to_string()),
        topics: described,
        ..Default::default()
    };
    match topics.disk_space() {
        Ok(space) => {
            result.total_bytes = i64::try_from(space.total).unwrap_or(i64::MAX);
            result.usable_bytes = i64::try_from(space.usable).unwrap_or(i64::MAX);
        }
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "the disk does not say how large it is");
            result.error_code = ErrorCode::KafkaStorageError.code();
        }
    }
    result
}

fn sizes(topic: &Topic, wanted: impl Fn(i32) -> bool) -> DescribeLogDirsTopic {
    let size = |index: i32| {
        let partition = topic.partition(u32::try_from(index).ok()?)?;
        let partition_size = i64::try_from(partition.size_bytes()).unwrap_or(i64::MAX);
        Some(DescribeLogDirsPartition { partition_index: index, partition_size, ..Default::default() })
    };
    let count = i32::try_from(topic.partition_count()).unwrap_or(i32::MAX);
    let partitions = (0..count).filter(|index| wanted(*index)).filter_map(size).collect();
    DescribeLogDirsTopic { name: StrBytes::from(topic.name()), partitions }
}

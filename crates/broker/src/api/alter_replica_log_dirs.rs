//! AlterReplicaLogDirs, key 34, versions 0 to 2.
//!
//! There is one directory. A partition may be moved to where it is, and nowhere else.

use protocol::ErrorCode;
use protocol::messages::alter_replica_log_dirs::{
    AlterReplicaLogDirPartitionResult, AlterReplicaLogDirTopicResult,
};
use protocol::messages::{AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse};

use crate::context::{Context, partition};

pub(crate) fn handle(
    context: &Context,
    request: AlterReplicaLogDirsRequest,
) -> impl Future<Output = AlterReplicaLogDirsResponse> + Send + use<> {
    let directory = context.topics().config().data_dir.display().to_string();
    let mut results = Vec::new();
    for dir in request.dirs {
        let is_here = *dir.path == directory;
        for wanted in dir.topics {
            let topic = context.topics().topic(&wanted.name);
            let judge = |index: i32| {
                let found = topic.as_ref().and_then(|topic| partition(topic, index));
                let code = match (found, is_here) {
                    (None, _) => ErrorCode::UnknownTopicOrPartition,
                    (Some(_), true) => ErrorCode::None,
                    (Some(_), false) => ErrorCode::LogDirNotFound,
                };
                AlterReplicaLogDirPartitionResult { partition_index: index, error_code: code.code() }
            };
            let partitions = wanted.partitions.into_iter().map(judge).collect();
            results.push(AlterReplicaLogDirTopicResult { topic_name: wanted.name, partitions });
        }
    }
    std::future::ready(AlterReplicaLogDirsResponse { results, ..Default::default() })
}

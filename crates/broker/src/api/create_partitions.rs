//! CreatePartitions, key 37, versions 0 to 3.
//!
//! Lets topics have more partitions, durably, each topic on its own. An assignment by hand must name this broker alone,
//! once per new partition.

use std::collections::HashSet;

use protocol::messages::create_partitions::{CreatePartitionsTopic, CreatePartitionsTopicResult};
use protocol::messages::{CreatePartitionsRequest, CreatePartitionsResponse};
use protocol::{ErrorCode, StrBytes};
use tokio::task::spawn_blocking;

use crate::context::{Context, is_internal};
use crate::error_code;

pub(crate) fn handle(
    context: &Context,
    request: CreatePartitionsRequest,
) -> impl Future<Output = CreatePartitionsResponse> + Send + use<> {
    let context = context.clone();
    let growing = spawn_blocking(move || {
        let mut seen = HashSet::new();
        let grow = |wanted: &CreatePartitionsTopic| {
            let grown = match seen.insert(wanted.name.clone()) {
                true => grow(&context, wanted, request.validate_only),
                false => Err((ErrorCode::InvalidRequest, "the topic is named more than once".to_owned())),
            };
            let (code, message) = grown.err().unwrap_or((ErrorCode::None, String::new()));
            CreatePartitionsTopicResult {
                name: wanted.name.clone(),
                error_code: code.code(),
                error_message: (code != ErrorCode::None).then(|| StrBytes::from(message)),
            }
        };
        CreatePartitionsResponse { results: request.topics.iter().map(grow).collect(), ..Default::default() }
    });
    async move { growing.await.expect("growing does not panic") }
}

fn grow(
    context: &Context,
    wanted: &CreatePartitionsTopic,
    validate_only: bool,
) -> Result<(), (ErrorCode, String)> {
    let name = &*wanted.name;
    let topic = context.topics().topic(name);
    let topic =
        topic.ok_or_else(|| (ErrorCode::UnknownTopicOrPartition, format!("topic {name} does not exist")))?;
    if is_internal(name) {
        return Err((ErrorCode::InvalidTopicException, format!("{name} belongs to the broker")));
    }
    let current = topic.partition_count();
    let total = u32::try_from(wanted.count).ok().filter(|total| *total > current).ok_or_else(|| {
        let message = format!("topic {name} has {current} partitions: {} are not more", wanted.count);
        (ErrorCode::InvalidPartitions, message)
    })?;
    if let Some(assignments) = &wanted.assignments {
        let by_hand = assignments.iter().all(|one| one.broker_ids == [context.config().node_id]);
        if !by_hand || u32::try_from(assignments.len()) != Ok(total - current) {
            let message = format!("{} new partitions, each on this broker alone", total - current);
            return Err((ErrorCode::InvalidReplicaAssignment, message));
        }
    }
    if validate_only {
        return Ok(());
    }
    let grown = context.topics().create_partitions(name, total);
    grown.map_err(|error| (error_code::create_partitions(&error), error.to_string()))?;
    tracing::info!(topic = name, partitions = total, "partitions added");
    Ok(())
}

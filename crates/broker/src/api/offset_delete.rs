//! OffsetDelete, key 47, version 0.
//!
//! Forgets single positions of a group. While the group has members, those of topics that they read stay. Partitions
//! that do not exist are refused one by one; a position that there never was counts as forgotten.

use protocol::ErrorCode;
use protocol::messages::offset_delete::{
    OffsetDeleteRequestTopic, OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use protocol::messages::{OffsetDeleteRequest, OffsetDeleteResponse};

use crate::context::{Context, partition};
use crate::error_code;

pub(crate) fn handle(
    context: &Context,
    request: OffsetDeleteRequest,
) -> impl Future<Output = OffsetDeleteResponse> + Send + use<> {
    let mut topics: Vec<_> = request.topics.into_iter().map(|topic| answer(context, topic)).collect();
    let existing = |topic: &OffsetDeleteResponseTopic| {
        let name = topic.name.to_string();
        let found = topic.partitions.iter().filter(|one| one.error_code == 0);
        found.map(|one| (name.clone(), one.partition_index)).collect::<Vec<_>>()
    };
    let partitions = topics.iter().flat_map(existing).collect();
    let deleting = context.coordinator().delete_offsets(request.group_id.to_string(), partitions);
    async move {
        let outcomes = match error_code::coordinated(deleting.await) {
            Ok(outcomes) => outcomes,
            Err(error) => return OffsetDeleteResponse { error_code: error.code(), ..Default::default() },
        };
        let places = topics.iter_mut().flat_map(|topic| &mut topic.partitions);
        for (place, outcome) in places.filter(|one| one.error_code == 0).zip(outcomes) {
            place.error_code = outcome.err().map_or(0, |error| error_code::group(error).code());
        }
        OffsetDeleteResponse { topics, ..Default::default() }
    }
}

/// The answer with a place for each result, or already the reason why there will be none.
fn answer(context: &Context, wanted: OffsetDeleteRequestTopic) -> OffsetDeleteResponseTopic {
    let topic = context.topics().topic(&wanted.name);
    let place = |index: i32| {
        let exists = topic.as_ref().is_some_and(|topic| partition(topic, index).is_some());
        let error = if exists { ErrorCode::None } else { ErrorCode::UnknownTopicOrPartition };
        OffsetDeleteResponsePartition { partition_index: index, error_code: error.code() }
    };
    let partitions = wanted.partitions.iter().map(|one| place(one.partition_index)).collect();
    OffsetDeleteResponseTopic { name: wanted.name, partitions }
}

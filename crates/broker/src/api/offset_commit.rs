//! OffsetCommit, key 8, versions 0 to 10.
//!
//! Remembers offsets with their metadata, and answers when they are durable. Partitions that do not exist are refused
//! one by one.
//!
//! Versions 2 to 4 may ask for a retention, version 1 for a timestamp of their own: neither is looked at. From version 10
//! topics go by id.

use groups::{CommitRequest, CommittedOffset, MemberIdentity};
use protocol::ErrorCode;
use protocol::messages::offset_commit::{
    OffsetCommitRequestTopic, OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use protocol::messages::{OffsetCommitRequest, OffsetCommitResponse};
use topics::Topic;

use crate::context::{Context, partition};
use crate::error_code;

const FIRST_WITH_TOPIC_IDS: i16 = 10;

pub(crate) fn handle(
    context: &Context,
    request: OffsetCommitRequest,
) -> impl Future<Output = OffsetCommitResponse> + Send + use<> {
    let mut wanted = Wanted::default();
    for topic in request.topics {
        wanted.take(context, topic);
    }
    let committing = context.coordinator().commit(CommitRequest {
        group_id: request.group_id.to_string(),
        member: MemberIdentity {
            member_id: request.member_id.to_string(),
            instance_id: request.group_instance_id.as_deref().map(str::to_owned),
            generation: request.generation_id_or_member_epoch,
        },
        offsets: wanted.offsets,
    });
    let mut topics = wanted.topics;
    let places = wanted.places;
    async move {
        let outcomes = error_code::coordinated(committing.await);
        for (position, (topic, partition)) in places.into_iter().enumerate() {
            let error = match &outcomes {
                Ok(outcomes) => outcomes[position].err().map_or(ErrorCode::None, error_code::group),
                Err(error) => *error,
            };
            topics[topic].partitions[partition].error_code = error.code();
        }
        OffsetCommitResponse { topics, ..Default::default() }
    }
}

/// What can be committed, and the answer with a place for each result.
#[derive(Default)]
struct Wanted {
    offsets: Vec<(String, i32, CommittedOffset)>,
    /// Where in the answer the result of each offset belongs.
    places: Vec<(usize, usize)>,
    topics: Vec<OffsetCommitResponseTopic>,
}

impl Wanted {
    fn take(&mut self, context: &Context, wanted: OffsetCommitRequestTopic) {
        let found = find(context, &wanted);
        let mut answer = OffsetCommitResponseTopic {
            name: wanted.name,
            topic_id: wanted.topic_id,
            partitions: Vec::with_capacity(wanted.partitions.len()),
        };
        for one in wanted.partitions {
            let topic = found.as_ref().map_err(|error| *error).and_then(|topic| {
                let exists = partition(topic, one.partition_index).is_some();
                if exists { Ok(topic) } else { Err(ErrorCode::UnknownTopicOrPartition) }
            });
            let mut result =
                OffsetCommitResponsePartition { partition_index: one.partition_index, ..Default::default() };
            match topic {
                Ok(topic) => {
                    self.places.push((self.topics.len(), answer.partitions.len()));
                    let committed = CommittedOffset {
                        offset: one.committed_offset,
                        leader_epoch: one.committed_leader_epoch,
                        metadata: one.committed_metadata.as_deref().unwrap_or_default().to_owned(),
                        commit_timestamp_ms: -1,
                    };
                    self.offsets.push((topic.name().to_owned(), one.partition_index, committed));
                }
                Err(error) => result.error_code = error.code(),
            }
            answer.partitions.push(result);
        }
        self.topics.push(answer);
    }
}

fn find(context: &Context, wanted: &OffsetCommitRequestTopic) -> Result<Topic, ErrorCode> {
    if context.api_version >= FIRST_WITH_TOPIC_IDS {
        context.topics().topic_by_id(wanted.topic_id).ok_or(ErrorCode::UnknownTopicId)
    } else {
        context.topics().topic(&wanted.name).ok_or(ErrorCode::UnknownTopicOrPartition)
    }
}

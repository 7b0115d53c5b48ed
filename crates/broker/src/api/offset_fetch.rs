//! OffsetFetch, key 9, versions 0 to 10.
//!
//! Tells what a group has committed; -1 where it has not. Without a list of topics (from version 2) everything is told.
//! The answer waits for commits that were decided before it, so that nobody reads an offset that a crash takes back.
//!
//! From version 7 a client may ask for stable positions: one that an open transaction may still move is then an error that
//! makes it ask again (KIP-447). From version 8 several groups are asked for at once; from 9 a member of the consumer protocol names
//! itself, and is refused when its epoch is stale; from 10 topics go by id.

use groups::MemberIdentity;
use protocol::messages::offset_fetch::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopics, OffsetFetchResponseGroup,
    OffsetFetchResponsePartition, OffsetFetchResponsePartitions, OffsetFetchResponseTopic,
    OffsetFetchResponseTopics,
};
use protocol::messages::{OffsetFetchRequest, OffsetFetchResponse};
use protocol::{ErrorCode, StrBytes};

use crate::context::Context;
use crate::coordinator::{FetchedOffsets, OffsetsQuery, Position};
use crate::error_code;

const FIRST_WITH_SEVERAL: i16 = 8;
const FIRST_WITH_TOPIC_IDS: i16 = 10;

pub(crate) fn handle(
    context: &Context,
    request: OffsetFetchRequest,
) -> impl Future<Output = OffsetFetchResponse> + Send + use<> {
    let require_stable = request.require_stable;
    let several = context.api_version >= FIRST_WITH_SEVERAL;
    let groups = if several { request.groups } else { vec![as_group(request)] };
    let group_ids: Vec<StrBytes> = groups.iter().map(|group| group.group_id.clone()).collect();
    let by_id = context.api_version >= FIRST_WITH_TOPIC_IDS;
    let mut unknown: Vec<Vec<OffsetFetchResponseTopics>> = Vec::with_capacity(groups.len());
    let mut queries = Vec::with_capacity(groups.len());
    for group in groups {
        let mut of_group = Vec::new();
        queries.push(to_query(context, group, require_stable, &mut of_group));
        unknown.push(of_group);
    }
    let fetching = context.coordinator().offsets(queries);
    let topics = context.topics().clone();
    async move {
        let fetched = fetching.await;
        let unavailable = fetched.is_err();
        let fetched = fetched.unwrap_or_else(|_| vec![Ok(Vec::new()); group_ids.len()]);
        let describe = |((group_id, offsets), unknown): ((StrBytes, FetchedOffsets), Vec<_>)| {
            let error = match &offsets {
                _ if unavailable => ErrorCode::CoordinatorNotAvailable,
                Ok(_) => ErrorCode::None,
                Err(error) => error_code::group(*error),
            };
            let mut answer = OffsetFetchResponseGroup { group_id, topics: unknown, error_code: error.code() };
            for (name, partitions) in offsets.unwrap_or_default() {
                let topic_id = if by_id { topics.topic(&name).map(|topic| topic.id()) } else { None };
                answer.topics.push(OffsetFetchResponseTopics {
                    name: name.into(),
                    topic_id: topic_id.unwrap_or_default(),
                    partitions: partitions.into_iter().map(|(index, one)| position(index, one)).collect(),
                });
            }
            answer
        };
        let groups = group_ids.into_iter().zip(fetched).zip(unknown).map(describe).collect();
        if several { OffsetFetchResponse { groups, ..Default::default() } } else { as_single(groups) }
    }
}

/// The one group of older versions.
fn as_group(request: OffsetFetchRequest) -> OffsetFetchRequestGroup {
    let topics = request.topics.map(|topics| {
        topics
            .into_iter()
            .map(|topic| OffsetFetchRequestTopics {
                name: topic.name,
                partition_indexes: topic.partition_indexes,
                ..Default::default()
            })
            .collect()
    });
    OffsetFetchRequestGroup { group_id: request.group_id, topics, ..Default::default() }
}

fn to_query(
    context: &Context,
    group: OffsetFetchRequestGroup,
    require_stable: bool,
    unknown: &mut Vec<OffsetFetchResponseTopics>,
) -> OffsetsQuery {
    let by_id = context.api_version >= FIRST_WITH_TOPIC_IDS;
    let group_id = group.group_id.to_string();
    let member = MemberIdentity {
        member_id: group.member_id.as_deref().unwrap_or_default().to_owned(),
        instance_id: None,
        generation: group.member_epoch,
    };
    let Some(topics) = group.topics else {
        return OffsetsQuery { group_id, topics: None, require_stable, member };
    };
    let mut wanted = Vec::with_capacity(topics.len());
    for topic in topics {
        let found = by_id.then(|| context.topics().topic_by_id(topic.topic_id));
        match found {
            None => wanted.push((topic.name.to_string(), topic.partition_indexes)),
            Some(Some(found)) => wanted.push((found.name().to_owned(), topic.partition_indexes)),
            Some(None) => unknown.push(unknown_id(topic)),
        }
    }
    OffsetsQuery { group_id, topics: Some(wanted), require_stable, member }
}

fn unknown_id(topic: OffsetFetchRequestTopics) -> OffsetFetchResponseTopics {
    let partition = |index| nothing(index, ErrorCode::UnknownTopicId);
    OffsetFetchResponseTopics {
        name: topic.name,
        topic_id: topic.topic_id,
        partitions: topic.partition_indexes.into_iter().map(partition).collect(),
    }
}

fn position(index: i32, position: Position) -> OffsetFetchResponsePartitions {
    match position {
        Position::Committed(committed) => OffsetFetchResponsePartitions {
            partition_index: index,
            committed_offset: committed.offset,
            committed_leader_epoch: committed.leader_epoch,
            metadata: Some(committed.metadata.into()),
            error_code: 0,
        },
        Position::None => nothing(index, ErrorCode::None),
        Position::Unstable => nothing(index, ErrorCode::UnstableOffsetCommit),
    }
}

fn nothing(index: i32, error: ErrorCode) -> OffsetFetchResponsePartitions {
    OffsetFetchResponsePartitions {
        partition_index: index,
        committed_offset: -1,
        committed_leader_epoch: -1,
        metadata: Some(StrBytes::default()),
        error_code: error.code(),
    }
}

fn as_single(mut groups: Vec<OffsetFetchResponseGroup>) -> OffsetFetchResponse {
    let group = groups.pop().unwrap_or_default();
    let partition = |one: OffsetFetchResponsePartitions| OffsetFetchResponsePartition {
        partition_index: one.partition_index,
        committed_offset: one.committed_offset,
        committed_leader_epoch: one.committed_leader_epoch,
        metadata: one.metadata,
        error_code: one.error_code,
    };
    let topic = |one: OffsetFetchResponseTopics| OffsetFetchResponseTopic {
        name: one.name,
        partitions: one.partitions.into_iter().map(partition).collect(),
    };
    OffsetFetchResponse {
        topics: group.topics.into_iter().map(topic).collect(),
        error_code: group.error_code,
        ..Default::default()
    }
}

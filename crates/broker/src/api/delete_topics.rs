//! DeleteTopics, key 20, versions 0 to 6.
//!
//! Deletes topics by name or, from version 6, by id, with everything that groups have committed for them.
//! `__consumer_offsets` stays.

use protocol::messages::delete_topics::{DeletableTopicResult, DeleteTopicState};
use protocol::messages::{DeleteTopicsRequest, DeleteTopicsResponse};
use protocol::{ErrorCode, StrBytes};
use tokio::task::spawn_blocking;

use crate::context::{Context, is_internal};
use crate::error_code;

const FIRST_WITH_IDS: i16 = 6;

pub(crate) fn handle(
    context: &Context,
    request: DeleteTopicsRequest,
) -> impl Future<Output = DeleteTopicsResponse> + Send + use<> {
    let wanted: Vec<DeleteTopicState> = if context.api_version >= FIRST_WITH_IDS {
        request.topics
    } else {
        let by_name = |name| DeleteTopicState { name: Some(name), ..Default::default() };
        request.topic_names.into_iter().map(by_name).collect()
    };
    let deleting = {
        let context = context.clone();
        spawn_blocking(move || wanted.iter().map(|one| delete(&context, one)).collect::<Vec<_>>())
    };
    let coordinator = context.coordinator().clone();
    async move {
        let responses = deleting.await.expect("deleting does not panic");
        for deleted in responses.iter().filter(|one| one.error_code == ErrorCode::None.code()) {
            coordinator.forget_topic(deleted.name.as_deref().unwrap_or_default().to_owned()).await;
        }
        DeleteTopicsResponse { responses, ..Default::default() }
    }
}

fn delete(context: &Context, wanted: &DeleteTopicState) -> DeletableTopicResult {
    let topics = context.topics();
    let mut result =
        DeletableTopicResult { name: wanted.name.clone(), topic_id: wanted.topic_id, ..Default::default() };
    let found = match &wanted.name {
        Some(name) => topics.topic(name).ok_or(ErrorCode::UnknownTopicOrPartition),
        None => topics.topic_by_id(wanted.topic_id).ok_or(ErrorCode::UnknownTopicId),
    };
    let deleted = found.and_then(|topic| {
        result.name = Some(StrBytes::from(topic.name()));
        result.topic_id = topic.id();
        if is_internal(topic.name()) {
            return Err(ErrorCode::InvalidTopicException);
        }
        topics.delete(topic.name()).map_err(|error| {
            result.error_message = Some(StrBytes::from(error.to_string()));
            error_code::delete(&error)
        })
    });
    match deleted {
        Ok(()) => tracing::info!(topic = result.name.as_deref(), "topic deleted"),
        Err(error) => result.error_code = error.code(),
    }
    result
}

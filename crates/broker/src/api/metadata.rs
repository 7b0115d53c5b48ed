//! Metadata, key 3, versions 0 to 13.
//!
//! Names this broker, under the address that the client reached it by, as the leader of every partition and as the
//! controller. Topics that do not exist are created when both the client and the configuration allow it; they can be
//! used as soon as the answer is there.
//!
//! Version 0 asks for all topics by an empty list, later ones by none. From version 10 topics have ids; from 12 they
//! may be asked for by id alone.

use std::collections::BTreeMap;

use protocol::messages::metadata::{
    MetadataRequestTopic, MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use protocol::messages::{MetadataRequest, MetadataResponse};
use protocol::{ErrorCode, StrBytes};
use tokio::task::spawn_blocking;
use topics::{CreateError, Topic, Topics};

use super::{LEADER_EPOCH, operations};
use crate::context::{Context, is_internal};
use crate::error_code;

pub(crate) fn handle(
    context: &Context,
    request: MetadataRequest,
) -> impl Future<Output = MetadataResponse> + Send + use<> {
    let shape = Shape {
        node_id: context.config().node_id,
        with_operations: request.include_topic_authorized_operations,
    };
    let mut response = frame(context, &request);
    let all = request.topics.as_ref().is_none_or(|topics| context.api_version == 0 && topics.is_empty());
    let found = if all {
        Found {
            topics: context.topics().list().iter().map(|topic| shape.topic(topic)).collect(),
            missing: vec![],
        }
    } else {
        shape.find(context.topics(), request.topics.unwrap_or_default())
    };
    let create = context.config().auto_create && request.allow_auto_topic_creation;
    let topics = context.topics().clone();
    async move {
        response.topics = found.topics;
        if create && !found.missing.is_empty() {
            let creating = spawn_blocking(move || create_missing(&topics, &shape, found.missing));
            response.topics.extend(creating.await.unwrap_or_default());
        } else {
            response.topics.extend(found.missing.into_iter().map(unknown));
        }
        response
    }
}

/// Everything but the topics.
fn frame(context: &Context, request: &MetadataRequest) -> MetadataResponse {
    let (host, port) = context.advertised();
    let node_id = context.config().node_id;
    let mut response = MetadataResponse {
        brokers: vec![MetadataResponseBroker { node_id, host, port, rack: None }],
        cluster_id: Some(StrBytes::from(&context.shared.cluster_id)),
        controller_id: node_id,
        ..Default::default()
    };
    if request.include_cluster_authorized_operations {
        response.cluster_authorized_operations = operations::CLUSTER;
    }
    response
}

/// What was asked for, and which names are not there.
struct Found {
    topics: Vec<MetadataResponseTopic>,
    missing: Vec<StrBytes>,
}

/// How topics are described in this answer.
#[derive(Clone, Copy)]
struct Shape {
    node_id: i32,
    with_operations: bool,
}

impl Shape {
    fn find(&self, topics: &Topics, wanted: Vec<MetadataRequestTopic>) -> Found {
        let mut found = Found { topics: Vec::with_capacity(wanted.len()), missing: Vec::new() };
        for one in wanted {
            match one.name {
                // Java's client leaves the name empty, not absent, when it asks by id.
                Some(name) if one.topic_id.is_nil() => match topics.topic(&name) {
                    Some(topic) => found.topics.push(self.topic(&topic)),
                    None => found.missing.push(name),
                },
                _ => found.topics.push(match topics.topic_by_id(one.topic_id) {
                    Some(topic) => self.topic(&topic),
                    None => MetadataResponseTopic {
                        error_code: ErrorCode::UnknownTopicId.code(),
                        topic_id: one.topic_id,
                        ..Default::default()
                    },
                }),
            }
        }
        found
    }

    fn topic(&self, topic: &Topic) -> MetadataResponseTopic {
        let partition = |index: u32| MetadataResponsePartition {
            partition_index: i32::try_from(index).unwrap_or(i32::MAX),
            leader_id: self.node_id,
            leader_epoch: LEADER_EPOCH,
            replica_nodes: vec![self.node_id],
            isr_nodes: vec![self.node_id],
            ..Default::default()
        };
        let mut described = MetadataResponseTopic {
            name: Some(StrBytes::from(topic.name())),
            topic_id: topic.id(),
            is_internal: is_internal(topic.name()),
            partitions: (0..topic.partition_count()).map(partition).collect(),
            ..Default::default()
        };
        if self.with_operations {
            described.topic_authorized_operations = operations::TOPIC;
        }
        described
    }
}

fn create_missing(topics: &Topics, shape: &Shape, missing: Vec<StrBytes>) -> Vec<MetadataResponseTopic> {
    let partitions = topics.config().default_partitions;
    missing
        .into_iter()
        .map(|name| match topics.create(&name, partitions, BTreeMap::new()) {
            Ok(topic) => {
                tracing::info!(topic = &*name, partitions, "topic created because a client asked for it");
                shape.topic(&topic)
            }
            // Another client was faster.
            Err(CreateError::Exists { .. }) => match topics.topic(&name) {
                Some(topic) => shape.topic(&topic),
                None => unknown(name),
            },
            Err(error) => failed(name, error_code::create(&error)),
        })
        .collect()
}

fn unknown(name: StrBytes) -> MetadataResponseTopic {
    failed(name, ErrorCode::UnknownTopicOrPartition)
}

fn failed(name: StrBytes, error: ErrorCode) -> MetadataResponseTopic {
    MetadataResponseTopic { error_code: error.code(), name: Some(name), ..Default::default() }
}

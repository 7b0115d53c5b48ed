//! Telling every partition of a transaction how it ended.

use futures::future::join_all;
use groups::TransactionalProducer;
use groups::transactions::{Markers, Partitions};
use topics::{AppendError, ErrorKind, Topics};

use crate::context;
use crate::coordinator::Coordinator;
use crate::journal::OFFSETS_TOPIC;

/// There is one coordinator for ever, so there is one epoch of it.
pub(crate) const COORDINATOR_EPOCH: i32 = 0;

/// Hands a transaction's markers to the owners of its partitions, at once. The future waits until they are durable and
/// says where they could not be written: there it has to be tried again.
pub(super) fn write(
    topics: &Topics,
    groups: &Coordinator,
    markers: &Markers,
) -> impl Future<Output = Partitions> + Send + use<> {
    let places = markers
        .partitions
        .iter()
        .flat_map(|(topic, indexes)| indexes.iter().map(move |index| (topic.clone(), *index)));
    let writing: Vec<_> = places
        .map(|(topic, index)| {
            let written = write_one(topics, groups, markers.producer, markers.commit, &topic, index);
            async move { if written.await { None } else { Some((topic, index)) } }
        })
        .collect();
    async move {
        let mut left = Partitions::new();
        for (topic, index) in join_all(writing).await.into_iter().flatten() {
            left.entry(topic).or_default().insert(index);
        }
        left
    }
}

/// Says whether nothing is left to do.
fn write_one(
    topics: &Topics,
    groups: &Coordinator,
    producer: TransactionalProducer,
    commit: bool,
    topic: &str,
    index: i32,
) -> impl Future<Output = bool> + Send + use<> {
    let of_groups = (topic == OFFSETS_TOPIC).then(|| groups.end_transaction(producer, commit));
    let partition = match of_groups {
        Some(_) => None,
        None => topics.topic(topic).and_then(|topic| context::partition(&topic, index)),
    };
    let appending = partition
        .map(|partition| partition.end_transaction(producer.id, producer.epoch, commit, COORDINATOR_EPOCH));
    let topic = topic.to_owned();
    async move {
        if let Some(ended) = of_groups {
            return ended.await.is_ok();
        }
        let outcome = match appending {
            // A deleted topic has nothing to end.
            None => return true,
            Some(Ok(appending)) => appending.await.map(drop),
            Some(Err(error)) => Err(error),
        };
        let Err(error) = outcome else { return true };
        is_hopeless(&error, &topic, index, producer)
    }
}

/// Where a marker need not be tried again.
fn is_hopeless(error: &AppendError, topic: &str, index: i32, producer: TransactionalProducer) -> bool {
    match error {
        AppendError::Deleted { .. } => true,
        AppendError::Closed => false,
        AppendError::ProducerFenced { .. } => {
            tracing::error!(
                topic,
                index,
                producer_id = producer.id,
                producer_epoch = producer.epoch,
                error = error as &dyn std::error::Error,
                "a marker comes too late"
            );
            true
        }
        _ => {
            let kind: ErrorKind = error.kind();
            tracing::error!(
                topic,
                index,
                producer_id = producer.id,
                ?kind,
                error = error as &dyn std::error::Error,
                "a transaction's marker cannot be written"
            );
            false
        }
    }
}

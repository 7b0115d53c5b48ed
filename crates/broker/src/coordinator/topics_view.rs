//! The topics of the store, as consumer groups look at them.

use groups::{TopicView, TopicsView};
use tokio::sync::watch;
use topics::{Topic, Topics};

/// The topics of the store. Patterns do not match those of the broker's own.
#[derive(Debug)]
pub(super) struct LiveTopics {
    topics: Topics,
    changed: watch::Receiver<u64>,
}

impl LiveTopics {
    pub(super) fn new(topics: &Topics) -> Self {
        Self { topics: topics.clone(), changed: topics.changed() }
    }
}

impl TopicsView for LiveTopics {
    fn version(&self) -> u64 {
        *self.changed.borrow()
    }

    fn topic(&self, name: &str) -> Option<TopicView> {
        let topic = self.topics.topic(name)?;
        Some(TopicView { id: topic.id(), partitions: topic.partition_count() })
    }

    fn names(&self) -> Vec<String> {
        let public = self.topics.list().into_iter().filter(|topic| !topic.is_internal());
        public.map(|topic: Topic| topic.name().to_owned()).collect()
    }
}

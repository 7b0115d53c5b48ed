//! A topic: a name, an id, settings, partitions.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::Partition;

/// A topic as it was when it was looked up. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Topic {
    pub(crate) inner: Arc<TopicInner>,
}

#[derive(Debug)]
pub(crate) struct TopicInner {
    pub(crate) name: String,
    pub(crate) id: Uuid,
    pub(crate) configs: BTreeMap<String, String>,
    pub(crate) partitions: Vec<Partition>,
}

impl Topic {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The id; another topic of the same name, created later, has another one.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.inner.id
    }

    /// How many partitions there are, counted from 0.
    #[must_use]
    pub fn partition_count(&self) -> u32 {
        u32::try_from(self.inner.partitions.len()).expect("the number of partitions is limited")
    }

    /// The partition with this index.
    #[must_use]
    pub fn partition(&self, partition_index: u32) -> Option<Partition> {
        self.inner.partitions.get(usize::try_from(partition_index).ok()?).cloned()
    }

    /// The settings given at creation, under Kafka's names.
    #[must_use]
    pub fn configs(&self) -> &BTreeMap<String, String> {
        &self.inner.configs
    }

    /// Whether the name is one of the program's own (`__consumer_offsets` and the like).
    #[must_use]
    pub fn is_internal(&self) -> bool {
        self.inner.name.starts_with("__")
    }
}

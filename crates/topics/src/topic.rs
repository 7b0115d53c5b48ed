//! A topic: a name, an id, settings, partitions.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use uuid::Uuid;

use crate::{Partition, TopicConfig};

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
    pub(crate) settings: Arc<LiveSettings>,
    pub(crate) partitions: Vec<Partition>,
}

/// The settings of the moment, which all partitions of a topic look at.
#[derive(Debug)]
pub(crate) struct LiveSettings {
    config: RwLock<Arc<TopicConfig>>,
}

impl LiveSettings {
    pub(crate) fn new(config: TopicConfig) -> Self {
        Self { config: RwLock::new(Arc::new(config)) }
    }

    pub(crate) fn get(&self) -> Arc<TopicConfig> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set(&self, config: TopicConfig) {
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }
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

    /// The settings that the topic was given, under Kafka's names. What it was not given, it inherits.
    #[must_use]
    pub fn configs(&self) -> &BTreeMap<String, String> {
        &self.inner.configs
    }

    /// All settings of this moment, as numbers: those of the topic and those it inherits. Follows later changes.
    #[must_use]
    pub fn config(&self) -> Arc<TopicConfig> {
        self.inner.settings.get()
    }

    /// Whether the name is one of the program's own (`__consumer_offsets` and the like).
    #[must_use]
    pub fn is_internal(&self) -> bool {
        self.inner.name.starts_with("__")
    }
}

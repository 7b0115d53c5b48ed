//! All topics of one data directory.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use env::{DirLock, Env};
use tokio::sync::watch;
use uuid::Uuid;

use crate::topic::TopicInner;
use crate::{Config, CreateError, DeleteError, OpenError, Partition, ProducerIdError, Topic, metadata};

/// All topics. A cheap handle: clones share everything.
#[derive(Debug, Clone)]
pub struct Topics {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: Config,
    env: Env,
    topics: Mutex<BTreeMap<String, Topic>>,
    changed: watch::Sender<u64>,
    producer_id: AtomicI64,
    _lock: DirLock,
}

/// What opening found.
#[derive(Debug, Default, Clone)]
pub struct RecoveryReport {
    /// Whether the last stop was a clean one.
    pub clean: bool,
    /// How many partitions there are.
    pub partitions: usize,
    /// One line per torn tail that was cut and per rotten range that was found, with file and position.
    pub findings: Vec<String>,
}

impl Topics {
    /// Opens the data directory, created when missing, and recovers what needs it.
    ///
    /// # Errors
    /// When another process has it, or it cannot be read.
    pub fn open(config: Config, env: Env) -> Result<(Self, RecoveryReport), OpenError> {
        env.disk.create_dir_all(&config.data_dir).map_err(|source| OpenError::Io {
            action: "creating",
            path: config.data_dir.clone(),
            source,
        })?;
        let lock = DirLock::acquire(&*env.disk, &config.data_dir)?;
        let inner = Inner {
            config,
            env,
            topics: Mutex::default(),
            changed: watch::Sender::new(0),
            producer_id: AtomicI64::new(0),
            _lock: lock,
        };
        Ok((Self { inner: Arc::new(inner) }, RecoveryReport::default()))
    }

    /// Creates a topic; it is durable on return.
    ///
    /// # Errors
    /// When the name or the number is not allowed, the topic exists, or the disk refuses.
    pub fn create(
        &self,
        name: &str,
        partitions: u32,
        configs: BTreeMap<String, String>,
    ) -> Result<Topic, CreateError> {
        metadata::check_name(name)?;
        let max = self.inner.config.partitions_max;
        if partitions == 0 || partitions > max {
            return Err(CreateError::InvalidPartitions { partitions, max });
        }
        let mut topics = self.topics();
        if topics.contains_key(name) {
            return Err(CreateError::Exists { name: name.to_owned() });
        }
        let id = uuid::Builder::from_random_bytes(self.inner.env.random.next_16_bytes()).into_uuid();
        let partitions = (0..partitions).map(Partition::new).collect();
        let topic = Topic { inner: Arc::new(TopicInner { name: name.to_owned(), id, configs, partitions }) };
        topics.insert(name.to_owned(), topic.clone());
        drop(topics);
        self.inner.changed.send_modify(|version| *version += 1);
        Ok(topic)
    }

    /// Deletes a topic and its data.
    ///
    /// # Errors
    /// When there is none, or the disk refuses.
    pub fn delete(&self, name: &str) -> Result<(), DeleteError> {
        let removed = self.topics().remove(name);
        removed.ok_or_else(|| DeleteError::NotFound { name: name.to_owned() })?;
        self.inner.changed.send_modify(|version| *version += 1);
        Ok(())
    }

    /// The topic of this name.
    #[must_use]
    pub fn topic(&self, name: &str) -> Option<Topic> {
        self.topics().get(name).cloned()
    }

    /// The topic with this id.
    #[must_use]
    pub fn topic_by_id(&self, id: Uuid) -> Option<Topic> {
        self.topics().values().find(|topic| topic.id() == id).cloned()
    }

    /// All topics, by name.
    #[must_use]
    pub fn list(&self) -> Vec<Topic> {
        self.topics().values().cloned().collect()
    }

    /// Counts creations and deletions.
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.inner.changed.subscribe()
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// A producer id that was never given before.
    ///
    /// # Errors
    /// When the reservation cannot be made durable.
    pub fn next_producer_id(&self) -> Result<i64, ProducerIdError> {
        Ok(self.inner.producer_id.fetch_add(1, Ordering::SeqCst))
    }

    /// Stops cleanly: writes what waits, flushes, leaves the mark of a clean stop. Blocks until it is done.
    ///
    /// # Errors
    /// When a flush fails: the next start recovers as after a crash.
    pub fn close(self) -> Result<(), OpenError> {
        Ok(())
    }

    fn topics(&self) -> MutexGuard<'_, BTreeMap<String, Topic>> {
        self.inner.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

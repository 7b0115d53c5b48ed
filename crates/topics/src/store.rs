//! All topics of one data directory.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;

use env::{DirLock, Env};
use tokio::sync::watch;
use uuid::Uuid;

use crate::cleaner::Cleaner;
use crate::metadata::{self, Metadata, TopicMetadata};
use crate::queue::Queue;
use crate::settings::Defaults;
use crate::writer::Writer;
use crate::{CloseError, Config, CreateError, DeleteError, OpenError, ProducerIdError, Topic, check_setting};

mod admin;
mod alter;
mod grow;
mod open;

/// Where the partitions' directories lie, below the data directory.
const TOPICS_DIR: &str = "topics";
/// How many producer ids are reserved by one write.
const PRODUCER_IDS_RESERVED: i64 = 1000;

/// A writer thread, and what its logs said when they were closed.
type WriterThread = JoinHandle<Result<(), commitlog::Error>>;

/// All topics. A cheap handle: clones share everything.
///
/// Dropping the last handle stops the writers but leaves no mark of a clean stop; see [`close`](Self::close).
#[derive(Debug, Clone)]
pub struct Topics {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) env: Env,
    /// What is looked up; changed only by whoever holds `admin`.
    lookup: RwLock<Lookup>,
    /// Creation, deletion, reservation: one at a time.
    admin: Mutex<Admin>,
    changed: watch::Sender<u64>,
    queues: Vec<Arc<Queue>>,
    writers: Mutex<Vec<WriterThread>>,
    next_slot: AtomicU64,
    tail_budget: commitlog::TailBudget,
    pub(crate) cleaner: Arc<Cleaner>,
    /// Changed only by whoever holds `admin`.
    defaults: RwLock<Defaults>,
    lock: Mutex<Option<DirLock>>,
}

#[derive(Debug, Default)]
pub(crate) struct Lookup {
    pub(crate) by_name: BTreeMap<String, Topic>,
    by_id: HashMap<Uuid, Topic>,
}

#[derive(Debug)]
struct Admin {
    metadata: Metadata,
    next_producer_id: i64,
    closed: bool,
}

/// What opening found.
#[derive(Debug, Default, Clone)]
pub struct RecoveryReport {
    /// Whether the last stop was a clean one.
    pub clean: bool,
    /// How many partitions there are.
    pub partitions: usize,
    /// How many bytes of batches were read to find out what is there.
    pub scanned_bytes: u64,
    /// One line per torn tail that was cut and per rotten range that was found, with file and position.
    pub findings: Vec<String>,
}

impl Topics {
    /// Opens the data directory, created when missing, and recovers what needs it.
    ///
    /// # Errors
    /// When another process has it, or it cannot be read.
    pub fn open(config: Config, env: Env) -> Result<(Self, RecoveryReport), OpenError> {
        let (inner, report) = open::open(config, env)?;
        Ok((Self { inner: Arc::new(inner) }, report))
    }

    /// Creates a topic; it is durable on return.
    ///
    /// # Errors
    /// When the name, the number or a setting is not allowed, the topic exists, or the disk refuses.
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
        for (setting, value) in &configs {
            check_setting(setting, value)?;
        }
        let id = uuid::Builder::from_random_bytes(self.inner.env.random.next_16_bytes()).into_uuid();
        let topic = TopicMetadata { id: id.to_string(), partitions, configs };
        let created = self.inner.create(name, id, topic)?;
        self.inner.note_change();
        Ok(created)
    }

    /// Deletes a topic and its data. Whoever holds one of its partitions is told that it is gone.
    ///
    /// # Errors
    /// When there is none, or the disk refuses.
    pub fn delete(&self, name: &str) -> Result<(), DeleteError> {
        let outcome = self.inner.delete(name);
        self.inner.note_change();
        outcome
    }

    /// The topic of this name.
    #[must_use]
    pub fn topic(&self, name: &str) -> Option<Topic> {
        self.inner.lookup(|lookup| lookup.by_name.get(name).cloned())
    }

    /// The topic with this id.
    #[must_use]
    pub fn topic_by_id(&self, id: Uuid) -> Option<Topic> {
        self.inner.lookup(|lookup| lookup.by_id.get(&id).cloned())
    }

    /// All topics, by name.
    #[must_use]
    pub fn list(&self) -> Vec<Topic> {
        self.inner.lookup(|lookup| lookup.by_name.values().cloned().collect())
    }

    /// Counts creations, deletions, new partitions and changed settings.
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
        self.inner.next_producer_id().map_err(|source| {
            let path = Metadata::path(&self.inner.config.data_dir);
            ProducerIdError { path, source }
        })
    }

    /// Stops cleanly: writes what waits, flushes, leaves the mark of a clean stop. Blocks until it is done. Other
    /// handles can still read; their appends are refused.
    ///
    /// # Errors
    /// When a flush fails: the next start recovers as after a crash.
    pub fn close(self) -> Result<(), CloseError> {
        let inner = &self.inner;
        {
            let mut admin = inner.admin();
            if admin.closed {
                return Ok(());
            }
            admin.closed = true;
        }
        inner.cleaner.stop();
        inner.stop_writers()?;
        let dir = &inner.config.data_dir;
        commitlog::leave_clean_marker(&*inner.env.disk, dir)
            .map_err(|source| CloseError::Marker { path: dir.clone(), source })?;
        *inner.lock.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }
}

impl Inner {
    pub(crate) fn lookup<T>(&self, look: impl FnOnce(&Lookup) -> T) -> T {
        look(&self.lookup.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells whoever follows topics, and the cleaner, that something about them changed.
    fn note_change(&self) {
        self.changed.send_modify(|version| *version += 1);
        self.cleaner.look_again();
    }

    fn admin(&self) -> MutexGuard<'_, Admin> {
        self.admin.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop_writers(&self) -> Result<(), CloseError> {
        for queue in &self.queues {
            queue.close();
        }
        let writers = std::mem::take(&mut *self.writers.lock().unwrap_or_else(PoisonError::into_inner));
        let mut outcome = Ok(());
        for writer in writers {
            let end =
                writer.join().map_err(|_| CloseError::Panicked).and_then(|end| end.map_err(CloseError::Log));
            if outcome.is_ok() {
                outcome = end;
            }
        }
        outcome
    }

    fn next_producer_id(&self) -> io::Result<i64> {
        let mut admin = self.admin();
        if admin.next_producer_id >= admin.metadata.producer_ids_below {
            let mut metadata = admin.metadata.clone();
            metadata.producer_ids_below += PRODUCER_IDS_RESERVED;
            metadata.store(&*self.env.disk, &self.config.data_dir)?;
            admin.metadata = metadata;
        }
        admin.next_producer_id += 1;
        Ok(admin.next_producer_id - 1)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.cleaner.stop();
        if let Err(error) = self.stop_writers() {
            tracing::warn!(%error, "writers did not stop cleanly");
        }
    }
}

/// The directory of a partition, named as Kafka does.
fn partition_dir(data_dir: &Path, topic: &str, partition_index: u32) -> std::path::PathBuf {
    data_dir.join(TOPICS_DIR).join(format!("{topic}-{partition_index}"))
}

fn spawn_writers(config: &Config, env: &Env) -> io::Result<(Vec<Arc<Queue>>, Vec<WriterThread>)> {
    let (mut queues, mut writers) = (Vec::new(), Vec::new());
    for number in 0..config.writer_threads.max(1) {
        let queue = Arc::new(Queue::new(config.queue_bytes));
        let writer = Writer::new(Arc::clone(&queue), Arc::clone(&env.clock));
        writers.push(env::spawn_thread(&format!("log-writer-{number}"), move || writer.run())?);
        queues.push(queue);
    }
    Ok((queues, writers))
}

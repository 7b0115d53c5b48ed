//! Creating and deleting topics so that a crash at any moment leaves the topic there, or gone.
//!
//! `topics.json` decides. A topic exists from the moment its entry is durable, after its directories are; it is
//! gone from the moment its entry is, before its directories are. What a crash leaves behind is removed at the
//! next start.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;

use commitlog::{LastStop, Log};
use env::Disk;
use tokio::sync::watch;
use uuid::Uuid;

use super::{Inner, TOPICS_DIR, partition_dir};
use crate::metadata::{Metadata, TopicMetadata};
use crate::owner::Owner;
use crate::partition::{Core, Partition};
use crate::topic::{LiveSettings, TopicInner};
use crate::writer::Job;
use crate::{CreateError, DeleteError, Topic};

/// What a directory on its way out is called.
const DELETED: &str = "deleted";

/// Why a new partition has no log.
#[derive(Debug)]
pub(super) enum NewLogError {
    Dir { path: PathBuf, source: io::Error },
    Log(commitlog::Error),
}

impl From<NewLogError> for CreateError {
    fn from(error: NewLogError) -> Self {
        match error {
            NewLogError::Dir { path, source } => Self::Io { action: "creating", path, source },
            NewLogError::Log(error) => Self::Log(error),
        }
    }
}

impl Inner {
    pub(super) fn create(&self, name: &str, id: Uuid, topic: TopicMetadata) -> Result<Topic, CreateError> {
        let mut admin = self.admin();
        if admin.closed {
            return Err(CreateError::Closed);
        }
        if admin.metadata.topics.contains_key(name) {
            return Err(CreateError::Exists { name: name.to_owned() });
        }
        let configs = topic.configs.clone();
        let mut logs = Vec::new();
        for index in 0..topic.partitions {
            logs.push(self.new_log(name, index, &configs)?);
        }
        let mut metadata = admin.metadata.clone();
        metadata.deleting.retain(|deleting| deleting != name);
        metadata.topics.insert(name.to_owned(), topic);
        metadata.store(&*self.env.disk, &self.config.data_dir).map_err(|source| CreateError::Io {
            action: "writing",
            path: Metadata::path(&self.config.data_dir),
            source,
        })?;
        admin.metadata = metadata;
        Ok(self.adopt(name, id, &configs, logs))
    }

    pub(super) fn new_log(
        &self,
        name: &str,
        index: u32,
        configs: &BTreeMap<String, String>,
    ) -> Result<Log, NewLogError> {
        let dir = partition_dir(&self.config.data_dir, name, index);
        let disk = &*self.env.disk;
        let prepared = remove_dir(disk, &dir).and_then(|()| disk.create_dir_all(&dir));
        prepared.map_err(|source| NewLogError::Dir { path: dir.clone(), source })?;
        let opened = Log::open(self.env.disk.clone(), &dir, self.log_config(configs), LastStop::Unclean);
        opened.map(|(log, _)| log).map_err(NewLogError::Log)
    }

    /// Gives logs to their writers and makes the topic known.
    pub(super) fn adopt(
        &self,
        name: &str,
        id: Uuid,
        configs: &BTreeMap<String, String>,
        logs: Vec<Log>,
    ) -> Topic {
        let settings = Arc::new(LiveSettings::new(self.topic_config(configs)));
        let partitions = self.own(name, &settings, 0, logs);
        let inner = TopicInner { name: name.to_owned(), id, configs: configs.clone(), settings, partitions };
        self.show(inner)
    }

    /// Gives logs to their writers, as partitions from `first_index` on.
    pub(super) fn own(
        &self,
        name: &str,
        settings: &Arc<LiveSettings>,
        first_index: u32,
        logs: Vec<Log>,
    ) -> Vec<Partition> {
        let topic_name: Arc<str> = name.into();
        let mut partitions = Vec::with_capacity(logs.len());
        for (index, log) in (first_index..).zip(logs) {
            let slot = self.next_slot.fetch_add(1, Ordering::Relaxed);
            let thread = usize::try_from(slot).unwrap_or(0) % self.queues.len();
            let core = Arc::new(Core {
                slot,
                topic: Arc::clone(&topic_name),
                index,
                dir: log.dir().to_owned(),
                queue: Arc::clone(&self.queues[thread]),
                reader: log.reader(),
                high_watermark: watch::Sender::new(log.next_offset()),
                deleted: AtomicBool::new(false),
                settings: Arc::clone(settings),
                uncompressed_bytes_max: self.config.uncompressed_bytes_max,
                clock: self.env.clock.clone(),
                flushed_to: AtomicI64::new(log.flushed_offset()),
                handed_over: AtomicUsize::new(0),
                owner: Owner::new(log),
            });
            // A queue that is closed already needs no owner for its partitions.
            drop(core.queue.push(Job::Adopt(Arc::clone(&core))));
            partitions.push(Partition { core });
        }
        partitions
    }

    /// Makes a topic, or its new state, known.
    pub(super) fn show(&self, inner: TopicInner) -> Topic {
        let topic = Topic { inner: Arc::new(inner) };
        let mut lookup = self.lookup.write().unwrap_or_else(PoisonError::into_inner);
        lookup.by_name.insert(topic.name().to_owned(), topic.clone());
        lookup.by_id.insert(topic.id(), topic.clone());
        topic
    }

    pub(super) fn delete(&self, name: &str) -> Result<(), DeleteError> {
        let mut admin = self.admin();
        if admin.closed {
            return Err(DeleteError::Closed);
        }
        let mut metadata = admin.metadata.clone();
        if metadata.topics.remove(name).is_none() {
            return Err(DeleteError::NotFound { name: name.to_owned() });
        }
        metadata.deleting.push(name.to_owned());
        metadata.store(&*self.env.disk, &self.config.data_dir).map_err(|source| DeleteError::Io {
            action: "writing",
            path: Metadata::path(&self.config.data_dir),
            source,
        })?;
        admin.metadata = metadata;
        if let Some(topic) = self.forget(name) {
            self.abandon(&topic);
            for partition in &topic.inner.partitions {
                let dir = &partition.core.dir;
                remove_dir(&*self.env.disk, dir).map_err(|source| DeleteError::Io {
                    action: "removing",
                    path: dir.clone(),
                    source,
                })?;
            }
        }
        // Not worth a write of its own: the next one carries it, and until then nothing is found to remove.
        admin.metadata.deleting.retain(|deleting| deleting != name);
        Ok(())
    }

    fn forget(&self, name: &str) -> Option<Topic> {
        let mut lookup = self.lookup.write().unwrap_or_else(PoisonError::into_inner);
        let topic = lookup.by_name.remove(name)?;
        lookup.by_id.remove(&topic.id());
        Some(topic)
    }

    /// Takes a topic's logs from their writers. Appends that wait before this are done, later ones refused.
    fn abandon(&self, topic: &Topic) {
        for partition in &topic.inner.partitions {
            partition.core.mark_deleted();
            let (done, wait) = sync_channel(1);
            let asked = partition.core.queue.push(Job::Abandon(Arc::clone(&partition.core), done)).is_ok();
            if asked && wait.recv().is_err() {
                tracing::warn!(topic = topic.name(), "the writer stopped before it gave the partition up");
            }
        }
    }
}

/// Removes what deletions that were interrupted left behind.
pub(super) fn remove_left_overs(disk: &dyn Disk, topics_dir: &Path, metadata: &Metadata) -> io::Result<()> {
    for entry in disk.read_dir(topics_dir)? {
        let dir = topics_dir.join(&entry.name);
        let interrupted = metadata
            .deleting
            .iter()
            .any(|name| !metadata.topics.contains_key(name) && is_partition_of(&entry.name, name));
        if dir.extension().is_some_and(|extension| extension == DELETED) && !is_live(&entry.name, metadata) {
            disk.remove_dir_all(&dir)?;
        } else if interrupted {
            remove_dir(disk, &dir)?;
        }
    }
    Ok(())
}

/// A topic's name may hold dots: `a.deleted` with partition 0 lives in `a.deleted-0`, but be sure.
fn is_live(dir_name: &str, metadata: &Metadata) -> bool {
    metadata.topics.keys().any(|name| is_partition_of(dir_name, name))
}

fn is_partition_of(dir_name: &str, topic: &str) -> bool {
    let index = dir_name.strip_prefix(topic).and_then(|rest| rest.strip_prefix('-'));
    index.is_some_and(|index| !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Removes a directory so that a crash leaves all of it or nothing that looks like it.
fn remove_dir(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    if !disk.exists(dir) {
        return Ok(());
    }
    let mut name = dir.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(DELETED);
    let gone: PathBuf = dir.with_file_name(name);
    if disk.exists(&gone) {
        disk.remove_dir_all(&gone)?;
    }
    disk.rename(dir, &gone)?;
    disk.sync_dir(dir.parent().unwrap_or(Path::new(TOPICS_DIR)))?;
    disk.remove_dir_all(&gone)
}

//! Cleaning up: segments end when they are old, go when retention says so, and are compacted; and written records are
//! flushed after `flush.ms`.
//!
//! [`Topics::clean`] does all of it once. The thread of [`Topics::start_cleaner`] does it when it is due: it sleeps
//! until the first moment at which any topic's settings ask for a look, and looks at those topics alone. What a
//! partition's owner has to do itself is short; keys are read and segments written here, at the lowest priority.

use std::path::PathBuf;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use commitlog::{Assistant, CompactionConfig, Retention, Rewritten, compact};

use crate::partition::Core;
use crate::settings::table;
use crate::store::Inner;
use crate::topic::Topic;
use crate::writer::Job;
use crate::{TopicConfig, Topics};
use pace::Pace;

mod pace;
mod schedule;
mod thread;

/// What one pass did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Segments that retention removed.
    pub segments_removed: usize,
    /// Partitions that were compacted.
    pub partitions_compacted: usize,
    /// Bytes of segments that compaction wrote anew, before and after.
    pub bytes_before: u64,
    /// See `bytes_before`.
    pub bytes_after: u64,
    /// The most bytes that the keys of one partition took.
    pub key_map_bytes: usize,
    /// Partitions where something went wrong; the log says what. They are tried again.
    pub failures: usize,
}

/// What the cleaner keeps between passes.
#[derive(Debug, Default)]
pub(crate) struct Cleaner {
    /// Held during a pass: one at a time.
    pass: Mutex<()>,
    /// Files to be removed, each with the time from which on it may go.
    doomed: Mutex<Vec<(i64, PathBuf)>>,
    signal: Mutex<Signal>,
    changed: Condvar,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Signal {
    stop: bool,
    /// Settings changed, or topics came: what is due must be found out again.
    look: bool,
}

/// The broker-wide settings of the moment.
#[derive(Debug, Clone, Copy)]
struct CleanerConfig {
    check_interval_ms: i64,
    backoff_ms: i64,
    key_map_bytes: usize,
    compacts: bool,
    bytes_per_second: f64,
}

/// Why a partition could not be cleaned.
#[derive(Debug, thiserror::Error)]
enum CleanError {
    #[error(transparent)]
    Log(#[from] commitlog::Error),
    /// The topic was deleted or the store is closing, which is no failure.
    #[error("the partition is going away")]
    Gone,
}

impl Topics {
    /// Does once, on this thread, all that is to be done at `now_ms` for retention and compaction. Blocks until it is
    /// done.
    #[must_use = "it may have failed for some partitions"]
    pub fn clean(&self, now_ms: i64) -> Cleaned {
        let topics = self.list();
        self.inner.clean(&topics, now_ms)
    }

    /// Starts the thread that cleans when it is due, if there is none yet. It ends with [`Topics::close`], or with the
    /// last handle.
    ///
    /// # Errors
    /// When the operating system refuses one more thread.
    pub fn start_cleaner(&self) -> std::io::Result<()> {
        thread::start(&self.inner)
    }

    /// How large the file system of the data directory is, and how much of it is free.
    ///
    /// # Errors
    /// Whatever the file system answers.
    pub fn disk_space(&self) -> std::io::Result<env::DiskSpace> {
        self.inner.env.disk.space(&self.inner.config.data_dir)
    }
}

impl Cleaner {
    /// Lets the thread find out again what is due.
    pub(crate) fn look_again(&self) {
        lock(&self.signal).look = true;
        self.changed.notify_all();
    }

    /// Lets a running pass stop at the next batch, and the thread end. Waits for it, unless it is this very thread.
    pub(crate) fn stop(&self) {
        lock(&self.signal).stop = true;
        self.changed.notify_all();
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != std::thread::current().id())
            && thread.join().is_err()
        {
            tracing::error!("the cleaner panicked");
        }
    }

    fn is_stopping(&self) -> bool {
        lock(&self.signal).stop
    }
}

impl Inner {
    fn clean(&self, topics: &[Topic], now_ms: i64) -> Cleaned {
        let _pass = lock(&self.cleaner.pass);
        let mut cleaned = Cleaned::default();
        let config = self.cleaner_config();
        for topic in topics {
            let of_topic = topic.config();
            for partition in &topic.inner.partitions {
                if self.cleaner.is_stopping() {
                    return cleaned;
                }
                let pass = Pass { inner: self, core: &partition.core, topic: &of_topic, config, now_ms };
                match pass.run(&mut cleaned) {
                    Ok(()) | Err(CleanError::Gone) => {}
                    Err(error) => {
                        cleaned.failures += 1;
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(
                            topic = topic.name(),
                            partition = partition.index(),
                            error,
                            "not cleaned"
                        );
                    }
                }
            }
        }
        self.remove_doomed(now_ms);
        cleaned
    }

    fn remove_doomed(&self, now_ms: i64) {
        lock(&self.cleaner.doomed).retain(|(due_ms, path)| {
            if *due_ms > now_ms {
                return true;
            }
            // A file that is gone went with its topic. Others go at the next start.
            drop(self.env.disk.remove_file(path));
            false
        });
    }

    fn cleaner_config(&self) -> CleanerConfig {
        self.defaults(|defaults| CleanerConfig {
            check_interval_ms: defaults.number(table::CHECK_INTERVAL_MS),
            backoff_ms: defaults.number(table::BACKOFF_MS),
            key_map_bytes: defaults.number(table::KEY_MAP_BYTES),
            compacts: defaults.number(table::CLEANER_ENABLE),
            bytes_per_second: defaults.number(table::IO_BYTES_PER_SECOND),
        })
    }
}

/// One partition's turn.
struct Pass<'a> {
    inner: &'a Inner,
    core: &'a Arc<Core>,
    topic: &'a TopicConfig,
    config: CleanerConfig,
    now_ms: i64,
}

impl Pass<'_> {
    fn run(&self, cleaned: &mut Cleaned) -> Result<(), CleanError> {
        if self.core.is_deleted() {
            return Err(CleanError::Gone);
        }
        let outcome = self.tidy(cleaned).and_then(|()| self.compact(cleaned));
        // Files of a deleted topic disappear under whoever reads them.
        if outcome.is_err() && self.core.is_deleted() { Err(CleanError::Gone) } else { outcome }
    }

    fn tidy(&self, cleaned: &mut Cleaned) -> Result<(), CleanError> {
        let cleanup = self.topic.cleanup;
        let lag_ms = if cleanup.compact { self.topic.max_compaction_lag_ms } else { i64::MAX };
        let retention = Retention {
            ms: self.topic.retention_ms.filter(|_| cleanup.delete),
            bytes: self.topic.retention_bytes.filter(|_| cleanup.delete),
            roll_ms: self.topic.segment_ms.min(lag_ms),
        };
        let up_to = self.core.high_watermark();
        if !self.core.reader.is_untidy(&retention, up_to, self.now_ms)? {
            return Ok(());
        }
        let (answer, wait) = sync_channel(1);
        self.ask(Job::Tidy(Arc::clone(self.core), retention, self.now_ms, answer))?;
        let tidied = wait.recv().map_err(|_| CleanError::Gone)??;
        cleaned.segments_removed += tidied.doomed.len();
        if !tidied.doomed.is_empty() {
            let start = tidied.log_start_offset;
            tracing::info!(
                topic = &*self.core.topic,
                partition = self.core.index,
                start,
                "old segments removed"
            );
        }
        let due_ms = self.now_ms.saturating_add(self.topic.file_delete_delay_ms);
        lock(&self.inner.cleaner.doomed).extend(tidied.doomed.into_iter().map(|path| (due_ms, path)));
        Ok(())
    }

    fn compact(&self, cleaned: &mut Cleaned) -> Result<(), CleanError> {
        if !self.topic.cleanup.compact || !self.config.compacts {
            return Ok(());
        }
        let config = CompactionConfig {
            min_dirty_ratio: self.topic.min_cleanable_dirty_ratio,
            min_lag_ms: self.topic.min_compaction_lag_ms,
            max_lag_ms: self.topic.max_compaction_lag_ms,
            delete_retention_ms: self.topic.delete_retention_ms,
            segment_bytes: self.topic.segment_bytes,
            index_interval_bytes: self.topic.index_interval_bytes,
            uncompressed_bytes_max: self.core.uncompressed_bytes_max,
            key_map_bytes: self.config.key_map_bytes,
        };
        let reader = &self.core.reader;
        let stable_end = reader.last_stable_offset(self.core.high_watermark());
        let backlog = reader.backlog(&config, stable_end, self.now_ms)?;
        if !backlog.due {
            return Ok(());
        }
        let clock = &*self.inner.env.clock;
        let pace = Pace::new(clock, &self.inner.cleaner, self.config.bytes_per_second);
        let done = compact(reader, &config, &backlog, self.now_ms, &mut Helper { pass: self, pace })?;
        cleaned.partitions_compacted += 1;
        cleaned.bytes_before += done.bytes_before;
        cleaned.bytes_after += done.bytes_after;
        cleaned.key_map_bytes = cleaned.key_map_bytes.max(done.key_map_bytes);
        let (before, after) = (done.bytes_before, done.bytes_after);
        tracing::debug!(topic = &*self.core.topic, partition = self.core.index, before, after, "compacted");
        Ok(())
    }

    fn ask(&self, job: Job) -> Result<(), CleanError> {
        self.core.queue.push(job).map_err(|_| CleanError::Gone)
    }
}

/// The partition's owner and the others' turn, as compaction sees them.
struct Helper<'a> {
    pass: &'a Pass<'a>,
    pace: Pace<'a>,
}

impl Assistant for Helper<'_> {
    fn pace(&mut self, bytes: usize) -> bool {
        self.pace.took(bytes) && !self.pass.core.is_deleted()
    }

    fn swap(&mut self, rewritten: Rewritten) -> Result<bool, commitlog::Error> {
        let (answer, wait) = sync_channel(1);
        let core = Arc::clone(self.pass.core);
        if self.pass.ask(Job::Swap(core, Box::new(rewritten), answer)).is_err() {
            return Ok(false);
        }
        wait.recv().unwrap_or(Ok(false))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

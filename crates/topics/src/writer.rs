//! A writer thread: what callers could not append themselves, flushes, and everything else that may take long.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use bytes::Bytes;
use commitlog::{Log, Retention, Rewritten, Tidied};
use env::Clock;
use tokio::sync::oneshot;

use crate::AppendError;
use crate::burst::by_partition;
use crate::owner::{Answer, Answers, send};
use crate::partition::{Acks, Core};
use crate::queue::Queue;

/// Something to do for a writer thread.
#[derive(Debug)]
pub(crate) enum Job {
    /// Append batches.
    Append(Append),
    /// Flush what was appended; somebody waits for it.
    Commit(Arc<Core>),
    /// Look after a partition from now on.
    Adopt(Arc<Core>),
    /// Give a partition up; its topic was deleted.
    Abandon(Arc<Core>, SyncSender<()>),
    /// Make durable what was appended before.
    Flush(Arc<Core>, oneshot::Sender<Result<(), AppendError>>),
    /// End a producer's transaction, durably.
    EndTransaction(Arc<Core>, Marker, oneshot::Sender<Answer>),
    /// End and remove segments as retention says, at this time.
    Tidy(Arc<Core>, Retention, i64, SyncSender<Result<Tidied, commitlog::Error>>),
    /// Put a compacted segment in the place of those it was written from.
    Swap(Arc<Core>, Box<Rewritten>, SyncSender<Result<bool, commitlog::Error>>),
    /// Let a partition begin at an offset.
    DeleteBefore(Arc<Core>, i64, oneshot::Sender<Result<i64, AppendError>>),
}

/// Batches on their way into a partition.
#[derive(Debug)]
pub(crate) struct Append {
    pub(crate) core: Arc<Core>,
    pub(crate) batches: Bytes,
    pub(crate) acks: Acks,
    pub(crate) answer: oneshot::Sender<Answer>,
}

/// How a producer's transaction ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Marker {
    pub(crate) producer_id: i64,
    pub(crate) epoch: i16,
    pub(crate) commit: bool,
    pub(crate) coordinator_epoch: i32,
}

impl Job {
    /// Tells whoever waits for it that it will not be done.
    pub(crate) fn refuse(self, error: &AppendError) {
        if let Self::Append(append) = self {
            drop(append.answer.send(Err(error.clone())));
        }
    }

    /// What it counts in the queue.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Append(append) => append.batches.len(),
            _ => 0,
        }
    }
}

/// One writer thread's state.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: Arc<Queue>,
    clock: Arc<dyn Clock>,
    partitions: HashMap<u64, Arc<Core>>,
    /// Partitions where somebody waits for a flush.
    uncommitted: Vec<Arc<Core>>,
    answers: Answers,
}

impl Writer {
    pub(crate) fn new(queue: Arc<Queue>, clock: Arc<dyn Clock>) -> Self {
        Self { queue, clock, partitions: HashMap::new(), uncommitted: Vec::new(), answers: Vec::new() }
    }

    /// Works until the queue is closed and empty, then closes every log.
    pub(crate) fn run(mut self) -> Result<(), commitlog::Error> {
        let mut jobs = Vec::new();
        while self.queue.take(&mut jobs) {
            self.drain(&mut jobs);
        }
        let mut outcome = Ok(());
        for core in mem::take(&mut self.partitions).into_values() {
            // Whoever appended until now is answered by this; whoever comes later finds no log.
            drop(core.commit(&mut self.answers));
            let log = core.take_log(&AppendError::Closed, &mut self.answers);
            let closed = log.map_or(Ok(()), |log| log.close());
            if outcome.is_ok() {
                outcome = closed;
            }
        }
        send(&mut self.answers);
        outcome
    }

    fn drain(&mut self, jobs: &mut Vec<Job>) {
        let mut appends = Vec::new();
        for job in jobs.drain(..) {
            match job {
                Job::Append(append) => appends.push(append),
                Job::Commit(core) => self.uncommitted.push(core),
                other => {
                    self.append(mem::take(&mut appends));
                    self.administer(other);
                }
            }
        }
        self.append(appends);
        send(&mut self.answers);
        self.commit();
    }

    fn administer(&mut self, job: Job) {
        match job {
            Job::Append(_) | Job::Commit(_) => unreachable!("they are collected by the drain"),
            Job::Adopt(core) => {
                self.partitions.insert(core.slot, core);
            }
            Job::Abandon(core, done) => {
                self.partitions.remove(&core.slot);
                drop(core.take_log(&core.deleted(), &mut self.answers));
                done.send(()).unwrap_or_default(); // nobody waits any more
            }
            Job::Flush(core, answer) => {
                drop(answer.send(core.commit(&mut self.answers)));
            }
            Job::EndTransaction(core, marker, answer) => self.end_transaction(core, marker, answer),
            // Whoever waits takes a dropped sender for a partition that is gone.
            Job::Tidy(core, retention, now_ms, answer) => {
                let up_to = core.high_watermark();
                if let Some(outcome) = core.with_log(|log| log.tidy(&retention, up_to, now_ms)) {
                    drop(answer.send(outcome));
                }
            }
            Job::Swap(core, rewritten, answer) => {
                if let Some(outcome) = core.with_log(|log| log.swap(*rewritten)) {
                    drop(answer.send(outcome));
                }
            }
            Job::DeleteBefore(core, offset, answer) => {
                let up_to = core.high_watermark();
                let outcome = core.with_log(|log| log.delete_before(offset, up_to));
                let outcome = outcome.map_or_else(
                    || Err(core.deleted()),
                    |outcome| outcome.map_err(|error| core.append_error(error)),
                );
                drop(answer.send(outcome));
            }
        }
    }

    fn end_transaction(&mut self, core: Arc<Core>, marker: Marker, answer: oneshot::Sender<Answer>) {
        let Marker { producer_id, epoch, commit, coordinator_epoch } = marker;
        let now_ms = self.clock.now_ms();
        let append = |log: &mut Log| log.append_marker(producer_id, epoch, commit, coordinator_epoch, now_ms);
        self.answers.extend(core.append_marker(append, answer));
        self.uncommitted.push(core);
    }

    /// One write per partition, as far as a write may be long.
    fn append(&mut self, appends: Vec<Append>) {
        if appends.is_empty() {
            return;
        }
        let now_ms = self.clock.now_ms();
        for (core, appends) in by_partition(appends) {
            core.append_all(appends, now_ms, &mut self.answers);
            self.uncommitted.push(core);
        }
    }

    /// One flush per partition that somebody waits for. What is appended meanwhile waits for the next one.
    fn commit(&mut self) {
        self.uncommitted.sort_unstable_by_key(|core| core.slot);
        self.uncommitted.dedup_by_key(|core| core.slot);
        for core in mem::take(&mut self.uncommitted) {
            if core.awaits_commit() {
                // A failure is told to those who wait.
                drop(core.commit(&mut self.answers));
                send(&mut self.answers);
            }
        }
    }
}

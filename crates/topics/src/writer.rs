//! The owner of partitions: one thread that drains its queue, appends, flushes once, shows, answers.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;

use bytes::Bytes;
use commitlog::{Log, Retention, Rewritten, Tidied};
use env::Clock;
use tokio::sync::oneshot;

use crate::AppendError;
use crate::partition::{Acks, Appended, Core};
use crate::queue::Queue;

/// Something to do for a writer thread.
#[derive(Debug)]
pub(crate) enum Job {
    /// Append batches.
    Append(Append),
    /// Become the owner of a partition.
    Adopt(Arc<Core>, Box<Log>),
    /// Give a partition up; its topic was deleted.
    Abandon(Arc<Core>, SyncSender<()>),
    /// Make durable what was appended before.
    Flush(Arc<Core>, oneshot::Sender<Result<(), AppendError>>),
    /// End a producer's transaction, durably.
    EndTransaction(Arc<Core>, Marker, oneshot::Sender<Result<Appended, AppendError>>),
    /// Go on with other settings.
    Configure(Arc<Core>, Box<commitlog::Config>),
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
    pub(crate) answer: oneshot::Sender<Result<Appended, AppendError>>,
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
    logs: HashMap<u64, Box<Log>>,
}

/// The appends of one partition in one drain, and what became of them.
#[derive(Debug)]
struct Round {
    core: Arc<Core>,
    appends: Vec<Append>,
    outcomes: Vec<Result<commitlog::Appended, commitlog::Error>>,
}

impl Writer {
    pub(crate) fn new(queue: Arc<Queue>, clock: Arc<dyn Clock>) -> Self {
        Self { queue, clock, logs: HashMap::new() }
    }

    /// Works until the queue is closed and empty, then closes every log.
    pub(crate) fn run(mut self) -> Result<(), commitlog::Error> {
        let mut jobs = Vec::new();
        while self.queue.take(&mut jobs) {
            self.drain(&mut jobs);
        }
        let mut outcome = Ok(());
        for (_, log) in self.logs {
            let closed = log.close();
            if outcome.is_ok() {
                outcome = closed;
            }
        }
        outcome
    }

    fn drain(&mut self, jobs: &mut Vec<Job>) {
        let mut appends = Vec::with_capacity(jobs.len());
        for job in jobs.drain(..) {
            match job {
                Job::Append(append) => appends.push(append),
                other => {
                    self.append(mem::take(&mut appends));
                    self.administer(other);
                }
            }
        }
        self.append(appends);
    }

    fn administer(&mut self, job: Job) {
        match job {
            Job::Append(_) => unreachable!("appends are collected by the drain"),
            Job::Adopt(core, log) => {
                self.logs.insert(core.slot, log);
            }
            Job::Abandon(core, done) => {
                self.logs.remove(&core.slot);
                done.send(()).unwrap_or_default(); // nobody waits any more
            }
            Job::Flush(core, answer) => {
                let outcome = self.with_log(&core, |log| flush(log, &core));
                drop(answer.send(outcome));
            }
            Job::EndTransaction(core, marker, answer) => {
                drop(answer.send(self.end_transaction(&core, marker)));
            }
            Job::Configure(core, config) => {
                if let Some(log) = self.logs.get_mut(&core.slot) {
                    log.set_config(*config);
                }
            }
            // Whoever waits takes a dropped sender for a partition that is gone.
            Job::Tidy(core, retention, now_ms, answer) => {
                if let Some(log) = self.logs.get_mut(&core.slot) {
                    drop(answer.send(log.tidy(&retention, core.high_watermark(), now_ms)));
                }
            }
            Job::Swap(core, rewritten, answer) => {
                if let Some(log) = self.logs.get_mut(&core.slot) {
                    drop(answer.send(log.swap(*rewritten)));
                }
            }
            Job::DeleteBefore(core, offset, answer) => {
                let up_to = core.high_watermark();
                let outcome = self.with_log(&core, |log| log.delete_before(offset, up_to));
                drop(answer.send(outcome));
            }
        }
    }

    fn end_transaction(&mut self, core: &Core, marker: Marker) -> Result<Appended, AppendError> {
        let Marker { producer_id, epoch, commit, coordinator_epoch } = marker;
        let now_ms = self.clock.now_ms();
        let (appended, next_offset) = self.with_log(core, |log| {
            let appended = log.append_marker(producer_id, epoch, commit, coordinator_epoch, now_ms)?;
            flush(log, core)?;
            Ok((appended, log.next_offset()))
        })?;
        core.publish(next_offset);
        Ok(Appended {
            base_offset: appended.base_offset,
            log_append_time: appended.log_append_time,
            log_start_offset: core.log_start_offset(),
            duplicate: false,
        })
    }

    fn with_log<T>(
        &mut self,
        core: &Core,
        act: impl FnOnce(&mut Log) -> Result<T, commitlog::Error>,
    ) -> Result<T, AppendError> {
        let log = self.logs.get_mut(&core.slot).ok_or_else(|| core.deleted())?;
        act(log).map_err(|error| core.append_error(error))
    }

    /// One write per partition, then one flush per partition that somebody waits for, then the answers.
    fn append(&mut self, appends: Vec<Append>) {
        if appends.is_empty() {
            return;
        }
        let now_ms = self.clock.now_ms();
        let mut rounds = by_partition(appends);
        for round in &mut rounds {
            if let Some(log) = self.logs.get_mut(&round.core.slot) {
                let requests: Vec<Bytes> =
                    round.appends.iter().map(|append| append.batches.clone()).collect();
                round.outcomes = log.append(&requests, now_ms);
            }
        }
        for round in rounds {
            self.finish(round);
        }
    }

    fn finish(&mut self, round: Round) {
        let Some(log) = self.logs.get_mut(&round.core.slot) else {
            for append in round.appends {
                drop(append.answer.send(Err(round.core.deleted())));
            }
            return;
        };
        let waits = |(append, outcome): (&Append, &Result<_, _>)| append.acks == Acks::All && outcome.is_ok();
        let config = round.core.settings.get();
        let unflushed = log.next_offset() - round.core.flushed_to.load(Ordering::Relaxed);
        let must_flush = unflushed >= config.flush_messages
            || (!config.flush_relaxed && round.appends.iter().zip(&round.outcomes).any(waits));
        let flushed = if must_flush { flush(log, &round.core) } else { Ok(()) };
        if flushed.is_ok() {
            round.core.publish(log.next_offset());
        }
        let log_start_offset = round.core.log_start_offset();
        for (append, outcome) in round.appends.into_iter().zip(round.outcomes) {
            let answer = flushed.clone().and(outcome).map(|appended| Appended {
                base_offset: appended.base_offset,
                log_append_time: appended.log_append_time,
                log_start_offset,
                duplicate: appended.duplicate,
            });
            drop(append.answer.send(answer.map_err(|error| round.core.append_error(error))));
        }
    }
}

fn flush(log: &mut Log, core: &Core) -> Result<(), commitlog::Error> {
    log.flush()?;
    core.flushed_to.store(log.next_offset(), Ordering::Relaxed);
    Ok(())
}

/// Groups appends by partition; partitions in the order of their first append.
fn by_partition(appends: Vec<Append>) -> Vec<Round> {
    let mut rounds: Vec<Round> = Vec::new();
    let mut places: HashMap<u64, usize> = HashMap::new();
    for append in appends {
        let place = *places.entry(append.core.slot).or_insert_with(|| {
            let core = Arc::clone(&append.core);
            rounds.push(Round { core, appends: Vec::new(), outcomes: Vec::new() });
            rounds.len() - 1
        });
        rounds[place].appends.push(append);
    }
    rounds
}

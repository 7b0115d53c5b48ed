//! The owner of one partition's log: whoever holds its lock. Appends happen on the caller's thread when that is quick;
//! the writer thread does what may take long (flushes, new segments), what waits for a flush anyway, and what came while
//! somebody else was the owner. A caller that may wait for the disk flushes its own append: no thread has to be woken, and
//! what is written is still in its core's cache.
//!
//! Appends of one caller keep their order: as long as one of a partition's appends waits for the writer thread, the next
//! ones queue up behind it.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use commitlog::Log;
use tokio::sync::oneshot;

use crate::AppendError;
use crate::partition::{Acks, AppendFuture, Appended, Core};
use crate::writer::{Append, Job};

/// The answer to somebody who waits for it.
pub(crate) type Answer = Result<Appended, AppendError>;

/// A partition's log, and who waits for its next flush.
#[derive(Debug, Default)]
pub(crate) struct Owner {
    /// Gone when the topic was deleted or the store closed.
    log: Option<Box<Log>>,
    /// In the order of the appends.
    waiting: VecDeque<Waiting>,
    /// Whether the writer thread knows that somebody waits.
    commit_asked: bool,
    /// Whether the writer thread makes a flush, meanwhile without the lock.
    flushing: bool,
}

/// An append that was written and is to be flushed before it is answered.
#[derive(Debug)]
struct Waiting {
    appended: commitlog::Appended,
    answer: oneshot::Sender<Answer>,
}

/// What has to be sent once the lock is released.
pub(crate) type Answers = Vec<(oneshot::Sender<Answer>, Answer)>;

impl Owner {
    pub(crate) fn new(log: Log) -> Mutex<Self> {
        Mutex::new(Self { log: Some(Box::new(log)), ..Self::default() })
    }

    /// Takes note of what was appended: it is shown and answered now, or after the next flush.
    fn settle(
        &mut self,
        core: &Arc<Core>,
        appended: commitlog::Appended,
        acks: Acks,
    ) -> Result<AppendFuture, AppendError> {
        if !self.must_flush(core, &appended, acks) {
            self.publish(core);
            return Ok(AppendFuture::ready(core.answer(appended)));
        }
        let (answer, future) = oneshot::channel();
        self.wait(core, Waiting { appended, answer })?;
        Ok(AppendFuture::new(future))
    }

    fn must_flush(&self, core: &Core, appended: &commitlog::Appended, acks: Acks) -> bool {
        let Some(log) = &self.log else { return false };
        let unflushed = log.next_offset() - log.flushed_offset();
        let config = core.settings.get();
        let asked = acks == Acks::All && !config.flush_relaxed;
        appended.last_offset >= log.flushed_offset() && (asked || unflushed >= config.flush_messages)
    }

    fn wait(&mut self, core: &Arc<Core>, waiting: Waiting) -> Result<(), AppendError> {
        if !self.commit_asked {
            core.queue.push(Job::Commit(Arc::clone(core)))?;
            self.commit_asked = true;
        }
        self.waiting.push_back(waiting);
        Ok(())
    }

    /// Shows readers what was promised: everything written before the first record that waits for a flush. After a
    /// failure nothing more is shown: a power cut may take it.
    fn publish(&self, core: &Core) {
        let Some(log) = self.log.as_ref().filter(|log| !log.is_poisoned()) else { return };
        let first = self.waiting.iter().find(|waiting| !waiting.appended.duplicate);
        core.publish(first.map_or(log.next_offset(), |waiting| waiting.appended.base_offset));
    }

    /// Answers those whose records are durable.
    fn flushed(&mut self, core: &Core, answers: &mut Answers) {
        let Some(log) = &self.log else { return };
        let flushed = log.flushed_offset();
        core.flushed_to.store(flushed, Ordering::Relaxed);
        while let Some(waiting) = self.waiting.pop_front_if(|waiting| waiting.appended.last_offset < flushed)
        {
            answers.push((waiting.answer, Ok(core.answer(waiting.appended))));
        }
        self.publish(core);
    }

    fn fail(&mut self, error: &AppendError, answers: &mut Answers) {
        answers.extend(self.waiting.drain(..).map(|waiting| (waiting.answer, Err(error.clone()))));
    }
}

impl Core {
    pub(crate) fn owner(&self) -> MutexGuard<'_, Owner> {
        self.owner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends admitted batches here and now if that is quick, or hands them over.
    pub(crate) fn append(self: &Arc<Self>, batches: Bytes, acks: Acks) -> Result<AppendFuture, AppendError> {
        if !self.goes_to_the_writer(acks)
            && self.handed_over.load(Ordering::Acquire) == 0
            && let Ok(mut owner) = self.owner.try_lock()
            && let Some(log) = &mut owner.log
        {
            let now_ms = self.clock.now_ms();
            if log.is_ready(batches.len(), now_ms) {
                let appended = log.append_one(&batches, now_ms).map_err(|error| self.append_error(error))?;
                return owner.settle(self, appended, acks);
            }
        }
        let (sender, answer) = oneshot::channel();
        self.hand_over(Append { core: Arc::clone(self), batches, acks, answer: sender })?;
        Ok(AppendFuture::new(answer))
    }

    /// Appends admitted batches and flushes them here, if nobody else is at it, or hands them over.
    pub(crate) fn append_flushed(self: &Arc<Self>, batches: Bytes) -> Result<AppendFuture, AppendError> {
        if self.goes_to_the_writer(Acks::All)
            && self.handed_over.load(Ordering::Acquire) == 0
            && let Ok(mut owner) = self.owner.try_lock()
            && !owner.flushing
            && let Some(log) = &mut owner.log
        {
            let now_ms = self.clock.now_ms();
            if log.is_ready(batches.len(), now_ms) {
                let appended = log.append_one(&batches, now_ms).map_err(|error| self.append_error(error))?;
                let flushed = log.flush();
                let mut answers = Answers::new();
                let outcome = self.flush_ended(&mut owner, flushed, &mut answers);
                drop(owner);
                send(&mut answers);
                return outcome.map(|()| AppendFuture::ready(self.answer(appended)));
            }
        }
        self.append(batches, Acks::All)
    }

    /// Appends batches of one caller, here and now by one write if that is quick, or hands them over.
    pub(crate) fn append_together(self: &Arc<Self>, appends: Vec<Append>, answers: &mut Answers) {
        let bytes = appends.iter().map(|append| append.batches.len()).sum();
        if !appends.iter().any(|append| self.goes_to_the_writer(append.acks))
            && self.handed_over.load(Ordering::Acquire) == 0
            && let Ok(mut owner) = self.owner.try_lock()
        {
            let now_ms = self.clock.now_ms();
            if owner.log.as_ref().is_some_and(|log| log.is_ready(bytes, now_ms)) {
                let asked = owner.commit_asked;
                self.append_owned(&mut owner, appends, now_ms, answers);
                if owner.commit_asked
                    && !asked
                    && let Err(error) = self.queue.push(Job::Commit(Arc::clone(self)))
                {
                    owner.fail(&error, answers);
                }
                return;
            }
        }
        for append in appends {
            // Whoever waits for it is told by the queue when it takes no more.
            drop(self.hand_over(append));
        }
    }

    fn hand_over(&self, append: Append) -> Result<(), AppendError> {
        self.handed_over.fetch_add(1, Ordering::AcqRel);
        self.queue.push(Job::Append(append)).inspect_err(|_| {
            self.handed_over.fetch_sub(1, Ordering::AcqRel);
        })
    }

    /// What waits for a flush waits for the writer thread anyway, which makes one write of all that came meanwhile.
    fn goes_to_the_writer(&self, acks: Acks) -> bool {
        acks == Acks::All && !self.settings.get().flush_relaxed
    }

    /// Appends what was handed over, with as few writes as possible. For the writer thread.
    pub(crate) fn append_all(self: &Arc<Self>, appends: Vec<Append>, now_ms: i64, answers: &mut Answers) {
        let count = appends.len();
        self.append_owned(&mut self.owner(), appends, now_ms, answers);
        self.handed_over.fetch_sub(count, Ordering::AcqRel);
    }

    fn append_owned(
        self: &Arc<Self>,
        owner: &mut Owner,
        appends: Vec<Append>,
        now_ms: i64,
        answers: &mut Answers,
    ) {
        let Some(log) = &mut owner.log else {
            let gone = || Err(self.deleted());
            answers.extend(appends.into_iter().map(|append| (append.answer, gone())));
            return;
        };
        let requests: Vec<Bytes> = appends.iter().map(|append| append.batches.clone()).collect();
        let outcomes = log.append(&requests, now_ms);
        for (append, outcome) in appends.into_iter().zip(outcomes) {
            self.settle_one(owner, append, outcome, answers);
        }
        owner.publish(self);
    }

    fn settle_one(
        self: &Arc<Self>,
        owner: &mut Owner,
        append: Append,
        outcome: Result<commitlog::Appended, commitlog::Error>,
        answers: &mut Answers,
    ) {
        match outcome {
            Err(error) => answers.push((append.answer, Err(self.append_error(error)))),
            Ok(appended) if owner.must_flush(self, &appended, append.acks) => {
                owner.commit_asked = true;
                owner.waiting.push_back(Waiting { appended, answer: append.answer });
            }
            Ok(appended) => answers.push((append.answer, Ok(self.answer(appended)))),
        }
    }

    /// Appends a marker, to be answered after the next flush. For the writer thread.
    pub(crate) fn append_marker(
        self: &Arc<Self>,
        append: impl FnOnce(&mut Log) -> Result<commitlog::Appended, commitlog::Error>,
        answer: oneshot::Sender<Answer>,
    ) -> Answers {
        let mut owner = self.owner();
        let outcome = owner.log.as_mut().map(|log| append(log));
        match outcome {
            None => return vec![(answer, Err(self.deleted()))],
            Some(Err(error)) => return vec![(answer, Err(self.append_error(error)))],
            Some(Ok(appended)) => {
                owner.commit_asked = true;
                owner.waiting.push_back(Waiting { appended, answer });
            }
        }
        Vec::new()
    }

    /// Flushes what was appended so far and answers whoever waits for it. Appends go on meanwhile. For the writer thread.
    pub(crate) fn commit(&self, answers: &mut Answers) -> Result<(), AppendError> {
        let mut owner = self.owner();
        owner.commit_asked = false;
        let Some(log) = &mut owner.log else {
            let error = self.deleted();
            owner.fail(&error, answers);
            return Err(error);
        };
        let mut outcome = log.begin_flush();
        if let Ok(Some(flush)) = &outcome {
            owner.flushing = true;
            drop(owner);
            let synced = flush.sync();
            owner = self.owner();
            owner.flushing = false;
            let finish = |log: &mut Box<Log>| log.finish_flush(flush, synced);
            let finished = owner.log.as_mut().map_or(Ok(()), finish);
            outcome = finished.map(|()| None);
        }
        self.flush_ended(&mut owner, outcome.map(drop), answers)
    }

    /// Shows what a flush made durable and answers whoever waits for it; or tells them that it failed.
    fn flush_ended(
        &self,
        owner: &mut Owner,
        outcome: Result<(), commitlog::Error>,
        answers: &mut Answers,
    ) -> Result<(), AppendError> {
        let outcome = outcome.map_err(|error| self.append_error(error));
        match &outcome {
            Ok(()) => owner.flushed(self, answers),
            Err(error) => owner.fail(error, answers),
        }
        outcome
    }

    /// Whether somebody waits for a flush.
    pub(crate) fn awaits_commit(&self) -> bool {
        let owner = self.owner();
        owner.commit_asked || !owner.waiting.is_empty()
    }

    /// Does something with the log, if it is still there: for the writer thread, but for what neither flushes nor rolls.
    pub(crate) fn with_log<T>(&self, act: impl FnOnce(&mut Log) -> T) -> Option<T> {
        let mut owner = self.owner();
        let outcome = act(owner.log.as_mut()?);
        owner.publish(self);
        Some(outcome)
    }

    /// Takes the log away: nobody appends here any more. Whoever still waits is answered with this error.
    pub(crate) fn take_log(&self, error: &AppendError, answers: &mut Answers) -> Option<Box<Log>> {
        let mut owner = self.owner();
        owner.fail(error, answers);
        owner.log.take()
    }

    fn answer(&self, appended: commitlog::Appended) -> Appended {
        Appended {
            base_offset: appended.base_offset,
            log_append_time: appended.log_append_time,
            log_start_offset: self.log_start_offset(),
            duplicate: appended.duplicate,
        }
    }
}

/// Tells everybody what they wait for.
pub(crate) fn send(answers: &mut Answers) {
    for (answer, outcome) in answers.drain(..) {
        drop(answer.send(outcome));
    }
}

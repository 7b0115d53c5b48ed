//! What waits for one writer thread: bounded in bytes, taken in one piece.

use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::AppendError;
use crate::writer::Job;

/// Jobs in the order they came.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    bytes_max: usize,
}

#[derive(Debug, Default)]
struct State {
    jobs: Vec<Job>,
    bytes: usize,
    closed: bool,
    /// Whether the thread waits; otherwise it looks here anyway.
    sleeping: bool,
}

impl Queue {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { state: Mutex::default(), arrived: Condvar::new(), bytes_max }
    }

    /// Adds a job. One larger than the whole queue is taken when nothing else waits.
    pub(crate) fn push(&self, job: Job) -> Result<(), AppendError> {
        let mut state = self.lock();
        let bytes = job.bytes();
        if let Some(error) = self.refusal(&state, bytes) {
            drop(state);
            job.refuse(&error);
            return Err(error);
        }
        state.bytes += bytes;
        state.jobs.push(job);
        let sleeping = mem::take(&mut state.sleeping);
        drop(state);
        if sleeping {
            self.arrived.notify_one();
        }
        Ok(())
    }

    fn refusal(&self, state: &State, bytes: usize) -> Option<AppendError> {
        if state.closed {
            return Some(AppendError::Closed);
        }
        let full = state.bytes > 0 && bytes > 0 && state.bytes + bytes > self.bytes_max;
        full.then_some(AppendError::Busy { waiting: state.bytes })
    }

    /// Waits for jobs and moves all of them to `into`, which must be empty. False when the queue was closed and
    /// nothing is left.
    pub(crate) fn take(&self, into: &mut Vec<Job>) -> bool {
        let mut state = self.lock();
        while state.jobs.is_empty() {
            if state.closed {
                return false;
            }
            state.sleeping = true;
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        mem::swap(&mut state.jobs, into);
        state.bytes = 0;
        true
    }

    /// Refuses further jobs; the waiting ones are still done.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

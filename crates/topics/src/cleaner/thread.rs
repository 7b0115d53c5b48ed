//! The cleaner's thread.

use std::io;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use env::spawn_background_thread;

use super::{lock, schedule};
use crate::store::Inner;
use crate::topic::Topic;
use crate::writer::Job;

/// When nothing is due, a change wakes it.
const LONGEST_SLEEP: Duration = Duration::from_secs(3600);

pub(super) fn start(inner: &Arc<Inner>) -> io::Result<()> {
    let mut thread = lock(&inner.cleaner.thread);
    if thread.is_none() && !inner.cleaner.is_stopping() {
        let weak = Arc::downgrade(inner);
        *thread = Some(spawn_background_thread("cleaner", move || run(&weak))?);
    }
    Ok(())
}

/// Looks, works, sleeps. Holds the store only while it works, so that dropping the last handle ends both.
fn run(weak: &Weak<Inner>) {
    let mut last = Duration::ZERO;
    loop {
        let Some(inner) = weak.upgrade() else { return };
        let cleaner = Arc::clone(&inner.cleaner);
        let now = inner.env.clock.monotonic();
        let pause = inner.look(last, now);
        last = now;
        drop(inner);
        let signal = lock(&cleaner.signal);
        let quiet = |signal: &mut super::Signal| !signal.stop && !signal.look;
        let (mut signal, _) =
            cleaner.changed.wait_timeout_while(signal, pause, quiet).unwrap_or_else(PoisonError::into_inner);
        signal.look = false;
        if signal.stop {
            return;
        }
    }
}

impl Inner {
    /// Does what became due between `last` and `now`; answers how long nothing else will.
    fn look(&self, last: Duration, now: Duration) -> Duration {
        let config = self.cleaner_config();
        let topics: Vec<Topic> = self.lookup(|lookup| lookup.by_name.values().cloned().collect());
        let mut pause = LONGEST_SLEEP;
        let mut due = Vec::new();
        for topic in topics {
            let of_topic = topic.config();
            if let Some(period) = schedule::flush_period(&of_topic) {
                pause = pause.min(schedule::until_due(period, now));
                if schedule::is_due(period, last, now) {
                    flush(&topic);
                }
            }
            let period = schedule::period(&of_topic, &config);
            pause = pause.min(schedule::until_due(period, now));
            if schedule::is_due(period, last, now) {
                due.push(topic);
            }
        }
        if !due.is_empty() {
            let cleaned = self.clean(&due, self.env.clock.now_ms());
            tracing::debug!(topics = due.len(), ?cleaned, "looked at topics");
        }
        pause
    }
}

/// Asks for a flush where something was written since the last one.
fn flush(topic: &Topic) {
    for partition in &topic.inner.partitions {
        let core = &partition.core;
        if core.has_unflushed() {
            let (answer, _) = tokio::sync::oneshot::channel();
            // A failure is told to the next one who appends.
            drop(core.queue.push(Job::Flush(Arc::clone(core), answer)));
        }
    }
}

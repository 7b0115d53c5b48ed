//! What one step of a group's machine is given, and what it leaves behind.

use crate::settings::Times;
use crate::{Config, Effect, Event};

/// What one step of a group's machine is given, and what it leaves behind.
pub(crate) struct Step<'a> {
    pub(crate) now_ms: i64,
    pub(crate) config: &'a Config,
    /// What holds for members of the consumer protocol in this group.
    pub(crate) times: Times,
    pub(crate) effects: Vec<Effect>,
}

impl Step<'_> {
    /// A step at the same time, with effects of its own.
    pub(crate) fn follower(&self) -> Self {
        Self { now_ms: self.now_ms, config: self.config, times: self.times, effects: Vec::new() }
    }

    pub(crate) fn persist(&mut self, event: Event) {
        self.effects.push(Effect::Persist(event));
    }
}

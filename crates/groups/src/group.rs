//! One group: its members, and what they have committed.

mod commit;
mod expiry;

use crate::classic::ClassicGroup;
use crate::step::Step;
use crate::{Error, Event, Offsets};

/// One group: its members, and what they have committed.
#[derive(Debug)]
pub(crate) struct Group {
    id: String,
    pub(crate) classic: ClassicGroup,
    pub(crate) offsets: Offsets,
}

impl Group {
    pub(crate) fn new(id: String, now_ms: i64) -> Self {
        Self { classic: ClassicGroup::new(id.clone(), now_ms), offsets: Offsets::default(), id }
    }

    /// Nobody is a member.
    pub(crate) fn is_empty(&self) -> bool {
        self.classic.is_empty()
    }

    /// Nothing is known of this group and nobody is on the way in.
    pub(crate) fn is_forgettable(&self) -> bool {
        self.classic.is_forgettable() && self.offsets.is_empty()
    }

    /// Nothing was ever written of this group, so that it can be forgotten without a trace.
    pub(crate) fn is_unused(&self) -> bool {
        self.is_forgettable() && self.classic.protocol_type().is_empty()
    }

    pub(crate) fn next_deadline(&self) -> Option<i64> {
        self.classic.next_deadline()
    }

    pub(crate) fn tick(&mut self, step: &mut Step<'_>) {
        self.classic.tick(step);
    }

    /// Takes the group's traces off the disk.
    ///
    /// # Errors
    ///
    /// [`Error::NonEmptyGroup`] while it has members.
    pub(crate) fn delete(&mut self, step: &mut Step<'_>) -> Result<(), Error> {
        if !self.is_empty() {
            return Err(Error::NonEmptyGroup);
        }
        self.erase(step);
        Ok(())
    }

    fn erase(&mut self, step: &mut Step<'_>) {
        for (topic, index) in self.offsets.positions() {
            self.forget_offset(&topic, index, step);
        }
        step.persist(Event::Group { group_id: self.id.clone(), snapshot: None });
    }
}

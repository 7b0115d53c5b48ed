//! One group: its members, by whichever protocol they agree, and what they have committed.

mod commit;
mod expiry;
mod migration;
mod requests;

use crate::classic::ClassicGroup;
use crate::consumer::ConsumerGroup;
use crate::step::Step;
use crate::{ConsumerEvent, Error, Event, GroupSnapshot, MemberIdentity, Offsets};

/// One group: its members, and what they have committed.
#[derive(Debug)]
pub(crate) struct Group {
    id: String,
    pub(crate) members: Membership,
    pub(crate) offsets: Offsets,
}

/// By which protocol the members agree. A group that only keeps offsets counts as classic.
#[derive(Debug)]
pub(crate) enum Membership {
    /// They assign by themselves.
    Classic(ClassicGroup),
    /// The broker assigns.
    Consumer(ConsumerGroup),
}

impl Group {
    pub(crate) fn new(id: String, now_ms: i64) -> Self {
        let members = Membership::Classic(ClassicGroup::new(id.clone(), now_ms));
        Self { members, offsets: Offsets::default(), id }
    }

    /// Nobody is a member.
    pub(crate) fn is_empty(&self) -> bool {
        match &self.members {
            Membership::Classic(classic) => classic.is_empty(),
            Membership::Consumer(consumer) => consumer.is_empty(),
        }
    }

    /// Nothing is known of this group and nobody is on the way in.
    pub(crate) fn is_forgettable(&self) -> bool {
        let nobody = match &self.members {
            Membership::Classic(classic) => classic.is_forgettable(),
            Membership::Consumer(consumer) => consumer.is_empty(),
        };
        nobody && self.offsets.is_empty()
    }

    /// Nothing was ever written of this group, so that it can be forgotten without a trace.
    pub(crate) fn is_unused(&self) -> bool {
        let unknown = match &self.members {
            Membership::Classic(classic) => classic.protocol_type().is_empty(),
            Membership::Consumer(consumer) => consumer.is_unknown(),
        };
        unknown && self.is_forgettable()
    }

    /// Whether whoever asks for offsets may have them.
    pub(crate) fn may_fetch(&self, member: &MemberIdentity) -> Result<(), Error> {
        match &self.members {
            Membership::Classic(_) => Ok(()),
            Membership::Consumer(consumer) => consumer.may_fetch(member),
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<i64> {
        match &self.members {
            Membership::Classic(classic) => classic.next_deadline(),
            Membership::Consumer(consumer) => consumer.next_deadline(),
        }
    }

    pub(crate) fn tick(&mut self, step: &mut Step<'_>) {
        match &mut self.members {
            Membership::Classic(classic) => classic.tick(step),
            Membership::Consumer(consumer) => consumer.tick(step),
        }
        self.downgrade_if_left_alone(step);
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
        for (topic, index) in self.offsets.positions() {
            self.forget_offset(&topic, index, step);
        }
        match &self.members {
            Membership::Classic(_) => {
                step.persist(Event::Group { group_id: self.id.clone(), snapshot: None });
            }
            Membership::Consumer(consumer) => consumer.erase(step),
        }
        Ok(())
    }

    /// Takes over what was written of the members; `None` says that there are none of the classic protocol.
    pub(crate) fn restore_classic(&mut self, snapshot: Option<GroupSnapshot>, step: &Step<'_>) {
        let is_classic = matches!(self.members, Membership::Classic(_));
        if is_classic || snapshot.is_some() {
            let mut classic = ClassicGroup::new(self.id.clone(), step.now_ms);
            if let Some(snapshot) = snapshot {
                classic.restore(snapshot, step.now_ms);
            }
            self.members = Membership::Classic(classic);
        }
    }

    /// Takes over what was written of a group of the consumer protocol.
    pub(crate) fn restore_consumer(&mut self, event: ConsumerEvent, step: &Step<'_>) {
        if event.is_tombstone_of_group() {
            if matches!(self.members, Membership::Consumer(_)) {
                self.members = Membership::Classic(ClassicGroup::new(self.id.clone(), step.now_ms));
            }
            return;
        }
        if matches!(self.members, Membership::Classic(_)) {
            if event.is_tombstone() {
                return;
            }
            self.members = Membership::Consumer(ConsumerGroup::new(self.id.clone()));
        }
        if let Membership::Consumer(consumer) = &mut self.members {
            consumer.restore(event);
        }
    }

    /// Ends the replay.
    pub(crate) fn restored(&mut self, step: &Step<'_>) {
        if let Membership::Consumer(consumer) = &mut self.members {
            consumer.restored(step);
        }
    }
}

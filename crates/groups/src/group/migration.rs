//! From one protocol to the other while members are there (KIP-848).
//!
//! The first member of the consumer protocol takes a group of consumers over; those of the classic protocol stay in it, each
//! with what it had. When the last member of the consumer protocol has gone, the others go on by themselves.

use super::{Group, Membership};
use crate::classic::ClassicGroup;
use crate::consumer::ConsumerGroup;
use crate::step::Step;
use crate::{ConsumerHeartbeat, ConsumerHeartbeatReply, Error, Event, TopicsView};

impl Group {
    /// The first member of the consumer protocol joins a group of the other one, which becomes one of this, if it is
    /// empty, or if it may and can. Nothing has changed when the newcomer is refused.
    ///
    /// # Errors
    ///
    /// [`Error::GroupIdNotFound`] when the group stays what it is, and whatever the newcomer is refused for.
    pub(super) fn become_consumer(
        &mut self,
        request: ConsumerHeartbeat,
        topics: &dyn TopicsView,
        step: &mut Step<'_>,
    ) -> Result<ConsumerHeartbeatReply, Error> {
        let Membership::Classic(classic) = &mut self.members else {
            unreachable!("it is one of the consumer protocol already");
        };
        let mut consumer = if classic.is_forgettable() {
            ConsumerGroup::new(self.id.clone())
        } else if step.config.migration_policy.upgrades() {
            ConsumerGroup::from_classic(self.id.clone(), classic, topics, step)?
        } else {
            return Err(Error::GroupIdNotFound);
        };
        let mut after = step.follower();
        consumer.persist_all(&mut after);
        let reply = consumer.heartbeat(request, topics, &mut after)?;
        classic.dismiss_all(Error::RebalanceInProgress, step);
        if !classic.protocol_type().is_empty() {
            step.persist(Event::Group { group_id: self.id.clone(), snapshot: None });
        }
        step.effects.append(&mut after.effects);
        self.members = Membership::Consumer(consumer);
        Ok(reply)
    }

    /// Members of the classic protocol that are left alone go on by themselves, and put their group together anew.
    pub(super) fn downgrade_if_left_alone(&mut self, step: &mut Step<'_>) {
        let Membership::Consumer(consumer) = &self.members else { return };
        if !step.config.migration_policy.downgrades() {
            return;
        }
        let Some(members) = consumer.classic_members(step) else { return };
        let Some(mut classic) = ClassicGroup::from_members(self.id.clone(), consumer.epoch(), members, step)
        else {
            return;
        };
        consumer.erase(step);
        classic.persist(step);
        classic.prepare_rebalance(step);
        self.members = Membership::Classic(classic);
    }
}

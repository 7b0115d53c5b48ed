//! What members ask, by whichever protocol, of a group of either.

use super::{Group, Membership};
use crate::classic::ClassicGroup;
use crate::step::Step;
use crate::{
    ConsumerHeartbeat, ConsumerHeartbeatReply, Effect, Error, JoinRequest, LeavingMember, MemberIdentity,
    Outcomes, SyncRequest, Ticket, TopicsView,
};

impl Group {
    /// Somebody joins by the classic protocol. An empty group of the other one becomes one of this.
    pub(crate) fn join(
        &mut self,
        request: JoinRequest,
        ticket: Ticket,
        topics: &dyn TopicsView,
        step: &mut Step<'_>,
    ) {
        if let Membership::Consumer(consumer) = &self.members
            && consumer.is_empty()
        {
            consumer.erase(step);
            self.members = Membership::Classic(ClassicGroup::new(self.id.clone(), step.now_ms));
        }
        match &mut self.members {
            Membership::Classic(classic) => classic.join(request, ticket, step),
            Membership::Consumer(consumer) => {
                let reply = consumer.join(request, topics, step);
                step.effects.push(Effect::Joined { ticket, reply });
                self.downgrade_if_left_alone(step);
            }
        }
    }

    pub(crate) fn sync(
        &mut self,
        request: SyncRequest,
        ticket: Ticket,
        topics: &dyn TopicsView,
        step: &mut Step<'_>,
    ) {
        match &mut self.members {
            Membership::Classic(classic) => classic.sync(request, ticket, step),
            Membership::Consumer(consumer) => {
                let reply = consumer.sync(&request, topics, step);
                step.effects.push(Effect::Synced { ticket, reply });
            }
        }
    }

    /// A heartbeat of the classic protocol.
    pub(crate) fn heartbeat(
        &mut self,
        member: &MemberIdentity,
        topics: &dyn TopicsView,
        step: &mut Step<'_>,
    ) -> Result<(), Error> {
        match &mut self.members {
            Membership::Classic(classic) => classic.heartbeat(member, step.now_ms),
            Membership::Consumer(consumer) => consumer.heartbeat_classic(member, topics, step),
        }
    }

    /// Members of the classic protocol leave; one result for each, in order.
    pub(crate) fn leave(&mut self, leaving: &[LeavingMember], step: &mut Step<'_>) -> Outcomes {
        match &mut self.members {
            Membership::Classic(classic) => classic.leave(leaving, step),
            Membership::Consumer(consumer) => consumer.leave_classic(leaving, step),
        }
    }

    /// A heartbeat of the consumer protocol, the first and the last one of a member included.
    pub(crate) fn consumer_heartbeat(
        &mut self,
        request: ConsumerHeartbeat,
        topics: &dyn TopicsView,
        step: &mut Step<'_>,
    ) -> Result<ConsumerHeartbeatReply, Error> {
        let reply = match &mut self.members {
            Membership::Consumer(consumer) => consumer.heartbeat(request, topics, step),
            Membership::Classic(_) if request.joins() => self.become_consumer(request, topics, step),
            Membership::Classic(_) => Err(Error::UnknownMemberId),
        };
        self.downgrade_if_left_alone(step);
        reply
    }
}

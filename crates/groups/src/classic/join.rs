//! Who gets in, and when.

use super::{ClassicGroup, State, own};
use crate::member::{Member, Waiting, request_size};
use crate::step::Step;
use crate::{Effect, Error, JoinRefusal, JoinRequest, Ticket};

/// Kafka's length field for strings.
const TEXT_MAX: usize = i16::MAX as usize;

impl ClassicGroup {
    /// Answers at once, or puts the request on hold until the generation is complete.
    pub(crate) fn join(&mut self, mut request: JoinRequest, ticket: Ticket, step: &mut Step<'_>) {
        for (_, metadata) in &mut request.protocols {
            *metadata = own(metadata);
        }
        let member_id = request.member_id.clone();
        if let Err(error) = self.try_join(request, ticket, step) {
            refuse(ticket, error, member_id, step);
        }
    }

    fn try_join(&mut self, request: JoinRequest, ticket: Ticket, step: &mut Step<'_>) -> Result<(), Error> {
        self.check_protocols(&request)?;
        self.check_size(&request, step)?;
        match (request.member_id.is_empty(), request.instance_id.clone()) {
            (true, None) => self.join_new(request, ticket, step),
            (true, Some(instance_id)) => match self.static_members.get(&instance_id).cloned() {
                Some(old_id) => self.take_over(&old_id, request, ticket, step),
                None => self.admit(request.new_member_id.clone(), request, ticket, step),
            },
            (false, _) => return self.join_known(request, ticket, step),
        }
        Ok(())
    }

    fn check_protocols(&self, request: &JoinRequest) -> Result<(), Error> {
        let readable = |name: &str| !name.is_empty() && name.len() <= TEXT_MAX;
        let names = || request.protocols.iter().map(|(name, _)| name.as_str());
        if !readable(&request.protocol_type) || request.protocols.is_empty() || !names().all(readable) {
            return Err(Error::InconsistentGroupProtocol);
        }
        let replaced = request.instance_id.as_ref().and_then(|instance| self.static_members.get(instance));
        let own_id = replaced.unwrap_or(&request.member_id);
        let others = || self.members.values().filter(|member| member.id != *own_id);
        let fits = names().any(|name| others().all(|member| member.supports(name)));
        let same_type = self.state == State::Empty || self.protocol_type == request.protocol_type;
        if fits && same_type { Ok(()) } else { Err(Error::InconsistentGroupProtocol) }
    }

    fn check_size(&self, request: &JoinRequest, step: &Step<'_>) -> Result<(), Error> {
        let texts =
            [request.instance_id.as_deref().unwrap_or_default(), &request.client_id, &request.new_member_id];
        if texts.iter().any(|text| text.len() > TEXT_MAX) {
            return Err(Error::GroupTooLarge);
        }
        let known = self.members.get(&request.member_id);
        let others = self.size() - known.map_or(0, Member::size);
        // Half of the room is for the assignment that follows.
        if others + request_size(request) > step.config.max_group_bytes / 2 {
            return Err(Error::GroupMaxSizeReached);
        }
        let replaces = request.instance_id.as_ref().is_some_and(|id| self.static_members.contains_key(id));
        let counted = known.is_some() || replaces || self.pending.contains_key(&request.member_id);
        if !counted && self.members.len() + self.pending.len() >= step.config.max_members {
            return Err(Error::GroupMaxSizeReached);
        }
        Ok(())
    }

    /// Somebody without an id. Clients that know the handshake get one and come again, so that those who
    /// never come again leave no phantom member behind (KIP-394).
    fn join_new(&mut self, request: JoinRequest, ticket: Ticket, step: &mut Step<'_>) {
        let member_id = request.new_member_id.clone();
        if !request.requires_known_member_id {
            self.admit(member_id, request, ticket, step);
            return;
        }
        let deadline = step.now_ms + i64::from(request.session_timeout_ms);
        self.pending.insert(member_id.clone(), deadline);
        refuse(ticket, Error::MemberIdRequired, member_id, step);
    }

    fn join_known(&mut self, request: JoinRequest, ticket: Ticket, step: &mut Step<'_>) -> Result<(), Error> {
        let member_id = request.member_id.clone();
        if request.instance_id.is_none() && self.pending.remove(&member_id).is_some() {
            self.admit(member_id, request, ticket, step);
            return Ok(());
        }
        self.identify(&member_id, request.instance_id.as_deref())?;
        let member = &self.members[&member_id];
        let same = member.protocols == request.protocols;
        let leads = self.leader.as_ref() == Some(&member_id);
        match self.state {
            State::Empty => Err(Error::UnknownMemberId),
            State::PreparingRebalance => {
                self.wait(&member_id, request, ticket, step);
                self.complete_join_if_ready(step);
                Ok(())
            }
            // The answer to the first join was lost on its way.
            State::CompletingRebalance if same => {
                self.answer_again(&member_id, ticket, step);
                Ok(())
            }
            State::Stable if same && !leads => {
                self.answer_again(&member_id, ticket, step);
                Ok(())
            }
            State::CompletingRebalance | State::Stable => {
                self.wait(&member_id, request, ticket, step);
                self.prepare_rebalance(step);
                Ok(())
            }
        }
    }

    fn answer_again(&mut self, member_id: &str, ticket: Ticket, step: &mut Step<'_>) {
        self.touch(member_id, step.now_ms);
        let reply = Ok(self.join_reply(member_id));
        step.effects.push(Effect::Joined { ticket, reply });
    }

    /// Lets a new member in, which makes everybody join again.
    fn admit(&mut self, member_id: String, request: JoinRequest, ticket: Ticket, step: &mut Step<'_>) {
        if self.members.is_empty() && self.state == State::Empty {
            self.protocol_type.clone_from(&request.protocol_type);
        }
        if let Some(instance_id) = &request.instance_id {
            self.static_members.insert(instance_id.clone(), member_id.clone());
        }
        let mut member = Member::new(member_id.clone(), request);
        member.waiting = Waiting::Join(ticket);
        self.members.insert(member_id.clone(), member);
        if self.leader.is_none() {
            self.leader = Some(member_id);
        }
        if self.state == State::PreparingRebalance {
            self.extend_initial_delay(step);
            self.complete_join_if_ready(step);
        } else {
            self.prepare_rebalance(step);
        }
    }

    fn extend_initial_delay(&mut self, step: &Step<'_>) {
        if let Some(delay) = &mut self.initial_delay {
            let until = step.now_ms + i64::from(step.config.initial_rebalance_delay_ms);
            delay.until_ms = until.min(delay.limit_ms);
        }
    }

    /// A known member joins the generation to come.
    fn wait(&mut self, member_id: &str, request: JoinRequest, ticket: Ticket, step: &mut Step<'_>) {
        let member = self.members.get_mut(member_id).expect("the caller identified the member");
        // A client that asks again has given up on its first request.
        dismiss_superseded(member, step);
        member.protocols = request.protocols;
        member.session_timeout_ms = request.session_timeout_ms;
        member.rebalance_timeout_ms = request.rebalance_timeout_ms;
        member.client_id = request.client_id;
        member.client_host = request.client_host;
        member.waiting = Waiting::Join(ticket);
    }

    /// A static member came back without its id: it gets a new one and keeps its place (KIP-345).
    fn take_over(&mut self, old_id: &str, request: JoinRequest, ticket: Ticket, step: &mut Step<'_>) {
        let mut member = self.members.remove(old_id).expect("static members are members");
        super::dismiss(&member, Error::FencedInstanceId, step);
        member.waiting = Waiting::Nothing;
        member.client_id.clone_from(&request.client_id);
        member.client_host.clone_from(&request.client_host);
        let new_id = request.new_member_id.clone();
        member.id.clone_from(&new_id);
        let led = self.leader.as_deref() == Some(old_id);
        if led {
            self.leader = Some(new_id.clone());
        }
        let instance_id = request.instance_id.clone().expect("only static members are taken over");
        self.static_members.insert(instance_id, new_id.clone());
        let same = member.protocols == request.protocols;
        let skips = request.supports_skipping_assignment;
        self.members.insert(new_id.clone(), member);
        if self.state != State::Stable || !same {
            self.wait(&new_id, request, ticket, step);
            if self.state == State::PreparingRebalance {
                self.complete_join_if_ready(step);
            } else {
                self.prepare_rebalance(step);
            }
            return;
        }
        self.touch(&new_id, step.now_ms);
        self.persist(step);
        let mut reply = self.join_reply(&new_id);
        if led && skips {
            reply.skip_assignment = true;
        } else if led {
            // An older client that believed to lead would assign anew; told of its former self as the
            // leader it only asks for its assignment.
            old_id.clone_into(&mut reply.leader);
            reply.members.clear();
        }
        step.effects.push(Effect::Joined { ticket, reply: Ok(reply) });
    }
}

fn dismiss_superseded(member: &mut Member, step: &mut Step<'_>) {
    super::dismiss(member, Error::RebalanceInProgress, step);
    member.waiting = Waiting::Nothing;
    member.owes_sync = false;
}

fn refuse(ticket: Ticket, error: Error, member_id: String, step: &mut Step<'_>) {
    let reply = Err(JoinRefusal { error, member_id });
    step.effects.push(Effect::Joined { ticket, reply });
}

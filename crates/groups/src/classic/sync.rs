//! Handing out the leader's assignment; heartbeats.

use std::collections::HashMap;

use super::{ClassicGroup, State, own};
use crate::member::Waiting;
use crate::step::Step;
use crate::{Effect, Error, MemberIdentity, SyncReply, SyncRequest, Ticket};

impl ClassicGroup {
    /// Answers at once, or puts the request on hold until the leader has spoken.
    pub(crate) fn sync(&mut self, request: SyncRequest, ticket: Ticket, step: &mut Step<'_>) {
        if let Err(error) = self.try_sync(request, ticket, step) {
            step.effects.push(Effect::Synced { ticket, reply: Err(error) });
        }
    }

    fn try_sync(&mut self, request: SyncRequest, ticket: Ticket, step: &mut Step<'_>) -> Result<(), Error> {
        self.identify_in_generation(&request.member)?;
        self.check_names(&request)?;
        let member_id = request.member.member_id.as_str();
        match self.state {
            State::Empty => Err(Error::UnknownMemberId),
            State::PreparingRebalance => Err(Error::RebalanceInProgress),
            State::Stable => {
                self.touch(member_id, step.now_ms);
                let reply = Ok(self.sync_reply(member_id));
                step.effects.push(Effect::Synced { ticket, reply });
                Ok(())
            }
            State::CompletingRebalance => {
                let leads = self.leader.as_deref() == Some(member_id);
                if leads {
                    self.check_assignments(&request, step)?;
                }
                self.hold_sync(member_id, ticket, step);
                if leads {
                    self.become_stable(request.assignments, step);
                }
                Ok(())
            }
        }
    }

    fn check_names(&self, request: &SyncRequest) -> Result<(), Error> {
        let other_type = request.protocol_type.as_ref().is_some_and(|name| *name != self.protocol_type);
        let other_protocol = request.protocol.is_some() && request.protocol != self.protocol;
        if other_type || other_protocol { Err(Error::InconsistentGroupProtocol) } else { Ok(()) }
    }

    fn check_assignments(&self, request: &SyncRequest, step: &Step<'_>) -> Result<(), Error> {
        let coming: usize = request.assignments.iter().map(|(_, assignment)| assignment.len()).sum();
        let too_large = self.size().saturating_add(coming) > step.config.max_group_bytes;
        if too_large { Err(Error::GroupTooLarge) } else { Ok(()) }
    }

    fn hold_sync(&mut self, member_id: &str, ticket: Ticket, step: &mut Step<'_>) {
        let member = self.members.get_mut(member_id).expect("the caller identified the member");
        super::dismiss(member, Error::RebalanceInProgress, step);
        member.waiting = Waiting::Sync(ticket);
        member.owes_sync = false;
    }

    fn become_stable(&mut self, assignments: Vec<(String, bytes::Bytes)>, step: &mut Step<'_>) {
        let mut assignments: HashMap<String, bytes::Bytes> = assignments.into_iter().collect();
        for member in self.members.values_mut() {
            member.assignment = assignments.remove(&member.id).map(|bytes| own(&bytes)).unwrap_or_default();
        }
        self.enter(State::Stable, step);
        self.persist(step);
        let waiting: Vec<(String, Ticket)> = self
            .members
            .values()
            .filter_map(|member| match member.waiting {
                Waiting::Sync(ticket) => Some((member.id.clone(), ticket)),
                Waiting::Nothing | Waiting::Join(_) => None,
            })
            .collect();
        for (member_id, ticket) in waiting {
            let reply = Ok(self.sync_reply(&member_id));
            step.effects.push(Effect::Synced { ticket, reply });
            let member = self.members.get_mut(&member_id).expect("it was just listed");
            member.waiting = Waiting::Nothing;
            member.touch(step.now_ms);
        }
        // Those who have not asked yet are given their time, as in Kafka, until their session ends.
        let missing = self.members.values().any(|member| member.owes_sync);
        self.deadline_ms = self.deadline_ms.filter(|_| missing);
    }

    fn sync_reply(&mut self, member_id: &str) -> SyncReply {
        let member = self.members.get_mut(member_id).expect("the caller identified the member");
        member.owes_sync = false;
        SyncReply {
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone().unwrap_or_default(),
            assignment: member.assignment.clone(),
        }
    }

    /// A member is alive; the error tells it when it has to join again.
    pub(crate) fn heartbeat(&mut self, member: &MemberIdentity, now_ms: i64) -> Result<(), Error> {
        self.identify_in_generation(member)?;
        self.touch(&member.member_id, now_ms);
        match self.state {
            State::PreparingRebalance => Err(Error::RebalanceInProgress),
            State::Empty | State::CompletingRebalance | State::Stable => Ok(()),
        }
    }
}

//! Members of the classic protocol in a group of the consumer protocol, while it is rolled from one to the other (KIP-848).
//!
//! A member's epoch is its generation, and nobody leads: each joins alone, is answered at once, and syncs for what it was
//! given. A heartbeat tells it when to join again, which is its way to take the next step.

use std::collections::BTreeMap;

use bytes::Bytes;
use uuid::Uuid;

use super::admission::{Speaker, TEXT_MAX};
use super::subscription::Change;
use super::{ClassicProtocols, ConsumerGroup, ConsumerMember, MemberProfile, MemberState};
use crate::consumer_protocol::{CONSUMERS, Subscription, encode_assignment, present};
use crate::step::Step;
use crate::{
    Error, JoinRefusal, JoinReply, JoinRequest, LeavingMember, MemberIdentity, Outcomes, SyncReply,
    SyncRequest, TopicsView,
};

impl ConsumerGroup {
    /// A member of the classic protocol joins, or joins again to take its next step.
    pub(crate) fn join(
        &mut self,
        request: JoinRequest,
        topics: &dyn TopicsView,
        step: &mut Step<'_>,
    ) -> Result<JoinReply, JoinRefusal> {
        let is_new = request.member_id.is_empty() && request.instance_id.is_none();
        if is_new && request.requires_known_member_id {
            return Err(JoinRefusal { error: Error::MemberIdRequired, member_id: request.new_member_id });
        }
        let member_id = request.member_id.clone();
        self.try_join(request, topics, step).map_err(|error| JoinRefusal { error, member_id })
    }

    fn try_join(
        &mut self,
        request: JoinRequest,
        topics: &dyn TopicsView,
        step: &mut Step<'_>,
    ) -> Result<JoinReply, Error> {
        let (member_id, speaker) = self.recognise_classic(&request)?;
        self.check_protocols(&member_id, &speaker, &request)?;
        let (protocol, metadata) = &request.protocols[0];
        let protocol = protocol.clone();
        let subscription = Subscription::decode(metadata).ok_or(Error::InconsistentGroupProtocol)?;
        let owned = present(&subscription.owned, topics);
        let change = self.accept(&speaker, &member_id, profile(request, subscription), step)?;
        self.follow_topics(change, topics, step);
        self.follow_epoch(step);
        self.reconcile(&member_id, Some(&owned), step);
        let member = self.members.get_mut(&member_id).expect("it was accepted");
        member.touch(step);
        member.step_deadline_ms = None;
        member.await_step(step.now_ms);
        Ok(JoinReply {
            generation: member.current.epoch,
            protocol_type: CONSUMERS.to_owned(),
            protocol,
            leader: String::new(),
            member_id,
            skip_assignment: false,
            members: Vec::new(),
        })
    }

    fn recognise_classic(&self, request: &JoinRequest) -> Result<(String, Speaker), Error> {
        let is_new = request.member_id.is_empty();
        let member_id = if is_new { &request.new_member_id } else { &request.member_id }.clone();
        let present =
            request.instance_id.as_ref().and_then(|instance_id| self.static_members.get(instance_id));
        let speaker = match present {
            Some(present) if *present == member_id => Speaker::Known,
            Some(present) if is_new => Speaker::Successor(present.clone()),
            Some(_) => return Err(Error::FencedInstanceId),
            None if self.members.contains_key(&member_id) => Speaker::Known,
            None => Speaker::New,
        };
        Ok((member_id, speaker))
    }

    /// Those of the classic protocol must be able to agree once they are by themselves again.
    fn check_protocols(
        &self,
        member_id: &str,
        speaker: &Speaker,
        request: &JoinRequest,
    ) -> Result<(), Error> {
        let replaced = match speaker {
            Speaker::Successor(old_id) => old_id,
            Speaker::New | Speaker::Known => member_id,
        };
        let others = || {
            let others = self.members.iter().filter(|(other, _)| *other != replaced);
            others.filter_map(|(_, member)| member.profile.classic.as_ref())
        };
        let readable = |name: &String| (1..=TEXT_MAX).contains(&name.len());
        let fits = request.protocols.iter().all(|(name, _)| readable(name))
            && request.protocols.iter().any(|(name, _)| others().all(|other| other.supports(name)));
        if request.protocol_type == CONSUMERS && fits {
            Ok(())
        } else {
            Err(Error::InconsistentGroupProtocol)
        }
    }

    /// What a member of the classic protocol was given when it joined.
    pub(crate) fn sync(
        &mut self,
        request: &SyncRequest,
        topics: &dyn TopicsView,
        step: &mut Step<'_>,
    ) -> Result<SyncReply, Error> {
        let (member_id, classic) = self.identify_classic(&request.member)?;
        let (protocol, metadata) = classic.protocols.first().ok_or(Error::InconsistentGroupProtocol)?.clone();
        let other_type = request.protocol_type.as_ref().is_some_and(|name| name != CONSUMERS);
        if other_type || request.protocol.as_ref().is_some_and(|name| *name != protocol) {
            return Err(Error::InconsistentGroupProtocol);
        }
        self.follow_topics(Change::None, topics, step);
        let epoch = self.epoch;
        let member = self.members.get_mut(&member_id).expect("it was identified");
        member.step_deadline_ms = None;
        // Somebody who has to give back joins again by itself.
        if member.current.epoch < epoch && member.current.state != MemberState::Unrevoked {
            member.await_step(step.now_ms);
            return Err(Error::RebalanceInProgress);
        }
        member.touch(step);
        let version = Subscription::decode(&metadata).map_or(0, |subscription| subscription.version);
        let assigned = &self.members[&member_id].current.assigned;
        let assignment = encode_assignment(version, assigned, &self.topic_names());
        Ok(SyncReply { protocol_type: CONSUMERS.to_owned(), protocol, assignment })
    }

    /// A member of the classic protocol is alive; the error tells it when it has to join again.
    pub(crate) fn heartbeat_classic(
        &mut self,
        member: &MemberIdentity,
        topics: &dyn TopicsView,
        step: &mut Step<'_>,
    ) -> Result<(), Error> {
        let (member_id, _) = self.identify_classic(member)?;
        self.follow_topics(Change::None, topics, step);
        let free = self.taken(&member_id).is_empty();
        let epoch = self.epoch;
        let member = self.members.get_mut(&member_id).expect("it was identified");
        member.touch(step);
        let joins_again = match member.current.state {
            MemberState::Unrevoked => true,
            MemberState::Unreleased if free => true,
            MemberState::Stable | MemberState::Unreleased => member.current.epoch < epoch,
        };
        if !joins_again {
            return Ok(());
        }
        member.await_step(step.now_ms);
        Err(Error::RebalanceInProgress)
    }

    fn identify_classic(&self, speaker: &MemberIdentity) -> Result<(String, &ClassicProtocols), Error> {
        if let Some(instance_id) = &speaker.instance_id {
            let present = self.static_members.get(instance_id).ok_or(Error::UnknownMemberId)?;
            if *present != speaker.member_id {
                return Err(Error::FencedInstanceId);
            }
        }
        let member = self.members.get(&speaker.member_id).ok_or(Error::UnknownMemberId)?;
        let classic = member.profile.classic.as_ref().ok_or(Error::UnknownMemberId)?;
        if member.current.epoch != speaker.generation {
            return Err(Error::IllegalGeneration);
        }
        Ok((speaker.member_id.clone(), classic))
    }

    /// Lets members of the classic protocol go; one result for each, in order.
    pub(crate) fn leave_classic(&mut self, leaving: &[LeavingMember], step: &mut Step<'_>) -> Outcomes {
        let before = self.members.len();
        let outcomes = leaving.iter().map(|one| self.leave_one(one, step)).collect();
        if self.members.len() < before {
            self.begin_epoch(step);
        }
        outcomes
    }

    fn leave_one(&mut self, leaving: &LeavingMember, step: &mut Step<'_>) -> Result<(), Error> {
        let member_id = match &leaving.instance_id {
            None => leaving.member_id.clone(),
            Some(instance_id) => {
                let present = self.static_members.get(instance_id).ok_or(Error::UnknownMemberId)?;
                if !leaving.member_id.is_empty() && leaving.member_id != *present {
                    return Err(Error::FencedInstanceId);
                }
                present.clone()
            }
        };
        let member = self.members.get(&member_id).ok_or(Error::UnknownMemberId)?;
        member.profile.classic.as_ref().ok_or(Error::UnknownMemberId)?;
        self.remove(&member_id, step);
        Ok(())
    }

    pub(super) fn topic_names(&self) -> BTreeMap<Uuid, &str> {
        self.subscribed.named().map(|(name, topic)| (topic.id, name)).collect()
    }
}

impl ConsumerMember {
    /// From now on the member has the time that it asked for to take its next step, unless it is running already.
    fn await_step(&mut self, now_ms: i64) {
        let deadline_ms = now_ms + i64::from(self.profile.rebalance_timeout_ms);
        self.step_deadline_ms.get_or_insert(deadline_ms);
    }
}

/// What a member says of itself when it joins by the classic protocol.
pub(super) fn profile(request: JoinRequest, subscription: Subscription) -> MemberProfile {
    MemberProfile {
        instance_id: request.instance_id,
        rack_id: subscription.rack_id,
        client_id: request.client_id,
        client_host: request.client_host,
        topic_names: subscription.topics,
        topic_pattern: None,
        rebalance_timeout_ms: request.rebalance_timeout_ms,
        assignor: None,
        classic: Some(ClassicProtocols {
            session_timeout_ms: request.session_timeout_ms,
            // Copied, so that a few bytes of metadata do not keep a whole frame alive.
            protocols: request
                .protocols
                .into_iter()
                .map(|(name, metadata)| (name, Bytes::copy_from_slice(&metadata)))
                .collect(),
        }),
    }
}

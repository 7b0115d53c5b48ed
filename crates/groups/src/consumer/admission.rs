//! Who speaks: a new member, a known one, or one that takes a static member's place.

use super::heartbeat::{JOINING, LEAVING_FOR_A_WHILE};
use super::member::ConsumerMember;
use super::subscription::{Change, Pattern};
use super::{ConsumerGroup, MemberProfile};
use crate::step::Step;
use crate::{Assignor, ConsumerHeartbeat, Error};

/// Kafka's length field for strings.
pub(super) const TEXT_MAX: usize = i16::MAX as usize;
/// Subscriptions of all members together, as a multiple of what a classic group may hold: they lie in records of
/// their own.
const GROUP_SIZE_FACTOR: usize = 8;

/// Who speaks.
pub(super) enum Speaker {
    New,
    Known,
    /// Takes the place of this static member.
    Successor(String),
}

impl ConsumerGroup {
    /// Makes the speaker a member, unless it must not be one, and remembers what it says of itself. Nothing has
    /// changed when this fails.
    pub(super) fn admit(
        &mut self,
        request: ConsumerHeartbeat,
        step: &mut Step<'_>,
    ) -> Result<(String, Change), Error> {
        let joins_unnamed = request.member_id.is_empty() && request.epoch == JOINING;
        let member_id = if joins_unnamed { request.new_member_id.clone() } else { request.member_id.clone() };
        let speaker = self.recognise(&member_id, &request)?;
        let joins = request.epoch == JOINING;
        let profile = updated(&self.profile_before(&speaker, &member_id), request);
        let change = self.accept(&speaker, &member_id, profile, step)?;
        if joins {
            let member = self.members.get_mut(&member_id).expect("it has just entered");
            member.current.epoch = JOINING;
        }
        Ok((member_id, change))
    }

    fn profile_before(&self, speaker: &Speaker, member_id: &str) -> MemberProfile {
        match speaker {
            Speaker::New => MemberProfile::default(),
            Speaker::Known => self.members[member_id].profile.clone(),
            Speaker::Successor(old_id) => self.members[old_id].profile.clone(),
        }
    }

    /// Lets the speaker in with what it says of itself, unless that must not be. Nothing has changed when this fails.
    pub(super) fn accept(
        &mut self,
        speaker: &Speaker,
        member_id: &str,
        profile: MemberProfile,
        step: &mut Step<'_>,
    ) -> Result<Change, Error> {
        let before = self.profile_before(speaker, member_id);
        self.check(speaker, member_id, &before, &profile, step)?;
        self.enter(speaker, member_id, step);
        let change = change(speaker, &before, &profile);
        let member = self.members.get_mut(member_id).expect("it has just entered");
        if member.profile != profile || !matches!(speaker, Speaker::Known) {
            if let Some(instance_id) = &member.profile.instance_id {
                self.static_members.remove(instance_id);
            }
            if let Some(instance_id) = &profile.instance_id {
                self.static_members.insert(instance_id.clone(), member_id.to_owned());
            }
            member.profile = profile;
            self.persist_profile(member_id, step);
        }
        Ok(change)
    }

    fn recognise(&self, member_id: &str, request: &ConsumerHeartbeat) -> Result<Speaker, Error> {
        let joins = request.epoch == JOINING;
        if let Some(instance_id) = &request.instance_id {
            match self.static_members.get(instance_id) {
                Some(present) if present != member_id => {
                    let present_member = &self.members[present];
                    // Somebody of the classic protocol says nothing when it goes for a while.
                    let away = present_member.current.epoch == LEAVING_FOR_A_WHILE
                        || present_member.profile.classic.is_some();
                    return match (joins, away) {
                        (true, true) => Ok(Speaker::Successor(present.clone())),
                        (true, false) => Err(Error::UnreleasedInstanceId),
                        (false, _) => Err(Error::FencedInstanceId),
                    };
                }
                Some(_) => {}
                None if joins => {}
                None => return Err(Error::UnknownMemberId),
            }
        }
        match self.members.get(member_id) {
            None if joins => Ok(Speaker::New),
            None => Err(Error::UnknownMemberId),
            Some(_) if joins => Ok(Speaker::Known),
            Some(member) => fence(member, request).map(|()| Speaker::Known),
        }
    }

    fn check(
        &self,
        speaker: &Speaker,
        member_id: &str,
        before: &MemberProfile,
        profile: &MemberProfile,
        step: &Step<'_>,
    ) -> Result<(), Error> {
        if matches!(speaker, Speaker::New) && self.members.len() >= step.config.consumer_max_members {
            return Err(Error::GroupMaxSizeReached);
        }
        if before == profile {
            return Ok(());
        }
        let short = |text: &Option<String>| text.as_ref().is_none_or(|text| text.len() <= TEXT_MAX);
        let texts = [&profile.instance_id, &profile.rack_id, &profile.topic_pattern];
        let names = || profile.topic_names.iter();
        if member_id.len() > TEXT_MAX
            || !texts.into_iter().all(short)
            || names().any(|name| name.len() > TEXT_MAX)
        {
            return Err(Error::GroupTooLarge);
        }
        if let Some(name) = &profile.assignor {
            let known = Assignor::from_name(name);
            known
                .filter(|one| step.config.consumer_assignors.contains(one))
                .ok_or(Error::UnsupportedAssignor)?;
        }
        if before.topic_pattern != profile.topic_pattern {
            profile.topic_pattern.as_deref().map(Pattern::new).transpose()?;
        }
        let others: usize = self.members.values().map(|member| member.profile.size()).sum();
        let limit = step.config.max_group_bytes;
        if profile.size() > limit / 2
            || others.saturating_sub(before.size()) + profile.size() > limit * GROUP_SIZE_FACTOR
        {
            return Err(Error::GroupTooLarge);
        }
        Ok(())
    }

    fn enter(&mut self, speaker: &Speaker, member_id: &str, step: &mut Step<'_>) {
        let session_deadline_ms = step.now_ms + i64::from(step.times.session_timeout_ms);
        match speaker {
            Speaker::Known => {}
            Speaker::New => {
                self.members.insert(member_id.to_owned(), ConsumerMember::new(session_deadline_ms));
            }
            Speaker::Successor(old_id) => {
                let current = self.members[old_id].current.clone();
                let target = self.target.get(old_id).cloned().unwrap_or_default();
                self.remove(old_id, step);
                let member = ConsumerMember::new(session_deadline_ms);
                self.members.insert(member_id.to_owned(), member);
                self.hold(member_id, current);
                self.persist_target(member_id, &target, step);
                self.target.insert(member_id.to_owned(), target);
            }
        }
    }
}

fn change(speaker: &Speaker, before: &MemberProfile, now: &MemberProfile) -> Change {
    let same = before.topic_names == now.topic_names && before.topic_pattern == now.topic_pattern;
    match speaker {
        Speaker::Known | Speaker::Successor(_) if same => Change::None,
        Speaker::New | Speaker::Known | Speaker::Successor(_) => Change::Some,
    }
}

/// A member that has not heard of its last epoch may name the one before, as long as it owns nothing that it was not
/// left with.
fn fence(member: &ConsumerMember, request: &ConsumerHeartbeat) -> Result<(), Error> {
    let current = &member.current;
    if request.epoch == current.epoch {
        return Ok(());
    }
    let retries = request.epoch == current.previous_epoch && request.epoch < current.epoch;
    let owns_no_more = request.owned.as_ref().is_some_and(|owned| owned.is_within(&current.assigned));
    if retries && owns_no_more { Ok(()) } else { Err(Error::FencedMemberEpoch) }
}

fn updated(before: &MemberProfile, request: ConsumerHeartbeat) -> MemberProfile {
    let pattern = match request.topic_pattern {
        Some(pattern) if pattern.is_empty() => None,
        Some(pattern) => Some(pattern),
        None => before.topic_pattern.clone(),
    };
    MemberProfile {
        instance_id: request.instance_id.or_else(|| before.instance_id.clone()),
        rack_id: request.rack_id.or_else(|| before.rack_id.clone()),
        client_id: request.client_id,
        client_host: request.client_host,
        topic_names: request.topic_names.unwrap_or_else(|| before.topic_names.clone()),
        topic_pattern: pattern,
        rebalance_timeout_ms: request.rebalance_timeout_ms.unwrap_or(before.rebalance_timeout_ms),
        assignor: request.assignor.or_else(|| before.assignor.clone()),
        classic: None,
    }
}

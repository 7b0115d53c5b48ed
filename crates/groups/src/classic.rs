//! One group of the classic protocol: its members, its generation, its state.
//!
//! ```text
//!            join                all joined, or time is up         leader's sync
//!   Empty ─────────▶ PreparingRebalance ─────────▶ CompletingRebalance ─────────▶ Stable
//!     ▲                 │        ▲                        │                         │
//!     └─────────────────┘        └────────────────────────┴─────────────────────────┘
//!        nobody joined               a member came, went, changed, or did not sync
//! ```

mod commit;
mod join;
mod leave;
mod migration;
mod subscription;
mod sync;
mod timer;

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::member::{Member, Waiting};
use crate::step::Step;
use crate::{
    Effect, Error, Event, GroupSnapshot, JoinRefusal, JoinReply, JoinedMember, MemberDescription,
    MemberIdentity, Ticket,
};

/// Where a group stands, under Kafka's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No members; committed offsets may be there.
    Empty,
    /// Waiting for the members to join.
    PreparingRebalance,
    /// Waiting for the leader's assignment.
    CompletingRebalance,
    /// Every member has its assignment.
    Stable,
}

impl State {
    /// The name that Kafka's tools show.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
        }
    }
}

/// A group as `DescribeGroups` shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// Where it stands.
    pub state: State,
    /// The protocol type, empty if nobody ever joined.
    pub protocol_type: String,
    /// The chosen protocol, empty unless the group is stable.
    pub protocol: String,
    /// The members.
    pub members: Vec<MemberDescription>,
}

/// The first generation of an empty group waits for company.
#[derive(Clone, Copy, Debug)]
struct InitialDelay {
    until_ms: i64,
    limit_ms: i64,
}

/// One group.
#[derive(Debug)]
pub(crate) struct ClassicGroup {
    id: String,
    state: State,
    state_timestamp_ms: i64,
    generation: i32,
    protocol_type: String,
    protocol: Option<String>,
    leader: Option<String>,
    members: BTreeMap<String, Member>,
    /// `group.instance.id` to member id.
    static_members: BTreeMap<String, String>,
    /// Those who were given an id and have not joined with it: id to deadline.
    pending: BTreeMap<String, i64>,
    initial_delay: Option<InitialDelay>,
    /// End of the wait for joins, or for syncs, as the state says.
    deadline_ms: Option<i64>,
}

impl ClassicGroup {
    pub(crate) fn new(id: String, now_ms: i64) -> Self {
        Self {
            id,
            state: State::Empty,
            state_timestamp_ms: now_ms,
            generation: 0,
            protocol_type: String::new(),
            protocol: None,
            leader: None,
            members: BTreeMap::new(),
            static_members: BTreeMap::new(),
            pending: BTreeMap::new(),
            initial_delay: None,
            deadline_ms: None,
        }
    }

    /// Takes over what was written; the members get a whole session to be heard of.
    pub(crate) fn restore(&mut self, snapshot: GroupSnapshot, now_ms: i64) {
        let protocol = snapshot.protocol.clone().unwrap_or_default();
        self.state = if snapshot.members.is_empty() { State::Empty } else { State::Stable };
        self.state_timestamp_ms = snapshot.state_timestamp_ms;
        self.generation = snapshot.generation;
        self.protocol_type = snapshot.protocol_type;
        self.protocol = snapshot.protocol;
        self.leader = snapshot.leader;
        self.members = snapshot
            .members
            .into_iter()
            .map(|member| (member.member_id.clone(), Member::from_snapshot(member, &protocol, now_ms)))
            .collect();
        self.static_members = self
            .members
            .values()
            .filter_map(|member| Some((member.instance_id.clone()?, member.id.clone())))
            .collect();
        self.pending.clear();
        self.initial_delay = None;
        self.deadline_ms = None;
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    pub(crate) fn protocol_type(&self) -> &str {
        &self.protocol_type
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.state == State::Empty
    }

    /// No members, and nobody is on the way in.
    pub(crate) fn is_forgettable(&self) -> bool {
        self.state == State::Empty && self.pending.is_empty()
    }

    pub(crate) fn describe(&self) -> Description {
        let protocol = self.protocol.as_deref().filter(|_| self.state == State::Stable);
        Description {
            state: self.state,
            protocol_type: self.protocol_type.clone(),
            protocol: protocol.unwrap_or_default().to_owned(),
            members: self.members.values().map(|member| member.describe(protocol)).collect(),
        }
    }

    pub(crate) fn persist(&self, step: &mut Step<'_>) {
        let protocol = self.protocol.as_deref().unwrap_or_default();
        let snapshot = GroupSnapshot {
            protocol_type: self.protocol_type.clone(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            state_timestamp_ms: self.state_timestamp_ms,
            members: self.members.values().map(|member| member.snapshot(protocol)).collect(),
        };
        step.effects
            .push(Effect::Persist(Event::Group { group_id: self.id.clone(), snapshot: Some(snapshot) }));
    }

    fn enter(&mut self, state: State, step: &Step<'_>) {
        self.state = state;
        self.state_timestamp_ms = step.now_ms;
    }

    /// Bytes that the group's record would take without the assignments, and room for its own fields.
    fn size(&self) -> usize {
        const OWN_FIELDS: usize = 512;
        OWN_FIELDS + self.members.values().map(Member::size).sum::<usize>()
    }

    /// Checks that the speaker is a member, and not one whose place was taken.
    fn identify(&self, member_id: &str, instance_id: Option<&str>) -> Result<(), Error> {
        if let Some(instance_id) = instance_id {
            match self.static_members.get(instance_id) {
                None => return Err(Error::UnknownMemberId),
                Some(present) if present != member_id => return Err(Error::FencedInstanceId),
                Some(_) => {}
            }
        }
        if self.members.contains_key(member_id) { Ok(()) } else { Err(Error::UnknownMemberId) }
    }

    fn identify_in_generation(&self, member: &MemberIdentity) -> Result<(), Error> {
        self.identify(&member.member_id, member.instance_id.as_deref())?;
        if member.generation == self.generation { Ok(()) } else { Err(Error::IllegalGeneration) }
    }

    pub(crate) fn touch(&mut self, member_id: &str, now_ms: i64) {
        if let Some(member) = self.members.get_mut(member_id) {
            member.touch(now_ms);
        }
    }

    /// The longest time that a member asks to be waited for.
    fn rebalance_timeout_ms(&self) -> i64 {
        let longest = self.members.values().map(|member| member.rebalance_timeout_ms).max();
        i64::from(longest.unwrap_or(0))
    }

    /// Starts a rebalance: everybody has to join again.
    pub(crate) fn prepare_rebalance(&mut self, step: &mut Step<'_>) {
        for member in self.members.values_mut() {
            member.owes_sync = false;
            if let Waiting::Sync(ticket) = member.waiting {
                member.waiting = Waiting::Nothing;
                member.touch(step.now_ms);
                let reply = Err(Error::RebalanceInProgress);
                step.effects.push(Effect::Synced { ticket, reply });
            }
        }
        let delay = i64::from(step.config.initial_rebalance_delay_ms);
        if self.state == State::Empty && delay > 0 {
            let limit_ms = step.now_ms + self.rebalance_timeout_ms();
            let until_ms = (step.now_ms + delay).min(limit_ms);
            self.initial_delay = Some(InitialDelay { until_ms, limit_ms });
        }
        self.enter(State::PreparingRebalance, step);
        self.deadline_ms = Some(step.now_ms + self.rebalance_timeout_ms());
        self.complete_join_if_ready(step);
    }

    fn complete_join_if_ready(&mut self, step: &mut Step<'_>) {
        let delayed = self.initial_delay.is_some_and(|delay| step.now_ms < delay.until_ms);
        let everybody = self.pending.is_empty() && self.members.values().all(Member::waits_for_join);
        if self.state == State::PreparingRebalance && everybody && !delayed {
            self.complete_join(step);
        }
    }

    /// Everybody is here, or time is up: the next generation begins.
    fn complete_join(&mut self, step: &mut Step<'_>) {
        self.initial_delay = None;
        let late: Vec<String> = self
            .members
            .values()
            .filter(|member| !member.waits_for_join() && member.instance_id.is_none())
            .map(|member| member.id.clone())
            .collect();
        for member_id in late {
            self.remove(&member_id, step);
        }
        if self.members.is_empty() {
            self.become_empty(step);
            return;
        }
        let Some(leader) = self.leader_of_next_generation() else {
            // Only static members are left and none of them is back yet.
            self.deadline_ms = Some(step.now_ms + self.rebalance_timeout_ms().max(1));
            return;
        };
        self.generation = next_generation(self.generation);
        self.protocol = Some(self.choose_protocol(&leader));
        self.leader = Some(leader);
        self.enter(State::CompletingRebalance, step);
        self.deadline_ms = Some(step.now_ms + self.rebalance_timeout_ms());
        self.answer_joins(step);
    }

    fn become_empty(&mut self, step: &mut Step<'_>) {
        self.generation = next_generation(self.generation);
        self.protocol = None;
        self.leader = None;
        self.deadline_ms = None;
        self.enter(State::Empty, step);
        self.persist(step);
    }

    fn leader_of_next_generation(&self) -> Option<String> {
        let present = self.leader.as_ref().and_then(|id| self.members.get(id));
        let joined = present.filter(|member| member.waits_for_join());
        joined
            .or_else(|| self.members.values().find(|member| member.waits_for_join()))
            .map(|member| member.id.clone())
    }

    /// Each member votes for the first of its protocols that all support; the leader's order breaks ties.
    fn choose_protocol(&self, leader: &str) -> String {
        let leader = &self.members[leader];
        let candidates: Vec<&str> = leader
            .protocols
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| self.members.values().all(|member| member.supports(name)))
            .collect();
        let votes = |candidate: &str| {
            self.members
                .values()
                .filter(|member| {
                    let favourite =
                        member.protocols.iter().find(|(name, _)| candidates.contains(&name.as_str()));
                    favourite.is_some_and(|(name, _)| name == candidate)
                })
                .count()
        };
        candidates
            .iter()
            .rev()
            .max_by_key(|candidate| votes(candidate))
            .expect("a member is let in only if it shares a protocol with all others")
            .to_string()
    }

    fn answer_joins(&mut self, step: &mut Step<'_>) {
        let waiting: Vec<(String, Ticket)> = self
            .members
            .values()
            .filter_map(|member| match member.waiting {
                Waiting::Join(ticket) => Some((member.id.clone(), ticket)),
                Waiting::Nothing | Waiting::Sync(_) => None,
            })
            .collect();
        for (member_id, ticket) in waiting {
            let reply = Ok(self.join_reply(&member_id));
            step.effects.push(Effect::Joined { ticket, reply });
            let member = self.members.get_mut(&member_id).expect("it was just listed");
            member.waiting = Waiting::Nothing;
            member.owes_sync = true;
            member.touch(step.now_ms);
        }
    }

    /// What a member of the present generation is told.
    fn join_reply(&self, member_id: &str) -> JoinReply {
        let protocol = self.protocol.clone().unwrap_or_default();
        let leads = self.leader.as_deref() == Some(member_id);
        JoinReply {
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            leader: self.leader.clone().unwrap_or_default(),
            member_id: member_id.to_owned(),
            skip_assignment: false,
            members: if leads { self.joined_members(&protocol) } else { Vec::new() },
            protocol,
        }
    }

    fn joined_members(&self, protocol: &str) -> Vec<JoinedMember> {
        let joined = |member: &Member| JoinedMember {
            member_id: member.id.clone(),
            instance_id: member.instance_id.clone(),
            metadata: member.metadata(protocol),
        };
        self.members.values().map(joined).collect()
    }

    /// Takes a member out and answers what it waited for.
    fn remove(&mut self, member_id: &str, step: &mut Step<'_>) {
        let Some(member) = self.members.remove(member_id) else { return };
        if let Some(instance_id) = &member.instance_id {
            self.static_members.remove(instance_id);
        }
        dismiss(&member, Error::UnknownMemberId, step);
        if self.leader.as_deref() == Some(member_id) {
            self.leader = self.members.keys().next().cloned();
        }
    }

    /// What follows when members, or those on the way in, may have gone away.
    fn after_removal(&mut self, members_before: usize, step: &mut Step<'_>) {
        match self.state {
            State::Stable | State::CompletingRebalance if self.members.len() < members_before => {
                self.prepare_rebalance(step);
            }
            State::PreparingRebalance => self.complete_join_if_ready(step),
            State::Empty | State::Stable | State::CompletingRebalance => {}
        }
    }
}

/// Answers what a member waits for with an error.
fn dismiss(member: &Member, error: Error, step: &mut Step<'_>) {
    match member.waiting {
        Waiting::Nothing => {}
        Waiting::Join(ticket) => {
            let reply = Err(JoinRefusal { error, member_id: member.id.clone() });
            step.effects.push(Effect::Joined { ticket, reply });
        }
        Waiting::Sync(ticket) => step.effects.push(Effect::Synced { ticket, reply: Err(error) }),
    }
}

fn next_generation(generation: i32) -> i32 {
    generation.checked_add(1).unwrap_or(1)
}

/// Copied, so that a few bytes of metadata do not keep a whole frame alive.
fn own(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

//! Every group of the broker.

mod consumer;
mod describe;
mod offsets;
mod producers;
mod settings;

use std::collections::{BTreeMap, BTreeSet};

use crate::group::Group;
use crate::settings::Times;
use crate::step::Step;
use crate::{
    Config, Effect, Error, Event, GroupSettings, JoinRefusal, JoinRequest, LeaveRequest, MemberIdentity,
    Outcomes, SyncRequest, Ticket, TopicsView,
};
pub use describe::{GroupType, Listing};
use producers::Producers;

/// Every group of the broker; see the crate's page.
#[derive(Debug)]
pub struct Groups {
    config: Config,
    groups: BTreeMap<String, Group>,
    deadlines: BTreeSet<(i64, String)>,
    producers: Producers,
    settings: BTreeMap<String, GroupSettings>,
}

impl Groups {
    /// No groups yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            groups: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            producers: Producers::default(),
            settings: BTreeMap::new(),
        }
    }

    /// A member wants to be part of the next generation. The answer is among these effects or later ones.
    pub fn join(
        &mut self,
        request: JoinRequest,
        ticket: Ticket,
        topics: &dyn TopicsView,
        now_ms: i64,
    ) -> Vec<Effect> {
        if let Err(error) = self.check_join(&request) {
            let reply = Err(JoinRefusal { error, member_id: request.member_id });
            return vec![Effect::Joined { ticket, reply }];
        }
        let group_id = request.group_id.clone();
        let (effects, ()) = self.step_or_create(&group_id, now_ms, |group, step| {
            group.join(request, ticket, topics, step);
        });
        self.forget_if_unused(&group_id);
        effects
    }

    fn check_join(&self, request: &JoinRequest) -> Result<(), Error> {
        check_group_id(&request.group_id)?;
        let allowed = self.config.min_session_timeout_ms..=self.config.max_session_timeout_ms;
        if !allowed.contains(&request.session_timeout_ms) || request.rebalance_timeout_ms < 0 {
            return Err(Error::InvalidSessionTimeout);
        }
        if self.groups.contains_key(&request.group_id) {
            return Ok(());
        }
        if !request.member_id.is_empty() {
            return Err(Error::UnknownMemberId);
        }
        self.check_room()
    }

    fn check_room(&self) -> Result<(), Error> {
        if self.groups.len() < self.config.max_groups { Ok(()) } else { Err(Error::GroupMaxSizeReached) }
    }

    /// A member wants its assignment. The answer is among these effects or later ones.
    pub fn sync(
        &mut self,
        request: SyncRequest,
        ticket: Ticket,
        topics: &dyn TopicsView,
        now_ms: i64,
    ) -> Vec<Effect> {
        let group_id = request.group_id.clone();
        let synced = self.step(&group_id, now_ms, |group, step| group.sync(request, ticket, topics, step));
        match synced {
            Some((effects, ())) => effects,
            None => vec![Effect::Synced { ticket, reply: Err(Error::UnknownMemberId) }],
        }
    }

    /// A member of the classic protocol is alive.
    ///
    /// # Errors
    ///
    /// [`Error::RebalanceInProgress`] when it has to join again, others when it is none (any more).
    pub fn heartbeat(
        &mut self,
        group_id: &str,
        member: &MemberIdentity,
        topics: &dyn TopicsView,
        now_ms: i64,
    ) -> (Vec<Effect>, Result<(), Error>) {
        self.step(group_id, now_ms, |group, step| group.heartbeat(member, topics, step))
            .unwrap_or((Vec::new(), Err(Error::UnknownMemberId)))
    }

    /// Members leave; one result for each, in order.
    pub fn leave(&mut self, request: &LeaveRequest, now_ms: i64) -> (Vec<Effect>, Outcomes) {
        let left = self.step(&request.group_id, now_ms, |group, step| group.leave(&request.members, step));
        self.forget_if_unused(&request.group_id);
        let nobody = || request.members.iter().map(|_| Err(Error::UnknownMemberId)).collect();
        left.unwrap_or_else(|| (Vec::new(), nobody()))
    }

    /// When [`Groups::tick`] has something to do, if ever.
    #[must_use]
    pub fn next_deadline(&self) -> Option<i64> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Looks at the deadlines that have come.
    pub fn tick(&mut self, now_ms: i64) -> Vec<Effect> {
        let due: Vec<String> = self
            .deadlines
            .iter()
            .take_while(|(at, _)| *at <= now_ms)
            .map(|(_, group_id)| group_id.clone())
            .collect();
        let mut effects = Vec::new();
        for group_id in due {
            if let Some((more, ())) = self.step(&group_id, now_ms, Group::tick) {
                effects.extend(more);
            }
            self.forget_if_unused(&group_id);
        }
        effects
    }

    /// Takes over one event that was written before; for the start, oldest first. Members get a whole session
    /// from `now_ms` on to be heard of.
    pub fn replay(&mut self, event: Event, now_ms: i64) {
        match event {
            Event::Offset { group_id, topic, partition_index, committed } => {
                let offsets = &mut self.group_for_replay(group_id, now_ms).offsets;
                match committed {
                    Some(committed) => offsets.set(&topic, partition_index, committed),
                    None => offsets.remove(&topic, partition_index),
                }
            }
            Event::PendingOffset { producer_id, group_id, topic, partition_index, committed } => {
                self.producers.open(producer_id, &group_id);
                let pending = &mut self.group_for_replay(group_id, now_ms).offsets.pending;
                match committed {
                    Some(committed) => pending.set(&topic, partition_index, producer_id, committed),
                    None => pending.remove(&topic, partition_index, producer_id),
                }
            }
            Event::Group { group_id, snapshot } => {
                self.step_or_create(&group_id, now_ms, |group, step| group.restore_classic(snapshot, step));
            }
            Event::Settings { group_id, settings } => self.restore_settings(group_id, settings),
            Event::Consumer { group_id, event } => {
                self.step_or_create(&group_id, now_ms, |group, step| group.restore_consumer(event, step));
            }
        }
    }

    /// Ends the replay: groups of which nothing is left are forgotten.
    pub fn replayed(&mut self, now_ms: i64) {
        let group_ids: Vec<String> = self.groups.keys().cloned().collect();
        for group_id in group_ids {
            self.step(&group_id, now_ms, |group, step| group.restored(step));
            self.forget_if_unused(&group_id);
        }
    }

    fn group_for_replay(&mut self, group_id: String, now_ms: i64) -> &mut Group {
        self.groups.entry(group_id.clone()).or_insert_with(|| Group::new(group_id, now_ms))
    }

    fn step_or_create<R>(
        &mut self,
        group_id: &str,
        now_ms: i64,
        run: impl FnOnce(&mut Group, &mut Step<'_>) -> R,
    ) -> (Vec<Effect>, R) {
        if !self.groups.contains_key(group_id) {
            self.groups.insert(group_id.to_owned(), Group::new(group_id.to_owned(), now_ms));
        }
        self.step(group_id, now_ms, run).expect("the group was just made sure of")
    }

    /// Runs one group and keeps its place in the table of deadlines.
    fn step<R>(
        &mut self,
        group_id: &str,
        now_ms: i64,
        run: impl FnOnce(&mut Group, &mut Step<'_>) -> R,
    ) -> Option<(Vec<Effect>, R)> {
        let group = self.groups.get_mut(group_id)?;
        let before = group.next_deadline();
        let settings = self.settings.get(group_id).copied().unwrap_or_default();
        let times = Times::new(settings, &self.config);
        let mut step = Step { now_ms, config: &self.config, times, effects: Vec::new() };
        let result = run(group, &mut step);
        let effects = step.effects;
        let after = group.next_deadline();
        if before != after {
            self.schedule(group_id, before, after);
        }
        Some((effects, result))
    }

    fn schedule(&mut self, group_id: &str, before: Option<i64>, after: Option<i64>) {
        if let Some(at) = before {
            self.deadlines.remove(&(at, group_id.to_owned()));
        }
        if let Some(at) = after {
            self.deadlines.insert((at, group_id.to_owned()));
        }
    }

    /// A refused request leaves no group behind.
    fn forget_if_unused(&mut self, group_id: &str) {
        if self.groups.get(group_id).is_some_and(Group::is_unused) {
            self.forget(group_id);
        }
    }

    fn forget(&mut self, group_id: &str) {
        if let Some(group) = self.groups.remove(group_id) {
            self.schedule(group_id, group.next_deadline(), None);
        }
    }
}

fn check_group_id(group_id: &str) -> Result<(), Error> {
    if group_id.is_empty() || group_id.len() > i16::MAX as usize {
        return Err(Error::InvalidGroupId);
    }
    Ok(())
}

//! What each member is to own.

use std::collections::{BTreeMap, BTreeSet};

use super::ConsumerGroup;
use crate::assignor::{Candidate, Partitions};
use crate::step::Step;
use crate::{Assignment, Assignor, Config};

impl ConsumerGroup {
    /// Makes the target for the present epoch, if there is none yet.
    pub(super) fn follow_epoch(&mut self, step: &mut Step<'_>) {
        if self.assignment_epoch >= self.epoch {
            return;
        }
        let none = Assignment::default();
        let candidates: Vec<Candidate<'_>> = self
            .members
            .iter()
            .map(|(member_id, member)| Candidate {
                member_id,
                instance_id: member.profile.instance_id.as_deref(),
                topics: self.subscribed.of(&member.profile).map(|topic| topic.id).collect::<BTreeSet<_>>(),
                previous: self.target.get(member_id).unwrap_or(&none),
            })
            .collect();
        let topics: Partitions = self.subscribed.all().map(|topic| (topic.id, topic.partitions)).collect();
        let given = self.assignor(step.config).assign(&candidates, &topics);
        let target: BTreeMap<String, Assignment> = self.members.keys().cloned().zip(given).collect();
        for (member_id, assignment) in &target {
            if self.target.get(member_id) != Some(assignment) {
                self.persist_target(member_id, assignment, step);
            }
        }
        self.target = target;
        self.assignment_epoch = self.epoch;
        self.persist_target_epoch(step);
    }

    /// The assignor that most members ask for; the broker's first one if nobody does.
    pub(super) fn assignor(&self, config: &Config) -> Assignor {
        let wished = self.members.values().filter_map(|member| member.profile.assignor.as_deref());
        let mut votes: BTreeMap<Assignor, usize> = BTreeMap::new();
        for assignor in wished.filter_map(Assignor::from_name) {
            *votes.entry(assignor).or_default() += 1;
        }
        let chosen = votes.into_iter().rev().max_by_key(|(_, votes)| *votes).map(|(assignor, _)| assignor);
        chosen.or(config.consumer_assignors.first().copied()).unwrap_or(Assignor::Uniform)
    }
}

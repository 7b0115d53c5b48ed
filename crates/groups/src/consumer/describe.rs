//! The group as an administrator sees it.

use super::{ConsumerGroup, ConsumerMember, MemberProfile, MemberState};
use crate::{Assignment, Assignor, Config};

/// Where a group of the consumer protocol stands, under Kafka's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsumerState {
    /// No members.
    Empty,
    /// There is no target for the present epoch yet.
    Assigning,
    /// Members are on their way to the target.
    Reconciling,
    /// Everybody owns what it is to own.
    Stable,
}

impl ConsumerState {
    /// The name that Kafka's tools show.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::Assigning => "Assigning",
            Self::Reconciling => "Reconciling",
            Self::Stable => "Stable",
        }
    }
}

/// A group of the consumer protocol.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerGroupDescription {
    /// Where it stands.
    pub state: ConsumerState,
    /// How often what there is to share out has changed.
    pub epoch: i32,
    /// The epoch of the target.
    pub assignment_epoch: i32,
    /// The assignor in use.
    pub assignor: Assignor,
    /// The members.
    pub members: Vec<ConsumerMemberDescription>,
}

/// A member of a group of the consumer protocol.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerMemberDescription {
    /// The member.
    pub member_id: String,
    /// Its epoch.
    pub epoch: i32,
    /// What it says of itself.
    pub profile: MemberProfile,
    /// What it owns.
    pub assigned: Assignment,
    /// What it is to own.
    pub target: Assignment,
}

impl ConsumerGroup {
    pub(crate) fn state(&self) -> ConsumerState {
        let arrived = |member: &ConsumerMember| {
            member.current.state == MemberState::Stable && member.current.epoch == self.assignment_epoch
        };
        if self.members.is_empty() {
            ConsumerState::Empty
        } else if self.epoch > self.assignment_epoch {
            ConsumerState::Assigning
        } else if self.members.values().all(arrived) {
            ConsumerState::Stable
        } else {
            ConsumerState::Reconciling
        }
    }

    pub(crate) fn describe(&self, config: &Config) -> ConsumerGroupDescription {
        let member = |(member_id, member): (&String, &ConsumerMember)| ConsumerMemberDescription {
            member_id: member_id.clone(),
            epoch: member.current.epoch,
            profile: member.profile.clone(),
            assigned: member.current.assigned.clone(),
            target: self.target.get(member_id).cloned().unwrap_or_default(),
        };
        ConsumerGroupDescription {
            state: self.state(),
            epoch: self.epoch,
            assignment_epoch: self.assignment_epoch,
            assignor: self.assignor(config),
            members: self.members.iter().map(member).collect(),
        }
    }
}

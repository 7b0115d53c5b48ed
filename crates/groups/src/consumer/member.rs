//! One member of a group of the consumer protocol.

use std::collections::BTreeSet;

use crate::Assignment;

/// What a member says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberProfile {
    /// `group.instance.id` of a static member.
    pub instance_id: Option<String>,
    /// `client.rack`; remembered, not looked at: there is one broker.
    pub rack_id: Option<String>,
    /// The client's own name for itself.
    pub client_id: String,
    /// Where it comes from.
    pub client_host: String,
    /// The topics it wants.
    pub topic_names: BTreeSet<String>,
    /// The pattern of the topics that it wants besides.
    pub topic_pattern: Option<String>,
    /// How long it may take to give partitions back.
    pub rebalance_timeout_ms: i32,
    /// The assignor it would like.
    pub assignor: Option<String>,
}

impl MemberProfile {
    /// Bytes that it takes to remember, its fixed fields aside.
    pub(super) fn size(&self) -> usize {
        let optional = [&self.instance_id, &self.rack_id, &self.topic_pattern, &self.assignor];
        let texts = optional.into_iter().flatten().chain([&self.client_id, &self.client_host]);
        texts.chain(&self.topic_names).map(|text| text.len() + 2).sum()
    }
}

/// How far a member has come towards its target, under Kafka's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemberState {
    /// It owns what it is to own.
    #[default]
    Stable,
    /// It has to give partitions back before it gets to the next epoch.
    Unrevoked,
    /// It waits for partitions that others have not given back.
    Unreleased,
}

/// What a member owns now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CurrentAssignment {
    /// The epoch that its heartbeats must name.
    pub epoch: i32,
    /// The one before, which it names if our last answer was lost.
    pub previous_epoch: i32,
    /// How far it has come.
    pub state: MemberState,
    /// What it owns.
    pub assigned: Assignment,
    /// What it must give back.
    pub revoking: Assignment,
}

/// One member of a group of the consumer protocol.
#[derive(Clone, Debug)]
pub(super) struct ConsumerMember {
    pub(super) profile: MemberProfile,
    pub(super) current: CurrentAssignment,
    /// Without a heartbeat until then the member counts as gone.
    pub(super) session_deadline_ms: i64,
    /// Until then it must have given back what it has to.
    pub(super) revocation_deadline_ms: Option<i64>,
}

impl ConsumerMember {
    pub(super) fn new(session_deadline_ms: i64) -> Self {
        Self {
            profile: MemberProfile::default(),
            current: CurrentAssignment::default(),
            session_deadline_ms,
            revocation_deadline_ms: None,
        }
    }

    /// Whoever has to give partitions back has the time it asked for to do so.
    pub(super) fn await_revocation(&mut self, now_ms: i64) {
        let revokes = self.current.state == MemberState::Unrevoked;
        self.revocation_deadline_ms = revokes.then(|| now_ms + i64::from(self.profile.rebalance_timeout_ms));
    }

    pub(super) fn deadline(&self) -> i64 {
        self.revocation_deadline_ms.unwrap_or(i64::MAX).min(self.session_deadline_ms)
    }
}

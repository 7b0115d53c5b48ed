//! One member of a group of the consumer protocol.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::Assignment;
use crate::step::Step;

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
    /// What it brings along if it speaks the classic protocol.
    pub classic: Option<ClassicProtocols>,
}

/// What a member brings along that speaks the classic protocol in a group of the consumer protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassicProtocols {
    /// After this silence it counts as gone, whatever holds for the others.
    pub session_timeout_ms: i32,
    /// Name and metadata of each assignment strategy, the preferred one first.
    pub protocols: Vec<(String, Bytes)>,
}

impl ClassicProtocols {
    fn size(&self) -> usize {
        self.protocols.iter().map(|(name, metadata)| name.len() + metadata.len() + 4).sum()
    }

    pub(crate) fn supports(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|(name, _)| name == protocol)
    }
}

impl MemberProfile {
    /// Bytes that it takes to remember, its fixed fields aside.
    pub(super) fn size(&self) -> usize {
        let optional = [&self.instance_id, &self.rack_id, &self.topic_pattern, &self.assignor];
        let texts = optional.into_iter().flatten().chain([&self.client_id, &self.client_host]);
        let texts: usize = texts.chain(&self.topic_names).map(|text| text.len() + 2).sum();
        texts + self.classic.as_ref().map_or(0, ClassicProtocols::size)
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
    /// Until then it must have taken its next step: given back what it has to or, by the classic protocol, joined again
    /// or asked for its assignment.
    pub(super) step_deadline_ms: Option<i64>,
}

impl ConsumerMember {
    pub(super) fn new(session_deadline_ms: i64) -> Self {
        Self {
            profile: MemberProfile::default(),
            current: CurrentAssignment::default(),
            session_deadline_ms,
            step_deadline_ms: None,
        }
    }

    /// The member was heard of.
    pub(super) fn touch(&mut self, step: &Step<'_>) {
        let classic = self.profile.classic.as_ref().map(|classic| classic.session_timeout_ms);
        let timeout_ms = classic.unwrap_or(step.times.session_timeout_ms);
        self.session_deadline_ms = step.now_ms + i64::from(timeout_ms);
    }

    /// Whoever has to give partitions back has the time it asked for to do so. A member of the classic protocol hears of
    /// it by its next heartbeat.
    pub(super) fn await_revocation(&mut self, now_ms: i64) {
        if self.profile.classic.is_some() {
            return;
        }
        let revokes = self.current.state == MemberState::Unrevoked;
        self.step_deadline_ms = revokes.then(|| now_ms + i64::from(self.profile.rebalance_timeout_ms));
    }

    pub(super) fn deadline(&self) -> i64 {
        self.step_deadline_ms.unwrap_or(i64::MAX).min(self.session_deadline_ms)
    }
}

//! The limits and time-outs of groups, under Kafka's names.

use std::ops::RangeInclusive;

use crate::Assignor;

/// Whether a group goes from one protocol to the other while it has members (KIP-848).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrationPolicy {
    /// Never.
    Disabled,
    /// From the classic to the consumer protocol.
    Upgrade,
    /// From the consumer to the classic protocol.
    Downgrade,
    /// Either way.
    Bidirectional,
}

impl MigrationPolicy {
    const ALL: [Self; 4] = [Self::Disabled, Self::Upgrade, Self::Downgrade, Self::Bidirectional];

    /// The value of Kafka's setting.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Upgrade => "upgrade",
            Self::Downgrade => "downgrade",
            Self::Bidirectional => "bidirectional",
        }
    }

    /// The policy of this name, in whatever case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name().eq_ignore_ascii_case(name))
    }

    pub(crate) fn upgrades(self) -> bool {
        matches!(self, Self::Upgrade | Self::Bidirectional)
    }

    pub(crate) fn downgrades(self) -> bool {
        matches!(self, Self::Downgrade | Self::Bidirectional)
    }
}

/// Limits and time-outs that hold for every group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `group.min.session.timeout.ms`.
    pub min_session_timeout_ms: i32,
    /// `group.max.session.timeout.ms`.
    pub max_session_timeout_ms: i32,
    /// `group.initial.rebalance.delay.ms`: how long the first generation of an empty group waits for more
    /// members. Kafka's default is 3,000 to spare large clusters a rebalance; here a consumer starts at once.
    pub initial_rebalance_delay_ms: i32,
    /// `group.consumer.session.timeout.ms`: after this silence a member of the consumer protocol counts as gone.
    pub consumer_session_timeout_ms: i32,
    /// `group.consumer.heartbeat.interval.ms`: how often members of the consumer protocol are to be heard of.
    pub consumer_heartbeat_interval_ms: i32,
    /// `group.consumer.min.session.timeout.ms` and `group.consumer.max.session.timeout.ms`: what a group may set.
    pub consumer_session_timeouts_ms: RangeInclusive<i32>,
    /// `group.consumer.min.heartbeat.interval.ms` and `group.consumer.max.heartbeat.interval.ms`.
    pub consumer_heartbeat_intervals_ms: RangeInclusive<i32>,
    /// `group.consumer.migration.policy`: whether a group with members goes from one protocol to the other.
    pub migration_policy: MigrationPolicy,
    /// `group.consumer.max.size`: members of one group of the consumer protocol.
    pub consumer_max_members: usize,
    /// `group.consumer.assignors`: what members may ask for; the first is taken if they do not.
    pub consumer_assignors: Vec<Assignor>,
    /// `group.max.size`: members of one group, those that were only given an id included.
    pub max_members: usize,
    /// Groups altogether; a new one beyond this is refused.
    pub max_groups: usize,
    /// Bytes of ids, protocol metadata and assignments that one group may hold. A group's record must fit
    /// into one record batch, or it could not be written.
    pub max_group_bytes: usize,
    /// `offset.metadata.max.bytes`.
    pub max_offset_metadata_bytes: usize,
    /// `offsets.retention.minutes`, in milliseconds: how long an empty group keeps its offsets.
    pub offsets_retention_ms: i64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            min_session_timeout_ms: 6_000,
            max_session_timeout_ms: 1_800_000,
            initial_rebalance_delay_ms: 0,
            consumer_session_timeout_ms: 45_000,
            consumer_heartbeat_interval_ms: 5_000,
            consumer_session_timeouts_ms: 45_000..=60_000,
            consumer_heartbeat_intervals_ms: 5_000..=15_000,
            migration_policy: MigrationPolicy::Bidirectional,
            consumer_max_members: 1_000,
            consumer_assignors: vec![Assignor::Uniform, Assignor::Range],
            max_members: 1_000,
            max_groups: 100_000,
            max_group_bytes: 900_000,
            max_offset_metadata_bytes: 4_096,
            offsets_retention_ms: 7 * 24 * 60 * 60 * 1_000,
        }
    }
}

//! The limits and time-outs of groups, under Kafka's names.

use std::ops::RangeInclusive;

use crate::Assignor;

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

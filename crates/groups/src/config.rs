//! The limits and time-outs of groups, under Kafka's names.

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
            max_members: 1_000,
            max_groups: 100_000,
            max_group_bytes: 900_000,
            max_offset_metadata_bytes: 4_096,
            offsets_retention_ms: 7 * 24 * 60 * 60 * 1_000,
        }
    }
}

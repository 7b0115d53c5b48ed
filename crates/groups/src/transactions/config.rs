//! The limits of transactions, under Kafka's names.

/// Limits that hold for every transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `transaction.max.timeout.ms`: the longest that a transaction may ask to stay open.
    pub max_timeout_ms: i32,
    /// `transactional.id.expiration.ms`: how long an id without a transaction is remembered.
    pub id_expiration_ms: i64,
    /// Transactional ids altogether; a new one beyond this is refused.
    pub max_ids: usize,
    /// Partitions of one transaction.
    pub max_partitions: usize,
    /// Bytes of the names in one transaction: its record must fit into one batch.
    pub max_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_timeout_ms: 900_000,
            id_expiration_ms: 7 * 24 * 60 * 60 * 1_000,
            max_ids: 100_000,
            max_partitions: 50_000,
            max_bytes: 800_000,
        }
    }
}

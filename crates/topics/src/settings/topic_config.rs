//! A topic's settings as numbers and choices, for those who enforce them.

use std::collections::BTreeMap;
use std::str::FromStr;

use record::Compression;

use super::{Defaults, SettingSource, SettingSpec};

/// What becomes of old records (`cleanup.policy`). At least one of the two holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleanupPolicy {
    /// Old segments go, by time and size.
    pub delete: bool,
    /// Only the last record of each key stays.
    pub compact: bool,
}

/// Whose time records carry (`message.timestamp.type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    /// The producer's.
    CreateTime,
    /// The broker's.
    LogAppendTime,
}

/// All settings of a topic that do something. Times are milliseconds, sizes bytes; nothing means no limit.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicConfig {
    /// `cleanup.policy`.
    pub cleanup: CleanupPolicy,
    /// `compression.type`; nothing for `producer`.
    pub compression: Option<Compression>,
    /// `delete.retention.ms`.
    pub delete_retention_ms: i64,
    /// `file.delete.delay.ms`.
    pub file_delete_delay_ms: i64,
    /// `flush.messages`.
    pub flush_messages: i64,
    /// `flush.ms`.
    pub flush_ms: i64,
    /// Whether the topic itself asks, by `flush.messages` above 1, that acks=all is not flushed before its answer.
    pub flush_relaxed: bool,
    /// `index.interval.bytes`.
    pub index_interval_bytes: u64,
    /// `max.compaction.lag.ms`.
    pub max_compaction_lag_ms: i64,
    /// `min.compaction.lag.ms`.
    pub min_compaction_lag_ms: i64,
    /// `min.cleanable.dirty.ratio`.
    pub min_cleanable_dirty_ratio: f64,
    /// `max.message.bytes`.
    pub message_bytes_max: usize,
    /// `message.timestamp.type`.
    pub timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`.
    pub timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`.
    pub timestamp_after_max_ms: i64,
    /// `preallocate`.
    pub preallocate: bool,
    /// `retention.bytes`.
    pub retention_bytes: Option<u64>,
    /// `retention.ms`.
    pub retention_ms: Option<i64>,
    /// `segment.bytes`.
    pub segment_bytes: u64,
    /// `segment.ms`.
    pub segment_ms: i64,
    /// `segment.jitter.ms`.
    pub segment_jitter_ms: i64,
}

/// Settings on their way to becoming numbers.
struct Reading<'a> {
    defaults: &'a Defaults,
    own: &'a BTreeMap<String, String>,
}

impl TopicConfig {
    /// The settings of a topic that was given `own`. What cannot be understood, because somebody changed the file by
    /// hand, has its default, and the log says so.
    pub(crate) fn new(defaults: &Defaults, own: &BTreeMap<String, String>) -> Self {
        let read = Reading { defaults, own };
        let policies = read.text("cleanup.policy");
        let has = |word: &str| policies.split(',').any(|policy| policy.trim() == word);
        let flush_messages = read.number::<i64>("flush.messages");
        Self {
            cleanup: CleanupPolicy { delete: has("delete"), compact: has("compact") },
            compression: compression(read.text("compression.type")),
            delete_retention_ms: read.number("delete.retention.ms"),
            file_delete_delay_ms: read.number("file.delete.delay.ms"),
            flush_messages,
            flush_ms: read.number("flush.ms"),
            flush_relaxed: flush_messages > 1 && own.contains_key("flush.messages"),
            index_interval_bytes: read.number("index.interval.bytes"),
            max_compaction_lag_ms: read.number("max.compaction.lag.ms"),
            min_compaction_lag_ms: read.number("min.compaction.lag.ms"),
            min_cleanable_dirty_ratio: read.number("min.cleanable.dirty.ratio"),
            message_bytes_max: read.number("max.message.bytes"),
            timestamp_type: match read.text("message.timestamp.type") {
                "LogAppendTime" => TimestampType::LogAppendTime,
                _ => TimestampType::CreateTime,
            },
            timestamp_before_max_ms: read.number("message.timestamp.before.max.ms"),
            timestamp_after_max_ms: read.number("message.timestamp.after.max.ms"),
            preallocate: read.number("preallocate"),
            retention_bytes: u64::try_from(read.number::<i64>("retention.bytes")).ok(),
            retention_ms: Some(read.number::<i64>("retention.ms")).filter(|ms| *ms >= 0),
            segment_bytes: read.number("segment.bytes"),
            segment_ms: read.number("segment.ms"),
            segment_jitter_ms: read.number("segment.jitter.ms"),
        }
    }
}

impl Reading<'_> {
    /// The value if the table allows it, the default otherwise.
    fn text(&self, name: &str) -> &str {
        let spec = SettingSpec::of_topic(name).expect("the table has every name that is asked for");
        let (value, source) = self.defaults.resolve(spec, self.own);
        if source == SettingSource::Default || spec.refusal(value).is_none() {
            return value.trim();
        }
        tracing::warn!(name, value, "a setting is not allowed to be this; the default holds");
        spec.default
    }

    fn number<T: FromStr>(&self, name: &str) -> T {
        let value = self.text(name);
        value.parse().unwrap_or_else(|_| {
            panic!("the table allows {value:?} for {name}, which is no number of that kind")
        })
    }
}

fn compression(name: &str) -> Option<Compression> {
    match name {
        "uncompressed" => Some(Compression::None),
        other => other.parse().ok(),
    }
}

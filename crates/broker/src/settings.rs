//! Settings under Kafka's names: which there are for topics, their types and defaults, and their present values.

use std::collections::BTreeMap;

use crate::context::Context;

/// A setting's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Boolean,
    String,
    Int,
    Long,
    Double,
    List,
}

impl Kind {
    /// Kafka's number for it.
    pub(crate) fn code(self) -> i8 {
        match self {
            Self::Boolean => 1,
            Self::String => 2,
            Self::Int => 3,
            Self::Long => 5,
            Self::Double => 6,
            Self::List => 7,
        }
    }

    fn accepts(self, value: &str) -> bool {
        match self {
            Self::Boolean => matches!(value, "true" | "false"),
            Self::Int => value.parse::<i32>().is_ok(),
            Self::Long => value.parse::<i64>().is_ok(),
            Self::Double => value.parse::<f64>().is_ok_and(f64::is_finite),
            Self::String | Self::List => true,
        }
    }
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Topic,
    StaticBroker,
    Default,
}

impl Source {
    /// Kafka's number for it.
    pub(crate) fn code(self) -> i8 {
        match self {
            Self::Topic => 1,
            Self::StaticBroker => 4,
            Self::Default => 5,
        }
    }
}

/// One setting with its present value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) value: String,
    pub(crate) source: Source,
}

/// Why a topic's setting is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidSetting {
    #[error("unknown topic config name: {name}")]
    Unknown { name: String },
    #[error("invalid value {value:?} for {name}")]
    Value { name: String, value: String },
}

/// Kafka's settings of topics and their defaults.
const TOPIC_SETTINGS: &[(&str, Kind, &str)] = &[
    ("cleanup.policy", Kind::List, "delete"),
    ("compression.gzip.level", Kind::Int, "-1"),
    ("compression.lz4.level", Kind::Int, "9"),
    ("compression.type", Kind::String, "producer"),
    ("compression.zstd.level", Kind::Int, "3"),
    ("delete.retention.ms", Kind::Long, "86400000"),
    ("file.delete.delay.ms", Kind::Long, "60000"),
    ("flush.messages", Kind::Long, "9223372036854775807"),
    ("flush.ms", Kind::Long, "9223372036854775807"),
    ("follower.replication.throttled.replicas", Kind::List, ""),
    ("index.interval.bytes", Kind::Int, "4096"),
    ("leader.replication.throttled.replicas", Kind::List, ""),
    ("local.retention.bytes", Kind::Long, "-2"),
    ("local.retention.ms", Kind::Long, "-2"),
    ("max.compaction.lag.ms", Kind::Long, "9223372036854775807"),
    (MAX_MESSAGE_BYTES, Kind::Int, "1048588"),
    ("message.timestamp.after.max.ms", Kind::Long, "3600000"),
    ("message.timestamp.before.max.ms", Kind::Long, "9223372036854775807"),
    ("message.timestamp.type", Kind::String, "CreateTime"),
    ("min.cleanable.dirty.ratio", Kind::Double, "0.5"),
    ("min.compaction.lag.ms", Kind::Long, "0"),
    ("min.insync.replicas", Kind::Int, "1"),
    ("preallocate", Kind::Boolean, "false"),
    ("remote.log.copy.disable", Kind::Boolean, "false"),
    ("remote.log.delete.on.disable", Kind::Boolean, "false"),
    ("remote.storage.enable", Kind::Boolean, "false"),
    ("retention.bytes", Kind::Long, "-1"),
    ("retention.ms", Kind::Long, "604800000"),
    (SEGMENT_BYTES, Kind::Int, "1073741824"),
    ("segment.index.bytes", Kind::Int, "10485760"),
    ("segment.jitter.ms", Kind::Long, "0"),
    ("segment.ms", Kind::Long, "604800000"),
    ("unclean.leader.election.enable", Kind::Boolean, "false"),
];

const MAX_MESSAGE_BYTES: &str = "max.message.bytes";
const SEGMENT_BYTES: &str = "segment.bytes";

/// Settings whose values come from a short list.
const CHOICES: &[(&str, &[&str])] = &[
    ("cleanup.policy", &["delete", "compact", "delete,compact", "compact,delete"]),
    ("compression.type", &["producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"]),
    ("message.timestamp.type", &["CreateTime", "LogAppendTime"]),
];

/// Whether a topic may have this setting.
///
/// # Errors
///
/// [`InvalidSetting`] for names that Kafka does not know and values of the wrong type.
pub(crate) fn check_topic(name: &str, value: &str) -> Result<(), InvalidSetting> {
    let known = TOPIC_SETTINGS.iter().find(|(known, _, _)| *known == name);
    let (_, kind, _) = known.ok_or_else(|| InvalidSetting::Unknown { name: name.to_owned() })?;
    let choices = CHOICES.iter().find(|(known, _)| *known == name).map(|(_, choices)| *choices);
    if kind.accepts(value) && choices.is_none_or(|choices| choices.contains(&value)) {
        return Ok(());
    }
    Err(InvalidSetting::Value { name: name.to_owned(), value: value.to_owned() })
}

/// All settings of a topic that was given some.
pub(crate) fn of_topic(context: &Context, given: &BTreeMap<String, String>) -> Vec<Setting> {
    let store = context.topics().config();
    TOPIC_SETTINGS
        .iter()
        .map(|&(name, kind, default)| {
            let of_store = match name {
                MAX_MESSAGE_BYTES => store.message_bytes_max.to_string(),
                SEGMENT_BYTES => store.segment_bytes.to_string(),
                _ => default.to_owned(),
            };
            match given.get(name) {
                Some(value) => Setting { name, kind, value: value.clone(), source: Source::Topic },
                None if of_store == default => {
                    Setting { name, kind, value: of_store, source: Source::Default }
                }
                None => Setting { name, kind, value: of_store, source: Source::StaticBroker },
            }
        })
        .collect()
}

/// The settings of this broker.
pub(crate) fn of_broker(context: &Context) -> Vec<Setting> {
    let config = context.config();
    let store = context.topics().config();
    let groups = &config.groups;
    let (host, port) = context.advertised();
    let minutes = groups.offsets_retention_ms / 60_000;
    let idle_ms = config.idle_timeout.as_millis();
    let mut settings = vec![
        of("advertised.listeners", Kind::List, format!("PLAINTEXT://{host}:{port}")),
        of("auto.create.topics.enable", Kind::Boolean, config.auto_create),
        of("broker.id", Kind::Int, config.node_id),
        of("connections.max.idle.ms", Kind::Long, idle_ms),
        of("default.replication.factor", Kind::Int, 1),
        of("delete.topic.enable", Kind::Boolean, true),
        of("fetch.max.bytes", Kind::Int, config.max_fetch_bytes),
        of("group.initial.rebalance.delay.ms", Kind::Int, groups.initial_rebalance_delay_ms),
        of("group.max.session.timeout.ms", Kind::Int, groups.max_session_timeout_ms),
        of("group.max.size", Kind::Int, groups.max_members),
        of("group.min.session.timeout.ms", Kind::Int, groups.min_session_timeout_ms),
        of("listeners", Kind::List, format!("PLAINTEXT://{}", context.client.local)),
        of("log.dirs", Kind::List, store.data_dir.display()),
        of("log.segment.bytes", Kind::Int, store.segment_bytes),
        of("max.connections", Kind::Int, config.max_connections),
        of("message.max.bytes", Kind::Int, store.message_bytes_max),
        of("min.insync.replicas", Kind::Int, 1),
        of("node.id", Kind::Int, config.node_id),
        of("num.partitions", Kind::Int, store.default_partitions),
        of("offset.metadata.max.bytes", Kind::Int, groups.max_offset_metadata_bytes),
        of("offsets.retention.minutes", Kind::Int, minutes),
        of("offsets.topic.num.partitions", Kind::Int, 1),
        of("offsets.topic.replication.factor", Kind::Int, 1),
        of("queued.max.request.bytes", Kind::Long, config.memory_bytes),
        of("socket.request.max.bytes", Kind::Int, config.max_frame_bytes),
    ];
    settings.sort_by_key(|setting| setting.name);
    settings
}

fn of(name: &'static str, kind: Kind, value: impl std::fmt::Display) -> Setting {
    Setting { name, kind, value: value.to_string(), source: Source::StaticBroker }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_of_its_type() {
        for (name, _, default) in TOPIC_SETTINGS {
            assert_eq!(check_topic(name, default), Ok(()), "{name}");
        }
    }

    #[test]
    fn unknown_names_and_wrong_values_are_refused() {
        assert_eq!(check_topic("retention.ms", "100"), Ok(()));
        assert!(matches!(check_topic("retention.ms", "soon"), Err(InvalidSetting::Value { .. })));
        assert!(matches!(check_topic("cleanup.policy", "shred"), Err(InvalidSetting::Value { .. })));
        let unknown = check_topic("retention.md", "1").unwrap_err();
        assert_eq!(unknown.to_string(), "unknown topic config name: retention.md");
    }
}

//! Settings as Kafka's tools ask for them: those of topics from the table of `topics`, and those of this broker.

use std::collections::BTreeMap;

use topics::{SettingKind as Kind, SettingSource};

use crate::context::Context;

/// One setting with its present value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) value: String,
    pub(crate) source: SettingSource,
}

/// Kafka's number for a type.
pub(crate) fn kind_code(kind: Kind) -> i8 {
    match kind {
        Kind::Boolean => 1,
        Kind::String => 2,
        Kind::Int => 3,
        Kind::Long => 5,
        Kind::Double => 6,
        Kind::List => 7,
    }
}

/// Kafka's number for where a value comes from.
pub(crate) fn source_code(source: SettingSource) -> i8 {
    match source {
        SettingSource::Topic => 1,
        SettingSource::DynamicDefault => 3,
        SettingSource::Static => 4,
        SettingSource::Default => 5,
    }
}

/// All settings of a topic that was given some.
pub(crate) fn of_topic(context: &Context, given: &BTreeMap<String, String>) -> Vec<Setting> {
    let settings = context.topics().settings(given).into_iter();
    let show = |setting: topics::Setting| Setting {
        name: setting.spec.name,
        kind: setting.spec.kind,
        value: setting.value,
        source: setting.source,
    };
    settings.map(show).collect()
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
        of("max.connections", Kind::Int, config.max_connections),
        of("node.id", Kind::Int, config.node_id),
        of("num.partitions", Kind::Int, store.default_partitions),
        of("offset.metadata.max.bytes", Kind::Int, groups.max_offset_metadata_bytes),
        of("offsets.retention.minutes", Kind::Int, minutes),
        of("offsets.topic.num.partitions", Kind::Int, 1),
        of("offsets.topic.replication.factor", Kind::Int, 1),
        of("queued.max.request.bytes", Kind::Long, config.memory_bytes),
        of("socket.request.max.bytes", Kind::Int, config.max_frame_bytes),
    ];
    settings.extend(context.topics().default_settings().into_iter().map(|setting| Setting {
        name: setting.spec.broker_name,
        kind: setting.spec.kind,
        value: setting.value,
        source: setting.source,
    }));
    settings.sort_by_key(|setting| setting.name);
    settings
}

fn of(name: &'static str, kind: Kind, value: impl std::fmt::Display) -> Setting {
    Setting { name, kind, value: value.to_string(), source: SettingSource::Static }
}

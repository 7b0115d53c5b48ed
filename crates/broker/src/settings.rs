//! Settings as Kafka's tools ask for them: those of topics from the table of `topics`, and those of this broker.

use std::collections::BTreeMap;

use topics::{SettingKind as Kind, SettingSource, SettingSpec};

use crate::context::Context;

/// One setting with its present value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) value: String,
    pub(crate) source: Source,
    /// Its line in the table of those that topics have or inherit; no other of the broker's can change while it runs.
    pub(crate) spec: Option<&'static SettingSpec>,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The topic has it.
    Topic,
    /// The group has it.
    Group,
    /// It was given to the running broker.
    DynamicDefault,
    /// The broker was started with it.
    Static,
    /// Nobody said anything: Kafka's default.
    Default,
}

impl From<SettingSource> for Source {
    fn from(source: SettingSource) -> Self {
        match source {
            SettingSource::Topic => Self::Topic,
            SettingSource::DynamicDefault => Self::DynamicDefault,
            SettingSource::Static => Self::Static,
            SettingSource::Default => Self::Default,
        }
    }
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
pub(crate) fn source_code(source: Source) -> i8 {
    match source {
        Source::Topic => 1,
        Source::DynamicDefault => 3,
        Source::Static => 4,
        Source::Default => 5,
        Source::Group => 8,
    }
}

/// All settings of a topic that was given some.
pub(crate) fn of_topic(context: &Context, given: &BTreeMap<String, String>) -> Vec<Setting> {
    let settings = context.topics().settings(given).into_iter();
    let show = |setting: topics::Setting| Setting {
        name: setting.spec.name,
        kind: setting.spec.kind,
        value: setting.value,
        source: setting.source.into(),
        spec: Some(setting.spec),
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
        of("group.consumer.assignors", Kind::List, assignors(groups)),
        of("group.consumer.heartbeat.interval.ms", Kind::Int, groups.consumer_heartbeat_interval_ms),
        of(
            "group.consumer.max.heartbeat.interval.ms",
            Kind::Int,
            groups.consumer_heartbeat_intervals_ms.end(),
        ),
        of("group.consumer.max.session.timeout.ms", Kind::Int, groups.consumer_session_timeouts_ms.end()),
        of("group.consumer.max.size", Kind::Int, groups.consumer_max_members),
        of("group.consumer.migration.policy", Kind::String, groups.migration_policy.name()),
        of(
            "group.consumer.min.heartbeat.interval.ms",
            Kind::Int,
            groups.consumer_heartbeat_intervals_ms.start(),
        ),
        of("group.consumer.min.session.timeout.ms", Kind::Int, groups.consumer_session_timeouts_ms.start()),
        of("group.consumer.session.timeout.ms", Kind::Int, groups.consumer_session_timeout_ms),
        of("group.coordinator.rebalance.protocols", Kind::List, "classic,consumer"),
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
        of("transaction.max.timeout.ms", Kind::Int, config.transactions.max_timeout_ms),
        of("transaction.state.log.min.isr", Kind::Int, 1),
        of("transaction.state.log.num.partitions", Kind::Int, 1),
        of("transaction.state.log.replication.factor", Kind::Int, 1),
        of("transactional.id.expiration.ms", Kind::Int, config.transactions.id_expiration_ms),
    ];
    settings.extend(retention_hours(context));
    settings.extend(context.topics().default_settings().into_iter().map(|setting| Setting {
        name: setting.spec.broker_name,
        kind: setting.spec.kind,
        value: setting.value,
        source: setting.source.into(),
        spec: Some(setting.spec),
    }));
    settings.sort_by_key(|setting| setting.name);
    settings
}

/// The default retention under the name that most programs ask for; not shown where it never ends.
fn retention_hours(context: &Context) -> Option<Setting> {
    const HOUR_MS: i64 = 3_600_000;
    let defaults = context.topics().default_settings();
    let retention = defaults.into_iter().find(|setting| setting.spec.broker_name == "log.retention.ms")?;
    let hours = retention.value.parse::<i64>().ok().filter(|ms| *ms >= 0)? / HOUR_MS;
    let name = "log.retention.hours";
    Some(Setting {
        name,
        kind: Kind::Int,
        value: hours.to_string(),
        source: retention.source.into(),
        spec: None,
    })
}

/// What was changed for all brokers while they run.
pub(crate) fn of_all_brokers(context: &Context) -> Vec<Setting> {
    let changed = |setting: &Setting| setting.source == Source::DynamicDefault;
    of_broker(context).into_iter().filter(changed).collect()
}

fn of(name: &'static str, kind: Kind, value: impl std::fmt::Display) -> Setting {
    Setting { name, kind, value: value.to_string(), source: Source::Static, spec: None }
}

fn assignors(groups: &groups::Config) -> String {
    groups.consumer_assignors.iter().map(|assignor| assignor.name()).collect::<Vec<_>>().join(",")
}

/// The settings of a group; those that were set for it count as dynamic.
pub(crate) fn of_group(context: &Context, settings: groups::GroupSettings) -> Vec<Setting> {
    let described = settings.describe(&context.config().groups).into_iter();
    described
        .map(|(name, value, is_set)| Setting {
            name,
            kind: Kind::Int,
            value: value.to_string(),
            source: if is_set { Source::Group } else { Source::Default },
            spec: None,
        })
        .collect()
}

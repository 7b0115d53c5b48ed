//! `[broker]`: Kafka's own settings under Kafka's names.
//!
//! Those of the broker are fields; those that topics inherit are passed on as they are, and the table of the
//! topics' room says which there are and what they may be.

use std::collections::BTreeMap;

use broker::MigrationPolicy;
use serde::{Deserialize, Serialize};

use crate::nearest;

/// Names that count hours or minutes of what topics have in milliseconds.
const LONG_UNITS: [&str; 4] =
    ["log.retention.hours", "log.retention.minutes", "log.roll.hours", "log.roll.jitter.hours"];

macro_rules! settings {
    ($($(#[$doc:meta])* $field:ident: $type:ty = $default:expr, $name:literal;)*) => {
        /// The subset of Kafka's broker settings that is served, under Kafka's names.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, try_from = "Read")]
        pub struct BrokerSettings {
            $($(#[$doc])* #[serde(rename = $name)] pub $field: $type,)*
            /// Defaults of topics' settings, such as `log.retention.hours` or `log.cleanup.policy`.
            #[serde(flatten)]
            pub topic_defaults: BTreeMap<String, String>,
        }

        /// The table as it stands in the file: what is no field is not looked at yet.
        #[derive(Deserialize)]
        #[serde(default)]
        struct Read {
            $(#[serde(rename = $name)] $field: $type,)*
            #[serde(flatten)]
            others: BTreeMap<String, Plain>,
        }

        impl Default for Read {
            fn default() -> Self {
                Self { $($field: $default,)* others: BTreeMap::new() }
            }
        }

        impl Default for BrokerSettings {
            fn default() -> Self {
                Self { $($field: $default,)* topic_defaults: BTreeMap::new() }
            }
        }

        impl TryFrom<Read> for BrokerSettings {
            type Error = String;

            fn try_from(read: Read) -> Result<Self, String> {
                Ok(Self { $($field: read.$field,)* topic_defaults: inherited(read.others)? })
            }
        }

        /// The names of the fields.
        const FIELDS: &[&str] = &[$($name),*];
    };
}

settings! {
    /// Create a topic when a client asks for one that does not exist.
    auto_create_topics_enable: bool = true, "auto.create.topics.enable";
    /// Partitions of a topic that is created without saying how many.
    num_partitions: u32 = 1, "num.partitions";
    /// Size at which a partition starts a new segment, in bytes.
    log_segment_bytes: u64 = 1 << 30, "log.segment.bytes";
    /// Largest record batch that is accepted, in bytes.
    message_max_bytes: u32 = 1_048_588, "message.max.bytes";
    /// Largest request that is read, in bytes.
    socket_request_max_bytes: u32 = 100 << 20, "socket.request.max.bytes";
    /// Bytes of requests that wait or are answered, all connections together.
    queued_max_request_bytes: u64 = 256 << 20, "queued.max.request.bytes";
    /// Most bytes that one fetch returns.
    fetch_max_bytes: u32 = 55 << 20, "fetch.max.bytes";
    /// Connections at a time.
    max_connections: u32 = 1_000, "max.connections";
    /// A connection that says nothing for so many milliseconds is closed.
    connections_max_idle_ms: u64 = 600_000, "connections.max.idle.ms";
    /// The address clients are told, when it is not the one they connected to.
    advertised_listeners: Option<HostPort> = None, "advertised.listeners";
    /// The number of this broker.
    node_id: i32 = 0, "node.id";
    /// How long an empty group keeps its offsets, in minutes.
    offsets_retention_minutes: u32 = 7 * 24 * 60, "offsets.retention.minutes";
    /// Most bytes of the text that a consumer keeps beside an offset.
    offset_metadata_max_bytes: u32 = 4_096, "offset.metadata.max.bytes";
    /// How long the first generation of a group waits for more members, in milliseconds.
    group_initial_rebalance_delay_ms: i32 = 0, "group.initial.rebalance.delay.ms";
    /// Shortest session timeout that a member may ask for, in milliseconds.
    group_min_session_timeout_ms: i32 = 6_000, "group.min.session.timeout.ms";
    /// Longest session timeout that a member may ask for, in milliseconds.
    group_max_session_timeout_ms: i32 = 1_800_000, "group.max.session.timeout.ms";
    /// Members of one group.
    group_max_size: u32 = 1_000, "group.max.size";
    /// Whether a group goes from one protocol to the other while it has members.
    group_consumer_migration_policy: GroupMigration = GroupMigration(MigrationPolicy::Bidirectional),
        "group.consumer.migration.policy";
    /// The longest that a transaction may ask to stay open, in milliseconds.
    transaction_max_timeout_ms: i32 = 900_000, "transaction.max.timeout.ms";
}

/// A value without structure, as the text that Kafka would read.
struct Plain(String);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => Ok(Self(text)),
            toml::Value::Integer(number) => Ok(Self(number.to_string())),
            toml::Value::Float(number) => Ok(Self(number.to_string())),
            toml::Value::Boolean(yes) => Ok(Self(yes.to_string())),
            _ => Err(serde::de::Error::custom(
                "a Kafka setting is text, a number, true or false; put its name in quotes: 'log.retention.ms' = 1",
            )),
        }
    }
}

fn inherited(others: BTreeMap<String, Plain>) -> Result<BTreeMap<String, String>, String> {
    let passed_on = topics::TOPIC_SETTINGS.iter().chain(topics::BROKER_SETTINGS);
    let names: Vec<&str> = passed_on.map(|spec| spec.broker_name).chain(LONG_UNITS).collect();
    let mut found = BTreeMap::new();
    for (name, Plain(value)) in others {
        if !names.contains(&name.as_str()) {
            let all = names.iter().chain(FIELDS).copied();
            return Err(match nearest(&name, all) {
                Some(near) => format!("unknown setting {name} in [broker]; did you mean {near}?"),
                None => {
                    format!("unknown setting {name} in [broker]; docs/operations.md lists those there are")
                }
            });
        }
        found.insert(name, value);
    }
    Ok(found)
}

/// `HOST:PORT`, not resolved: what clients are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostPort {
    /// The name or address.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl TryFrom<String> for HostPort {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // Kafka writes a listener's protocol before it; there is only one here.
        let bare = text.strip_prefix("PLAINTEXT://").unwrap_or(&text);
        let split = bare.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let (host, port) = split.ok_or_else(|| format!("{text} is not HOST:PORT"))?;
        Ok(Self { host: host.to_owned(), port })
    }
}

impl From<HostPort> for String {
    fn from(to: HostPort) -> Self {
        format!("{}:{}", to.host, to.port)
    }
}

/// `group.consumer.migration.policy`, by Kafka's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GroupMigration(pub MigrationPolicy);

impl TryFrom<String> for GroupMigration {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let policy = MigrationPolicy::from_name(&text);
        policy.map(Self).ok_or_else(|| {
            format!(
                "group.consumer.migration.policy is disabled, upgrade, downgrade or bidirectional, not {text}"
            )
        })
    }
}

impl From<GroupMigration> for String {
    fn from(policy: GroupMigration) -> Self {
        policy.0.name().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<BrokerSettings, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn settings_of_topics_are_passed_on() {
        let text = "'num.partitions' = 3\n'log.retention.hours' = 24\n'log.cleanup.policy' = 'compact'\n";
        let settings = parse(text).unwrap();
        assert_eq!(settings.num_partitions, 3);
        let wanted = [("log.cleanup.policy", "compact"), ("log.retention.hours", "24")];
        let wanted = wanted.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(settings.topic_defaults, BTreeMap::from(wanted));
        assert_eq!(parse(&toml::to_string(&settings).unwrap()).unwrap(), settings);
    }

    #[test]
    fn an_unknown_setting_is_named_with_the_one_that_is_like_it() {
        for (text, wanted) in [
            ("'num.partition' = 3", "did you mean num.partitions?"),
            ("'log.retention.hour' = 3", "did you mean log.retention.hours?"),
            ("'zookeeper.connect' = 'a'", "unknown setting zookeeper.connect"),
            ("log.retention.ms = 3", "in quotes"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(wanted), "{error}");
        }
    }

    #[test]
    fn advertised_listeners_are_taken_as_kafka_writes_them() {
        let parse = |text: &str| HostPort::try_from(text.to_owned());
        let wanted = HostPort { host: "host".to_owned(), port: 9092 };
        assert_eq!(parse("PLAINTEXT://host:9092"), Ok(wanted.clone()));
        assert_eq!(parse("host:9092"), Ok(wanted));
        assert!(parse("host").is_err() && parse("host:port").is_err());
    }
}

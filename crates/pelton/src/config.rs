//! What a server is told: `pelton.toml`, then `PELTON_*` variables, then flags; the later wins.
//!
//! The variables and flags are the command line's (`clap` reads both); this file holds what they end in.
//! Kafka's settings keep Kafka's names. An unknown key is an error.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Everything a server needs to start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Where topics, queries and models live.
    pub data_dir: PathBuf,
    /// Address of the Kafka door, `HOST:PORT` or `off`.
    pub kafka: Door,
    /// Address of the HTTP door, `HOST:PORT` or `off`.
    pub http: Door,
    /// Whether a door may listen beyond loopback. No door asks who is there yet.
    pub listen_beyond_loopback: bool,
    /// Kafka's own settings.
    pub broker: BrokerSettings,
    /// Which topics the page's gallery shows, if any.
    pub gallery: Option<dashboard::Gallery>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("pelton-data"),
            kafka: Door::At("127.0.0.1:9092".to_owned()),
            http: Door::At("127.0.0.1:8080".to_owned()),
            listen_beyond_loopback: false,
            broker: BrokerSettings::default(),
            gallery: None,
        }
    }
}

impl Config {
    /// Reads `path`.
    ///
    /// # Errors
    /// When the file cannot be read, is not TOML, or holds an unknown key or a wrong value.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        toml::from_str(&text).map_err(|source| ConfigError::Parse { path: path.to_owned(), source })
    }
}

/// The subset of Kafka's broker settings that is served, under Kafka's names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BrokerSettings {
    /// Create a topic when a client asks for one that does not exist.
    #[serde(rename = "auto.create.topics.enable")]
    pub auto_create_topics_enable: bool,
    /// Partitions of a topic that is created without saying how many.
    #[serde(rename = "num.partitions")]
    pub num_partitions: u32,
    /// Size at which a partition starts a new segment, in bytes.
    #[serde(rename = "log.segment.bytes")]
    pub log_segment_bytes: u64,
    /// Largest record batch that is accepted, in bytes.
    #[serde(rename = "message.max.bytes")]
    pub message_max_bytes: u32,
    /// Largest request that is read, in bytes.
    #[serde(rename = "socket.request.max.bytes")]
    pub socket_request_max_bytes: u32,
    /// The address clients are told, when it is not the one they connected to.
    #[serde(rename = "advertised.listeners")]
    pub advertised_listeners: Option<HostPort>,
}

impl Default for BrokerSettings {
    fn default() -> Self {
        Self {
            auto_create_topics_enable: true,
            num_partitions: 1,
            log_segment_bytes: 1 << 30,
            message_max_bytes: 1_048_588,
            socket_request_max_bytes: 100 << 20,
            advertised_listeners: None,
        }
    }
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

/// One door: where it listens, or that it stays shut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Door {
    /// Listens at `HOST:PORT`; port 0 picks a free one.
    At(String),
    /// Stays shut.
    Off,
}

impl From<String> for Door {
    fn from(text: String) -> Self {
        if text.eq_ignore_ascii_case("off") { Self::Off } else { Self::At(text) }
    }
}

impl From<Door> for String {
    fn from(door: Door) -> Self {
        match door {
            Door::At(addr) => addr,
            Door::Off => "off".to_owned(),
        }
    }
}

/// Why a configuration file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("read configuration {path}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The text is not a configuration.
    #[error("parse configuration {path}", path = path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: toml::de::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kafka_settings_keep_their_names() {
        let config: Config = toml::from_str(
            "data-dir = '/d'\nkafka = 'off'\n[broker]\n'num.partitions' = 3\n'message.max.bytes' = 10\n",
        )
        .unwrap();
        assert_eq!(config.kafka, Door::Off);
        assert_eq!(config.broker.num_partitions, 3);
        assert_eq!(config.broker.message_max_bytes, 10);
        assert_eq!(config.http, Config::default().http);
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        for text in ["dtaa-dir = '/d'", "[broker]\n'num.partition' = 3"] {
            let error = toml::from_str::<Config>(text).unwrap_err().to_string();
            assert!(error.contains("unknown field"), "{error}");
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

    #[test]
    fn what_is_printed_can_be_read_back() {
        let config = Config { kafka: Door::Off, ..Config::default() };
        assert_eq!(toml::from_str::<Config>(&toml::to_string(&config).unwrap()).unwrap(), config);
    }
}

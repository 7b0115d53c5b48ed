//! What a server is told: `pelton.toml`, then `PELTON_*` variables, then flags; the later wins.
//!
//! The variables and flags are the command line's (`clap` reads both); this file holds what they end in.
//! Kafka's settings keep Kafka's names. An unknown key is an error.

mod broker;
mod engine;
mod storage;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use self::engine::EngineSettings;
pub use broker::{BrokerSettings, GroupMigration, HostPort};
pub use storage::StorageSettings;

use crate::nearest;

/// The keys of the file.
const KEYS: [&str; 9] = [
    "data-dir",
    "kafka",
    "connect",
    "http",
    "listen-beyond-loopback",
    "broker",
    "engine",
    "storage",
    "gallery",
];

/// Everything a server needs to start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Where topics, queries and models live.
    pub data_dir: PathBuf,
    /// Address of the Kafka door, `HOST:PORT` or `off`.
    pub kafka: Door,
    /// Address of the Spark Connect door, `HOST:PORT` or `off`.
    pub connect: Door,
    /// Address of the HTTP door, `HOST:PORT` or `off`.
    pub http: Door,
    /// Whether a door may listen beyond loopback. No door asks who is there yet.
    pub listen_beyond_loopback: bool,
    /// Kafka's own settings.
    pub broker: BrokerSettings,
    /// How much the queries may take.
    pub engine: EngineSettings,
    /// How object stores are reached.
    pub storage: StorageSettings,
    /// Which topics the page's gallery shows, if any.
    pub gallery: Option<dashboard::Gallery>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("pelton-data"),
            kafka: Door::At("127.0.0.1:9092".to_owned()),
            connect: Door::At("127.0.0.1:15002".to_owned()),
            http: Door::At("127.0.0.1:8080".to_owned()),
            listen_beyond_loopback: false,
            broker: BrokerSettings::default(),
            engine: EngineSettings::default(),
            storage: StorageSettings::default(),
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
        let failed = |source| ConfigError::Parse { path: path.to_owned(), source };
        let table: toml::Table = toml::from_str(&text).map_err(failed)?;
        if let Some(key) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
            // A Kafka setting outside of its table is the usual mistake.
            let near = nearest(key, KEYS.into_iter()).map(str::to_owned);
            return Err(ConfigError::Unknown { path: path.to_owned(), key: key.clone(), near: near.into() });
        }
        toml::from_str(&text).map_err(failed)
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
    /// A key that nobody reads.
    #[error("configuration {path}: unknown key {key}{near}", path = path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// What was meant, perhaps.
        near: Near,
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

/// The key that was meant, perhaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Near(Option<String>);

impl From<Option<String>> for Near {
    fn from(near: Option<String>) -> Self {
        Self(near)
    }
}

impl std::fmt::Display for Near {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Some(near) => write!(f, "; did you mean {near}?"),
            None => write!(f, "; Kafka's settings stand in [broker], their names in quotes"),
        }
    }
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
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pelton.toml");
        for (text, wanted) in [
            ("dtaa-dir = '/d'", "unknown key dtaa-dir; did you mean data-dir?"),
            ("'num.partitions' = 3", "unknown key num.partitions; Kafka's settings stand in [broker]"),
            ("[broker]\n'num.partition' = 3", "did you mean num.partitions?"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = Config::read(&path).unwrap_err();
            let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            let said = format!("{error} {source}");
            assert!(said.contains(wanted), "{said}");
        }
    }

    #[test]
    fn what_is_printed_can_be_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pelton.toml");
        let config = Config { kafka: Door::Off, ..Config::default() };
        std::fs::write(&path, toml::to_string(&config).unwrap()).unwrap();
        assert_eq!(Config::read(&path).unwrap(), config);
    }
}

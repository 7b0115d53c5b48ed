//! Pelton in a Rust process: streams, micro-batches, online learning and a live page.
//!
//! [`Server`] wires the rooms of the house together and opens the doors that are wanted. The binary
//! `pelton` is a command line around it; a test or another program can embed the same thing:
//!
//! ```no_run
//! # async fn example() -> Result<(), pelton::StartError> {
//! let server = pelton::Server::builder().in_memory().kafka("127.0.0.1:0").start().await?;
//! let kafka = server.ready().kafka.expect("the Kafka door was asked for");
//! // Point any Kafka client at `kafka`.
//! server.stop().await;
//! # Ok(()) }
//! ```
//!
//! How to read it: `config` is what a server is told, `server` wires the rooms and takes them down again;
//! `record_format` is how `pelton consume` prints. The binary beside it has one module per command under `commands/`, and the demo with its audit under `demo/`.
//!
//! This crate decides nothing about streams, queries or models: it reads configuration, wires, and shuts
//! down from the doors inward.

mod config;
mod nearest;
mod record_format;
mod server;

pub use config::{
    BrokerSettings, Config, ConfigError, Door, EngineSettings, GroupMigration, HostPort, Near,
    StorageSettings,
};
pub use nearest::nearest;
pub use record_format::{FormatError, FormattedRecord, RecordFormat, Text, unescape};
pub use server::{Ready, Server, ServerBuilder, StartError};

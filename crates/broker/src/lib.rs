//! The Kafka door: Kafka's wire protocol over TCP, in front of the embedded log.
//!
//! [`Broker::bind`] opens it, [`Broker::run`] serves until it is told to stop. A request takes one way: `listener`
//! → `connection` (frames, ordered replies) → `dispatch` (the table of APIs) → `api/<name>` (one file per API)
//! → `topics` or `coordinator`, and its answer comes straight back.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use broker::{Broker, Config};
//! use tokio::sync::watch;
//!
//! let dir = tempfile::tempdir()?;
//! let env = env::Env::real();
//! let (topics, _) = topics::Topics::open(topics::Config::new(dir.path()), env.clone())?;
//! let config = Config { addr: ([127, 0, 0, 1], 0).into(), ..Config::default() };
//! let broker = Broker::bind(config, topics.clone(), env).await?;
//! println!("kafka clients connect to {}", broker.local_addr());
//!
//! let (stop, stopped) = watch::channel(false);
//! let running = tokio::spawn(broker.run(stopped));
//! stop.send_replace(true);
//! running.await?;
//! topics.close()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Limits
//!
//! Every limit stands in [`Config`]: connections, the size of a frame, the bytes that all connections hold
//! together, pipelined requests, time-outs for clients that stall. A frame that cannot be read costs its sender the
//! connection and nobody else anything.
//!
//! # What it deliberately does not know
//!
//! It knows no record: batches pass through as bytes, except where an old client needs an old format. It knows no
//! file: `topics` keeps everything, the coordinators' events included. It does not know of other brokers: it leads every
//! partition, and is the controller and the coordinator of every group and transaction. Authentication and TLS are not
//! here yet; their places are `listener` and `dispatch::authorise`.

mod alteration;
mod api;
mod broker;
mod cluster_id;
mod config;
mod connection;
mod context;
mod coordinator;
mod dispatch;
mod error_code;
mod journal;
mod listener;
mod long_poll;
mod mailbox;
mod memory;
mod settings;
mod steady_time;
mod transactions;

pub use broker::{BindError, Broker};
pub use config::{Config, Exposure};
pub use groups::MigrationPolicy;
pub use journal::JournalError;

//! Micro-batch queries over the embedded log: plan, run, remember, learn.
//!
//! A streaming table names a topic; a query reads one, batch by batch, and fills another; a model is a
//! query that learns. Every batch pins its input before it starts and commits offsets, state and model
//! together after its output is durable, so that a crash repeats a batch without repeating its effects.
//!
//! ```
//! use engine::{Config, Engine};
//! use topics::Topics;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let dir = tempfile::tempdir()?;
//! let (topics, _) = Topics::open(topics::Config::new(dir.path()), env::Env::real())?;
//! let engine = Engine::open(Config::new(dir.path()), topics.clone(), env::Env::real())?;
//! engine
//!     .execute(
//!         "CREATE STREAMING TABLE points (x DOUBLE, y DOUBLE) USING kafka OPTIONS (topic 'points');
//!          CREATE MODEL segments OPTIONS (algorithm 'streaming_kmeans', k 2, dim 2)
//!            AS SELECT array(x, y) AS features FROM STREAM points;
//!          CREATE STREAMING TABLE placed USING kafka OPTIONS (topic 'placed')
//!            AS SELECT x, y, predict('segments', array(x, y)) AS segment FROM STREAM points;",
//!     )
//!     .await?;
//! assert_eq!(engine.queries().len(), 2);
//! engine.close().await;
//! topics.close()?;
//! # Ok(())
//! # }
//! ```
//!
//! # How to read it
//!
//! `session` keeps the catalog and starts queries; `language` reads Spark's SQL as text; `sql` tells statements apart; `plan` compiles a query
//! once; `functions` are Spark's, and its syntax in the planner's words; `query::driver` is the loop that runs it and says in which order things happen; `source` and `sink`
//! are its two ends; `operator` is what happens between them: functions that ask models and networks,
//! learning, and aggregation over `state`; `plan::pipeline` takes a plan apart into steps that run with every
//! batch, `plan::event_time` knows windows and watermarks; `models` holds the versions of what was learnt. What lies on disk
//! is described in `docs/formats/checkpoint.md`, the language in `docs/sql.md`.
//!
//! # Limits
//!
//! The best so many of a key without an end (`row_number` partitioned by no window) are not kept. A table that is joined with streams is held in
//! memory, and a batch costs in proportion to its rows. State is held in memory, up to
//! [`Config::state_bytes_max`] for each operator.
//!
//! # What it does not know
//!
//! Kafka's wire protocol, HTTP, or any other door: it reads and writes the log through `topics`, in process, and other
//! clusters through librdkafka (`outside`).
//! How a model learns: `ml` knows. Its public interface names no type of Arrow or DataFusion but in `dataframe`,
//! `language` and `streaming`, for the one door that plans by itself.

mod answer;
mod config;
pub mod dataframe;
mod embed;
mod error;
pub mod files;
mod functions;
mod instant;
pub mod language;
mod models;
mod operator;
mod outside;
mod plan;
mod query;
mod session;
pub mod show;
mod sink;
mod source;
mod sql;
mod state;
mod status;
pub mod storage;
pub mod streaming;

pub use answer::{Answer, Column};
pub use config::Config;
pub use error::{ErrorKind, OpenError, Position, SqlError};
pub use models::serve::{Detail, Predicted, PredictedRow};
pub use operator::aggregate::measure::{AggregationFigures, AggregationSetting, measure_aggregation};
pub use query::report::QueryProgress;
pub use session::Engine;
pub use session::databases::{DEFAULT as DEFAULT_DATABASE, Database, TableNote};
pub use sink::console::Console;
pub use status::{
    DeadLetter, DeadLetters, ModelStatus, ModelVersion, Offsets, Percentiles, QueryKind, QueryState,
    QueryStatus, SourceOffset,
};

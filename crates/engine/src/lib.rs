//! Micro-batch queries over the embedded log: plan, run, remember, learn.
//!
//! A streaming table names a topic; a query reads one, batch by batch, and fills another; a model is a
//! query that learns. Every batch pins its input before it starts and commits offsets, state and model
//! together after its output is durable, so that a crash repeats a batch without repeating its effects.

mod answer;
mod config;
mod embed;
mod error;
mod models;
mod operator;
mod plan;
mod query;
mod session;
mod sink;
mod source;
mod sql;
mod state;
mod status;

pub use answer::{Answer, Column};
pub use config::Config;
pub use error::{ErrorKind, OpenError, Position, SqlError};
pub use operator::aggregate::measure::{AggregationFigures, AggregationSetting, measure_aggregation};
pub use session::Engine;
pub use status::{
    DeadLetter, DeadLetters, ModelStatus, ModelVersion, Offsets, Percentiles, QueryKind, QueryState,
    QueryStatus, SourceOffset,
};

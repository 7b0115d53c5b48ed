//! Streaming queries: what a client's words mean, and which queries a session has.
//!
//! Frames over streams are planned as any other ([`crate::plan`]); here is what only streams have.

mod check;
mod event;
mod limit;
mod model;
mod queries;
mod read;
mod write;

pub(crate) use check::{check, not_streaming};
pub(crate) use event::{progress, started};
pub(crate) use limit::counted;
pub(crate) use model::learned;
pub(crate) use queries::{Event, Query, Streams};
pub(crate) use read::Kafka;
pub(crate) use write::{NewTable, Wanted, writing};

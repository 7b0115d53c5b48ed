//! The Kafka door, from outside: one blocking connection, and a producer and a consumer on it.
//!
//! Versions are fixed to ones that Pelton and Apache Kafka both serve.

mod connection;
mod consumer;
mod producer;

pub(crate) use connection::{Client, KafkaAddress};
pub(crate) use consumer::Consumer;
pub(crate) use producer::{Outgoing, Producer};

//! The Kafka door, from outside: blocking connections to any Kafka, Pelton's or Apache's.
//!
//! How to read it: `connection` is one socket, `call` which versions are spoken on it, `cluster` the brokers behind
//! an address. On a cluster: `admin` changes topics, `offsets` finds places in them, `groups` is everything about
//! groups, `sender` writes, `fetcher` reads, `member` joins a group. `producer` and `consumer` are the demo's.

mod address;
pub(crate) mod admin;
mod call;
pub(crate) mod cluster;
mod connection;
mod consumer;
pub(crate) mod fetcher;
pub(crate) mod groups;
pub(crate) mod member;
pub(crate) mod offsets;
mod producer;
pub(crate) mod refusal;
pub(crate) mod sender;
mod subscription;

pub(crate) use address::KafkaAddress;
pub(crate) use cluster::Cluster;
pub(crate) use consumer::Consumer;
pub(crate) use producer::{Outgoing, Producer};

//! What the Kafka door can be told, under Kafka's names where it has one.

use std::net::SocketAddr;
use std::time::Duration;

/// What the Kafka door can be told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 picks a free one.
    pub addr: SocketAddr,
    /// `advertised.listeners`: the address that clients are told. Without it they are told the one that they
    /// connected to, which is right unless something translates addresses in between.
    pub advertised: Option<(String, u16)>,
    /// Nobody is asked for a password yet, so listening beyond this machine must be asked for.
    pub exposure: Exposure,
    /// `node.id`.
    pub node_id: i32,
    /// `auto.create.topics.enable`.
    pub auto_create: bool,
    /// `max.connections`.
    pub max_connections: usize,
    /// `socket.request.max.bytes`: the largest request.
    pub max_frame_bytes: usize,
    /// `queued.max.request.bytes`: bytes of requests and fetched records that all connections together may
    /// hold. Frames below 64 KiB are not counted, so that heartbeats pass when large ones queue.
    pub memory_bytes: usize,
    /// Requests that one connection may have unanswered; the next is not read before an answer has left.
    pub max_pipelined: usize,
    /// How long a client may take over the rest of a frame it began, or stay without reading its replies.
    pub stall_timeout: Duration,
    /// `connections.max.idle.ms`.
    pub idle_timeout: Duration,
    /// How long a shutdown waits for requests that are being answered.
    pub shutdown_grace: Duration,
    /// `fetch.max.bytes`: the most that one fetch returns, whatever it asks for.
    pub max_fetch_bytes: usize,
    /// `message.max.bytes`, after decompression times this factor at most: old message sets are unpacked to be
    /// converted, and must not unpack without end.
    pub max_uncompressed_bytes: usize,
    /// Limits of consumer groups.
    pub groups: groups::Config,
    /// Limits of transactions.
    pub transactions: groups::transactions::Config,
}

/// Who may reach the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// Only programs on this machine.
    Loopback,
    /// Whoever the network lets through.
    Network,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from(([127, 0, 0, 1], 9092)),
            advertised: None,
            exposure: Exposure::Loopback,
            node_id: 0,
            auto_create: true,
            max_connections: 1_000,
            max_frame_bytes: 100 << 20,
            memory_bytes: 256 << 20,
            max_pipelined: 64,
            stall_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(600),
            shutdown_grace: Duration::from_secs(5),
            max_fetch_bytes: 55 << 20,
            max_uncompressed_bytes: 64 << 20,
            groups: groups::Config::default(),
            transactions: groups::transactions::Config::default(),
        }
    }
}

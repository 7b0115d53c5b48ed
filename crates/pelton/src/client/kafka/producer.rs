//! The demo's producer: what is acknowledged is stored once, also across a restart of the broker.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use record::Compression;

use super::address::KafkaAddress;
use super::cluster::Cluster;
use super::sender::{Message, Sender, SenderOptions};
use crate::stop::Stop;

/// Long enough for a broker to come back.
const PATIENCE: Duration = Duration::from_secs(30);
const BATCH_BYTES: usize = 256 << 10;

/// A record to send.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    /// When it was made, in unix milliseconds.
    pub(crate) timestamp: i64,
    /// What decides its partition, if anything does.
    pub(crate) key: Option<Bytes>,
    /// What it says.
    pub(crate) value: Bytes,
}

/// Sends to one topic, a list at a time.
pub(crate) struct Producer {
    sender: Sender,
    topic: String,
}

impl Producer {
    /// Connects and gets a producer id.
    pub(crate) fn connect(addr: SocketAddr, topic: &str, stop: Stop) -> anyhow::Result<Self> {
        let mut cluster = Cluster::stoppable(&KafkaAddress::of(addr), stop.clone())?;
        let found = cluster.topic_or_new(topic)?;
        let options = SenderOptions {
            acks: -1,
            compression: Compression::None,
            idempotent: true,
            transactional_id: None,
            batch_bytes: BATCH_BYTES,
            patience: PATIENCE,
        };
        Ok(Self { sender: Sender::new(cluster, found, options, stop)?, topic: topic.to_owned() })
    }

    /// Sends and returns when the disk has it. Tries again while the broker is away.
    pub(crate) fn send(&mut self, records: &[Outgoing]) -> anyhow::Result<()> {
        let sent = records.iter().try_for_each(|record| {
            self.sender.push(&Message {
                timestamp: record.timestamp,
                key: record.key.as_deref(),
                value: Some(&record.value),
                ..Message::default()
            })
        });
        sent.and_then(|()| self.sender.flush()).with_context(|| format!("produce to {}", self.topic))
    }
}

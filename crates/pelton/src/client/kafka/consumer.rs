//! The demo's consumer: all partitions of a topic from their first record on, without a group.

use std::net::SocketAddr;

use anyhow::Context;
use record::Record;

use super::address::KafkaAddress;
use super::cluster::Cluster;
use super::fetcher::{Fetcher, Span};
use super::offsets::{At, Isolation};
use crate::stop::Stop;

/// Reads a topic from its start on.
pub(crate) struct Consumer {
    cluster: Cluster,
    fetcher: Fetcher,
    topic: String,
}

impl Consumer {
    /// Reads from the first record that is there.
    pub(crate) fn from_start(addr: SocketAddr, topic: &str) -> anyhow::Result<Self> {
        let mut cluster = Cluster::at(&KafkaAddress::of(addr))?;
        let found = cluster.topic_or_new(topic)?;
        let topics = std::slice::from_ref(&found);
        let starts = cluster.offsets(topics, |_, _| Some(At::Earliest), Isolation::default())?;
        let mut fetcher = Fetcher::new(topics, Isolation::default(), Stop::default());
        let span = |(place, from)| (place, Span { from, until: None });
        fetcher.assign(starts.into_iter().map(span).collect());
        Ok(Self { cluster, fetcher, topic: topic.to_owned() })
    }

    /// The next records. Waits up to `max_wait_ms` for the first; with 0, reads to the end that there is now.
    pub(crate) fn poll(&mut self, max_wait_ms: i32) -> anyhow::Result<Vec<Record>> {
        let mut records = Vec::new();
        loop {
            let chunks = self.fetcher.poll(&mut self.cluster, max_wait_ms);
            let chunks = chunks.with_context(|| format!("read topic {}", self.topic))?;
            let at_end = chunks.is_empty();
            records.extend(chunks.into_iter().flat_map(|chunk| chunk.records));
            if max_wait_ms > 0 || at_end {
                return Ok(records);
            }
        }
    }
}

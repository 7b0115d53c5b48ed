//! A consumer of all partitions of a topic, without a group.

use std::net::SocketAddr;

use anyhow::Context;
use protocol::messages::fetch::{FetchPartition, FetchTopic};
use protocol::messages::{FetchRequest, FetchResponse};
use record::Record;

use super::connection::{Client, check};

const FETCH_BYTES_MAX: i32 = 8 << 20;
/// Records of one batch take at most this much when unpacked.
const UNPACKED_BYTES_MAX: usize = 64 << 20;

/// Reads a topic from a place on.
pub(crate) struct Consumer {
    addr: SocketAddr,
    client: Option<Client>,
    topic: String,
    /// The next offset per partition.
    offsets: Vec<i64>,
}

impl Consumer {
    /// Reads from the first record that is there.
    pub(crate) fn from_start(addr: SocketAddr, topic: &str) -> anyhow::Result<Self> {
        Self::new(addr, topic, |client, partition| client.start_offset(topic, partition))
    }

    /// Reads what comes from now on.
    pub(crate) fn from_end(addr: SocketAddr, topic: &str) -> anyhow::Result<Self> {
        Self::new(addr, topic, |client, partition| client.end_offset(topic, partition))
    }

    /// Reads every partition from `offset` on.
    pub(crate) fn from_offset(addr: SocketAddr, topic: &str, offset: i64) -> anyhow::Result<Self> {
        Self::new(addr, topic, |_, _| Ok(offset))
    }

    fn new(
        addr: SocketAddr,
        topic: &str,
        start: impl Fn(&mut Client, i32) -> anyhow::Result<i64>,
    ) -> anyhow::Result<Self> {
        let mut client = Client::connect(addr)?;
        let partitions = client.partitions(topic)?;
        let offsets =
            (0..partitions).map(|partition| start(&mut client, partition)).collect::<Result<_, _>>()?;
        Ok(Self { addr, client: Some(client), topic: topic.to_owned(), offsets })
    }

    /// The next records. Waits up to `max_wait_ms` for the first; with 0, reads to the end that there is now.
    pub(crate) fn poll(&mut self, max_wait_ms: i32) -> anyhow::Result<Vec<Record>> {
        let mut records = Vec::new();
        loop {
            let before = records.len();
            // One more try on a new connection: the broker may have been restarted meanwhile.
            if self.fetch(max_wait_ms, &mut records).is_err() {
                self.fetch(max_wait_ms, &mut records)
                    .with_context(|| format!("read topic {}", self.topic))?;
            }
            if max_wait_ms > 0 || records.len() == before {
                return Ok(records);
            }
        }
    }

    fn fetch(&mut self, max_wait_ms: i32, records: &mut Vec<Record>) -> anyhow::Result<()> {
        let mut client = match self.client.take() {
            Some(client) => client,
            None => Client::connect(self.addr)?,
        };
        let response: FetchResponse = client.call(12, &self.request(max_wait_ms))?;
        self.client = Some(client);
        for partition in response.responses.into_iter().flat_map(|topic| topic.partitions) {
            check(partition.error_code)?;
            let offset = usize::try_from(partition.partition_index)
                .ok()
                .and_then(|index| self.offsets.get_mut(index))
                .context("a partition that was not asked for")?;
            for batch in record::batches(&partition.records.unwrap_or_default()) {
                let batch = batch?;
                batch.verify_crc()?;
                for record in batch.records(UNPACKED_BYTES_MAX)? {
                    let record = record?;
                    // A batch comes whole, also when the offset lies in the middle of it.
                    if record.offset >= *offset {
                        *offset = record.offset + 1;
                        records.push(record);
                    }
                }
            }
        }
        Ok(())
    }

    fn request(&self, max_wait_ms: i32) -> FetchRequest {
        let partitions = (0_i32..).zip(&self.offsets).map(|(partition, offset)| FetchPartition {
            partition,
            fetch_offset: *offset,
            partition_max_bytes: FETCH_BYTES_MAX,
            ..FetchPartition::default()
        });
        let topic = FetchTopic {
            topic: self.topic.as_str().into(),
            partitions: partitions.collect(),
            ..FetchTopic::default()
        };
        FetchRequest {
            max_wait_ms,
            min_bytes: 1,
            max_bytes: FETCH_BYTES_MAX,
            topics: vec![topic],
            ..FetchRequest::default()
        }
    }
}

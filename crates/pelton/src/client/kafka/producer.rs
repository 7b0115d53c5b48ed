//! An idempotent producer: what is acknowledged is stored once, also across a restart of the broker.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use protocol::messages::produce::{PartitionProduceData, TopicProduceData};
use protocol::messages::{InitProducerIdRequest, InitProducerIdResponse, ProduceRequest, ProduceResponse};
use record::{BatchBuilder, Compression};

use super::connection::{Client, check};
use crate::stop::Stop;

const ACKS_ALL: i16 = -1;
const TIMEOUT_MS: i32 = 20_000;
/// Pause between tries, and how many: long enough for a broker to come back.
const PAUSE: Duration = Duration::from_millis(100);
const TRIES: u32 = 300;

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

/// Sends to one topic, a batch at a time.
pub(crate) struct Producer {
    addr: SocketAddr,
    client: Option<Client>,
    topic: String,
    producer_id: i64,
    producer_epoch: i16,
    /// The next sequence per partition.
    sequences: Vec<i32>,
    next_without_key: usize,
    stop: Stop,
}

impl Producer {
    /// Connects and gets a producer id.
    pub(crate) fn connect(addr: SocketAddr, topic: &str, stop: Stop) -> anyhow::Result<Self> {
        let mut client = Client::connect(addr)?;
        let partitions = client.partitions(topic)?;
        let request = InitProducerIdRequest { transactional_id: None, ..InitProducerIdRequest::default() };
        let given: InitProducerIdResponse = client.call(4, &request)?;
        check(given.error_code).context("get a producer id")?;
        Ok(Self {
            addr,
            client: Some(client),
            topic: topic.to_owned(),
            producer_id: given.producer_id,
            producer_epoch: given.producer_epoch,
            sequences: vec![0; usize::try_from(partitions)?],
            next_without_key: 0,
            stop,
        })
    }

    /// Sends and returns when the disk has it. Tries again while the broker is away.
    pub(crate) fn send(&mut self, records: &[Outgoing]) -> anyhow::Result<()> {
        let mut by_partition = vec![Vec::new(); self.sequences.len()];
        let without_key = self.next_without_key % self.sequences.len();
        self.next_without_key += 1;
        for record in records {
            let partition = match &record.key {
                Some(key) => record::partition_for_key(key, u32::try_from(self.sequences.len())?) as usize,
                None => without_key,
            };
            by_partition[partition].push(record);
        }
        for (partition, records) in by_partition.into_iter().enumerate() {
            if !records.is_empty() {
                self.send_to(partition, &records)?;
            }
        }
        Ok(())
    }

    fn send_to(&mut self, partition: usize, records: &[&Outgoing]) -> anyhow::Result<()> {
        let base_sequence = self.sequences[partition];
        let producer = record::Producer { id: self.producer_id, epoch: self.producer_epoch, base_sequence };
        let mut builder = BatchBuilder::new(Compression::None, producer);
        for record in records {
            builder.push(record.timestamp, record.key.as_deref(), Some(&record.value), &[]);
        }
        // The same bytes at each try: the broker knows them again by their sequence.
        let batch = builder.build();
        let mut tries = 0;
        while let Err(error) = self.try_once(partition, &batch) {
            tries += 1;
            if tries == TRIES || self.stop.pause(PAUSE) {
                return Err(error.context(format!("produce to {}", self.topic)));
            }
        }
        self.sequences[partition] = base_sequence.wrapping_add(i32::try_from(records.len())?) & i32::MAX;
        Ok(())
    }

    fn try_once(&mut self, partition: usize, batch: &Bytes) -> anyhow::Result<()> {
        // A connection that failed is not used again: its replies would be of another request.
        let mut client = match self.client.take() {
            Some(client) => client,
            None => Client::connect(self.addr)?,
        };
        let index = i32::try_from(partition)?;
        let data = PartitionProduceData { index, records: Some(batch.clone()) };
        let topic = TopicProduceData {
            name: self.topic.as_str().into(),
            partition_data: vec![data],
            ..TopicProduceData::default()
        };
        let request = ProduceRequest {
            acks: ACKS_ALL,
            timeout_ms: TIMEOUT_MS,
            topic_data: vec![topic],
            ..ProduceRequest::default()
        };
        let response: ProduceResponse = client.call(9, &request)?;
        let answer = response.responses.first().and_then(|topic| topic.partition_responses.first());
        check(answer.context("a reply without the partition")?.error_code)?;
        self.client = Some(client);
        Ok(())
    }
}

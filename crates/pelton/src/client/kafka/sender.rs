//! Producing: batches per partition, several requests on their way, and nothing lost silently.
//!
//! Records gather in one open batch per partition. A full one is closed and queued; queued batches go out,
//! one per partition and request, up to [`IN_FLIGHT_MAX`] requests per broker. A batch that failed for a passing
//! reason goes back to the front of the queue with everything behind it, and the same bytes are sent again: an
//! idempotent broker knows them by their sequence. Any other failure ends the run.

mod batch;
mod transaction;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use anyhow::{Context, anyhow};
use protocol::ErrorCode;
use protocol::messages::produce::{PartitionProduceData, TopicProduceData};
use protocol::messages::{InitProducerIdRequest, ProduceRequest, ProduceResponse};
use record::Compression;

pub(crate) use batch::Message;

use self::batch::{ClosedBatch, Queue};
use super::cluster::{Cluster, Topic};
use super::connection::{Connection, Ticket};
use super::refusal::Refusal;
use crate::stop::Stop;

/// As many as an idempotent broker remembers batches per partition.
const IN_FLIGHT_MAX: usize = 5;
/// Bytes of one request, about.
const REQUEST_BYTES: usize = 1 << 20;
const PAUSE: Duration = Duration::from_millis(100);

/// How to produce.
#[derive(Debug, Clone)]
pub(crate) struct SenderOptions {
    /// When a record counts as stored: 0 when it is sent, 1 when the leader has it, -1 when it is safe.
    pub(crate) acks: i16,
    /// How batches are packed.
    pub(crate) compression: Compression,
    /// Whether the broker drops what it has already, so that a retry stores nothing twice.
    pub(crate) idempotent: bool,
    /// All of the input as one transaction of this id.
    pub(crate) transactional_id: Option<String>,
    /// Bytes of a batch before it is packed.
    pub(crate) batch_bytes: usize,
    /// How long to go on trying while brokers are away.
    pub(crate) patience: Duration,
}

/// What became of the records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Records taken from the input.
    pub(crate) taken: u64,
    /// Records that a broker acknowledged (with `acks` 0: that were sent).
    pub(crate) acknowledged: u64,
    /// Bytes of batches that were acknowledged, as they went over the wire.
    pub(crate) bytes: u64,
}

/// Sends to one topic.
pub(crate) struct Sender {
    cluster: Cluster,
    topic: Topic,
    options: SenderOptions,
    producer: record::Producer,
    queue: Queue,
    in_flight: BTreeMap<i32, Flight>,
    /// Partitions that the transaction knows.
    in_transaction: BTreeSet<i32>,
    tally: Tally,
    /// Since when nothing was acknowledged because of failures that pass.
    failing_since: Option<Duration>,
    stop: Stop,
}

/// Requests on their way to one broker.
struct Flight {
    connection: Connection,
    requests: VecDeque<(Ticket<ProduceRequest>, Vec<ClosedBatch>)>,
}

impl Sender {
    /// Connects to a topic's brokers and gets a producer id where one is wanted.
    pub(crate) fn new(
        mut cluster: Cluster,
        topic: Topic,
        options: SenderOptions,
        stop: Stop,
    ) -> anyhow::Result<Self> {
        let mut producer = record::Producer::NONE;
        if let Some(id) = &options.transactional_id {
            producer = transaction::begin(&mut cluster, id)?;
        } else if options.idempotent {
            let given = cluster.patiently(|cluster| {
                let given = cluster.ask(&InitProducerIdRequest::default())?;
                Refusal::check(given.error_code, None, || "get a producer id".to_owned())?;
                Ok(given)
            })?;
            producer.id = given.producer_id;
            producer.epoch = given.producer_epoch;
        }
        let partitions = topic.partitions.len();
        let queue = Queue::new(partitions, options.batch_bytes, options.compression, producer)
            .transactional(options.transactional_id.is_some());
        Ok(Self {
            cluster,
            topic,
            options,
            producer,
            queue,
            in_flight: BTreeMap::new(),
            in_transaction: BTreeSet::new(),
            tally: Tally::default(),
            failing_since: None,
            stop,
        })
    }

    /// What became of the records so far.
    pub(crate) fn tally(&self) -> Tally {
        self.tally
    }

    /// Where it sends to.
    pub(crate) fn topic(&self) -> &Topic {
        &self.topic
    }

    /// The first record of the input that nobody acknowledged, by its number there.
    pub(crate) fn first_unacknowledged(&self) -> Option<u64> {
        let flying = self.in_flight.values().flat_map(|flight| &flight.requests);
        let flying = flying.flat_map(|(_, batches)| batches).map(|batch| batch.first_line);
        flying.chain(self.queue.first_line()).min()
    }

    /// Takes one record; full batches go out.
    ///
    /// # Errors
    /// When it has a partition that is none, or something sent before was refused.
    pub(crate) fn push(&mut self, message: &Message<'_>) -> anyhow::Result<()> {
        if let Some(partition) = message.partition {
            self.topic.partition(partition)?;
        }
        self.queue.push(message);
        self.tally.taken += 1;
        if self.queue.closed_bytes() >= REQUEST_BYTES.min(self.options.batch_bytes) {
            self.send_closed()?;
        }
        Ok(())
    }

    /// Sends everything and waits until it is acknowledged.
    pub(crate) fn flush(&mut self) -> anyhow::Result<()> {
        self.queue.close_all();
        while self.queue.closed_bytes() > 0 || !self.in_flight.is_empty() {
            self.send_closed()?;
            self.drain()?;
        }
        Ok(())
    }

    /// Sends everything, and makes a transaction's records count.
    pub(crate) fn finish(&mut self) -> anyhow::Result<()> {
        self.flush()?;
        if let Some(id) = self.options.transactional_id.clone() {
            transaction::end(&mut self.cluster, &id, self.producer, true)?;
        }
        Ok(())
    }

    /// Takes a transaction's records back.
    pub(crate) fn abort(&mut self) -> anyhow::Result<()> {
        self.in_flight.clear();
        match self.options.transactional_id.clone() {
            Some(id) => transaction::end(&mut self.cluster, &id, self.producer, false),
            None => Ok(()),
        }
    }

    /// Sends queued batches until the queue is empty.
    fn send_closed(&mut self) -> anyhow::Result<()> {
        while self.queue.closed_bytes() > 0 {
            let sent = self.send_one_request();
            self.settle(sent)?;
        }
        Ok(())
    }

    /// Waits for every answer that is due.
    fn drain(&mut self) -> anyhow::Result<()> {
        while let Some(leader) = self.in_flight.keys().next().copied() {
            let received = self.receive(leader);
            self.settle(received)?;
        }
        Ok(())
    }

    /// Goes on after a failure that passes: everything unacknowledged is queued again in its order.
    fn settle(&mut self, outcome: anyhow::Result<()>) -> anyhow::Result<()> {
        let Err(error) = outcome else { return Ok(()) };
        if is_final(&error) {
            return Err(error);
        }
        self.recall();
        let now = env::Clock::monotonic(&env::SystemClock);
        let since = *self.failing_since.get_or_insert(now);
        if now.saturating_sub(since) >= self.options.patience || self.stop.pause(PAUSE) {
            return Err(error);
        }
        // Leaders may have moved. While no broker is there, the next try fails as this one did.
        if let Ok(topic) = self.cluster.topic(&self.topic.name) {
            self.topic = topic;
        }
        Ok(())
    }

    /// Takes back what is on its way: what was acknowledged in answers that still come is not sent again.
    fn recall(&mut self) {
        let mut back = Vec::new();
        for (_, flight) in std::mem::take(&mut self.in_flight) {
            let Flight { mut connection, mut requests } = flight;
            while let Some((ticket, batches)) = requests.pop_front() {
                match connection.receive(ticket) {
                    Ok(answer) => {
                        back.extend(self.acknowledge(&answer, batches).into_iter().map(|(batch, _)| batch));
                    }
                    Err(_) => {
                        back.extend(batches);
                        break;
                    }
                }
            }
            back.extend(requests.into_iter().flat_map(|(_, batches)| batches));
        }
        self.queue.put_back(back);
    }

    fn send_one_request(&mut self) -> anyhow::Result<()> {
        let leader = self.leader_of_next()?;
        if self.in_flight.get(&leader).is_some_and(|flight| flight.requests.len() >= IN_FLIGHT_MAX) {
            return self.receive(leader);
        }
        let topic = &self.topic;
        let led =
            |partition: i32| topic.partition(partition).is_ok_and(|partition| partition.leader == leader);
        let batches = self.queue.take(REQUEST_BYTES, led);
        let request = self.request(&batches);
        // Queued again if anything below fails: from here on the batches are in flight.
        let flight = match self.in_flight.remove(&leader) {
            Some(flight) => Ok(flight),
            None => {
                self.cluster.take(leader).map(|connection| Flight { connection, requests: VecDeque::new() })
            }
        };
        let mut flight = match flight {
            Ok(flight) => flight,
            Err(error) => {
                self.queue.put_back(batches);
                return Err(error);
            }
        };
        let sent = self.enter_transaction(&batches).and_then(|()| flight.connection.send(&request));
        match sent {
            Ok(_) if self.options.acks == 0 => {
                self.count(&batches);
                self.cluster.put(leader, flight.connection);
                Ok(())
            }
            Ok(ticket) => {
                flight.requests.push_back((ticket, batches));
                self.in_flight.insert(leader, flight);
                Ok(())
            }
            Err(error) => {
                self.queue.put_back(batches);
                if !flight.requests.is_empty() {
                    self.in_flight.insert(leader, flight);
                }
                Err(error)
            }
        }
    }

    fn leader_of_next(&self) -> anyhow::Result<i32> {
        let next = self.queue.next_partition().context("a batch to send")?;
        match self.topic.partition(next)?.leader {
            -1 => Err(anyhow!("{}-{next} has no leader at the moment", self.topic.name)),
            leader => Ok(leader),
        }
    }

    fn enter_transaction(&mut self, batches: &[ClosedBatch]) -> anyhow::Result<()> {
        let Some(id) = &self.options.transactional_id else { return Ok(()) };
        let new: Vec<i32> = batches
            .iter()
            .map(|batch| batch.partition)
            .filter(|partition| !self.in_transaction.contains(partition))
            .collect();
        if !new.is_empty() {
            transaction::add(&mut self.cluster, id, self.producer, &self.topic.name, &new)?;
            self.in_transaction.extend(new);
        }
        Ok(())
    }

    fn request(&self, batches: &[ClosedBatch]) -> ProduceRequest {
        let partition = |batch: &ClosedBatch| PartitionProduceData {
            index: batch.partition,
            records: Some(batch.bytes.clone()),
        };
        let topic = TopicProduceData {
            name: self.topic.name.as_str().into(),
            partition_data: batches.iter().map(partition).collect(),
            ..TopicProduceData::default()
        };
        ProduceRequest {
            transactional_id: self.options.transactional_id.as_deref().map(Into::into),
            acks: self.options.acks,
            timeout_ms: i32::try_from(self.options.patience.as_millis()).unwrap_or(i32::MAX),
            topic_data: vec![topic],
        }
    }

    fn receive(&mut self, leader: i32) -> anyhow::Result<()> {
        let Some(mut flight) = self.in_flight.remove(&leader) else { return Ok(()) };
        let Some((ticket, batches)) = flight.requests.pop_front() else {
            self.cluster.put(leader, flight.connection);
            return Ok(());
        };
        let answer = match flight.connection.receive(ticket) {
            Ok(answer) => answer,
            Err(error) => {
                let lost = flight.requests.into_iter().flat_map(|(_, batches)| batches);
                self.queue.put_back(batches.into_iter().chain(lost).collect());
                return Err(error);
            }
        };
        self.in_flight.insert(leader, flight);
        let refused = self.acknowledge(&answer, batches);
        let outcome = refused.first().map_or(Ok(()), |(_, refusal)| Err(refusal.clone().into()));
        self.queue.put_back(refused.into_iter().map(|(batch, _)| batch).collect());
        outcome
    }

    /// Counts what an answer acknowledges; returns the rest with the reasons.
    fn acknowledge(
        &mut self,
        answer: &ProduceResponse,
        batches: Vec<ClosedBatch>,
    ) -> Vec<(ClosedBatch, Refusal)> {
        let told = answer.responses.iter().flat_map(|topic| &topic.partition_responses);
        let told: BTreeMap<i32, _> = told.map(|partition| (partition.index, partition)).collect();
        let mut refused = Vec::new();
        for batch in batches {
            let Some(told) = told.get(&batch.partition) else { continue };
            let verdict = Refusal::check(told.error_code, told.error_message.as_deref(), || {
                format!("produce to {}-{}", self.topic.name, batch.partition)
            });
            match verdict {
                Err(refusal) if refusal.code != ErrorCode::DuplicateSequenceNumber => {
                    refused.push((batch, refusal));
                }
                // A duplicate is stored already.
                _ => self.count(std::slice::from_ref(&batch)),
            }
        }
        refused
    }

    fn count(&mut self, batches: &[ClosedBatch]) {
        self.failing_since = None;
        for batch in batches {
            self.tally.acknowledged += batch.count;
            self.tally.bytes += batch.bytes.len() as u64;
        }
    }
}

/// Whether no try will help.
fn is_final(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<Refusal>() {
        Some(refusal) => !refusal.is_passing(),
        None => error.to_string().contains("in versions"),
    }
}

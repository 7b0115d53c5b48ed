//! Reading partitions from places on, of any number of topics and leaders.
//!
//! While the caller looks at what came, the next answers are already on their way.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use anyhow::{Context, bail};
use protocol::ErrorCode;
use protocol::messages::FetchRequest;
use protocol::messages::fetch::{FetchPartition, FetchTopic, PartitionData};
use record::{Batch, ControlRecord, Record};

use super::cluster::{Cluster, Topic};
use super::connection::{Connection, Ticket};
use super::offsets::{At, Isolation, Place};
use super::refusal::Refusal;
use crate::stop::Stop;

const FETCH_BYTES_MAX: i32 = 16 << 20;
const PARTITION_BYTES_MAX: i32 = 4 << 20;
/// Records of one batch take at most this much when unpacked.
const UNPACKED_BYTES_MAX: usize = 256 << 20;
/// Pause between tries while a broker is away, and how many: half a minute.
const PAUSE: Duration = Duration::from_millis(250);
const TRIES: u32 = 120;

/// Where reading of a partition goes on and ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// The next offset.
    pub(crate) from: i64,
    /// Reading ends before this one, if it ends.
    pub(crate) until: Option<i64>,
}

impl Span {
    fn is_over(&self) -> bool {
        self.until.is_some_and(|until| self.from >= until)
    }
}

/// Records of one partition, in order.
pub(crate) struct Chunk {
    /// Where they are from.
    pub(crate) place: Place,
    /// What they say.
    pub(crate) records: Vec<Record>,
}

/// Reads spans of partitions.
pub(crate) struct Fetcher {
    spans: BTreeMap<Place, Span>,
    leaders: BTreeMap<Place, i32>,
    isolation: Isolation,
    pending: Vec<(i32, Connection, Ticket<FetchRequest>)>,
    stop: Stop,
    /// What a person should know: records that were gone before they were read.
    pub(crate) notices: Vec<String>,
}

impl Fetcher {
    /// Reads nothing yet.
    pub(crate) fn new(topics: &[Topic], isolation: Isolation, stop: Stop) -> Self {
        let mut fetcher = Self {
            spans: BTreeMap::new(),
            leaders: BTreeMap::new(),
            isolation,
            pending: Vec::new(),
            stop,
            notices: Vec::new(),
        };
        fetcher.led_by(topics);
        fetcher
    }

    fn led_by(&mut self, topics: &[Topic]) {
        for topic in topics {
            for partition in &topic.partitions {
                self.leaders.insert((topic.name.clone(), partition.index), partition.leader);
            }
        }
    }

    /// Reads these spans from now on, and no others.
    pub(crate) fn assign(&mut self, spans: BTreeMap<Place, Span>) {
        // What is on its way is of the spans before.
        self.pending.clear();
        self.spans = spans;
    }

    /// Where reading goes on.
    pub(crate) fn positions(&self) -> BTreeMap<Place, i64> {
        self.spans.iter().map(|(place, span)| (place.clone(), span.from)).collect()
    }

    /// Whether every span is read to its end.
    pub(crate) fn is_over(&self) -> bool {
        self.spans.values().all(Span::is_over)
    }

    /// The next records. Waits up to `max_wait_ms` for the first.
    pub(crate) fn poll(&mut self, cluster: &mut Cluster, max_wait_ms: i32) -> anyhow::Result<Vec<Chunk>> {
        let mut tries = 0;
        loop {
            match self.poll_once(cluster, max_wait_ms) {
                Ok(chunks) => return Ok(chunks),
                Err(error) if is_final(&error) || tries == TRIES => return Err(error),
                Err(error) => {
                    tries += 1;
                    self.pending.clear();
                    if self.stop.pause(PAUSE) {
                        return Err(error);
                    }
                    // Leaders may have moved, or the broker may be away: then this fails too, and is tried again.
                    let names: HashSet<&String> = self.spans.keys().map(|(topic, _)| topic).collect();
                    let found: Vec<Topic> =
                        names.into_iter().filter_map(|name| cluster.topic(name).ok()).collect();
                    self.led_by(&found);
                }
            }
        }
    }

    fn poll_once(&mut self, cluster: &mut Cluster, max_wait_ms: i32) -> anyhow::Result<Vec<Chunk>> {
        if self.pending.is_empty() {
            self.send(cluster, max_wait_ms)?;
        }
        let mut chunks = Vec::new();
        for (node, mut connection, ticket) in std::mem::take(&mut self.pending) {
            let answer = connection.receive(ticket)?;
            cluster.put(node, connection);
            Refusal::check(answer.error_code, None, || "read records".to_owned())?;
            for topic in answer.responses {
                for partition in topic.partitions {
                    self.take(
                        cluster,
                        (topic.topic.to_string(), partition.partition_index),
                        partition,
                        &mut chunks,
                    )?;
                }
            }
        }
        // After a failure the caller still gets what came; the next call meets the failure again.
        if !chunks.is_empty() && !self.is_over() {
            let _ = self.send(cluster, max_wait_ms);
        }
        Ok(chunks)
    }

    fn send(&mut self, cluster: &mut Cluster, max_wait_ms: i32) -> anyhow::Result<()> {
        let mut by_leader: BTreeMap<i32, BTreeMap<&str, Vec<FetchPartition>>> = BTreeMap::new();
        for (place, span) in self.spans.iter().filter(|(_, span)| !span.is_over()) {
            let leader = *self.leaders.get(place).context("a partition without a leader")?;
            let partition = FetchPartition {
                partition: place.1,
                fetch_offset: span.from,
                partition_max_bytes: PARTITION_BYTES_MAX,
                ..FetchPartition::default()
            };
            by_leader.entry(leader).or_default().entry(&place.0).or_default().push(partition);
        }
        for (leader, topics) in by_leader {
            let topic = |(name, partitions): (&str, _)| FetchTopic {
                topic: name.into(),
                partitions,
                ..FetchTopic::default()
            };
            let request = FetchRequest {
                max_wait_ms,
                min_bytes: 1,
                max_bytes: FETCH_BYTES_MAX,
                isolation_level: self.isolation.code(),
                topics: topics.into_iter().map(topic).collect(),
                ..FetchRequest::default()
            };
            let mut connection = cluster.take(leader)?;
            let ticket = connection.send(&request)?;
            self.pending.push((leader, connection, ticket));
        }
        Ok(())
    }

    fn take(
        &mut self,
        cluster: &mut Cluster,
        place: Place,
        told: PartitionData,
        chunks: &mut Vec<Chunk>,
    ) -> anyhow::Result<()> {
        let span = self.spans.get_mut(&place).context("a partition that was not asked for")?;
        if ErrorCode::from_code(told.error_code) == ErrorCode::OffsetOutOfRange {
            let (moved, notice) = within_range(cluster, &place, span.from)?;
            span.from = moved;
            self.notices.push(notice);
            return Ok(());
        }
        Refusal::check(told.error_code, None, || format!("read {}-{}", place.0, place.1))?;
        let bytes = told.records.unwrap_or_default();
        let mut hidden = Hidden::new(self.isolation, told.aborted_transactions.unwrap_or_default());
        let mut records = Vec::new();
        let before = span.from;
        for batch in record::batches(&bytes) {
            let batch = match batch {
                Ok(batch) => batch,
                // Kafka cuts the last batch where its limit of bytes is; it comes whole the next time.
                Err(record::Error::Truncated { .. }) if span.from > before => break,
                Err(error) => bail!(Broken::new(&place, span.from, error)),
            };
            batch.verify_crc().map_err(|error| Broken::new(&place, span.from, error))?;
            if !hidden.hides(&batch) {
                let unpacked = batch.records(UNPACKED_BYTES_MAX);
                for record in unpacked.map_err(|error| Broken::new(&place, span.from, error))? {
                    let record = record.map_err(|error| Broken::new(&place, span.from, error))?;
                    // A batch comes whole, also when the offset lies in the middle of it.
                    let wanted =
                        record.offset >= span.from && span.until.is_none_or(|until| record.offset < until);
                    if wanted {
                        records.push(record);
                    }
                }
            }
            // Compaction and markers leave offsets without a record.
            span.from = span.from.max(batch.header.next_offset());
        }
        if !records.is_empty() {
            chunks.push(Chunk { place, records });
        }
        Ok(())
    }
}

/// Which batches a reader does not see: markers, and what was aborted.
struct Hidden {
    isolation: Isolation,
    /// Transactions that were aborted and begin later, the first one last.
    to_come: Vec<(i64, i64)>,
    /// Producers whose records are of an aborted transaction here.
    aborted: HashSet<i64>,
}

impl Hidden {
    fn new(isolation: Isolation, aborted: Vec<protocol::messages::fetch::AbortedTransaction>) -> Self {
        let mut to_come: Vec<(i64, i64)> =
            aborted.into_iter().map(|each| (each.first_offset, each.producer_id)).collect();
        to_come.sort_unstable_by(|left, right| right.cmp(left));
        Self { isolation, to_come, aborted: HashSet::new() }
    }

    fn hides(&mut self, batch: &Batch) -> bool {
        let header = &batch.header;
        while let Some((_, producer)) =
            self.to_come.pop_if(|(first_offset, _)| *first_offset <= header.last_offset())
        {
            self.aborted.insert(producer);
        }
        if header.is_control() {
            // A control record of another kind ends no transaction.
            let ended = ControlRecord::from_batch(batch);
            if matches!(ended, Ok(ControlRecord::EndTransaction { commit: false, .. })) {
                self.aborted.remove(&header.producer_id);
            }
            return true;
        }
        self.isolation == Isolation::ReadCommitted
            && header.is_transactional()
            && self.aborted.contains(&header.producer_id)
    }
}

/// A reader that fell behind retention goes on at the first record there is.
fn within_range(cluster: &mut Cluster, place: &Place, from: i64) -> anyhow::Result<(i64, String)> {
    let topic = cluster.topic(&place.0)?;
    let earliest = cluster.offset(&topic, place.1, At::Earliest)?;
    if from < earliest {
        let notice = format!("offsets {from} to {} of {}-{} are gone", earliest - 1, place.0, place.1);
        return Ok((earliest, notice));
    }
    let latest = cluster.offset(&topic, place.1, At::Latest)?;
    bail!(OutOfRange(format!(
        "there is no offset {from} in {}-{}: it has {earliest} to {latest}",
        place.0, place.1
    )))
}

/// An offset beyond the end: no try will find it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct OutOfRange(String);

/// Bytes that are no records: no try will mend them.
#[derive(Debug, thiserror::Error)]
#[error("read {place} at offset {offset}: {why}")]
struct Broken {
    place: String,
    offset: i64,
    why: record::Error,
}

impl Broken {
    fn new(place: &Place, offset: i64, why: record::Error) -> Self {
        Self { place: format!("{}-{}", place.0, place.1), offset, why }
    }
}

fn is_final(error: &anyhow::Error) -> bool {
    error.is::<OutOfRange>()
        || error.is::<Broken>()
        || error.downcast_ref::<Refusal>().is_some_and(|refusal| !refusal.is_passing())
        || error.to_string().contains("in versions")
}

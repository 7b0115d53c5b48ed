//! A consumer that reads on and on, and what of it belongs to no batch yet.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::Offset;

use crate::error::SourceError;
use crate::outside::{Listener, number};
use crate::query::journal::Ranges;
use crate::source::kafka::cluster::{Cluster, record};
use crate::source::records::LoneRecord;
use crate::status::Offsets;

/// A consumer is given up when so many looks in a row have found records that had not come: librdkafka may hang on a
/// broker that has started again.
const MISSED_MAX: u32 = 3;

/// What is read of an outside Kafka as it comes.
#[derive(Default)]
pub(super) struct Stream {
    consumer: Option<StreamConsumer<Listener>>,
    /// It reads from where it shall.
    begun: bool,
    /// The topics and partitions that are read.
    assigned: BTreeSet<(String, u32)>,
    /// The positions that `waiting` begins at.
    at: Offsets,
    waiting: VecDeque<LoneRecord>,
    /// Offsets without records: the ends of transactions, what was taken back or compacted.
    passed: Ranges,
    /// Whether a record has come since the last look at the ends.
    arrived: bool,
    /// How many looks have found records that had not come.
    missed: u32,
    pub(super) refreshed: Duration,
    /// When the last batch was taken.
    pub(super) taken: Duration,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Stream {
    /// Whether what waits comes right after the positions. A partition that they do not know has begun since.
    pub(super) fn is_at(&self, positions: &Offsets) -> bool {
        self.begun && self.at == *positions
    }

    /// Begins anew at these positions, with nothing assigned yet.
    pub(super) fn begin(&mut self, cluster: &Cluster, positions: Offsets) -> Result<(), SourceError> {
        let consumer = match self.consumer.take() {
            Some(consumer) => consumer,
            None => cluster.stream_consumer()?,
        };
        consumer.unassign().map_err(|error| cluster.failed("begin to read", error))?;
        *self = Stream { consumer: Some(consumer), at: positions, ..Stream::default() };
        Ok(())
    }

    /// What there is to read is assigned.
    pub(super) fn begun(&mut self) {
        self.begun = true;
    }

    /// Reads these partitions too: from where they stand, or from their beginning if nobody knows them.
    pub(super) fn assign(
        &mut self,
        cluster: &Cluster,
        partitions: &[(String, u32)],
    ) -> Result<(), SourceError> {
        let Some(consumer) = &self.consumer else { return Ok(()) };
        let failed = |error| cluster.failed("begin to read", error);
        let mut list = TopicPartitionList::new();
        for (topic, partition) in partitions {
            if self.assigned.contains(&(topic.clone(), *partition)) {
                continue;
            }
            let position = self.at.get(&cluster.log(topic)).and_then(|log| log.get(partition)).copied();
            let offset = position.map_or(Offset::Beginning, Offset::Offset);
            list.add_partition_offset(topic, number(*partition), offset).map_err(failed)?;
        }
        if list.count() > 0 {
            consumer.incremental_assign(&list).map_err(failed)?;
            self.assigned.extend(partitions.iter().cloned());
        }
        Ok(())
    }

    /// Waits for a record. May be dropped while it waits.
    pub(super) async fn next(&self) -> Result<LoneRecord, KafkaError> {
        match &self.consumer {
            Some(consumer) => consumer.recv().await.map(|message| record(&message)),
            None => std::future::pending().await,
        }
    }

    pub(super) fn receive(&mut self, record: LoneRecord) {
        self.arrived = true;
        self.waiting.push_back(record);
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn has_passed(&self) -> bool {
        !self.passed.is_empty()
    }

    /// Nothing waits, and nothing has come since the last look.
    pub(super) fn is_quiet(&self) -> bool {
        self.begun && !self.arrived && self.waiting.is_empty()
    }

    /// At the end of a look that has found records which had not come, or none: whether it was so again and again.
    pub(super) fn is_stuck(&mut self, missed: bool) -> bool {
        self.arrived = false;
        self.missed = if missed { self.missed + 1 } else { 0 };
        self.missed >= MISSED_MAX
    }

    /// Between the positions and the ends.
    pub(super) fn gaps(&self, ends: &Offsets) -> Vec<(String, u32, (i64, i64))> {
        let mut gaps = Vec::new();
        for (log, partitions) in &self.at {
            for (partition, at) in partitions {
                let end = ends.get(log).and_then(|log| log.get(partition)).copied().unwrap_or(*at);
                if end > *at {
                    gaps.push((log.clone(), *partition, (*at, end)));
                }
            }
        }
        gaps
    }

    /// There are no records in this range.
    pub(super) fn pass(&mut self, log: String, partition: u32, range: (i64, i64)) {
        self.passed.entry(log).or_default().insert(partition, range);
    }

    /// Takes what waits, within limits, with the ranges that it came from.
    pub(super) fn take(
        &mut self,
        cluster: &Cluster,
        rows_max: usize,
        bytes_max: usize,
    ) -> (Ranges, Vec<LoneRecord>) {
        let mut ranges = std::mem::take(&mut self.passed);
        for (log, partitions) in &ranges {
            let log = self.at.entry(log.clone()).or_default();
            log.extend(partitions.iter().map(|(partition, (_, to))| (*partition, *to)));
        }
        let (mut records, mut bytes) = (Vec::new(), 0);
        while records.len() < rows_max
            && bytes < bytes_max
            && let Some(received) = self.waiting.pop_front()
        {
            bytes += received.record.value.as_ref().map_or(0, bytes::Bytes::len);
            let (log, offset) = (cluster.log(&received.topic), received.record.offset);
            let at = self.at.entry(log.clone()).or_default().entry(received.partition).or_insert(offset);
            // A record before it: the topic was made anew.
            let from = (*at).min(offset);
            *at = offset + 1;
            let range = ranges.entry(log).or_default().entry(received.partition).or_insert((from, from));
            *range = (range.0.min(from), *at);
            records.push(received);
        }
        (ranges, records)
    }
}

#[cfg(test)]
mod tests {
    use record::Record;

    use super::*;
    use crate::source::kafka::cluster::tests::cluster;

    fn record(partition: u32, offset: i64) -> LoneRecord {
        let record = Record { offset, value: Some("four".into()), ..Record::default() };
        LoneRecord { topic: "t".into(), partition, record }
    }

    fn log(offsets: &[(u32, i64)]) -> Offsets {
        Offsets::from([("kafka://a:1/t".to_owned(), offsets.iter().copied().collect())])
    }

    #[test]
    fn a_batch_is_what_waits_within_the_limits() {
        let cluster = cluster();
        let mut stream = Stream { at: log(&[(0, 5)]), ..Stream::default() };
        for (partition, offset) in [(0, 6), (1, 0), (0, 8), (0, 9)] {
            stream.receive(record(partition, offset));
        }
        let (ranges, records) = stream.take(&cluster, 3, usize::MAX);
        assert_eq!(records.len(), 3);
        // Offset 5 and 7 hold no records: nobody asks for them again.
        assert_eq!(ranges["kafka://a:1/t"], [(0, (5, 9)), (1, (0, 1))].into());
        assert_eq!(stream.at, log(&[(0, 9), (1, 1)]));
        let (ranges, records) = stream.take(&cluster, 3, 1);
        assert_eq!((records.len(), &ranges["kafka://a:1/t"]), (1, &[(0, (9, 10))].into()));
        assert!(stream.take(&cluster, 3, 1).0.is_empty());
    }

    #[test]
    fn what_holds_no_records_is_passed_over() {
        let cluster = cluster();
        let mut stream = Stream { at: log(&[(0, 5), (1, 7)]), ..Stream::default() };
        let gaps = stream.gaps(&log(&[(0, 6), (1, 7), (2, 3)]));
        assert_eq!(gaps, [("kafka://a:1/t".to_owned(), 0, (5, 6))]);
        stream.pass("kafka://a:1/t".to_owned(), 0, (5, 6));
        stream.receive(record(0, 6));
        let (ranges, records) = stream.take(&cluster, 3, usize::MAX);
        assert_eq!((records.len(), &ranges["kafka://a:1/t"]), (1, &[(0, (5, 7))].into()));
        assert_eq!(stream.at, log(&[(0, 7), (1, 7)]));
    }

    #[test]
    fn a_consumer_that_brings_nothing_is_given_up() {
        let mut stream = Stream::default();
        assert_eq!([true, true, false, true, true].map(|missed| stream.is_stuck(missed)), [false; 5]);
        assert!(stream.is_stuck(true));
    }

    #[test]
    fn a_topic_that_was_made_anew_begins_at_its_beginning() {
        let mut stream = Stream { at: log(&[(0, 50)]), ..Stream::default() };
        stream.receive(record(0, 0));
        stream.receive(record(0, 1));
        let (ranges, _) = stream.take(&cluster(), 9, usize::MAX);
        assert_eq!(ranges["kafka://a:1/t"], [(0, (0, 2))].into());
        assert_eq!(stream.at, log(&[(0, 2)]));
    }
}

//! What is asked of an outside Kafka by a thread that may wait.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use rdkafka::consumer::{BaseConsumer, Consumer, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers, Message};
use rdkafka::topic_partition_list::Offset;
use rdkafka::{ClientConfig, TopicPartitionList};
use record::Record;

use crate::error::SourceError;
use crate::outside::{Listener, Outside, PATIENCE, heard, is_passing, number};
use crate::query::journal::Ranges;
use crate::source::Limits;
use crate::source::records::LoneRecord;
use crate::sql::options::kafka::{KafkaOptions, Place, Subscription};
use crate::status::Offsets;

/// No limits.
const EVERYTHING: Limits = Limits { rows: u64::MAX, bytes: usize::MAX, until: None };

/// A cluster and what is read of it.
pub(super) struct Cluster {
    pub(super) options: KafkaOptions,
    outside: Outside,
    /// Answers questions and reads ranges.
    reader: Mutex<Option<Reader>>,
}

/// A consumer, and the topic, partition and offset that it reads next.
struct Reader {
    consumer: BaseConsumer<Listener>,
    at: Option<(String, u32, i64)>,
}

/// A part of a range.
struct Read {
    records: Vec<LoneRecord>,
    to: i64,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("outside", &self.outside).finish_non_exhaustive()
    }
}

impl Cluster {
    pub(super) fn new(options: KafkaOptions) -> Self {
        let outside = options.outside.clone().unwrap_or_else(|| Outside::new(BTreeMap::new()));
        Cluster { options, outside, reader: Mutex::default() }
    }

    pub(super) fn log(&self, topic: &str) -> String {
        self.outside.log(topic)
    }

    /// The topic behind a log that is read.
    fn topic<'a>(&self, log: &'a str) -> Option<&'a str> {
        self.outside.topic(log).filter(|topic| self.options.topics.takes(topic))
    }

    /// What belongs to this source, of all that a query reads.
    pub(super) fn own<T: Clone>(&self, of_all: &BTreeMap<String, T>) -> BTreeMap<String, T> {
        let own = of_all.iter().filter(|(log, _)| self.topic(log).is_some());
        own.map(|(log, value)| (log.clone(), value.clone())).collect()
    }

    pub(super) fn failed(&self, attempt: impl Into<String>, error: KafkaError) -> SourceError {
        SourceError::Outside(self.outside.error(attempt, error, None))
    }

    fn config(&self) -> ClientConfig {
        let mut config = self.outside.config();
        let reset = if self.options.fail_on_data_loss { "error" } else { "earliest" };
        config
            // librdkafka wants one; nobody joins it.
            .set("group.id", "pelton")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("isolation.level", "read_committed")
            .set("auto.offset.reset", reset);
        for (name, value) in [
            ("fetch.wait.max.ms", "100"),
            ("fetch.queue.backoff.ms", "10"),
            ("queued.max.messages.kbytes", "32768"),
        ] {
            if config.get(name).is_none() {
                config.set(name, value);
            }
        }
        config
    }

    pub(super) fn stream_consumer(&self) -> Result<StreamConsumer<Listener>, SourceError> {
        let created = self.config().create_with_context(Listener::default());
        created.map_err(|error| self.failed("connect", error))
    }

    /// Lends the reader; one that has failed is not kept.
    fn with<T>(
        &self,
        work: impl FnOnce(&mut Reader) -> Result<T, KafkaError>,
    ) -> Result<T, (KafkaError, Option<String>)> {
        let mut kept = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reader = match kept.take() {
            Some(reader) => reader,
            None => {
                let mut config = self.config();
                let config = config.set("enable.partition.eof", "true");
                let consumer = config.create_with_context(Listener::default());
                Reader { consumer: consumer.map_err(|error| (error, None))?, at: None }
            }
        };
        match work(&mut reader) {
            Ok(done) => {
                *kept = Some(reader);
                Ok(done)
            }
            Err(error) => {
                let said = heard(&reader.consumer);
                Err((error, said))
            }
        }
    }

    fn ask<T>(
        &self,
        attempt: impl Into<String>,
        work: impl FnOnce(&mut Reader) -> Result<T, KafkaError>,
    ) -> Result<T, SourceError> {
        let failed = |(error, said)| SourceError::Outside(self.outside.error(attempt, error, said));
        self.with(work).map_err(failed)
    }

    /// Everything that is read, as it is now.
    pub(super) fn partitions(&self) -> Result<Vec<(String, u32)>, SourceError> {
        if let Subscription::Partitions(topics) = &self.options.topics {
            let each = topics.iter().flat_map(|(topic, wanted)| wanted.iter().map(|p| (topic.clone(), *p)));
            return Ok(each.collect());
        }
        let mut partitions = match self.options.topics.names() {
            names if names.is_empty() => self.found(None)?,
            names => {
                let mut found = Vec::new();
                for name in names {
                    found.extend(self.found(Some(name))?);
                }
                found
            }
        };
        partitions.sort();
        Ok(partitions)
    }

    /// The partitions of a topic, or of all that are read.
    fn found(&self, topic: Option<&str>) -> Result<Vec<(String, u32)>, SourceError> {
        let attempt =
            topic.map_or_else(|| "ask for topics".to_owned(), |topic| format!("ask for topic {topic}"));
        self.ask(attempt, |reader| {
            let metadata = reader.consumer.fetch_metadata(topic, PATIENCE)?;
            let mut partitions = Vec::new();
            for found in metadata.topics().iter().filter(|found| self.options.topics.takes(found.name())) {
                if let Some(error) = found.error() {
                    return Err(KafkaError::MetadataFetch(error.into()));
                }
                let numbers = found.partitions().iter().filter_map(|p| u32::try_from(p.id()).ok());
                partitions.extend(numbers.map(|number| (found.name().to_owned(), number)));
            }
            Ok(partitions)
        })
    }

    fn watermarks(&self, topic: &str, partition: u32) -> Result<(i64, i64), SourceError> {
        self.ask(format!("ask for the offsets of {topic}"), |reader| {
            reader.consumer.fetch_watermarks(topic, number(partition), PATIENCE)
        })
    }

    /// Where partitions end, all in one question: the time of an end is its own number in Kafka's protocol.
    pub(super) fn ends(&self, partitions: &[(String, u32)]) -> Result<Offsets, SourceError> {
        let found = self.ask("ask where partitions end", |reader| {
            let mut list = TopicPartitionList::new();
            for (topic, partition) in partitions {
                list.add_partition_offset(topic, number(*partition), Offset::End)?;
            }
            reader.consumer.offsets_for_times(list, PATIENCE)
        })?;
        let mut ends = Offsets::new();
        for element in found.elements() {
            if let (Offset::Offset(end), Ok(partition)) =
                (element.offset(), u32::try_from(element.partition()))
            {
                ends.entry(self.log(element.topic())).or_default().insert(partition, end);
            }
        }
        Ok(ends)
    }

    /// Each partition's offset at a place; with `first`, a partition that offsets do not name means its beginning,
    /// otherwise its end.
    pub(super) fn at(&self, place: &Place, first: bool) -> Result<Offsets, SourceError> {
        let mut offsets = Offsets::new();
        for (topic, partition) in self.partitions()? {
            let (earliest, latest) = self.watermarks(&topic, partition)?;
            let unnamed = if first { earliest } else { latest };
            let given = |given: &Offsets| given.get(&topic).and_then(|topic| topic.get(&partition)).copied();
            let offset = match place {
                Place::Earliest => earliest,
                Place::Latest => latest,
                Place::Offsets(each) => {
                    given(each).map_or(unnamed, |offset| Place::resolve(offset, earliest, latest))
                }
                Place::Times { every, each, or_latest } => match every.or_else(|| given(each)) {
                    None => unnamed,
                    Some(time) => match self.at_time(&topic, partition, time)? {
                        Some(offset) => offset,
                        None if *or_latest => latest,
                        None => return Err(SourceError::NoTime { topic, partition, time }),
                    },
                },
            };
            offsets.entry(self.log(&topic)).or_default().insert(partition, offset);
        }
        Ok(offsets)
    }

    fn at_time(&self, topic: &str, partition: u32, time: i64) -> Result<Option<i64>, SourceError> {
        self.ask(format!("ask for the offset of a time in {topic}"), |reader| {
            let mut list = TopicPartitionList::new();
            list.add_partition_offset(topic, number(partition), Offset::Offset(time))?;
            let found = reader.consumer.offsets_for_times(list, PATIENCE)?;
            Ok(found.elements().first().and_then(|element| match element.offset() {
                Offset::Offset(offset) => Some(offset),
                _ => None,
            }))
        })
    }

    /// The next part of the first partition that has not come to its end.
    pub(super) fn read_until(
        &self,
        positions: &Offsets,
        until: &Offsets,
        limits: &Limits,
    ) -> Result<(Ranges, Vec<LoneRecord>), SourceError> {
        for (log, partitions) in until {
            let Some(topic) = self.topic(log) else { continue };
            for (partition, to) in partitions {
                let position = positions.get(log).and_then(|log| log.get(partition)).copied();
                let from = position.unwrap_or(0);
                if from >= *to {
                    continue;
                }
                let read = self.read(topic, *partition, (from, *to), limits)?;
                let range = BTreeMap::from([(*partition, (from, read.to))]);
                return Ok((Ranges::from([(log.clone(), range)]), read.records));
            }
        }
        Ok((Ranges::new(), Vec::new()))
    }

    /// All records of these ranges.
    pub(super) fn reread(&self, ranges: &Ranges) -> Result<Vec<LoneRecord>, SourceError> {
        let mut records = Vec::new();
        for (log, partitions) in ranges {
            let Some(topic) = self.topic(log) else { continue };
            for (partition, (from, to)) in partitions {
                if self.options.fail_on_data_loss {
                    self.check(topic, *partition, (*from, *to))?;
                }
                records.extend(self.read(topic, *partition, (*from, *to), &EVERYTHING)?.records);
            }
        }
        Ok(records)
    }

    /// Whether there are no records in this range.
    pub(super) fn is_empty(&self, log: &str, partition: u32, range: (i64, i64)) -> Result<bool, SourceError> {
        let Some(topic) = self.topic(log) else { return Ok(true) };
        let one = Limits { rows: 1, ..EVERYTHING };
        Ok(self.read(topic, partition, range, &one)?.records.is_empty())
    }

    /// # Errors
    /// The range is not there any more.
    fn check(&self, topic: &str, partition: u32, (from, to): (i64, i64)) -> Result<(), SourceError> {
        let (start, end) = self.watermarks(topic, partition)?;
        if start <= from && to <= end {
            return Ok(());
        }
        Err(SourceError::Lost { topic: topic.to_owned(), partition, from, to })
    }

    /// Reads a range, or as much of it as the limits allow.
    fn read(
        &self,
        topic: &str,
        partition: u32,
        (from, to): (i64, i64),
        limits: &Limits,
    ) -> Result<Read, SourceError> {
        self.ask(format!("read partition {partition} of {topic}"), |reader| {
            let here = |at: (String, u32, i64)| (at.0.as_str(), at.1, at.2) == (topic, partition, from);
            if !reader.at.take().is_some_and(here) {
                let mut list = TopicPartitionList::new();
                list.add_partition_offset(topic, number(partition), Offset::Offset(from))?;
                reader.consumer.assign(&list)?;
            }
            let mut read = Read { records: Vec::new(), to: from };
            let mut bytes = 0;
            while read.to < to && (read.records.len() as u64) < limits.rows && bytes < limits.bytes {
                match reader.consumer.poll(PATIENCE) {
                    None => return Err(KafkaError::NoMessageReceived),
                    // Nothing but the ends of transactions is left.
                    Some(Err(KafkaError::PartitionEOF(_))) => read.to = to,
                    Some(Err(KafkaError::MessageConsumption(code))) if is_passing(code) => {}
                    Some(Err(error)) => return Err(error),
                    Some(Ok(message)) if message.offset() >= to => read.to = to,
                    Some(Ok(message)) => {
                        let record = record(&message);
                        read.to = record.record.offset + 1;
                        bytes += record.record.value.as_ref().map_or(0, Bytes::len);
                        read.records.push(record);
                    }
                }
            }
            if read.to < to {
                reader.at = Some((topic.to_owned(), partition, read.to));
            }
            Ok(read)
        })
        .map_err(|error| match error {
            SourceError::Outside(error) if error.is_lost() => {
                SourceError::Lost { topic: topic.to_owned(), partition, from, to }
            }
            other => other,
        })
    }
}

/// A record of our own from librdkafka's message.
pub(super) fn record(message: &impl Message) -> LoneRecord {
    let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
    let headers = headers.map(|header| {
        (Bytes::copy_from_slice(header.key.as_bytes()), header.value.map(Bytes::copy_from_slice))
    });
    let record = Record {
        offset: message.offset(),
        timestamp: message.timestamp().to_millis().unwrap_or(-1),
        key: message.key().map(Bytes::copy_from_slice),
        value: message.payload().map(Bytes::copy_from_slice),
        headers: headers.collect(),
    };
    let partition = u32::try_from(message.partition()).unwrap_or(0);
    LoneRecord { topic: message.topic().into(), partition, record }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::error::Position;
    use crate::sql::options::given::Given;
    use crate::sql::statement::{OptionValue, Options};

    /// Topic `t` of a cluster that is never asked.
    pub(in crate::source::kafka) fn cluster() -> Cluster {
        let position = Position { line: 1, column: 1 };
        let option =
            |(name, text): (&str, &str)| (name.to_owned(), OptionValue { text: text.to_owned(), position });
        let given = [("subscribe", "t"), ("kafka.bootstrap.servers", "a:1")].map(option).into();
        let options = Options { position, given };
        Cluster::new(KafkaOptions::from(&mut Given::new(&options), true).unwrap())
    }

    #[test]
    fn only_its_own_logs_are_taken() {
        let all = ["t", "kafka://a:1/t", "kafka://a:1/u", "kafka://b:1/t"].map(|log| (log.to_owned(), 1));
        assert_eq!(cluster().own(&all.into()), BTreeMap::from([("kafka://a:1/t".to_owned(), 1)]));
    }
}

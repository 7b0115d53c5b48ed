//! Rows that a query could not use, kept where everybody can read them: in the topic
//! `<query>.dead-letter`, as JSON.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use env::Clock;
use serde::Serialize;
use topics::{CreateError, Topics};

use crate::error::SinkError;
use crate::operator::scope::Refusals;
use crate::query::journal::{Numbers, SAMPLES_KEPT};
use crate::sink::json::Outgoing;
use crate::sink::topic::TopicSink;
use crate::source::SourceRecord;
use crate::status::DeadLetter;

/// How much of a value a sample shows.
const HEAD_BYTES: usize = 256;

/// How much of a value the topic keeps; the offset says where the whole is.
const VALUE_BYTES_MAX: usize = 64 * 1024;

/// How often a query's log tells of refused rows.
const LOG_EVERY: Duration = Duration::from_secs(1);

/// What follows the query's name.
pub(crate) const SUFFIX: &str = ".dead-letter";

/// The dead letters of one query.
#[derive(Debug)]
pub(crate) struct DeadLetterSink {
    topics: Topics,
    query: String,
    source: String,
    sink: TopicSink,
    clock: Arc<dyn Clock>,
    logged: Logged,
}

/// A topic full of rubbish must not fill the disk with lines about it.
#[derive(Debug, Default)]
struct Logged {
    last: Option<Duration>,
    /// Rows refused since.
    since: u64,
}

/// A record of the topic.
#[derive(Serialize)]
struct Letter<'a> {
    query: &'a str,
    reason: &'a str,
    topic: &'a str,
    partition: u32,
    offset: i64,
    timestamp: i64,
    key: Option<String>,
    value: Option<String>,
}

impl DeadLetterSink {
    pub(crate) fn new(
        topics: &Topics,
        query: &str,
        source: &str,
        producer_id: i64,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let sink = TopicSink::new(topics, &topic_of(query), producer_id);
        DeadLetterSink {
            topics: topics.clone(),
            query: query.to_owned(),
            source: source.to_owned(),
            sink,
            clock: Arc::clone(clock),
            logged: Logged::default(),
        }
    }

    pub(crate) fn topic(&self) -> &str {
        self.sink.name()
    }

    /// Writes what was refused; gives the samples to show.
    pub(crate) async fn write(
        &mut self,
        refused: &Refusals,
        records: &[SourceRecord],
        time_ms: i64,
        numbers: &mut Numbers,
    ) -> Result<Vec<DeadLetter>, SinkError> {
        let Some((first, reason)) = refused.first_key_value() else { return Ok(Vec::new()) };
        self.log(refused.len() as u64, records.get(*first), reason);
        self.create_topic()?;
        let letters: Vec<(&SourceRecord, &String)> = refused
            .iter()
            .filter_map(|(number, reason)| records.get(*number).map(|record| (record, reason)))
            .collect();
        let rows = letters.iter().map(|(record, reason)| self.letter(record, reason)).collect();
        // All go to the first partition, where they stay in order.
        self.sink.write(rows, 0, 1, time_ms, numbers).await?;
        let samples = letters.iter().rev().take(SAMPLES_KEPT).rev();
        Ok(samples.map(|(record, reason)| self.sample(record, reason)).collect())
    }

    /// At most one line in a while.
    fn log(&mut self, rows: u64, first: Option<&SourceRecord>, reason: &str) {
        self.logged.since += rows;
        let now = self.clock.monotonic();
        if self.logged.last.is_some_and(|last| now.saturating_sub(last) < LOG_EVERY) {
            return;
        }
        let rows = std::mem::take(&mut self.logged.since);
        self.logged.last = Some(now);
        let (partition, offset) = first.map_or((0, -1), |record| (record.partition, record.offset));
        tracing::warn!(query = %self.query, topic = %self.source, partition, offset, rows, %reason, "rows refused");
    }

    fn create_topic(&self) -> Result<(), SinkError> {
        if self.topics.topic(self.topic()).is_some() {
            return Ok(());
        }
        match self.topics.create(self.topic(), 1, BTreeMap::new()) {
            Ok(_) | Err(CreateError::Exists { .. }) => Ok(()),
            Err(source) => Err(SinkError::Create { topic: self.topic().to_owned(), source }),
        }
    }

    fn letter(&self, record: &SourceRecord, reason: &str) -> Outgoing {
        let letter = Letter {
            query: &self.query,
            reason,
            topic: &record.topic,
            partition: record.partition,
            offset: record.offset,
            timestamp: record.timestamp,
            key: record.key.as_ref().map(|key| head(key, HEAD_BYTES)),
            value: record.value.as_ref().map(|value| head(value, VALUE_BYTES_MAX)),
        };
        let value = serde_json::to_vec(&letter).expect("strings and numbers");
        Outgoing { key: None, value: Bytes::from(value) }
    }

    fn sample(&self, record: &SourceRecord, reason: &str) -> DeadLetter {
        DeadLetter {
            reason: reason.to_owned(),
            topic: record.topic.to_string(),
            partition: record.partition,
            offset: record.offset,
            value: record.value.as_ref().map_or_else(|| "null".to_owned(), |value| head(value, HEAD_BYTES)),
        }
    }
}

/// The topic of a query's dead letters.
pub(crate) fn topic_of(query: &str) -> String {
    format!("{query}{SUFFIX}")
}

fn head(bytes: &[u8], limit: usize) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(limit)]).into_owned()
}

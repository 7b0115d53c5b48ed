//! Rows that a query could not use, kept where everybody can read them: in the topic
//! `<query>.dead-letter`, as JSON.

use std::sync::Arc;
use std::time::Duration;

use env::Clock;
use serde::Serialize;

use crate::error::SinkError;
use crate::operator::scope::Refusals;
use crate::query::journal::{Numbers, SAMPLES_KEPT};
use crate::sink::outgoing::{Outgoing, OutgoingRecord};
use crate::sink::side_topic::{Part, SideTopic};
use crate::source::records::{SourceRecord, SourceRecords};
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
    query: String,
    topic: SideTopic,
    clock: Arc<dyn Clock>,
    logged: Logged,
}

/// What was refused of one source's records.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refused<'a> {
    pub(crate) rows: &'a Refusals,
    pub(crate) records: &'a SourceRecords,
}

/// A refused record, and why.
struct Case<'a> {
    record: SourceRecord<'a>,
    reason: &'a str,
}

impl<'a> Refused<'a> {
    fn cases(self) -> impl Iterator<Item = Case<'a>> {
        let Refused { rows, records } = self;
        rows.iter().filter_map(move |(number, reason)| Some(Case { record: records.get(*number)?, reason }))
    }
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
    /// `topic` is that of [`topic_of`] the query.
    pub(crate) fn new(query: &str, topic: SideTopic, clock: &Arc<dyn Clock>) -> Self {
        DeadLetterSink { query: query.to_owned(), topic, clock: Arc::clone(clock), logged: Logged::default() }
    }

    /// Writes what a batch refused, all at once; gives the samples to show.
    pub(crate) async fn write(
        &mut self,
        refused: &[Refused<'_>],
        part: Part,
        numbers: &mut Numbers,
    ) -> Result<Vec<DeadLetter>, SinkError> {
        let cases: Vec<Case<'_>> = refused.iter().flat_map(|refused| refused.cases()).collect();
        let Some(first) = cases.first() else { return Ok(Vec::new()) };
        self.log(cases.len() as u64, first);
        self.topic.create(1).await?;
        let mut rows = Outgoing::default();
        for case in &cases {
            // All go to the first partition, where they stay in order.
            let value = self.letter(case);
            rows.push(OutgoingRecord {
                value: Some(&value),
                partition: Some(0),
                ..OutgoingRecord::default()
            });
        }
        self.topic.write(rows, part, numbers).await?;
        let samples = cases.iter().rev().take(SAMPLES_KEPT).rev();
        Ok(samples.map(Case::sample).collect())
    }

    /// At most one line in a while.
    fn log(&mut self, rows: u64, first: &Case<'_>) {
        self.logged.since += rows;
        let now = self.clock.monotonic();
        if self.logged.last.is_some_and(|last| now.saturating_sub(last) < LOG_EVERY) {
            return;
        }
        let rows = std::mem::take(&mut self.logged.since);
        self.logged.last = Some(now);
        let Case { record: SourceRecord { topic, partition, offset, .. }, reason } = first;
        tracing::warn!(query = %self.query, topic = %topic, partition, offset, rows, %reason, "rows refused");
    }

    fn letter(&self, case: &Case<'_>) -> Vec<u8> {
        let record = &case.record;
        let letter = Letter {
            query: &self.query,
            reason: case.reason,
            topic: record.topic,
            partition: record.partition,
            offset: record.offset,
            timestamp: record.timestamp,
            key: record.key.as_ref().map(|key| head(key, HEAD_BYTES)),
            value: record.value.as_ref().map(|value| head(value, VALUE_BYTES_MAX)),
        };
        serde_json::to_vec(&letter).expect("strings and numbers")
    }
}

impl Case<'_> {
    fn sample(&self) -> DeadLetter {
        let record = self.record;
        DeadLetter {
            reason: self.reason.to_owned(),
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

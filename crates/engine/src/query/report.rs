//! What a query tells of a batch, in the words of Spark's `StreamingQueryProgress`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat};
use env::{Clock, Random};
use serde::Serialize;
use serde_json::{Value, json};

use crate::operator::stateful::StateFigures;
use crate::query::journal::{Intent, Snapshot, Start};
use crate::source::Standing;

/// One batch of a query, as Spark's listeners are told of it: <https://spark.apache.org/docs/latest/>,
/// Structured Streaming, "Monitoring Streaming Queries". Times are milliseconds, batches are counted from 0.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryProgress {
    /// Of the query; stays over restarts.
    pub id: String,
    /// Of this run of it.
    pub run_id: String,
    /// The table or model that the query fills.
    pub name: String,
    /// When the batch was planned, ISO 8601.
    pub timestamp: String,
    /// The batch.
    pub batch_id: u64,
    /// From its trigger to its commit.
    pub batch_duration: u64,
    /// Records read.
    pub num_input_rows: u64,
    /// Against the time since the batch before began.
    pub input_rows_per_second: f64,
    /// Against the time that the batch took.
    pub processed_rows_per_second: f64,
    /// What the time went to: `latestOffset`, `walCommit`, `getBatch`, `addBatch`, `commitOffsets`, and all of it:
    /// `triggerExecution`.
    pub duration_ms: BTreeMap<String, u64>,
    /// The watermark, and what event times there were.
    pub event_time: BTreeMap<String, String>,
    /// Each operator that remembers.
    pub state_operators: Vec<Value>,
    /// Each stream that is read.
    pub sources: Vec<Value>,
    /// What took the rows.
    pub sink: Value,
}

/// A watch that is stopped at the end of each part of a batch.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    clock: Arc<dyn Clock>,
    pub(crate) begun: Duration,
    last: Duration,
    parts: BTreeMap<&'static str, Duration>,
}

impl Stopwatch {
    pub(crate) fn start(clock: &Arc<dyn Clock>) -> Self {
        let begun = clock.monotonic();
        Stopwatch { clock: Arc::clone(clock), begun, last: begun, parts: BTreeMap::new() }
    }

    /// The time since the last part's end belongs to this one.
    pub(crate) fn ended(&mut self, part: &'static str) {
        let now = self.clock.monotonic();
        *self.parts.entry(part).or_default() += now.saturating_sub(self.last);
        self.last = now;
    }

    fn took(&self) -> Duration {
        self.last.saturating_sub(self.begun)
    }
}

/// What a batch did.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) intent: Intent,
    pub(crate) rows_read: u64,
    pub(crate) rows_written: u64,
    pub(crate) late: u64,
    pub(crate) state: Option<StateFigures>,
    pub(crate) watch: Stopwatch,
}

/// A batch as it is remembered until somebody asks for its report: there are many batches, and few questions.
#[derive(Debug)]
pub(crate) struct Noted {
    batch: Batch,
    /// The time since the batch before began.
    since: Duration,
    watermark: Option<i64>,
    /// How far the logs of each source went, and how many records there were left in them.
    ends: Vec<(Standing, i64)>,
}

/// Who tells.
#[derive(Debug)]
pub(crate) struct Reporter {
    id: String,
    run_id: String,
    name: String,
    sink: String,
    /// When the batch before began.
    before: Option<Duration>,
}

impl Reporter {
    pub(crate) fn new(name: &str, start: &Start, sink: &str, random: &dyn Random) -> Self {
        // The query's number and its producer id, which is never given twice, in the form of a UUID of version 8.
        let (query, producer) = (start.query, start.producer_id);
        let id =
            format!("{:08x}-{:04x}-8000-8000-{producer:012x}", query & 0xffff_ffff, query >> 32 & 0xffff);
        let mut bytes = random.next_16_bytes();
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let (name, sink) = (name.to_owned(), sink.to_owned());
        Reporter { id, run_id: uuid(bytes), name, sink, before: None }
    }

    /// Its lasting id, and that of this run.
    pub(crate) fn ids(&self) -> (String, String) {
        (self.id.clone(), self.run_id.clone())
    }

    /// Remembers a batch. `ends` says how far the logs of each source go now.
    pub(crate) fn note(&mut self, batch: Batch, standing: &Snapshot, ends: Vec<Standing>) -> Noted {
        let begun = batch.watch.begun;
        let since = self.before.map_or(batch.watch.took(), |before| begun.saturating_sub(before));
        self.before = Some(begun);
        let left = |ends: Standing| {
            let left = behind(&ends, standing);
            (ends, left)
        };
        Noted { batch, since, watermark: standing.watermark, ends: ends.into_iter().map(left).collect() }
    }

    /// Puts a batch into Spark's words. `names` are those of the sources.
    pub(crate) fn report<'a>(&self, noted: &Noted, names: impl Iterator<Item = &'a str>) -> QueryProgress {
        let Noted { batch, since, watermark, ends } = noted;
        let Batch { intent, watch, rows_read, .. } = batch;
        let took = watch.took();
        let mut duration_ms: BTreeMap<String, u64> =
            watch.parts.iter().map(|(part, took)| ((*part).to_owned(), millis(*took))).collect();
        duration_ms.insert("triggerExecution".to_owned(), millis(took));
        let source = |(name, (ends, left)): (&str, &(Standing, i64))| {
            let read = read_of(intent, ends);
            json!({
                "description": format!("stream[{name}]"),
                "startOffset": offsets(intent, ends, |(from, _)| from),
                "endOffset": offsets(intent, ends, |(_, to)| to),
                "latestOffset": latest(ends),
                "numInputRows": read,
                "inputRowsPerSecond": per_second(read, *since),
                "processedRowsPerSecond": per_second(read, took),
                "metrics": { "behindRows": left.to_string() },
            })
        };
        QueryProgress {
            id: self.id.clone(),
            run_id: self.run_id.clone(),
            name: self.name.clone(),
            timestamp: timestamp(intent.time_ms),
            batch_id: intent.batch.saturating_sub(1),
            batch_duration: millis(took),
            num_input_rows: *rows_read,
            input_rows_per_second: per_second(*rows_read, *since),
            processed_rows_per_second: per_second(*rows_read, took),
            duration_ms,
            event_time: watermark.iter().map(|watermark| watermark_of(*watermark)).collect(),
            state_operators: batch.state.iter().map(|state| state_operator(*state, batch)).collect(),
            sources: names.zip(ends).map(source).collect(),
            sink: json!({ "description": self.sink, "numOutputRows": batch.rows_written }),
        }
    }
}

fn uuid(bytes: [u8; 16]) -> String {
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..4], &hex[4..6], &hex[6..8], &hex[8..10], &hex[10..]].map(<[String]>::concat).join("-")
}

fn watermark_of(watermark_us: i64) -> (String, String) {
    ("watermark".to_owned(), timestamp(watermark_us.div_euclid(1_000)))
}

fn state_operator(state: StateFigures, batch: &Batch) -> Value {
    json!({
        "operatorName": "stateStoreSave",
        "numRowsTotal": state.keys,
        "numRowsUpdated": batch.rows_written,
        // What is not counted or measured apart is zero: Spark's clients insist on it.
        "numRowsRemoved": 0,
        "allUpdatesTimeMs": 0,
        "allRemovalsTimeMs": 0,
        "commitTimeMs": 0,
        "numRowsDroppedByWatermark": batch.late,
        "memoryUsedBytes": state.bytes,
        "numShufflePartitions": 1,
        "numStateStoreInstances": 1,
        "customMetrics": {},
    })
}

/// The batch's ranges in these logs.
fn ranges_of<'a>(
    intent: &'a Intent,
    ends: &'a Standing,
) -> impl Iterator<Item = (&'a String, &'a BTreeMap<u32, (i64, i64)>)> {
    intent.ranges.iter().filter(|(log, _)| ends.contains_key(*log))
}

/// How many offsets the batch took from these logs.
fn read_of(intent: &Intent, ends: &Standing) -> u64 {
    let ranges = ranges_of(intent, ends).flat_map(|(_, partitions)| partitions.values());
    ranges.map(|(from, to)| to.abs_diff(*from)).sum()
}

fn offsets(intent: &Intent, ends: &Standing, of: impl Fn((i64, i64)) -> i64) -> Value {
    let logs = ranges_of(intent, ends).map(|(log, partitions)| {
        let partitions =
            partitions.iter().map(|(partition, range)| (partition.to_string(), of(*range).into()));
        (log.clone(), Value::Object(partitions.collect()))
    });
    Value::Object(logs.collect())
}

fn latest(ends: &Standing) -> Value {
    let logs = ends.iter().map(|(log, partitions)| {
        let partitions = partitions.iter().map(|(partition, at)| (partition.to_string(), at.end.into()));
        (log.clone(), Value::Object(partitions.collect()))
    });
    Value::Object(logs.collect())
}

fn behind(ends: &Standing, standing: &Snapshot) -> i64 {
    let of = |log: &String, partition: &u32| standing.offsets.get(log)?.get(partition).copied();
    let logs = ends.iter().flat_map(|(log, partitions)| partitions.iter().map(move |at| (log, at)));
    logs.map(|(log, (partition, at))| (at.end - of(log, partition).unwrap_or(at.offset)).max(0)).sum()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
fn per_second(rows: u64, time: Duration) -> f64 {
    let seconds = time.as_secs_f64();
    if seconds > 0.0 { rows as f64 / seconds } else { 0.0 }
}

/// Unix milliseconds as `2023-11-14T22:13:20.000Z`.
pub(crate) fn timestamp(time_ms: i64) -> String {
    let instant = DateTime::from_timestamp_millis(time_ms).unwrap_or_default();
    instant.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_as_spark_writes_them() {
        let expected = [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_700_000_000_123, "2023-11-14T22:13:20.123Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ];
        for (ms, text) in expected {
            assert_eq!(timestamp(ms), text);
        }
    }
}

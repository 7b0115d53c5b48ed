//! What a journal is made of.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::status::{DeadLetter, Offsets};

/// Length, checksum and kind before the payload.
pub(super) const HEAD_BYTES: usize = 9;

/// Payloads are no longer than this.
pub(super) const PAYLOAD_BYTES_MAX: usize = 1 << 30;

/// topic -> partition -> first offset and the one after the last.
pub(crate) type Ranges = BTreeMap<String, BTreeMap<u32, (i64, i64)>>;

/// topic -> partition -> the number of the next row that this query writes there.
pub(crate) type Numbers = BTreeMap<String, BTreeMap<u32, i64>>;

/// One entry of a journal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Frame {
    /// The query came to be.
    Start(Start),
    /// A batch is about to run.
    Intent(Intent),
    /// It has run: with the state's changes.
    Done(Done, Bytes),
    /// A version of the model this query teaches.
    Version(ModelRecord, Bytes),
    /// Everything before this frame in short: with the whole state.
    Snapshot(Snapshot, Bytes),
}

/// Where a query begins.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Start {
    pub(crate) query: u64,
    /// The id that its rows are written under.
    pub(crate) producer_id: i64,
    pub(crate) offsets: Offsets,
    /// Whose topics are meant where no other Kafka is named; known where a checkpoint can be taken elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) log: Option<String>,
}

/// What a batch will do; it does the same however often it runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Intent {
    pub(crate) batch: u64,
    /// The batch's time, in Unix milliseconds.
    pub(crate) time_ms: i64,
    pub(crate) ranges: Ranges,
    /// Model to version; `None` before its first one.
    pub(crate) pins: BTreeMap<String, Option<u64>>,
    /// Which of several contending models was asked.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) champions: BTreeMap<String, String>,
    /// The sink's partitions when the batch was planned; 0 without a sink.
    pub(crate) sink_partitions: u32,
}

/// What a batch has done.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Done {
    pub(crate) batch: u64,
    pub(crate) committed_ms: i64,
    pub(crate) rows_read: u64,
    pub(crate) rows_written: u64,
    pub(crate) refused: u64,
    /// Rows that came too late for their windows.
    #[serde(default)]
    pub(crate) late: u64,
    /// After this batch, in microseconds: the newest event time of each table, and the watermark.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) event_times: BTreeMap<String, i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) watermark: Option<i64>,
    /// Some of the refused rows.
    pub(crate) samples: Vec<DeadLetter>,
    /// After this batch.
    pub(crate) numbers: Numbers,
    /// The version that this batch made. Its bytes follow in the frame.
    pub(crate) model: Option<ModelRecord>,
    /// How many bytes before those of the version are what the batch changed in the state, if it has both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) state_bytes: Option<u64>,
    /// The intent of the next batch, if that was there already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<Intent>,
}

/// A model's version.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ModelRecord {
    pub(crate) version: u64,
    /// The query that made it: another one than the journal's for versions of a replaced model.
    pub(crate) query: u64,
    pub(crate) committed_ms: i64,
    pub(crate) rows_learned: u64,
    /// How well it predicted of late.
    #[serde(default)]
    pub(crate) recent: Option<f64>,
    pub(crate) offsets: Offsets,
}

/// A query's standing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    pub(crate) batch: u64,
    pub(crate) offsets: Offsets,
    pub(crate) numbers: Numbers,
    pub(crate) rows_read: u64,
    pub(crate) rows_written: u64,
    pub(crate) refused: u64,
    #[serde(default)]
    pub(crate) late: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) event_times: BTreeMap<String, i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) watermark: Option<i64>,
    /// The watermark before the last batch, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) earlier_watermark: Option<i64>,
    pub(crate) samples: Vec<DeadLetter>,
}

impl Frame {
    pub(super) fn encode(&self) -> Vec<u8> {
        const EMPTY: &[u8] = &[];
        let (kind, head, blob) = match self {
            Frame::Start(start) => (1, json(start), EMPTY),
            Frame::Intent(intent) => (2, json(intent), EMPTY),
            Frame::Done(done, changes) => (3, json(done), changes.as_ref()),
            Frame::Version(version, model) => (4, json(version), model.as_ref()),
            Frame::Snapshot(snapshot, state) => (5, json(snapshot), state.as_ref()),
        };
        let length = 4 + head.len() + blob.len();
        assert!(length <= PAYLOAD_BYTES_MAX, "a frame of {length} bytes");
        let mut frame = Vec::with_capacity(HEAD_BYTES + length);
        frame.extend_from_slice(&word(length).to_le_bytes());
        frame.extend_from_slice(&[0; 4]);
        frame.push(kind);
        frame.extend_from_slice(&word(head.len()).to_le_bytes());
        frame.extend_from_slice(&head);
        frame.extend_from_slice(blob);
        let crc = crc32c::crc32c(&frame[8..]);
        frame[4..8].copy_from_slice(&crc.to_le_bytes());
        frame
    }

    /// Reads a frame whose checksum was right.
    pub(super) fn decode(kind: u8, payload: &Bytes) -> Result<Self, String> {
        let (head, blob) = parts(payload).ok_or("a frame shorter than it says")?;
        let blob = payload.slice_ref(blob);
        let wrong = |error: serde_json::Error| error.to_string();
        match kind {
            1 => serde_json::from_slice(head).map(Frame::Start).map_err(wrong),
            2 => serde_json::from_slice(head).map(Frame::Intent).map_err(wrong),
            3 => serde_json::from_slice(head).map(|done| Frame::Done(done, blob)).map_err(wrong),
            4 => serde_json::from_slice(head).map(|version| Frame::Version(version, blob)).map_err(wrong),
            5 => serde_json::from_slice(head).map(|snapshot| Frame::Snapshot(snapshot, blob)).map_err(wrong),
            other => Err(format!("a frame of the unknown kind {other}")),
        }
    }
}

fn parts(payload: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = payload.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("keys are strings and numbers, values are plain")
}

fn word(length: usize) -> u32 {
    u32::try_from(length).expect("checked against the longest payload")
}

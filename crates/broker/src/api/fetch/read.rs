//! Reading what a plan asks for: at once, if all of it lies in memory, or where waiting for a disk is allowed.

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::messages::FetchResponse;
use protocol::messages::fetch::{AbortedTransaction, FetchableTopicResponse, PartitionData};
use record::Compression;
use topics::{Partition, ReadError};

use super::plan::{Isolation, Plan, PlannedPartition};
use crate::error_code;

const NEWEST_WITH_MAGIC_0: i16 = 1;
const NEWEST_WITH_MAGIC_1: i16 = 3;
const FIRST_WITH_ZSTD: i16 = 10;
/// An answer that may be larger is not copied on the connection's own task.
const BYTES_NOW: usize = 1 << 20;

/// What was read.
pub(super) struct Read {
    pub(super) response: FetchResponse,
    pub(super) bytes: usize,
    /// Waiting longer would not help: something is wrong.
    pub(super) is_final: bool,
}

/// Whether a read may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    MayWait,
    Now,
}

/// Reads what is asked for, waiting for the disk where that is needed.
pub(super) fn read(plan: &Plan) -> Read {
    read_with(plan, Patience::MayWait).expect("whoever may wait gets an answer")
}

/// The same, if everything is in memory and nothing has to be converted.
pub(super) fn read_now(plan: &Plan) -> Option<Read> {
    if plan.version < FIRST_WITH_ZSTD || plan.bytes_at_most() > BYTES_NOW {
        return None;
    }
    read_with(plan, Patience::Now)
}

fn read_with(plan: &Plan, patience: Patience) -> Option<Read> {
    let mut read = Read { response: FetchResponse::default(), bytes: 0, is_final: false };
    for topic in &plan.topics {
        let mut answer =
            FetchableTopicResponse { topic: topic.name.clone(), topic_id: topic.id, ..Default::default() };
        for planned in &topic.partitions {
            let data = read_partition(plan, planned, read.bytes, patience)?;
            read.is_final |= data.error_code != ErrorCode::None.code();
            read.bytes += data.records.as_ref().map_or(0, Bytes::len);
            answer.partitions.push(data);
        }
        read.response.responses.push(answer);
    }
    Some(read)
}

/// Nothing where it would have to wait and may not.
fn read_partition(
    plan: &Plan,
    planned: &PlannedPartition,
    bytes_before: usize,
    patience: Patience,
) -> Option<PartitionData> {
    let partition = match &planned.partition {
        Ok(partition) => partition,
        Err(error) => return Some(failed(planned.index, *error)),
    };
    let left = plan.max_bytes.saturating_sub(bytes_before);
    let min_one = bytes_before == 0;
    let max_bytes = planned.max_bytes.min(left);
    let offset = planned.offset;
    let read = match (plan.isolation, patience) {
        (Isolation::ReadUncommitted, Patience::MayWait) => {
            partition.read(offset, max_bytes, min_one).map(Some)
        }
        (Isolation::ReadCommitted, Patience::MayWait) => {
            partition.read_committed(offset, max_bytes, min_one).map(Some)
        }
        (Isolation::ReadUncommitted, Patience::Now) => partition.read_now(offset, max_bytes, min_one),
        (Isolation::ReadCommitted, Patience::Now) => partition.read_committed_now(offset, max_bytes, min_one),
    };
    let read = match read {
        Ok(read) => read?,
        Err(error) => {
            note(planned, &error);
            return Some(failed(planned.index, error_code::read(&error)));
        }
    };
    let aborted_transactions = aborted(partition, planned.offset, &read.bytes, plan);
    Some(match in_version(read.bytes, plan) {
        Ok(records) => PartitionData {
            partition_index: planned.index,
            high_watermark: read.high_watermark,
            last_stable_offset: read.last_stable_offset,
            aborted_transactions,
            log_start_offset: read.log_start_offset,
            records: Some(records),
            ..Default::default()
        },
        Err(error) => failed(planned.index, error),
    })
}

/// The aborted transactions that have records among the batches; `None` for who does not want to know.
fn aborted(
    partition: &Partition,
    from: i64,
    batches: &Bytes,
    plan: &Plan,
) -> Option<Vec<AbortedTransaction>> {
    if plan.isolation == Isolation::ReadUncommitted {
        return None;
    }
    let last = record::batches(batches).map_while(Result::ok).last();
    let to = last.map_or(from, |batch| batch.header.next_offset());
    let found = partition.aborted_transactions(from, to).into_iter();
    let answer = |one: topics::AbortedTransaction| AbortedTransaction {
        producer_id: one.producer_id,
        first_offset: one.first_offset,
    };
    Some(found.map(answer).collect())
}

/// The batches in the format that the version knows.
fn in_version(batches: Bytes, plan: &Plan) -> Result<Bytes, ErrorCode> {
    let magic = match plan.version {
        version if version <= NEWEST_WITH_MAGIC_0 => 0,
        version if version <= NEWEST_WITH_MAGIC_1 => 1,
        version if version < FIRST_WITH_ZSTD => {
            let zstd = |batch: record::Batch| matches!(batch.header.compression(), Ok(Compression::Zstd));
            let unknown = record::batches(&batches).map_while(Result::ok).any(zstd);
            return if unknown { Err(ErrorCode::UnsupportedCompressionType) } else { Ok(batches) };
        }
        _ => return Ok(batches),
    };
    if batches.is_empty() {
        return Ok(batches);
    }
    record::legacy::from_v2(&batches, magic, plan.max_uncompressed).map_err(|error| {
        tracing::warn!(error = &error as &dyn std::error::Error, magic, "records cannot be converted");
        ErrorCode::CorruptMessage
    })
}

fn failed(index: i32, error: ErrorCode) -> PartitionData {
    PartitionData {
        partition_index: index,
        error_code: error.code(),
        high_watermark: -1,
        records: Some(Bytes::new()),
        ..Default::default()
    }
}

/// An offset that is not there is the client's business; a disk that cannot be read is ours.
fn note(planned: &PlannedPartition, error: &ReadError) {
    match error {
        ReadError::OutOfRange { .. } | ReadError::Deleted { .. } => {
            tracing::debug!(error = error as &dyn std::error::Error, "fetch");
        }
        ReadError::Corrupt { .. } | ReadError::Io { .. } => tracing::error!(
            partition_index = planned.index,
            offset = planned.offset,
            error = error as &dyn std::error::Error,
            "records cannot be read"
        ),
    }
}

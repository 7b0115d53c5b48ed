//! The producers' file: written when a segment is closed and at a clean stop, believed only if its checksum fits.

use std::collections::HashMap;

use super::transactions::{Aborted, Transactions};
use super::window::BATCHES_KEPT;
use super::{Producer, ProducerState, Remembered, Window};

const VERSION: u16 = 2;
/// No transaction.
const NONE: i64 = -1;
const CRC_BYTES: usize = 4;

/// The state of producers at `end_offset`, and how large the last segment was then.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) end_offset: i64,
    pub(crate) segment_base_offset: i64,
    pub(crate) segment_bytes: u64,
    pub(crate) state: ProducerState,
}

impl Snapshot {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.state.by_id.len() * 40);
        out.extend_from_slice(&VERSION.to_be_bytes());
        out.extend_from_slice(&self.end_offset.to_be_bytes());
        out.extend_from_slice(&self.segment_base_offset.to_be_bytes());
        out.extend_from_slice(&self.segment_bytes.to_be_bytes());
        let count = u32::try_from(self.state.by_id.len()).expect("the number of producers is limited");
        out.extend_from_slice(&count.to_be_bytes());
        let mut ids: Vec<&i64> = self.state.by_id.keys().collect();
        ids.sort_unstable();
        for id in ids {
            put_producer(&mut out, *id, &self.state.by_id[id]);
        }
        let aborted = self.state.transactions.all_aborted();
        let count = u32::try_from(aborted.len()).expect("a log spans fewer transactions than 2^32");
        out.extend_from_slice(&count.to_be_bytes());
        for aborted in aborted {
            out.extend_from_slice(&aborted.producer_id.to_be_bytes());
            out.extend_from_slice(&aborted.first_offset.to_be_bytes());
            out.extend_from_slice(&aborted.last_offset.to_be_bytes());
            out.extend_from_slice(&aborted.last_stable_offset.to_be_bytes());
        }
        let crc = crc32c::crc32c(&out);
        out.extend_from_slice(&crc.to_be_bytes());
        out
    }

    /// Nothing, when the bytes are not exactly a snapshot.
    pub(crate) fn from_bytes(bytes: &[u8], max: usize) -> Option<Self> {
        let (body, crc) = bytes.split_last_chunk::<CRC_BYTES>()?;
        if crc32c::crc32c(body) != u32::from_be_bytes(*crc) {
            return None;
        }
        let mut rest = body;
        if u16::from_be_bytes(take(&mut rest)?) != VERSION {
            return None;
        }
        let end_offset = i64::from_be_bytes(take(&mut rest)?);
        let segment_base_offset = i64::from_be_bytes(take(&mut rest)?);
        let segment_bytes = u64::from_be_bytes(take(&mut rest)?);
        let count = u32::from_be_bytes(take(&mut rest)?);
        let mut by_id = HashMap::new();
        for _ in 0..count {
            let (id, producer) = producer(&mut rest)?;
            by_id.insert(id, producer);
        }
        let count = u32::from_be_bytes(take(&mut rest)?);
        let aborted = (0..count).map(|_| aborted(&mut rest)).collect::<Option<Vec<_>>>()?;
        let state = ProducerState::from_parts(by_id, Transactions::from_aborted(aborted)?, max);
        rest.is_empty().then_some(Self { end_offset, segment_base_offset, segment_bytes, state })
    }

    /// A snapshot without producers, as of an empty log.
    pub(crate) fn empty(max: usize) -> Self {
        let state = ProducerState::new(max);
        Self { end_offset: 0, segment_base_offset: 0, segment_bytes: 0, state }
    }
}

fn put_producer(out: &mut Vec<u8>, id: i64, producer: &Producer) {
    out.extend_from_slice(&id.to_be_bytes());
    out.extend_from_slice(&producer.epoch.to_be_bytes());
    out.extend_from_slice(&producer.coordinator_epoch.to_be_bytes());
    out.extend_from_slice(&producer.timestamp.to_be_bytes());
    out.extend_from_slice(&producer.transaction.unwrap_or(NONE).to_be_bytes());
    let batches = producer.batches.as_slice();
    out.push(u8::try_from(batches.len()).expect("five at most"));
    for batch in batches {
        out.push(u8::from(batch.aborted));
        out.extend_from_slice(&batch.base_sequence.to_be_bytes());
        out.extend_from_slice(&batch.last_sequence.to_be_bytes());
        out.extend_from_slice(&batch.base_offset.to_be_bytes());
        out.extend_from_slice(&batch.last_offset.to_be_bytes());
    }
}

fn producer(rest: &mut &[u8]) -> Option<(i64, Producer)> {
    let id = i64::from_be_bytes(take(rest)?);
    let epoch = i16::from_be_bytes(take(rest)?);
    let coordinator_epoch = i32::from_be_bytes(take(rest)?);
    let timestamp = i64::from_be_bytes(take(rest)?);
    let transaction = Some(i64::from_be_bytes(take(rest)?)).filter(|first| *first != NONE);
    let [count] = take::<1>(rest)?;
    let mut batches = Window::default();
    for _ in 0..usize::from(count).min(BATCHES_KEPT) {
        let [aborted] = take::<1>(rest)?;
        batches.push_remembered(Remembered {
            aborted: aborted != 0,
            base_sequence: i32::from_be_bytes(take(rest)?),
            last_sequence: i32::from_be_bytes(take(rest)?),
            base_offset: i64::from_be_bytes(take(rest)?),
            last_offset: i64::from_be_bytes(take(rest)?),
        });
    }
    Some((id, Producer { epoch, batches, transaction, coordinator_epoch, timestamp }))
}

fn aborted(rest: &mut &[u8]) -> Option<Aborted> {
    Some(Aborted {
        producer_id: i64::from_be_bytes(take(rest)?),
        first_offset: i64::from_be_bytes(take(rest)?),
        last_offset: i64::from_be_bytes(take(rest)?),
        last_stable_offset: i64::from_be_bytes(take(rest)?),
    })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

//! The producers' file: written when a segment is closed and at a clean stop, believed only if its checksum fits.

use std::collections::{HashMap, VecDeque};

use super::{BATCHES_KEPT, Producer, ProducerState, Remembered};

const VERSION: u16 = 1;
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
            let producer = &self.state.by_id[id];
            out.extend_from_slice(&id.to_be_bytes());
            out.extend_from_slice(&producer.epoch.to_be_bytes());
            out.push(u8::try_from(producer.batches.len()).expect("five at most"));
            for batch in &producer.batches {
                out.extend_from_slice(&batch.base_sequence.to_be_bytes());
                out.extend_from_slice(&batch.last_sequence.to_be_bytes());
                out.extend_from_slice(&batch.base_offset.to_be_bytes());
                out.extend_from_slice(&batch.last_offset.to_be_bytes());
            }
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
        let mut state = ProducerState::new(max);
        for _ in 0..count {
            let (id, producer) = producer(&mut rest)?;
            state.by_id.insert(id, producer);
        }
        rest.is_empty().then_some(Self { end_offset, segment_base_offset, segment_bytes, state })
    }

    /// A snapshot without producers, as of an empty log.
    pub(crate) fn empty(max: usize) -> Self {
        let state = ProducerState { by_id: HashMap::new(), max: max.max(1) };
        Self { end_offset: 0, segment_base_offset: 0, segment_bytes: 0, state }
    }
}

fn producer(rest: &mut &[u8]) -> Option<(i64, Producer)> {
    let id = i64::from_be_bytes(take(rest)?);
    let epoch = i16::from_be_bytes(take(rest)?);
    let [count] = take::<1>(rest)?;
    let mut batches = VecDeque::with_capacity(BATCHES_KEPT);
    for _ in 0..count {
        batches.push_back(Remembered {
            base_sequence: i32::from_be_bytes(take(rest)?),
            last_sequence: i32::from_be_bytes(take(rest)?),
            base_offset: i64::from_be_bytes(take(rest)?),
            last_offset: i64::from_be_bytes(take(rest)?),
        });
    }
    Some((id, Producer { epoch, batches }))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

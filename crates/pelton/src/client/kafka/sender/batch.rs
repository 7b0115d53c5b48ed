//! Records on their way into batches, and batches that wait to be sent.

use std::collections::VecDeque;

use bytes::Bytes;
use record::{BatchBuilder, Compression, Header, Producer};

/// A record to send.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message<'a> {
    /// Its number in the input, counted from 1.
    pub(crate) line: u64,
    /// When it was made, in unix milliseconds.
    pub(crate) timestamp: i64,
    /// What decides its partition, if anything does.
    pub(crate) key: Option<&'a [u8]>,
    /// What it says; none is a tombstone.
    pub(crate) value: Option<&'a [u8]>,
    /// What is said about it.
    pub(crate) headers: &'a [Header],
    /// Its partition, when it was chosen.
    pub(crate) partition: Option<i32>,
}

/// A batch as it goes over the wire, again and again if need be.
#[derive(Debug, Clone)]
pub(super) struct ClosedBatch {
    /// Where it goes.
    pub(super) partition: i32,
    /// Its place among all batches.
    number: u64,
    /// The batch.
    pub(super) bytes: Bytes,
    /// How many records it has.
    pub(super) count: u64,
    /// The first of them, by its number in the input.
    pub(super) first_line: u64,
}

struct OpenBatch {
    builder: BatchBuilder,
    first_line: u64,
}

#[derive(Default)]
struct Slot {
    open: Option<OpenBatch>,
    next_sequence: i32,
}

/// One open batch per partition, and the closed ones in order.
pub(super) struct Queue {
    slots: Vec<Slot>,
    closed: VecDeque<ClosedBatch>,
    closed_bytes: usize,
    batch_bytes: usize,
    compression: Compression,
    producer: Producer,
    transactional: bool,
    batches: u64,
    /// Where records without a key go until that batch is full.
    sticky: usize,
}

impl Queue {
    /// An empty queue of a topic with so many partitions.
    pub(super) fn new(
        partitions: usize,
        batch_bytes: usize,
        compression: Compression,
        producer: Producer,
    ) -> Self {
        Self {
            slots: (0..partitions).map(|_| Slot::default()).collect(),
            closed: VecDeque::new(),
            closed_bytes: 0,
            batch_bytes,
            compression,
            producer,
            transactional: false,
            batches: 0,
            sticky: 0,
        }
    }

    /// Marks every batch as part of a transaction, or none.
    pub(super) fn transactional(mut self, transactional: bool) -> Self {
        self.transactional = transactional;
        self
    }

    /// Bytes that wait.
    pub(super) fn closed_bytes(&self) -> usize {
        self.closed_bytes
    }

    /// Where the first waiting batch goes.
    pub(super) fn next_partition(&self) -> Option<i32> {
        self.closed.front().map(|batch| batch.partition)
    }

    /// The first record that waits, by its number in the input.
    pub(super) fn first_line(&self) -> Option<u64> {
        let open = self.slots.iter().filter_map(|slot| slot.open.as_ref()).map(|open| open.first_line);
        open.chain(self.closed.iter().map(|batch| batch.first_line)).min()
    }

    /// Takes one record. Its partition, if chosen, is one of the topic's.
    pub(super) fn push(&mut self, message: &Message<'_>) {
        let size = message.key.map_or(0, <[u8]>::len) + message.value.map_or(0, <[u8]>::len);
        let mut partition = self.partition(message);
        // A full batch is closed, and without a key the record moves on to the next partition.
        while self.is_full_for(partition, size) {
            self.close(partition);
            partition = self.partition(message);
        }
        let (compression, producer, transactional) = (self.compression, self.producer, self.transactional);
        let slot = &mut self.slots[partition];
        let open = slot.open.get_or_insert_with(|| {
            let base_sequence = if producer.id < 0 { -1 } else { slot.next_sequence };
            let builder = BatchBuilder::new(compression, Producer { base_sequence, ..producer });
            let builder = if transactional { builder.transactional() } else { builder };
            OpenBatch { builder, first_line: message.line }
        });
        open.builder.push(message.timestamp, message.key, message.value, message.headers);
        if open.builder.uncompressed_bytes() >= self.batch_bytes {
            self.close(partition);
        }
    }

    fn is_full_for(&self, partition: usize, size: usize) -> bool {
        let open = self.slots[partition].open.as_ref();
        open.is_some_and(|open| open.builder.uncompressed_bytes() + size > self.batch_bytes)
    }

    fn partition(&self, message: &Message<'_>) -> usize {
        let count = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        match (message.partition, message.key) {
            (Some(partition), _) => usize::try_from(partition).unwrap_or(0),
            (None, Some(key)) => record::partition_for_key(key, count) as usize,
            (None, None) => self.sticky,
        }
    }

    /// Closes every open batch.
    pub(super) fn close_all(&mut self) {
        (0..self.slots.len()).for_each(|partition| self.close(partition));
    }

    fn close(&mut self, partition: usize) {
        let slot = &mut self.slots[partition];
        let Some(OpenBatch { builder, first_line }) = slot.open.take() else { return };
        let records = i32::try_from(builder.len()).expect("a batch counts its records in 32 bits");
        // Sequences go on at 0 after the largest.
        slot.next_sequence = slot.next_sequence.wrapping_add(records) & i32::MAX;
        let bytes = builder.build();
        self.closed_bytes += bytes.len();
        self.batches += 1;
        if partition == self.sticky {
            self.sticky = (self.sticky + 1) % self.slots.len();
        }
        self.closed.push_back(ClosedBatch {
            partition: i32::try_from(partition).expect("partitions are counted in 32 bits"),
            number: self.batches,
            bytes,
            count: u64::from(records.unsigned_abs()),
            first_line,
        });
    }

    /// Takes batches for one request: the first of each partition that `wanted` names, up to about `bytes`.
    pub(super) fn take(&mut self, bytes: usize, wanted: impl Fn(i32) -> bool) -> Vec<ClosedBatch> {
        let mut taken: Vec<ClosedBatch> = Vec::new();
        let mut left = VecDeque::new();
        let mut size = 0;
        for batch in self.closed.drain(..) {
            let fits = taken.is_empty() || size + batch.bytes.len() <= bytes;
            let other = taken.iter().all(|before| before.partition != batch.partition);
            // A batch that stays holds back the later ones of its partition.
            let held = left.iter().any(|before: &ClosedBatch| before.partition == batch.partition);
            if fits && other && !held && wanted(batch.partition) {
                size += batch.bytes.len();
                taken.push(batch);
            } else {
                left.push_back(batch);
            }
        }
        self.closed = left;
        self.closed_bytes -= size;
        taken
    }

    /// Queues batches again, in the order they were closed in.
    pub(super) fn put_back(&mut self, batches: Vec<ClosedBatch>) {
        self.closed_bytes += batches.iter().map(|batch| batch.bytes.len()).sum::<usize>();
        self.closed.extend(batches);
        self.closed.make_contiguous().sort_by_key(|batch| batch.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(partitions: usize, batch_bytes: usize) -> Queue {
        Queue::new(partitions, batch_bytes, Compression::None, Producer { id: 7, epoch: 0, base_sequence: 0 })
    }

    fn push(queue: &mut Queue, line: u64, partition: i32) {
        let message =
            Message { line, value: Some(b"value"), partition: Some(partition), ..Message::default() };
        queue.push(&message);
    }

    #[test]
    fn batches_of_a_partition_go_out_one_per_request_and_in_order() {
        let mut queue = queue(2, 1);
        for line in 1..=4 {
            push(&mut queue, line, i32::from(line == 3));
        }
        let lines = |taken: &[ClosedBatch]| taken.iter().map(|batch| batch.first_line).collect::<Vec<_>>();
        let first = queue.take(1 << 20, |_| true);
        assert_eq!(lines(&first), [1, 3]);
        let second = queue.take(1 << 20, |_| true);
        assert_eq!(lines(&second), [2]);
        queue.put_back([second, first].concat());
        assert_eq!(queue.first_line(), Some(1));
        assert_eq!(lines(&queue.take(1 << 20, |partition| partition == 0)), [1]);
        assert_eq!(lines(&queue.take(1 << 20, |_| true)), [2, 3]);
        assert_eq!(lines(&queue.take(1 << 20, |_| true)), [4]);
        assert_eq!(queue.closed_bytes(), 0);
    }

    #[test]
    fn sequences_count_the_records_of_a_partition() {
        let mut queue = queue(2, 1 << 20);
        for line in 0..3 {
            push(&mut queue, line, 1);
        }
        queue.close_all();
        push(&mut queue, 3, 1);
        queue.close_all();
        let sequence = |queue: &mut Queue| {
            let taken = queue.take(1 << 20, |_| true);
            record::Batch::parse(&taken[0].bytes).unwrap().header.base_sequence
        };
        assert_eq!((sequence(&mut queue), sequence(&mut queue)), (0, 3));
    }

    #[test]
    fn records_without_a_key_fill_a_batch_before_they_move_on() {
        let mut queue = queue(3, 100);
        for line in 0..20 {
            queue.push(&Message { line, value: Some(b"0123456789"), ..Message::default() });
        }
        queue.close_all();
        let order: Vec<i32> = queue.closed.iter().map(|batch| batch.partition).collect();
        assert_eq!(order[..3], [0, 1, 2]);
        assert!(queue.closed.iter().all(|batch| batch.count >= 2));
    }
}

//! The last batches of one producer, in place: an append that may fail copies them, so they own no memory.

use record::BatchHeader;

/// As many batches per producer as a client may have in flight.
pub(crate) const BATCHES_KEPT: usize = 5;

/// A batch that was appended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Remembered {
    pub(crate) base_sequence: i32,
    pub(crate) last_sequence: i32,
    pub(crate) base_offset: i64,
    pub(crate) last_offset: i64,
    /// Its transaction was aborted: a batch with its numbers is no repetition.
    pub(crate) aborted: bool,
}

/// Up to five batches, oldest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Window {
    batches: [Remembered; BATCHES_KEPT],
    count: usize,
}

impl Window {
    /// Adds a batch; the oldest one makes room.
    pub(super) fn push(&mut self, header: &BatchHeader) {
        self.push_remembered(Remembered {
            base_sequence: header.base_sequence,
            last_sequence: header.last_sequence(),
            base_offset: header.base_offset,
            last_offset: header.last_offset(),
            aborted: false,
        });
    }

    pub(super) fn push_remembered(&mut self, batch: Remembered) {
        if self.count == BATCHES_KEPT {
            self.batches.rotate_left(1);
            self.count -= 1;
        }
        self.batches[self.count] = batch;
        self.count += 1;
    }

    pub(crate) fn as_slice(&self) -> &[Remembered] {
        &self.batches[..self.count]
    }

    pub(crate) fn last(&self) -> Option<&Remembered> {
        self.as_slice().last()
    }

    /// The batch that this one repeats.
    pub(super) fn find(&self, header: &BatchHeader) -> Option<Remembered> {
        let same = |batch: &&Remembered| {
            !batch.aborted
                && batch.base_sequence == header.base_sequence
                && batch.last_sequence == header.last_sequence()
        };
        self.as_slice().iter().rev().find(same).copied()
    }

    /// Whether the producer gives numbers of an aborted batch anew, with nothing of it left that counts.
    pub(super) fn is_anew(&self, header: &BatchHeader) -> bool {
        let aborted = self.as_slice().iter().rev().take_while(|batch| batch.aborted);
        aborted.into_iter().any(|batch| batch.base_sequence == header.base_sequence)
    }

    /// The batches from `offset` on were aborted.
    pub(super) fn abort_from(&mut self, offset: i64) {
        for batch in &mut self.batches[..self.count] {
            batch.aborted |= batch.base_offset >= offset;
        }
    }
}

//! Making appended batches durable, beside further appends.

use std::io;
use std::sync::Arc;

use crate::segment::Segment;
use crate::{Error, Log};

/// A flush that was begun: what is to be made durable. Appends go on meanwhile, and are not part of it.
#[derive(Debug)]
#[must_use = "only `Log::finish_flush` makes it count"]
pub struct Flush {
    segment: Arc<Segment>,
    up_to: i64,
}

impl Flush {
    /// Does it. The log need not be at hand.
    ///
    /// # Errors
    /// Whatever the disk answers: to be told to [`Log::finish_flush`].
    pub fn sync(&self) -> io::Result<()> {
        self.segment.file().map_err(io::Error::other)?.sync_data()
    }
}

impl Log {
    /// Everything before this offset is durable.
    #[must_use]
    pub fn flushed_offset(&self) -> i64 {
        self.flushed_offset
    }

    /// Makes everything that was appended durable. After a failure the log takes no more writes: nobody knows what
    /// a second attempt would mean.
    ///
    /// # Errors
    /// [`Error::Poisoned`], now and from now on.
    pub fn flush(&mut self) -> Result<(), Error> {
        match self.begin_flush()? {
            Some(flush) => {
                let outcome = flush.sync();
                self.finish_flush(&flush, outcome)
            }
            None => Ok(()),
        }
    }

    /// Begins a flush of everything that was appended; nothing, if all of it is durable. Until it is finished, nobody may
    /// begin another one, roll or tidy: a second sync of the same file could hide the failure of the first.
    ///
    /// # Errors
    /// [`Error::Poisoned`] after a failure.
    pub fn begin_flush(&self) -> Result<Option<Flush>, Error> {
        self.check_poison()?;
        let up_to = self.next_offset;
        let flush = || Flush { segment: Arc::clone(&self.active), up_to };
        Ok((self.flushed_offset < up_to).then(flush))
    }

    /// Takes note of what became of a flush.
    ///
    /// # Errors
    /// [`Error::Poisoned`] if it failed, now and from now on.
    pub fn finish_flush(&mut self, flush: &Flush, outcome: io::Result<()>) -> Result<(), Error> {
        match outcome {
            Ok(()) => {
                self.flushed_offset = self.flushed_offset.max(flush.up_to);
                self.check_poison()
            }
            Err(error) => Err(self.poison(error)),
        }
    }
}

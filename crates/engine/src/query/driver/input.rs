//! What one batch of a query reads.

use crate::error::QueryError;
use crate::query::driver::Query;
use crate::query::feed;
use crate::query::journal::Ranges;
use crate::query::lookup;
use crate::query::trigger::Pace;
use crate::source::Pinned;

/// Pinned per stream, and of each table what is new.
#[derive(Default)]
pub(super) struct Input {
    pub(super) streams: Vec<Pinned>,
    pub(super) tables: Vec<Vec<Pinned>>,
}

impl Input {
    /// Whether no stream has anything.
    pub(super) fn is_empty(&self) -> bool {
        self.streams.iter().all(Pinned::is_empty)
    }

    /// From where to where it goes, in all logs.
    pub(super) fn ranges(&self) -> Ranges {
        let streams = self.streams.iter().map(|pinned| pinned.ranges.clone());
        feed::merged(streams.chain(self.tables.iter().map(|table| lookup::joined(table))))
    }
}

impl Query {
    /// What the streams have, as much as a batch may take.
    pub(super) async fn pin(&self, pace: &Pace) -> Result<Input, QueryError> {
        let mut pinned = Input::default();
        for feed in &self.feeds {
            let (positions, turn) = (&self.standing.offsets, self.standing.batch);
            pinned.streams.push(feed.source.pin(positions, &pace.limits(&feed.limits), turn).await?);
        }
        Ok(pinned)
    }

    /// Adds what is new in the tables, and makes all of it durable; false if it has to be pinned anew.
    pub(super) async fn complete(&self, pinned: &mut Input) -> Result<bool, QueryError> {
        for lookup in &self.lookups {
            pinned.tables.push(lookup.pin(&self.standing.offsets).await?);
        }
        let mut holds = true;
        for (feed, pinned) in self.feeds.iter().zip(&pinned.streams) {
            holds &= feed.source.secure(pinned).await?;
        }
        for (lookup, pinned) in self.lookups.iter().zip(&pinned.tables) {
            for pinned in pinned {
                holds &= lookup.source.secure(pinned).await?;
            }
        }
        Ok(holds)
    }

    /// The records of a batch again.
    pub(super) async fn reread(&self, ranges: &Ranges) -> Result<Input, QueryError> {
        let mut pinned = Input::default();
        for feed in &self.feeds {
            pinned.streams.push(feed.source.reread(ranges).await?);
        }
        for lookup in &self.lookups {
            pinned.tables.push(lookup.reread(ranges).await?);
        }
        Ok(pinned)
    }
}

//! When a batch begins, and when there are no more.

use std::sync::Arc;
use std::time::Duration;

use env::Clock;
use tokio::sync::watch;

use crate::error::SourceError;
use crate::query::feed::{self, Feed};
use crate::source::{Bounds, Limits};
use crate::status::Offsets;

/// What a query waits for before each batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Trigger {
    /// Something to read.
    #[default]
    Asap,
    /// Something to read, and then the next multiple of this time, as the clock of the day counts it.
    ProcessingTime(Duration),
    /// Nothing: what is there when the query starts is read, in as many batches as its limits make, and it ends.
    AvailableNow,
    /// As [`Trigger::AvailableNow`], in one batch.
    Once,
}

/// The trigger of a query that runs.
#[derive(Debug)]
pub(crate) struct Pace {
    trigger: Trigger,
    clock: Arc<dyn Clock>,
    /// What was there at the start, for those that end.
    bounds: Bounds,
    /// A source has no end of now.
    endless: bool,
    batches: u64,
    /// Where the query stood before the last batch.
    last: Option<Offsets>,
}

impl Pace {
    /// Looks how far there is to read, if that matters.
    ///
    /// # Errors
    /// If a source cannot be asked.
    pub(crate) async fn begin(
        trigger: Trigger,
        feeds: &[Feed],
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, SourceError> {
        let (mut all, mut endless) = (Bounds::default(), false);
        if matches!(trigger, Trigger::AvailableNow | Trigger::Once) {
            for feed in feeds {
                let bounds = feed.source.bounds().await?;
                endless |= bounds.is_none();
                let Bounds { from, until } = bounds.unwrap_or_default();
                all.from.extend(from);
                all.until.extend(until);
            }
        }
        Ok(Pace { trigger, clock: Arc::clone(clock), bounds: all, endless, batches: 0, last: None })
    }

    /// How much a batch may take in.
    pub(crate) fn limits(&self, usual: &Limits) -> Limits {
        let until = (!self.endless).then(|| Arc::new(self.bounds.until.clone()));
        match self.trigger {
            Trigger::Asap | Trigger::ProcessingTime(_) => usual.clone(),
            Trigger::AvailableNow => Limits { until, ..usual.clone() },
            Trigger::Once => Limits { rows: u64::MAX, bytes: usize::MAX, until },
        }
    }

    /// Waits for the next batch, for rows or until `due_ms`; false when there is none: the query has been told to stop, or is at its end.
    ///
    /// # Errors
    /// If a source fails.
    pub(crate) async fn fired(
        &mut self,
        feeds: &[Feed],
        positions: &Offsets,
        due_ms: Option<i64>,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<bool, SourceError> {
        let first = self.batches == 0;
        self.batches += 1;
        if self.is_over(first, positions) {
            return Ok(false);
        }
        if self.is_under_way(positions) {
            // What is left lies there already.
            return Ok(!*stop.borrow());
        }
        let due = self.until(due_ms);
        tokio::select! {
            biased;
            fired = feed::fired(feeds, positions, stop) => if !fired? { return Ok(false) },
            () = due => {}
        }
        let Trigger::ProcessingTime(interval) = self.trigger else { return Ok(true) };
        let wait = if first { Duration::ZERO } else { until_next(interval, self.clock.now_ms()) };
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => Ok(false),
            () = tokio::time::sleep(wait) => Ok(true),
        }
    }

    /// Waits for a time; for ever without one.
    fn until(&self, due_ms: Option<i64>) -> impl Future<Output = ()> + use<> {
        let wait = due_ms.map(|due| due.saturating_sub(self.clock.now_ms()).max(0).unsigned_abs());
        async move {
            match wait {
                Some(wait) => tokio::time::sleep(Duration::from_millis(wait)).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Whether an end is known, and the last batch came nearer to it.
    fn is_under_way(&mut self, positions: &Offsets) -> bool {
        if self.endless || matches!(self.trigger, Trigger::Asap | Trigger::ProcessingTime(_)) {
            return false;
        }
        let moved = self.last.as_ref() != Some(positions);
        self.last = Some(positions.clone());
        moved
    }

    fn is_over(&self, first: bool, positions: &Offsets) -> bool {
        match self.trigger {
            Trigger::Asap | Trigger::ProcessingTime(_) => false,
            Trigger::Once if !first => true,
            // A source that never ends gives one batch.
            _ if self.endless => !first,
            _ => has_reached(&self.bounds, positions),
        }
    }
}

/// Whether the positions are where a bounded read ends.
pub(crate) fn has_reached(bounds: &Bounds, positions: &Offsets) -> bool {
    bounds.until.iter().all(|(log, ends)| {
        ends.iter().all(|(partition, end)| {
            let at = |offsets: &Offsets| offsets.get(log).and_then(|log| log.get(partition)).copied();
            at(positions).or_else(|| at(&bounds.from)).is_some_and(|position| position >= *end)
        })
    })
}

/// The time to the next multiple of the interval.
fn until_next(interval: Duration, now_ms: i64) -> Duration {
    let every = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1);
    let left = (every - now_ms.rem_euclid(every)) % every;
    Duration::from_millis(left.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn batches_begin_at_multiples_of_the_interval() {
        let left = |now| until_next(Duration::from_secs(2), now).as_millis();
        assert_eq!([left(0), left(1), left(1_999), left(2_000), left(-500)], [0, 1_999, 1, 0, 500]);
    }

    #[test]
    fn the_end_is_reached_when_every_partition_is_there() {
        let offsets = |a, b| Offsets::from([("t".to_owned(), BTreeMap::from([(0, a), (1, b)]))]);
        let bounds = Bounds { from: offsets(0, 3), until: offsets(5, 3) };
        assert!(!has_reached(&bounds, &offsets(4, 3)));
        assert!(has_reached(&bounds, &offsets(5, 3)));
        // A partition that nothing was read from is where it began.
        let first_only = Offsets::from([("t".to_owned(), BTreeMap::from([(0, 7)]))]);
        assert!(has_reached(&bounds, &first_only));
    }
}

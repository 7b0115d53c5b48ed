//! Rows made by a clock: for trying things out, and for measuring them.
//!
//! A row's number says everything about it, so a batch that runs again makes the same rows. The time that the
//! query began at stands among the offsets, under a partition of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, TimestampMicrosecondArray};
use env::Clock;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use record::Located;

use crate::error::SourceError;
use crate::operator::scope::Refusals;
use crate::query::journal::Ranges;
use crate::source::records::SourceRecords;
use crate::source::shape::Shape;
use crate::source::{Bounds, Content, Limits, Pinned, Rows, Source, Standing};
use crate::sql::options::source::RateOptions;
use crate::sql::types::UTC;
use crate::status::{Offsets, SourceOffset};

/// What the log of rows is called.
const LOG: &str = "rate";

/// The partition that counts rows.
const ROWS: u32 = 0;

/// The partition that holds the time of the beginning, in Unix milliseconds.
const BEGUN: u32 = 1;

/// Rows that are due wait for one another: a batch is not made for each of them.
const TICK_MS: i64 = 100;

/// How often a clock is looked at that may be moved by hand.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A generator as a source.
#[derive(Debug)]
pub(crate) struct RateSource {
    options: RateOptions,
    clock: Arc<dyn Clock>,
}

impl RateSource {
    pub(crate) fn new(options: RateOptions, clock: &Arc<dyn Clock>) -> Self {
        RateSource { options, clock: Arc::clone(clock) }
    }

    fn begun(&self, positions: &Offsets) -> i64 {
        let begun = positions.get(LOG).and_then(|log| log.get(&BEGUN)).copied();
        begun.unwrap_or_else(|| self.clock.now_ms())
    }

    /// How many rows there are up to now.
    fn due(&self, positions: &Offsets) -> i64 {
        match self.options {
            RateOptions::PerSecond { rows, ramp_up_s } => {
                let tick = if rows >= 10 { TICK_MS } else { 1 };
                let elapsed = self.clock.now_ms().saturating_sub(self.begun(positions)).max(0) / tick * tick;
                rows_after(elapsed, rows, ramp_up_s)
            }
            RateOptions::PerBatch { rows, .. } => position(positions).saturating_add(whole(rows)),
        }
    }

    fn time_ms(&self, row: i64, begun: i64) -> i64 {
        match self.options {
            RateOptions::PerSecond { rows, ramp_up_s } => begun.saturating_add(time_of(row, rows, ramp_up_s)),
            RateOptions::PerBatch { rows, start_ms, advance_ms } => {
                start_ms.saturating_add((row / whole(rows)).saturating_mul(whole(advance_ms)))
            }
        }
    }

    fn made(&self, from: i64, to: i64, begun: i64) -> Pinned {
        let mut log = BTreeMap::from([(BEGUN, (begun, begun))]);
        if from < to {
            log.insert(ROWS, (from, to));
        } else {
            log.clear();
        }
        let times = (from..to).map(|row| self.time_ms(row, begun)).collect();
        Pinned::new(Ranges::from([(LOG.to_owned(), log)]), Made { from, times })
    }
}

fn position(positions: &Offsets) -> i64 {
    positions.get(LOG).and_then(|log| log.get(&ROWS)).copied().unwrap_or(0)
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Rows made within the first milliseconds. While it speeds up, the rate grows evenly.
fn rows_after(elapsed_ms: i64, rows: u64, ramp_up_s: u64) -> i64 {
    let (elapsed, rows, ramp) = (i128::from(elapsed_ms), i128::from(rows), i128::from(ramp_up_s) * 1_000);
    let made = if elapsed < ramp {
        rows * elapsed * elapsed / (2 * ramp * 1_000)
    } else {
        rows * (2 * elapsed - ramp) / 2_000
    };
    i64::try_from(made).unwrap_or(i64::MAX)
}

/// When a row is due, in milliseconds: the first one at which `rows_after` is greater than its number.
fn time_of(row: i64, rows: u64, ramp_up_s: u64) -> i64 {
    let ramp = whole(ramp_up_s).saturating_mul(1_000);
    if row < rows_after(ramp, rows, ramp_up_s) {
        let (mut low, mut high) = (0, ramp);
        while low < high {
            let middle = low + (high - low) / 2;
            if rows_after(middle, rows, ramp_up_s) > row { high = middle } else { low = middle + 1 }
        }
        return low;
    }
    // At the even rate, a row's time is the beginning of its span, as Spark has it.
    let time = i128::from(row) * 1_000 / i128::from(rows) + i128::from(ramp) / 2;
    i64::try_from(time).unwrap_or(i64::MAX)
}

impl Source for RateSource {
    fn name(&self) -> &str {
        LOG
    }

    fn start(&self) -> BoxFuture<'_, Result<Offsets, SourceError>> {
        let log = BTreeMap::from([(ROWS, 0), (BEGUN, self.clock.now_ms())]);
        ready(Ok(Offsets::from([(LOG.to_owned(), log)]))).boxed()
    }

    fn ready<'a>(&'a self, positions: &'a Offsets) -> BoxFuture<'a, Result<(), SourceError>> {
        async move {
            while self.due(positions) <= position(positions) {
                let next = self.time_ms(position(positions) + 1, self.begun(positions));
                let left = next.saturating_sub(self.clock.now_ms());
                let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
                tokio::time::sleep(left.max(Duration::from_millis(1)).min(LOOK_EVERY)).await;
            }
            Ok(())
        }
        .boxed()
    }

    fn pin<'a>(
        &'a self,
        positions: &'a Offsets,
        limits: &'a Limits,
        _: u64,
    ) -> BoxFuture<'a, Result<Pinned, SourceError>> {
        let (from, mut to) = (position(positions), self.due(positions));
        if matches!(self.options, RateOptions::PerSecond { .. }) {
            to = to.min(from.saturating_add(whole(limits.rows)));
        }
        if let Some(until) = &limits.until {
            to = to.min(position(until));
        }
        ready(Ok(self.made(from, to.max(from), self.begun(positions)))).boxed()
    }

    fn reread<'a>(&'a self, ranges: &'a Ranges) -> BoxFuture<'a, Result<Pinned, SourceError>> {
        let log = ranges.get(LOG);
        let range = |partition: u32| log.and_then(|log| log.get(&partition)).copied();
        let (from, to) = range(ROWS).unwrap_or_default();
        let begun = range(BEGUN).map_or_else(|| self.clock.now_ms(), |(begun, _)| begun);
        ready(Ok(self.made(from, to, begun))).boxed()
    }

    fn secure<'a>(&'a self, _: &'a Pinned) -> BoxFuture<'a, Result<bool, SourceError>> {
        ready(Ok(true)).boxed()
    }

    fn bounds(&self) -> BoxFuture<'_, Result<Option<Bounds>, SourceError>> {
        ready(Ok(None)).boxed()
    }

    fn progress(&self, positions: &Offsets) -> Standing {
        let offset = position(positions);
        let end = match self.options {
            RateOptions::PerSecond { .. } => self.due(positions).max(offset),
            RateOptions::PerBatch { .. } => offset,
        };
        Standing::from([(LOG.to_owned(), BTreeMap::from([(ROWS, SourceOffset { offset, end })]))])
    }
}

/// Rows, by their times.
#[derive(Debug)]
struct Made {
    from: i64,
    times: Vec<i64>,
}

impl Content for Made {
    fn rows(self: Box<Self>, shape: &Shape) -> Result<Rows, SourceError> {
        let values = Int64Array::from_iter_values((self.from..).take(self.times.len()));
        let times = self.times.iter().map(|ms| ms.saturating_mul(1_000));
        let times = TimestampMicrosecondArray::from_iter_values(times).with_timezone(UTC);
        let columns: Vec<ArrayRef> = vec![Arc::new(times), Arc::new(values)];
        if shape.schema() == shape.values() {
            let batch =
                RecordBatch::try_new(Arc::clone(shape.values()), columns).map_err(SourceError::Decode)?;
            return Ok(Rows { batch, records: SourceRecords::default(), refused: Refusals::new() });
        }
        let mut records = SourceRecords::default();
        records.begin(&LOG.into(), ROWS, Bytes::new());
        for (offset, time) in (self.from..).zip(&self.times) {
            records.push(Located { offset, timestamp: *time, ..Located::default() });
        }
        let numbers: Vec<usize> = (0..records.len()).collect();
        let values = RecordBatch::try_new(Arc::clone(shape.values()), columns);
        let batch = values.and_then(|values| shape.widen(&values, &records, &numbers));
        batch.map(|batch| Rows { batch, records, refused: Refusals::new() }).map_err(SourceError::Decode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_grows_evenly_and_then_stays() {
        assert_eq!(rows_after(1_000, 10, 0), 10);
        assert_eq!(rows_after(1_500, 10, 0), 15);
        // Four seconds of speeding up make half of what the full rate would have made.
        assert_eq!(rows_after(4_000, 10, 4), 20);
        assert_eq!(rows_after(2_000, 10, 4), 5);
        assert_eq!(rows_after(5_000, 10, 4), 30);
        assert_eq!(rows_after(i64::MAX, 1_000_000_000, 0), i64::MAX);
    }

    #[test]
    fn a_row_is_due_when_it_is_made() {
        for row in 0..100 {
            let at = time_of(row, 10, 4);
            assert!(rows_after(at, 10, 4) >= row, "row {row} at {at}");
            assert!(time_of(row + 1, 10, 4) >= at);
        }
        assert_eq!(time_of(25, 10, 0), 2_500);
    }
}

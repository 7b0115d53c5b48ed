//! One of a query's inputs: where its rows come from, how they are read, and how far their event time has come.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::compute::max;
use datafusion::arrow::datatypes::TimestampMicrosecondType;
use tokio::sync::watch;

use crate::error::SourceError;
use crate::operator::stateful::Moment;
use crate::plan::pipeline::Observed;
use crate::query::journal::{Ranges, Snapshot};
use crate::source::shape::Shape;
use crate::source::{Limits, Source};
use crate::status::Offsets;

/// An input of a query.
pub(crate) struct Feed {
    /// The table.
    pub(crate) table: String,
    pub(crate) source: Arc<dyn Source>,
    /// The columns that the plan wants.
    pub(crate) shape: Shape,
    /// How much one batch may take in.
    pub(crate) limits: Limits,
    /// The column of event time, and by how many microseconds rows may come late.
    pub(crate) watermark: Option<(usize, i64)>,
}

impl Feed {
    pub(crate) fn no_rows(&self) -> RecordBatch {
        RecordBatch::new_empty(Arc::clone(self.shape.schema()))
    }

    /// The newest event time in these rows.
    fn newest(&self, rows: &RecordBatch) -> Option<i64> {
        let (column, _) = self.watermark?;
        max(rows.column(column).as_primitive_opt::<TimestampMicrosecondType>()?)
    }
}

/// Waits for rows after the positions; false when the query has been told to stop.
pub(crate) async fn fired(
    feeds: &[Feed],
    positions: &Offsets,
    stop: &mut watch::Receiver<bool>,
) -> Result<bool, SourceError> {
    let ready = feeds.iter().map(|feed| feed.source.ready(positions));
    tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => Ok(false),
        (ready, ..) = futures::future::select_all(ready) => ready.map(|()| true),
    }
}

/// All ranges in one.
pub(crate) fn merged(ranges: impl IntoIterator<Item = Ranges>) -> Ranges {
    ranges.into_iter().flatten().collect()
}

/// How far event time comes with these rows, one batch per feed, and with what the plan makes of them. The slowest
/// holds the watermark; one that has brought nothing yet holds it back altogether.
pub(crate) fn moment(
    feeds: &[Feed],
    rows: &[RecordBatch],
    observed: &[Observed],
    batch: u64,
    standing: &Snapshot,
) -> (Moment, BTreeMap<String, i64>) {
    let mut newest = standing.event_times.clone();
    let mut slowest: Option<Option<i64>> = None;
    let of_feeds = feeds.iter().zip(rows).filter_map(|(feed, rows)| {
        let (_, delay) = feed.watermark?;
        Some((&feed.table, delay, feed.newest(rows)))
    });
    let of_plan = observed.iter().map(|observed| (&observed.name, observed.delay_us, observed.newest));
    for (name, delay, found) in of_feeds.chain(of_plan) {
        let seen = newest.get(name).copied().max(found);
        newest.extend(seen.map(|seen| (name.clone(), seen)));
        let reached = seen.map(|seen| seen.saturating_sub(delay));
        slowest = Some(slowest.map_or(reached, |slowest| slowest.min(reached)));
    }
    let late = standing.watermark;
    let (watermark, earlier) = (late.max(slowest.flatten()), standing.earlier_watermark);
    (Moment { batch, late, watermark, earlier }, newest)
}

//! What of a plan remembers, and which output modes that allows: Spark's rules (`UnsupportedOperationChecker`).

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::physical_plan::ExecutionPlan;

use super::cut::{aggregation, changes, contains_top, is_stateful, stream_join, stream_top, stream_windows};
use crate::operator::aggregate::{self, OutputMode};
use crate::plan::incremental::{CutError, raw_aggregate, raw_input, unsupported};

type Node = Arc<dyn ExecutionPlan>;

/// What of a plan remembers.
#[derive(Debug, Default)]
pub(super) struct Stateful {
    aggregations: usize,
    joins: usize,
    windows: usize,
    /// Window functions that number the first rows of each partition.
    pub(super) tops: usize,
    /// Something that remembers stands over those.
    above_top: bool,
    /// An aggregation that asks each key's first row only: `SELECT DISTINCT`, `DISTINCT ON`.
    distinct: bool,
    /// Keys whose bounds the rows decide.
    sessions: bool,
    /// A join stands over results that change.
    over_results: bool,
}

impl Stateful {
    pub(super) fn of(plan: &Node, streams: &[SchemaRef]) -> Self {
        let mut found = Stateful::default();
        found.count(plan, streams);
        found
    }

    fn count(&mut self, plan: &Node, streams: &[SchemaRef]) {
        let children = plan.children();
        if stream_join(plan, streams).is_some() {
            self.joins += 1;
            self.over_results |= children.iter().any(|child| changes(child, streams));
        }
        self.windows += usize::from(stream_windows(plan, streams).is_some());
        self.tops += usize::from(stream_top(plan, streams).is_some());
        self.above_top |= is_stateful(plan, streams)
            && plan.children().into_iter().any(|child| contains_top(child, streams));
        if let Some(aggregate) = aggregation(plan, streams) {
            // The two halves of a split aggregation are one.
            let whole = |raw| children.first().is_none_or(|child| Arc::ptr_eq(child, raw));
            self.aggregations += usize::from(raw_input(aggregate).map_or(true, whole));
            self.sessions |= raw_aggregate(aggregate).is_ok_and(|raw| aggregate::session_key(raw).is_some());
            self.distinct |= raw_aggregate(aggregate).is_ok_and(aggregate::asks_only_first);
        }
        children.into_iter().for_each(|child| self.count(child, streams));
    }

    /// Spark's rules; who does not choose gets update mode for one aggregation, else append.
    pub(super) fn output_mode(&self, wanted: Option<OutputMode>) -> Result<OutputMode, CutError> {
        let Stateful { aggregations, joins, windows, tops, distinct, sessions, over_results, .. } = *self;
        if tops > 0 {
            return self.top_mode(wanted);
        }
        match wanted {
            None if aggregations == 1 && joins + windows == 0 && !distinct && !sessions => {
                Ok(OutputMode::Update)
            }
            None => Ok(OutputMode::Append),
            Some(mode) if mode != OutputMode::Append && joins > 0 && (aggregations == 0 || over_results) => {
                Err(unsupported("a join of two streams", "it works in append mode only"))
            }
            Some(mode) if mode != OutputMode::Append && windows > 0 => {
                Err(unsupported("OVER", "it works in append mode only"))
            }
            Some(OutputMode::Update | OutputMode::Complete) if sessions && aggregations > 1 => {
                Err(unsupported(
                    "session_window below another aggregation",
                    "a session that grows changes its key; choose outputMode 'append'",
                ))
            }
            Some(OutputMode::Update) if sessions => Err(unsupported(
                "session_window in update mode",
                "a session that grows would leave under another key each time; choose outputMode 'append' or 'complete'",
            )),
            Some(OutputMode::Complete) if aggregations == 0 => Err(unsupported(
                "complete mode",
                "there is no aggregation, whose result would be all there is; choose outputMode 'append'",
            )),
            Some(mode) => Ok(mode),
        }
    }

    /// The first rows of partitions change; what is below them may not.
    fn top_mode(&self, wanted: Option<OutputMode>) -> Result<OutputMode, CutError> {
        if self.above_top {
            let reason =
                "rows that come among the first take the place of others; read them by another query";
            return Err(unsupported("a stateful operator over the first rows of partitions", reason));
        }
        match wanted {
            None | Some(OutputMode::Update) => Ok(OutputMode::Append),
            Some(_) => Err(unsupported(
                "row_number() with a limit",
                "a place may be taken by another row later; choose outputMode 'update', or PARTITION BY a window",
            )),
        }
    }
}

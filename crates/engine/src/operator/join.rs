//! Joins of two streams: each side remembers its rows for as long as the other may still bring a match.
//!
//! ```text
//! new left rows   x  (stored right rows of the same keys + new right rows)
//! stored left rows of the same keys  x  new right rows
//! ```
//!
//! Both are an inner join of DataFusion over rows that are numbered, so that it shows which rows have met. A row
//! that waits for a match without ever finding one leaves when the watermark has ended it, padded with NULL where
//! the join is an outer one. How long a row is kept is read off the join's condition: [`bounds`].
//!
//! A batch costs in proportion to its rows and to the stored rows that have their keys.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, new_null_array};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::{SchemaRef, UInt64Type};
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::{DataFusionError, JoinSide, JoinType};
use datafusion::execution::TaskContext;
use futures::future::BoxFuture;

use crate::operator::stateful::{Config, Merged, Moment, Operator, OperatorError, StateFigures};
use crate::plan::incremental::{CutError, unsupported};
use crate::plan::stage::Stage;
use crate::state::StateError;
use crate::state::keeper::{self, Keeper};
use bounds::Bounds;
use side::{ID, OWN, Side};

mod bounds;
mod plan;
mod side;

pub(crate) use plan::{Joined, check_static, joined};

/// The join of two streams with the rows that wait.
#[derive(Debug)]
pub(crate) struct StreamJoin {
    join_type: JoinType,
    left: Side,
    right: Side,
    /// The inner join over state rows of both.
    matches: Stage,
    /// Where each column of a result comes from.
    columns: Vec<(JoinSide, usize)>,
    output: SchemaRef,
    context: Arc<TaskContext>,
}

/// Rows that have met, by their numbers.
#[derive(Debug, Default)]
struct Met {
    left: HashSet<u64>,
    right: HashSet<u64>,
}

impl StreamJoin {
    /// Prepares the join of two streams.
    ///
    /// # Errors
    /// A kind of join that could never say that a row has no match.
    pub(crate) fn try_new(
        join: &Joined<'_>,
        config: Config,
        context: Arc<TaskContext>,
    ) -> Result<Self, CutError> {
        let Bounds { left: left_bounds, right: right_bounds } = Bounds::of(join);
        let needs = |side: &str, bounds: &[bounds::Bound]| match bounds {
            [] => Err(unsupported(
                format!("stream-stream {} join", plan::name(join.join_type)),
                plan::needs_watermark(side),
            )),
            _ => Ok(()),
        };
        if waits(join.join_type, JoinSide::Left) {
            needs("left", &left_bounds)?;
        }
        if waits(join.join_type, JoinSide::Right) {
            needs("right", &right_bounds)?;
        }
        let Config { query, operator, state_bytes_max } = config;
        let keys =
            |side: fn(&plan::On) -> &plan::Key| join.on.iter().map(|on| Arc::clone(side(on))).collect();
        let left = Side::try_new(
            &join.left.schema(),
            keys(|on| &on.0),
            left_bounds,
            (query.clone(), operator, state_bytes_max),
        )?;
        let right = Side::try_new(
            &join.right.schema(),
            keys(|on| &on.1),
            right_bounds,
            (query, operator + 1, state_bytes_max),
        )?;
        let matches = plan::matches(join, left.schema(), right.schema())?;
        let columns = plan::columns(join)?;
        let output = join.output.clone();
        Ok(StreamJoin { join_type: join.join_type, left, right, matches, columns, output, context })
    }

    async fn merge_staged(
        &mut self,
        inputs: Vec<Vec<RecordBatch>>,
        moment: &Moment,
    ) -> Result<Merged, OperatorError> {
        let batch = moment.batch;
        let run = |source| OperatorError::Run { batch, source };
        let [left, right] = <[_; 2]>::try_from(inputs).unwrap_or_default();
        let mut late = Vec::new();
        let left = self.left.take_in(left, moment, &mut late)?;
        let right = self.right.take_in(right, moment, &mut late)?;
        let (stored_left, stored_right) = (self.left.like(&right)?, self.right.like(&left)?);
        let mut met = Met::default();
        let mut rows = Vec::new();
        let pairs = [
            (vec![left.rows.clone()], [stored_right.clone(), Some(right.rows.clone())]),
            (stored_left.iter().cloned().collect(), [None, Some(right.rows.clone())]),
        ];
        for (left, right) in pairs {
            let right: Vec<RecordBatch> = right.into_iter().flatten().collect();
            let empty = |rows: &[RecordBatch]| rows.iter().all(|rows| rows.num_rows() == 0);
            if empty(&left) || empty(&right) {
                continue;
            }
            for pairs in self.matches.run(vec![left, right], &self.context).await.map_err(run)? {
                let of_left = self.left.schema().fields().len();
                met.note(&pairs, of_left);
                if shows_pairs(self.join_type) {
                    rows.push(self.project(&pairs, &pairs_column(of_left)).map_err(run)?);
                }
            }
        }
        let alone = [
            (JoinSide::Left, self.left.stage(moment, &left.rows, stored_left, &met.left)?),
            (JoinSide::Right, self.right.stage(moment, &right.rows, stored_right, &met.right)?),
        ];
        for (side, left_over) in alone {
            let shown = match self.join_type {
                JoinType::LeftSemi | JoinType::RightSemi => left_over.newly_met,
                _ => left_over.unmet,
            };
            if emits_alone(self.join_type, side) && shown.num_rows() > 0 {
                rows.push(self.project(&shown, &alone_column(side)).map_err(run)?);
            }
        }
        Ok(Merged { rows, late, ..Merged::default() })
    }

    /// Results from rows whose columns are found by `place`; NULL where a side has none.
    fn project(
        &self,
        rows: &RecordBatch,
        place: &dyn Fn(JoinSide, usize) -> Option<usize>,
    ) -> Result<RecordBatch, DataFusionError> {
        let columns = self.columns.iter().zip(self.output.fields()).map(|((side, index), field)| {
            place(*side, *index).map_or_else(
                || new_null_array(field.data_type(), rows.num_rows()),
                |place| Arc::clone(rows.column(place)),
            )
        });
        let columns: Vec<ArrayRef> = columns.collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.output), columns, &options)?)
    }

    fn keepers(&self) -> [&Keeper; 2] {
        [&self.left.keeper, &self.right.keeper]
    }
}

impl Met {
    fn note(&mut self, pairs: &RecordBatch, of_left: usize) {
        self.left.extend(pairs.column(ID).as_primitive::<UInt64Type>().values());
        self.right.extend(pairs.column(of_left + ID).as_primitive::<UInt64Type>().values());
    }
}

/// Where the columns of a side lie in a pair of state rows.
fn pairs_column(of_left: usize) -> impl Fn(JoinSide, usize) -> Option<usize> {
    move |side, index| match side {
        JoinSide::Left => Some(OWN + index),
        JoinSide::Right => Some(of_left + OWN + index),
        JoinSide::None => None,
    }
}

/// Where they lie in a state row of one side.
fn alone_column(of: JoinSide) -> impl Fn(JoinSide, usize) -> Option<usize> {
    move |side, index| (side == of).then_some(OWN + index)
}

fn shows_pairs(join_type: JoinType) -> bool {
    matches!(join_type, JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full)
}

/// Whether rows of the side are results by themselves.
fn emits_alone(join_type: JoinType, side: JoinSide) -> bool {
    waits(join_type, side)
        || matches!(
            (join_type, side),
            (JoinType::LeftSemi, JoinSide::Left) | (JoinType::RightSemi, JoinSide::Right)
        )
}

/// Whether a row of the side is a result for having no match: that shows when it ends.
fn waits(join_type: JoinType, side: JoinSide) -> bool {
    match side {
        JoinSide::Left => matches!(join_type, JoinType::Left | JoinType::Full | JoinType::LeftAnti),
        JoinSide::Right => matches!(join_type, JoinType::Right | JoinType::Full | JoinType::RightAnti),
        JoinSide::None => false,
    }
}

/// The rows of `rows` whose number is, or is not, among `ids`.
fn among(rows: &RecordBatch, ids: &HashSet<u64>, wanted: bool) -> Result<RecordBatch, StateError> {
    let numbers = rows.column(ID).as_primitive::<UInt64Type>();
    let chosen: BooleanArray = numbers.values().iter().map(|id| Some(ids.contains(id) == wanted)).collect();
    Ok(filter_record_batch(rows, &chosen)?)
}

impl Operator for StreamJoin {
    fn merge<'a>(
        &'a mut self,
        inputs: Vec<Vec<RecordBatch>>,
        moment: &'a Moment,
    ) -> BoxFuture<'a, Result<Merged, OperatorError>> {
        Box::pin(async move {
            for keeper in self.keepers() {
                keeper.check(moment.batch)?;
            }
            let merged = self.merge_staged(inputs, moment).await;
            if merged.is_err() {
                self.abort();
            }
            merged
        })
    }

    fn changelog(&self) -> Result<Option<Vec<u8>>, StateError> {
        keeper::changelog(self.keepers())
    }

    fn commit(&mut self) {
        self.left.keeper.commit();
        self.right.keeper.commit();
    }

    fn abort(&mut self) {
        self.left.keeper.abort();
        self.right.keeper.abort();
    }

    fn snapshot(&self) -> Result<Vec<u8>, StateError> {
        keeper::snapshot(self.keepers())
    }

    fn restore(
        &mut self,
        snapshot: Option<&[u8]>,
        changelogs: &[&[u8]],
    ) -> Result<Option<u64>, OperatorError> {
        let keepers = [&mut self.left.keeper, &mut self.right.keeper];
        let newest = keeper::restore(keepers, snapshot, changelogs)?;
        self.left.number_on()?;
        self.right.number_on()?;
        Ok(newest)
    }

    fn holds_back(&self) -> i64 {
        self.left.holds_back().max(self.right.holds_back())
    }

    fn figures(&self) -> StateFigures {
        StateFigures::of(self.keepers())
    }
}

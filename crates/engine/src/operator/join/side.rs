//! One side of a join: its rows with their numbers, how long they stay, and whether they have met.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, TimestampMicrosecondArray, UInt64Array};
use datafusion::arrow::compute::{concat_batches, filter_record_batch, not};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::DataFusionError;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr_common::physical_expr::fmt_sql;

use super::among;
use super::bounds::Bound;
use crate::operator::stateful::{Moment, OperatorError};
use crate::plan::event_time;
use crate::plan::incremental::{CutError, unsupported};
use crate::state::StateError;
use crate::state::expiry::{TimeKey, TimeKind};
use crate::state::keeper::Keeper;
use crate::state::key::{KeyEncoder, KeyGroups};
use crate::state::layout::{Layout, Part, types};
use crate::state::store::StateStore;

/// Where a state row has its number.
pub(super) const ID: usize = 0;
/// Where it has the last instant at which it may find a match.
const UNTIL: usize = 1;
/// Where it says whether it has met a row of the other side.
const HAS_MET: usize = 2;
/// Where its own columns begin. Keys that are none of them come behind.
pub(super) const OWN: usize = 3;

type Key = Arc<dyn PhysicalExpr>;

/// The rows of one side that may still find a match.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) keeper: Keeper,
    keys: Vec<Key>,
    bounds: Vec<Bound>,
    /// The column whose time tells a late row.
    time: Option<(usize, TimeKind)>,
    next: u64,
}

/// New rows of a side.
#[derive(Debug)]
pub(super) struct Fresh {
    pub(super) rows: RecordBatch,
    pub(super) keys: Vec<ArrayRef>,
}

/// What a batch leaves of a side's rows.
#[derive(Debug)]
pub(super) struct LeftOver {
    /// Rows that ended without a match.
    pub(super) unmet: RecordBatch,
    /// Rows that found their first match.
    pub(super) newly_met: RecordBatch,
}

impl Side {
    pub(super) fn try_new(
        input: &SchemaRef,
        keys: Vec<Key>,
        bounds: Vec<Bound>,
        (query, operator, bytes_max): (String, u32, usize),
    ) -> Result<Self, CutError> {
        let mut fields = vec![
            Field::new("id", DataType::UInt64, false),
            Field::new("until", DataType::Timestamp(TimeUnit::Microsecond, None), true),
            Field::new("met", DataType::Boolean, false),
        ];
        fields.extend(input.fields().iter().map(|field| field.as_ref().clone()));
        let mut places = Vec::with_capacity(keys.len());
        let mut parts = vec![Part { name: "rows".to_owned(), content: types(input.fields()) }];
        for (index, key) in keys.iter().enumerate() {
            let data_type = key.data_type(input)?;
            if !KeyEncoder::supports(&data_type) {
                return Err(unsupported(
                    fmt_sql(key.as_ref()).to_string(),
                    "values of this type cannot be a key",
                ));
            }
            let content = format!("{} {data_type}", fmt_sql(key.as_ref()));
            parts.push(Part { name: format!("key {index}"), content });
            if let Some(column) = key.downcast_ref::<Column>() {
                places.push(OWN + column.index());
            } else {
                places.push(fields.len());
                fields.push(Field::new(format!("key {index}"), data_type, true));
            }
        }
        let until = bounds.iter().map(Bound::to_string).collect::<Vec<_>>().join(", ");
        parts.push(Part { name: "until".to_owned(), content: until });
        let layout = Layout { schema: Arc::new(Schema::new(fields)), keys: 2, parts };
        let ends = TimeKey { column: UNTIL, kind: TimeKind::Instant, after_us: 0 };
        let store = StateStore::try_new(layout, KeyGroups::DEFAULT, Some(ends));
        let store = store.and_then(|store| store.relate(places));
        let store = store.map_err(|error| DataFusionError::External(error.into()))?;
        let marked = input.fields().iter().enumerate();
        let time = marked.filter_map(|(index, field)| Some((index, event_time::kind(field)?))).next();
        Ok(Side { keeper: Keeper::new(store, query, operator, bytes_max), keys, bounds, time, next: 0 })
    }

    /// The columns of a state row.
    pub(super) fn schema(&self) -> &SchemaRef {
        &self.keeper.store().layout().schema
    }

    /// The longest that a row may wait.
    pub(super) fn holds_back(&self) -> i64 {
        self.bounds.iter().map(|bound| bound.after_us).min().unwrap_or(0).max(0)
    }

    /// New rows as state rows, without those that come too late.
    pub(super) fn take_in(
        &mut self,
        rows: Vec<RecordBatch>,
        moment: &Moment,
        late: &mut Vec<RecordBatch>,
    ) -> Result<Fresh, OperatorError> {
        let batch = moment.batch;
        let run = |source: DataFusionError| OperatorError::Run { batch, source };
        let mut fresh = Vec::with_capacity(rows.len());
        for mut rows in rows {
            if let (Some((column, kind)), Some(watermark)) = (self.time, moment.late) {
                let ends = kind.ends(rows.column(column));
                let in_time: BooleanArray = ends.into_iter().map(|end| Some(end > watermark)).collect();
                if in_time.false_count() > 0 {
                    late.push(self.without(&rows, &in_time)?);
                    rows = filter_record_batch(&rows, &in_time).map_err(StateError::from)?;
                }
            }
            fresh.push(self.state_rows(&rows).map_err(run)?);
        }
        let rows = concat_batches(self.schema(), &fresh).map_err(StateError::from)?;
        let keys = self.key_columns(&rows);
        Ok(Fresh { rows, keys })
    }

    fn without(&self, rows: &RecordBatch, kept: &BooleanArray) -> Result<RecordBatch, StateError> {
        Ok(filter_record_batch(rows, &not(kept)?)?)
    }

    fn state_rows(&mut self, rows: &RecordBatch) -> Result<RecordBatch, DataFusionError> {
        let count = rows.num_rows() as u64;
        let ids = UInt64Array::from_iter_values(self.next..self.next + count);
        self.next += count;
        let until: TimestampMicrosecondArray = if self.bounds.is_empty() {
            TimestampMicrosecondArray::new_null(rows.num_rows())
        } else {
            let mut until = vec![i64::MAX; rows.num_rows()];
            for bound in &self.bounds {
                let last = bound.last(rows.column(bound.column));
                until.iter_mut().zip(last).for_each(|(until, last)| *until = last.min(*until));
            }
            until.into()
        };
        let met = BooleanArray::from(vec![false; rows.num_rows()]);
        let mut columns: Vec<ArrayRef> = vec![Arc::new(ids), Arc::new(until), Arc::new(met)];
        columns.extend_from_slice(rows.columns());
        for key in self.keys.iter().filter(|key| !key.is::<Column>()) {
            columns.push(key.evaluate(rows)?.into_array(rows.num_rows())?);
        }
        Ok(RecordBatch::try_new(Arc::clone(self.schema()), columns)?)
    }

    fn key_columns(&self, rows: &RecordBatch) -> Vec<ArrayRef> {
        self.keeper.store().relation().iter().map(|column| Arc::clone(rows.column(*column))).collect()
    }

    /// The stored rows that have the key of any of these.
    pub(super) fn like(&self, other: &Fresh) -> Result<Option<RecordBatch>, StateError> {
        self.keeper.store().related_to(&other.keys, other.rows.num_rows())
    }

    /// Stages what is to be kept of the new rows and who has met; says who leaves, and who met.
    pub(super) fn stage(
        &mut self,
        moment: &Moment,
        fresh: &RecordBatch,
        stored: Option<RecordBatch>,
        met: &HashSet<u64>,
    ) -> Result<LeftOver, OperatorError> {
        let schema = Arc::clone(self.schema());
        let stored = stored.unwrap_or_else(|| RecordBatch::new_empty(Arc::clone(&schema)));
        let waiting = not(stored.column(HAS_MET).as_boolean()).map_err(StateError::from)?;
        let waiting = filter_record_batch(&stored, &waiting).map_err(StateError::from)?;
        let newly_met = [among(&waiting, met, true)?, among(fresh, met, true)?];
        let met_now: Vec<RecordBatch> = newly_met.iter().map(has_met).collect::<Result<_, _>>()?;
        let alone = among(fresh, met, false)?;
        let (ended, staying) = self.keeper.split(&alone, moment.watermark)?;
        let (_, staying_met) = self.keeper.split(&met_now[1], moment.watermark)?;
        let parts = [&met_now[0], &staying_met, &staying];
        let staged = concat_batches(&schema, parts).map_err(StateError::from)?;
        self.keeper.stage(moment.batch, &staged, None, None, moment.watermark)?;
        let mut unmet = vec![ended];
        if let Some(watermark) = moment.watermark {
            let ended = self.keeper.store().ended(watermark, &met_now[0])?;
            if let Some(ended) = ended {
                let alone = not(ended.column(HAS_MET).as_boolean()).map_err(StateError::from)?;
                unmet.push(filter_record_batch(&ended, &alone).map_err(StateError::from)?);
            }
        }
        let unmet = concat_batches(&schema, &unmet).map_err(StateError::from)?;
        let newly_met = concat_batches(&schema, &newly_met).map_err(StateError::from)?;
        Ok(LeftOver { unmet, newly_met })
    }

    /// Goes on with the numbers of the rows that were brought back.
    pub(super) fn number_on(&mut self) -> Result<(), StateError> {
        self.next = self.keeper.next_number(ID)?;
        Ok(())
    }
}

/// The same rows, which have met.
fn has_met(rows: &RecordBatch) -> Result<RecordBatch, StateError> {
    let mut columns = rows.columns().to_vec();
    columns[HAS_MET] = Arc::new(BooleanArray::from(vec![true; rows.num_rows()]));
    Ok(RecordBatch::try_new(rows.schema(), columns)?)
}

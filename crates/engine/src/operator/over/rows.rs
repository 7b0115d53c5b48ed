//! The state rows of a window node: those of its input, each with a number, and what is computed of them.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, UInt64Array};
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::arrow::row::{RowConverter, Rows, SortField};
use datafusion::common::DataFusionError;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{PhysicalExpr, PhysicalSortExpr};

use crate::state::StateError;

/// Where a state row has its number. Its own columns come next; what is computed of them, last.
pub(super) const ID: usize = 0;
/// Where its own columns begin.
const OWN: usize = 1;

/// Makes state rows of the input's, numbered as they come.
#[derive(Debug)]
pub(super) struct Numbered {
    schema: SchemaRef,
    own: usize,
    computed: Vec<Arc<dyn PhysicalExpr>>,
    next: u64,
}

impl Numbered {
    /// State rows that have a column for each of these expressions; which ones, is told beside.
    pub(super) fn try_new<'a>(
        input: &SchemaRef,
        expressions: impl IntoIterator<Item = &'a Arc<dyn PhysicalExpr>>,
    ) -> Result<(Self, Vec<usize>), DataFusionError> {
        let mut fields = vec![Arc::new(Field::new("id", DataType::UInt64, false))];
        fields.extend(input.fields().iter().cloned());
        let (mut computed, mut places) = (Vec::new(), Vec::new());
        for expression in expressions {
            if let Some(column) = expression.downcast_ref::<Column>() {
                places.push(OWN + column.index());
                continue;
            }
            let field = expression.return_field(input)?;
            places.push(fields.len());
            fields.push(Arc::new(field.as_ref().clone().with_name(format!("computed {}", computed.len()))));
            computed.push(Arc::clone(expression));
        }
        let (schema, own) = (Arc::new(Schema::new(fields)), input.fields().len());
        Ok((Numbered { schema, own, computed, next: 0 }, places))
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Goes on with this number.
    pub(super) fn go_on(&mut self, next: u64) {
        self.next = next;
    }

    pub(super) fn rows(&mut self, input: Vec<RecordBatch>) -> Result<RecordBatch, DataFusionError> {
        let mut batches = Vec::with_capacity(input.len());
        for rows in input {
            let count = rows.num_rows() as u64;
            let ids = UInt64Array::from_iter_values(self.next..self.next + count);
            self.next += count;
            let mut columns: Vec<ArrayRef> = vec![Arc::new(ids)];
            columns.extend_from_slice(rows.columns());
            for expression in &self.computed {
                columns.push(expression.evaluate(&rows)?.into_array(rows.num_rows())?);
            }
            batches.push(RecordBatch::try_new(Arc::clone(&self.schema), columns)?);
        }
        Ok(concat_batches(&self.schema, &batches)?)
    }

    /// The input's columns of state rows.
    pub(super) fn own(&self, rows: &RecordBatch) -> Result<RecordBatch, StateError> {
        let own: Vec<usize> = (OWN..OWN + self.own).collect();
        Ok(rows.project(&own)?)
    }
}

/// The order of a window node; of rows alike, that of their coming.
#[derive(Debug)]
pub(super) struct Order {
    by: Vec<Arc<dyn PhysicalExpr>>,
    converter: RowConverter,
}

impl Order {
    pub(super) fn try_new(by: &[PhysicalSortExpr], input: &SchemaRef) -> Result<Self, DataFusionError> {
        let field =
            |key: &PhysicalSortExpr| Ok(SortField::new_with_options(key.expr.data_type(input)?, key.options));
        let mut fields = by.iter().map(field).collect::<Result<Vec<_>, DataFusionError>>()?;
        fields.push(SortField::new(DataType::UInt64));
        let by = by.iter().map(|key| Arc::clone(&key.expr)).collect();
        Ok(Order { by, converter: RowConverter::new(fields)? })
    }

    /// What compares as the rows do, of the input's columns and the numbers.
    pub(super) fn keys(&self, rows: &RecordBatch, ids: &ArrayRef) -> Result<Rows, StateError> {
        let values = self.by.iter().map(|key| key.evaluate(rows)?.into_array(rows.num_rows()));
        let mut values = values.collect::<Result<Vec<_>, _>>().map_err(ArrowError::from)?;
        values.push(Arc::clone(ids));
        Ok(self.converter.convert_columns(&values)?)
    }

    /// The last row first; of those alike, the one that came last.
    pub(super) fn newest_first(&self, rows: &RecordBatch, ids: &ArrayRef) -> Result<Vec<usize>, StateError> {
        let keys = self.keys(rows, ids)?;
        let mut order: Vec<usize> = (0..rows.num_rows()).collect();
        order.sort_unstable_by(|one, other| keys.row(*other).cmp(&keys.row(*one)));
        Ok(order)
    }
}

//! A table in memory that a query fills and SQL can ask.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::arrow::array::{Array, BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::row::{RowConverter, SortField};
use futures::future::BoxFuture;

use crate::error::SinkError;
use crate::sink::{Delivery, Sink, rows_of};

/// What the sink writes and statements read. It lives as long as the program: a restart finds it empty.
#[derive(Debug)]
pub(crate) struct MemoryTable {
    name: String,
    schema: SchemaRef,
    bytes_max: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    batches: VecDeque<RecordBatch>,
    bytes: usize,
    /// The number of the last batch that is in.
    last: u64,
}

impl MemoryTable {
    pub(crate) fn new(name: &str, schema: SchemaRef, bytes_max: usize) -> Self {
        MemoryTable { name: name.to_owned(), schema, bytes_max, kept: Mutex::default() }
    }

    pub(crate) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// What is in it now.
    pub(crate) fn rows(&self) -> Vec<RecordBatch> {
        self.lock().batches.iter().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts rows behind the others, or in their place.
    fn put(&self, batch: u64, rows: Vec<RecordBatch>, replaces: bool) -> Result<(), SinkError> {
        let mut kept = self.lock();
        let bytes = rows.iter().map(RecordBatch::get_array_memory_size).sum::<usize>();
        let bytes = if replaces { bytes } else { kept.bytes + bytes };
        if bytes > self.bytes_max {
            return Err(SinkError::Full { table: self.name.clone(), bytes, bytes_max: self.bytes_max });
        }
        if replaces {
            kept.batches.clear();
        }
        kept.batches.extend(rows);
        (kept.bytes, kept.last) = (bytes, batch);
        Ok(())
    }
}

/// Writes a [`MemoryTable`].
#[derive(Debug)]
pub(crate) struct MemorySink {
    table: Arc<MemoryTable>,
    /// A row takes the place of the one with the same values here; without, rows are added.
    key: Option<String>,
}

impl MemorySink {
    pub(crate) fn new(table: Arc<MemoryTable>, key: Option<String>) -> Self {
        MemorySink { table, key }
    }

    fn take(&self, rows: &[RecordBatch], delivery: &Delivery<'_>) -> Result<u64, SinkError> {
        let taken = rows_of(rows);
        if self.table.lock().last >= delivery.batch || (taken == 0 && !delivery.replaces) {
            return Ok(taken);
        }
        let schema = &self.table.schema;
        let mut new = rows.iter().map(|rows| copied(rows, schema)).collect::<Result<Vec<_>, _>>()?;
        let mut replaces = delivery.replaces;
        if let Some(key) = &self.key {
            if !replaces {
                let old = self.table.rows();
                new = [old, new].concat();
            }
            new = last_of_each(&new, key)?;
            replaces = true;
        }
        self.table.put(delivery.batch, new, replaces)?;
        Ok(taken)
    }
}

impl Sink for MemorySink {
    fn description(&self) -> String {
        format!("memory[{}]", self.table.name)
    }

    fn forgets(&self) -> bool {
        true
    }

    fn write<'a>(
        &'a mut self,
        rows: &'a [RecordBatch],
        delivery: Delivery<'a>,
    ) -> BoxFuture<'a, Result<u64, SinkError>> {
        Box::pin(async move { self.take(rows, &delivery) })
    }
}

/// The rows without the buffers that they are slices of, under the table's own names.
fn copied(rows: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = rows.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| datafusion::arrow::compute::cast(column, field.data_type()));
    let rows = RecordBatch::try_new(Arc::clone(schema), columns.collect::<Result<_, _>>()?)?;
    datafusion::arrow::compute::concat_batches(schema, [&rows])
}

/// Of all rows with the same key, the last.
fn last_of_each(batches: &[RecordBatch], key: &str) -> Result<Vec<RecordBatch>, ArrowError> {
    let Some(first) = batches.first() else { return Ok(Vec::new()) };
    let Ok(index) = first.schema().index_of(key) else { return Ok(batches.to_vec()) };
    let converter = RowConverter::new(vec![SortField::new(first.column(index).data_type().clone())])?;
    let mut seen = HashSet::new();
    let mut left = Vec::new();
    for batch in batches.iter().rev() {
        let keys = converter.convert_columns(&[Arc::clone(batch.column(index))])?;
        let mut keep = vec![false; batch.num_rows()];
        for row in (0..batch.num_rows()).rev() {
            keep[row] = seen.insert(keys.row(row).owned());
        }
        let keep = BooleanArray::from(keep);
        if keep.true_count() > 0 {
            left.push(filter_record_batch(batch, &keep)?);
        }
    }
    left.reverse();
    Ok(left)
}

//! Frames of data sources of Python: each part of a source is a row that a function reads the part's rows of.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BinaryArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;

use crate::error::Result;
use crate::plan::Planner;
use crate::plan::frame::{Column, Frame};
use crate::python::{Call, Source};
use crate::wire::command::DataSource;

/// Whether sources are asked about conditions; nothing here asks them.
const PUSHES: &str = "spark.sql.python.filterPushdown.enabled";

impl Planner<'_> {
    /// What a source reads.
    pub(super) fn python_source(
        &mut self,
        source: &DataSource,
        options: &HashMap<String, String>,
        paths: &[String],
        schema: Option<&Schema>,
    ) -> Result<Frame> {
        let mut options: BTreeMap<String, String> = options.clone().into_iter().collect();
        if let [path] = paths {
            options.insert("path".to_owned(), path.clone());
        }
        let pushes = self.session.setting(PUSHES).is_some_and(|set| set.eq_ignore_ascii_case("true"));
        let asked = || Source::new(source)?.read(&options, schema, pushes, &self.python);
        let readable = tokio::task::block_in_place(asked)?;
        let columns = Arc::new(Schema::new(vec![Field::new("partition", DataType::Binary, true)]));
        let part = |bytes: &Vec<u8>| {
            let bytes: ArrayRef = Arc::new(BinaryArray::from_vec(vec![bytes.as_slice()]));
            RecordBatch::try_new(Arc::clone(&columns), vec![bytes]).map_err(DataFusionError::from)
        };
        // The function reads one part: each is a batch of its own.
        let parts = readable.partitions.iter().map(part).collect::<std::result::Result<Vec<_>, _>>()?;
        let parts = parts.into_iter().map(|part| vec![part]).collect();
        let table = MemTable::try_new(Arc::clone(&columns), parts)?;
        let frame = self.scan("parts", Arc::new(table))?;
        let exprs = frame.columns.iter().map(Column::expr).collect();
        let names = frame.names();
        let list = Call::rows(readable.function.clone(), exprs, names, &self.python);
        let mut frame = self.rows_of(Frame { columns: Vec::new(), ..frame }, list, &readable.function)?;
        for column in &mut frame.columns {
            column.qualifiers.clear();
        }
        Ok(frame)
    }
}

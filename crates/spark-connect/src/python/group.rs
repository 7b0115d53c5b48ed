//! Groups of rows, as lists of structs, on their way to a function.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::ipc::writer::StreamWriter;

use crate::python::call::{batch, framed};
use crate::python::failure::Failure;
use crate::python::function::{Function, Makes};
use crate::schema::canonical;
use crate::schema::zone::in_zone;

/// What the structs of a list hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Groups {
    /// What the function knows the columns as.
    pub(crate) names: Vec<String>,
    /// Which columns are the group's key.
    pub(crate) keys: Vec<usize>,
    /// Which columns the function gets.
    pub(crate) values: Vec<usize>,
}

impl Groups {
    /// Bytes that are sent in one message, about.
    pub(crate) const BYTES_AT_ONCE: usize = 1 << 20;

    /// Which columns the function takes, as PySpark's worker is told it: for frames, the number of what follows, the
    /// number of keys, the keys, the others; for each frame.
    pub(crate) fn arguments(groups: &[Groups], makes: Makes) -> Vec<usize> {
        if makes == Makes::Aggregate {
            return groups.iter().flat_map(|group| group.values.iter().copied()).collect();
        }
        let of = |group: &Groups| {
            let mut offsets = vec![1 + group.keys.len() + group.values.len(), group.keys.len()];
            offsets.extend(group.keys.iter().chain(&group.values));
            offsets
        };
        groups.iter().flat_map(of).collect()
    }

    /// Rows as Python takes them, their columns under the names of the frame.
    pub(super) fn plain(&self, rows: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let fitted = |column: &ArrayRef| {
            let wanted = canonical(column.data_type());
            if wanted == *column.data_type() { Ok(Arc::clone(column)) } else { cast(column, &wanted) }
        };
        let columns = rows.columns().iter().map(fitted).collect::<Result<Vec<_>, _>>()?;
        Ok(batch(&columns, Some(&self.names), rows.num_rows()))
    }

    pub(super) fn lists<'a>(&'a self, list: &'a ArrayRef, function: &Function) -> Result<Lists<'a>, Failure> {
        let wrong = || Failure::Shape {
            function: function.name.clone(),
            given: format!("{:?}", list.data_type()),
            wanted: "groups".to_owned(),
        };
        let list = list.as_list_opt::<i32>().ok_or_else(wrong)?;
        Ok(Lists { groups: self, list, framed: function.takes_struct() })
    }
}

/// A column of groups.
pub(super) struct Lists<'a> {
    groups: &'a Groups,
    list: &'a ListArray,
    framed: bool,
}

impl Lists<'_> {
    pub(super) fn is_null(&self, row: usize) -> bool {
        self.list.is_null(row)
    }

    /// Writes a group as a stream of its own, with instants of the zone; a group that is null is empty.
    pub(super) fn write(&self, row: usize, zone: &str, bytes: &mut Vec<u8>) -> Result<(), ArrowError> {
        let items =
            if self.list.is_null(row) { self.list.values().slice(0, 0) } else { self.list.value(row) };
        let items = items.as_struct();
        let columns: Vec<ArrayRef> = items.columns().iter().map(Arc::clone).collect();
        let group = batch(&columns, Some(&self.groups.names), items.len());
        let group = if self.framed { framed(&group) } else { group };
        let group = in_zone(&group, zone)?;
        let mut writer = StreamWriter::try_new(bytes, group.schema_ref())?;
        writer.write(&group)?;
        writer.finish()
    }
}

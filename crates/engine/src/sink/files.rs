//! Rows as files of a directory, each batch once.
//!
//! A batch becomes one file, which counts when the directory's manifest names it. A batch that runs again finds
//! itself in the manifest, or puts the same file in the place of what it left behind. In a bucket of an object store
//! it is the same, with objects.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{FieldRef, Schema};
use datafusion::arrow::error::ArrowError;
use futures::future::BoxFuture;

use crate::error::{SinkError, SqlError};
use crate::functions::time::Zone;
use crate::sink::{Delivery, Sink, rows_of};
use crate::storage::{Settings, Store, is_remote, waiting};

mod encode;
pub(crate) mod manifest;
pub(crate) mod partition;
#[cfg(test)]
mod tests;

pub(crate) use encode::Format;
use manifest::{Entry, Manifest};

/// A directory and how its files are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileOptions {
    pub(crate) path: PathBuf,
    pub(crate) format: Format,
    /// The columns whose values name directories.
    pub(crate) partition_by: Vec<String>,
    /// As whose clocks show them, instants name directories.
    pub(crate) zone: Zone,
    /// How an object store is reached.
    pub(crate) storage: Settings,
}

impl FileOptions {
    /// What a query that has these columns finds wrong.
    ///
    /// # Errors
    /// The format cannot hold such columns.
    pub(crate) fn check(&self, columns: &[FieldRef]) -> Result<(), SqlError> {
        partition::check(columns, &self.partition_by)?;
        self.format.check(&partition::rest(columns, &self.partition_by))
    }

    /// Makes the directory ready for a new query.
    ///
    /// # Errors
    /// It holds the output of another one, or cannot be made.
    pub(crate) fn prepare(&self, store: &Store) -> Result<(), SqlError> {
        let attempt = || format!("prepare directory {}", self.path.display());
        let failed = |error| SqlError::failed(attempt(), error);
        store.prepare(&self.path).map_err(failed)?;
        if Manifest::open(&self.path).last(store).map_err(failed)?.is_some() {
            let reason = "the directory holds the output of another query; name another one, or remove it";
            return Err(SqlError::invalid(self.path.display().to_string(), reason));
        }
        Ok(())
    }
}

/// Rows on their way into the files of a directory.
pub(crate) struct Parts<'a> {
    pub(crate) store: &'a Store,
    pub(crate) options: &'a FileOptions,
    /// All of the rows' columns, as they are to be stored.
    pub(crate) columns: &'a [FieldRef],
}

impl Parts<'_> {
    /// Writes a file for each directory that the rows belong to: the files and their lengths. `name` makes a name of
    /// the file's number. The manifest goes by names, so no two directories have a file of the same one.
    pub(crate) fn write(
        &self,
        rows: &[RecordBatch],
        name: &dyn Fn(usize) -> String,
    ) -> Result<Vec<(PathBuf, u64)>, SinkError> {
        let io = |source| SinkError::Files { directory: self.options.path.clone(), source };
        let parts = partition::split(rows, &self.options.partition_by, self.options.zone)?;
        let mut written = Vec::with_capacity(parts.len());
        let mut waiting = Vec::new();
        for (part, (directory, rows)) in parts.into_iter().enumerate() {
            let bytes = self.encode(&rows)?;
            let name = format!("{}.{}", name(part), self.options.format.extension());
            let file = self.options.path.join(directory).join(name);
            written.push((file.clone(), bytes.len() as u64));
            waiting.push((file, bytes));
            if waiting.len() == self.store.side_by_side() {
                self.store.put_all(std::mem::take(&mut waiting)).map_err(io)?;
            }
        }
        self.store.put_all(waiting).map_err(io)?;
        Ok(written)
    }

    /// The bytes of one file.
    pub(crate) fn encode(&self, rows: &[RecordBatch]) -> Result<Vec<u8>, ArrowError> {
        let columns = Arc::new(Schema::new(partition::rest(self.columns, &self.options.partition_by)));
        self.options.format.encode(rows, &columns)
    }
}

/// Writes a directory.
#[derive(Debug)]
pub(crate) struct FileSink {
    store: Store,
    options: FileOptions,
    /// The query's number: part of the files' names.
    query: u64,
    columns: Vec<FieldRef>,
    manifest: Manifest,
    /// The last batch that this program has put into the manifest: what comes after it needs no look.
    last: Option<u64>,
}

impl FileSink {
    pub(crate) fn new(store: Store, options: &FileOptions, query: u64, columns: Vec<FieldRef>) -> Self {
        let manifest = Manifest::open(&options.path);
        FileSink { store, options: options.clone(), query, columns, manifest, last: None }
    }

    fn take(&mut self, rows: &[RecordBatch], delivery: &Delivery<'_>) -> Result<u64, SinkError> {
        let io = |source| SinkError::Files { directory: self.options.path.clone(), source };
        let taken = rows_of(rows);
        let store = &self.store;
        // Spark counts batches from 0.
        let number = delivery.batch - 1;
        if self.last.is_none_or(|last| last >= number) && self.manifest.has(store, number).map_err(io)? {
            return Ok(taken);
        }
        let name = |part: usize| format!("part-{part:05}-{:016x}-{number:010}", self.query);
        let parts = Parts { store, options: &self.options, columns: &self.columns };
        let added = parts.write(rows, &name)?.into_iter();
        let added = added.map(|(file, bytes)| Entry::added(address(&file), bytes, delivery.time_ms));
        let added = added.collect();
        self.manifest.add(store, number, added).map_err(io)?;
        self.last = Some(number);
        Ok(taken)
    }
}

fn absolute(path: &Path) -> PathBuf {
    match path.to_str().is_some_and(is_remote) {
        true => path.to_owned(),
        false => std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
    }
}

/// A file as Spark's manifest names it: an address, in which some characters stand for others.
fn address(file: &Path) -> String {
    let path = absolute(file).display().to_string();
    let scheme = if is_remote(&path) { "" } else { "file://" };
    format!("{scheme}{}", path.replace('%', "%25").replace(' ', "%20"))
}

impl Sink for FileSink {
    fn description(&self) -> String {
        format!("FileSink[{}]", absolute(&self.options.path).display())
    }

    fn write<'a>(
        &'a mut self,
        rows: &'a [RecordBatch],
        delivery: Delivery<'a>,
    ) -> BoxFuture<'a, Result<u64, SinkError>> {
        Box::pin(async move { waiting(|| self.take(rows, &delivery)) })
    }
}

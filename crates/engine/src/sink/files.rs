//! Rows as files of a directory, each batch once.
//!
//! A batch becomes one file, which counts when the directory's manifest names it. A batch that runs again finds
//! itself in the manifest, or puts the same file in the place of what it left behind.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::FieldRef;
use env::{Disk, write_atomically};
use futures::future::BoxFuture;

use crate::error::{SinkError, SqlError};
use crate::sink::{Delivery, Sink, rows_of};

mod encode;
pub(crate) mod manifest;

pub(crate) use encode::Format;
use manifest::{Entry, Manifest};

/// A directory and how its files are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileOptions {
    pub(crate) path: PathBuf,
    pub(crate) format: Format,
}

impl FileOptions {
    /// What a query that has these columns finds wrong.
    ///
    /// # Errors
    /// The format cannot hold such columns.
    pub(crate) fn check(&self, columns: &[FieldRef]) -> Result<(), SqlError> {
        self.format.check(columns)
    }

    /// Makes the directory ready for a new query.
    ///
    /// # Errors
    /// It holds the output of another one, or cannot be made.
    pub(crate) fn prepare(&self, disk: &dyn Disk) -> Result<(), SqlError> {
        let attempt = || format!("prepare directory {}", self.path.display());
        let failed = |error| SqlError::failed(attempt(), error);
        disk.create_dir_all(&self.path).map_err(failed)?;
        if Manifest::open(&self.path).last(disk).map_err(failed)?.is_some() {
            let reason = "the directory holds the output of another query; name another one, or remove it";
            return Err(SqlError::invalid(self.path.display().to_string(), reason));
        }
        Ok(())
    }
}

/// Writes a directory.
#[derive(Debug)]
pub(crate) struct FileSink {
    disk: Arc<dyn Disk>,
    options: FileOptions,
    /// The query's number: part of the files' names.
    query: u64,
    manifest: Manifest,
}

impl FileSink {
    pub(crate) fn new(disk: &Arc<dyn Disk>, options: &FileOptions, query: u64) -> Self {
        let manifest = Manifest::open(&options.path);
        FileSink { disk: Arc::clone(disk), options: options.clone(), query, manifest }
    }

    fn take(&self, rows: &[RecordBatch], delivery: &Delivery<'_>) -> Result<u64, SinkError> {
        let io = |source| SinkError::Files { directory: self.options.path.clone(), source };
        let taken = rows_of(rows);
        let disk = self.disk.as_ref();
        // Spark counts batches from 0.
        let number = delivery.batch - 1;
        if self.manifest.has(disk, number).map_err(io)? {
            return Ok(taken);
        }
        let mut added = Vec::new();
        if taken > 0 {
            let extension = self.options.format.extension();
            let name = format!("part-00000-{:016x}-{number:010}.{extension}", self.query);
            let bytes = self.options.format.encode(rows)?;
            let file = self.options.path.join(&name);
            write_atomically(disk, &file, &bytes).map_err(io)?;
            let path = format!("file://{}", absolute(&file).display());
            added.push(Entry::added(path, bytes.len() as u64, delivery.time_ms));
        }
        self.manifest.add(disk, number, added).map_err(io)?;
        Ok(taken)
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
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
        // The disk makes this thread wait: others take over its tasks meanwhile.
        Box::pin(async move { tokio::task::block_in_place(|| self.take(rows, &delivery)) })
    }
}

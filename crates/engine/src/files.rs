//! For a door that plans by itself: files read once, and rows written into files at once. As in `dataframe`, public
//! functions name DataFusion's types here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{FieldRef, SchemaRef};
use datafusion::catalog::TableProvider;

use crate::dataframe::DataFrames;
use crate::error::SqlError;
use crate::operator::aggregate::OutputMode;
use crate::query::trigger::Trigger;
use crate::sink::files::{FileOptions, Parts, manifest};
use crate::source::files::{columns_of, partitions_of};
use crate::sql::options::source::SourceOptions;
use crate::sql::sink_options::{SinkKind, SinkOptions};
use crate::storage::{Settings, Store, waiting};
use crate::streaming::tables::words;
use crate::streaming::{options, placeless, table_over};

mod lines;
mod pieces;

/// Rows that wait until they become files.
const WAITING_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A format, its options, and the columns that directories say.
pub type TableFiles = (String, BTreeMap<String, String>, Vec<String>);

/// Writes rows into a directory that nobody reads yet.
#[derive(Debug)]
pub struct FileWriter {
    store: Store,
    options: FileOptions,
    columns: Vec<FieldRef>,
    /// What the names of this writer's files have in common.
    mark: u64,
    waiting: Vec<RecordBatch>,
    waiting_bytes: usize,
    files: u64,
}

impl DataFrames {
    /// What files hold now: `format` as after `USING`. Columns that nobody names are those that a file of Parquet
    /// or Avro has, with those that directories such as `day=2024-01-01` say.
    ///
    /// # Errors
    /// The format is not known, an option does not fit, or the files cannot be read.
    pub async fn files(
        &self,
        format: &str,
        given: &BTreeMap<String, String>,
        columns: Option<&SchemaRef>,
    ) -> Result<Arc<dyn TableProvider>, SqlError> {
        let mut table = table_over(format, given, columns.map(|columns| columns.fields().to_vec()))?;
        let SourceOptions::Files(files) = &table.options.source else {
            return Err(SqlError::invalid(format, "is no format of files"));
        };
        if table.columns.is_empty() {
            let store = self.engine().shared().store_at(&files.path, &files.storage)?;
            let found = waiting(|| columns_of(files, &store));
            table.columns = found.map_err(|error| SqlError::failed(format!("read {}", files.path), error))?;
        }
        let table = Arc::new(table);
        let source = self.engine().shared().source_once(&table)?;
        self.once(table, source).await
    }

    /// Writes rows of these columns: `format` and options as after `USING`, `path` among them.
    ///
    /// # Errors
    /// The format is not known, or an option or the columns do not fit.
    pub fn writer(
        &self,
        format: &str,
        given: &BTreeMap<String, String>,
        columns: &SchemaRef,
    ) -> Result<FileWriter, SqlError> {
        let sink = SinkOptions::given(format, options(given), OutputMode::Append, Trigger::default());
        let (_, sink) = sink.map_err(placeless(format))?;
        let SinkKind::Files(files) = sink.kind else {
            return Err(SqlError::invalid(format, "is no format of files"));
        };
        let columns = crate::session::fit::stored(columns.fields());
        files.check(&columns)?;
        Ok(FileWriter {
            store: self.engine().shared().store_of(&files)?.patient(),
            options: files,
            columns,
            mark: self.engine().shared().env.random.next_u64(),
            waiting: Vec::new(),
            waiting_bytes: 0,
            files: 0,
        })
    }

    /// The files of a table in the words of who writes them: their format, its options with the `path`, and the
    /// columns that directories say.
    ///
    /// # Errors
    /// There is no such table, or it stands on no directory of files.
    pub fn table_files(&self, name: &str) -> Result<TableFiles, SqlError> {
        let catalog = self.engine().catalog();
        let table = catalog.table(name)?;
        let SourceOptions::Files(files) = &table.options.source else {
            let reason = "stands on no files; INSERT INTO in SQL and toTable of a stream write it";
            return Err(SqlError::invalid(table.name.clone(), reason));
        };
        let (format, options) = words(table, files)?;
        let store = self.engine().shared().store_at(&files.path, &files.storage)?;
        let by = partitions_of(files, &store);
        let by = by.map_err(|error| SqlError::failed(format!("look into {}", files.path), error))?;
        let noted = || self.engine().note_of(&table.name).partition_by;
        Ok((format.to_owned(), options, if by.is_empty() { noted() } else { by }))
    }

    /// Whether a streaming query has written a directory: then its manifest says which files count.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn written_by_stream(&self, path: &str, given: &BTreeMap<String, String>) -> Result<bool, SqlError> {
        let store = self.store(path, given)?;
        let committed = waiting(|| manifest::committed(&store, Path::new(path)));
        committed
            .map(|committed| committed.is_some())
            .map_err(|error| SqlError::failed(format!("look into {path}"), error))
    }

    /// Whether there is anything at a path; `given` says how an object store is reached.
    ///
    /// # Errors
    /// If nobody can tell.
    pub fn exists(&self, path: &str, given: &BTreeMap<String, String>) -> Result<bool, SqlError> {
        let store = self.store(path, given)?;
        let exists = waiting(|| store.exists(Path::new(path)));
        exists.map_err(|error| SqlError::failed(format!("look into {path}"), error))
    }

    /// Removes a directory with all that is in it, if there is one.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn clear(&self, path: &str, given: &BTreeMap<String, String>) -> Result<(), SqlError> {
        let store = self.store(path, given)?;
        waiting(|| store.clear(Path::new(path)))
            .map_err(|error| SqlError::failed(format!("remove {path}"), error))
    }

    fn store(&self, path: &str, given: &BTreeMap<String, String>) -> Result<Store, SqlError> {
        let told = Settings::named(given);
        told.check().map_err(|error| SqlError::failed(format!("reach {path}"), error))?;
        self.engine().shared().store_at(path, &told)
    }

    /// The directory of a table whose files are this program's to keep.
    #[must_use]
    pub fn table_directory(&self, name: &str) -> PathBuf {
        self.engine().shared().tables_dir().join(name.to_lowercase())
    }
}

impl FileWriter {
    /// Takes rows.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn write(&mut self, rows: RecordBatch) -> Result<(), SqlError> {
        self.waiting_bytes += rows.get_array_memory_size();
        self.waiting.push(rows);
        if self.waiting_bytes > WAITING_BYTES_MAX { self.flush() } else { Ok(()) }
    }

    /// Writes what waits, and the mark of a whole directory, which Spark's readers know.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(mut self) -> Result<(), SqlError> {
        self.flush()?;
        let failed = |error| SqlError::failed(self.attempt(), error);
        self.store.prepare(&self.options.path).map_err(failed)?;
        if self.files == 0 && self.options.partition_by.is_empty() {
            // The columns are known even if no row is.
            let name = format!("part-00000-{:016x}.{}", self.mark, self.options.format.extension());
            let bytes = self.parts().encode(&[]).map_err(|error| SqlError::failed(self.attempt(), error))?;
            self.store.put(&self.options.path.join(name), bytes).map_err(failed)?;
        }
        self.store.put(&self.options.path.join("_SUCCESS"), Vec::new()).map_err(failed)
    }

    fn parts(&self) -> Parts<'_> {
        Parts { store: &self.store, options: &self.options, columns: &self.columns }
    }

    fn attempt(&self) -> String {
        format!("write files to {}", self.options.path.display())
    }

    fn flush(&mut self) -> Result<(), SqlError> {
        self.waiting_bytes = 0;
        let rows = std::mem::take(&mut self.waiting);
        let first = self.files;
        let name = |part: usize| format!("part-{:05}-{:016x}", first + part as u64, self.mark);
        let written = self.parts().write(&rows, &name);
        let written = written.map_err(|error| SqlError::failed(self.attempt(), error))?;
        self.files += written.len() as u64;
        Ok(())
    }
}

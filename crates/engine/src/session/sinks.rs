//! The sinks of tables.

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::{FieldRef, Schema};

use crate::error::SqlError;
use crate::session::catalog::Table;
use crate::session::start::Definition;
use crate::session::{Shared, lock};
use crate::sink::Sink;
use crate::sink::columns::{TopicBy, are_records};
use crate::sink::console::ConsoleSink;
use crate::sink::files::{FileOptions, FileSink};
use crate::sink::kafka::{KafkaSink, RecordSink};
use crate::sink::memory::{MemorySink, MemoryTable};
use crate::sink::noop::NoopSink;
use crate::sink::outside::{Form, OutsideSink};
use crate::sink::postgres::PostgresSink;
use crate::sink::receiver::ReceiverSink;
use crate::sql::options::TableOptions;
use crate::sql::options::source::SourceOptions;
use crate::sql::sink_options::{SinkKind, SinkOptions};
use crate::storage::{Settings, Store};

impl Shared {
    /// What takes the rows of a query that has these columns.
    pub(super) fn sink(
        &self,
        definition: Definition<'_>,
        (options, sink): (&TableOptions, &SinkOptions),
        columns: Vec<FieldRef>,
        producer_id: i64,
    ) -> Result<Box<dyn Sink>, SqlError> {
        Ok(match &sink.kind {
            SinkKind::Kafka => {
                let records = sink.records.filter(|_| are_records(&columns));
                self.topic_sink(definition, options, records, producer_id)?
            }
            SinkKind::Console(shown) => {
                let names = columns.iter().map(|column| column.name().clone()).collect();
                Box::new(ConsoleSink::new(self.config.console.clone(), *shown, names))
            }
            SinkKind::Memory { key } => {
                let table = self.memory_table(definition.name, definition.id, columns);
                Box::new(MemorySink::new(table, key.clone()))
            }
            SinkKind::Noop => Box::new(NoopSink),
            SinkKind::Receiver(receiver) => Box::new(ReceiverSink(receiver.clone())),
            SinkKind::Files(files) => {
                Box::new(FileSink::new(self.store_of(files)?.patient(), files, definition.id, columns))
            }
            SinkKind::Postgres(postgres) => {
                let (schema, writer) = (Arc::new(Schema::new(columns)), self.name_outside(definition)?);
                Box::new(PostgresSink::new(postgres, schema, writer, &self.env.clock))
            }
        })
    }

    /// The table's topic, wherever it is; `records` of rows that are records already.
    pub(super) fn topic_sink(
        &self,
        definition: Definition<'_>,
        options: &TableOptions,
        records: Option<TopicBy>,
        producer_id: i64,
    ) -> Result<Box<dyn Sink>, SqlError> {
        let (topic, key) = (&options.topic, options.key.clone());
        if let Some(outside) = options.outside() {
            let transactions = self.transactions(definition, outside, (topic, ""))?;
            let form = records.map_or(Form::Json { key }, Form::Record);
            return Ok(Box::new(OutsideSink::new(topic, form, transactions)));
        }
        Ok(match records {
            Some(by) => Box::new(RecordSink::new(&self.topics, topic, by, producer_id)),
            None => Box::new(KafkaSink::new(&self.topics, topic, producer_id, key)),
        })
    }

    /// What a new query has to find where its rows go.
    pub(super) async fn prepare_sink(
        &self,
        options: &TableOptions,
        sink: &SinkOptions,
        columns: &[FieldRef],
    ) -> Result<(), SqlError> {
        self.prepare_outside(options).await?;
        match &sink.kind {
            SinkKind::Kafka => self.prepare(options),
            SinkKind::Files(files) => files.prepare(&self.store_of(files)?),
            SinkKind::Postgres(postgres) => postgres.prepare(columns).await,
            SinkKind::Console(_) | SinkKind::Memory { .. } | SinkKind::Noop | SinkKind::Receiver(_) => Ok(()),
        }
    }

    /// Where the files of a sink go.
    pub(crate) fn store_of(&self, files: &FileOptions) -> Result<Store, SqlError> {
        self.store_at(&files.path.to_string_lossy(), &files.storage)
    }

    /// Where files are.
    pub(crate) fn store_at(&self, path: &str, told: &Settings) -> Result<Store, SqlError> {
        self.storage.at(path, told).map_err(|error| SqlError::failed(format!("reach {path}"), error))
    }

    /// Removes the files of a table that are this program's to keep.
    pub(super) fn remove_files(&self, table: &Table) {
        let SourceOptions::Files(files) = &table.options.source else { return };
        let directory = Path::new(&files.path);
        if directory.parent() != Some(self.tables_dir().as_path()) || !self.env.disk.exists(directory) {
            return;
        }
        if let Err(error) = self.env.disk.remove_dir_all(directory) {
            tracing::warn!(directory = %directory.display(), %error, "left the files of a table that is dropped");
        }
    }

    fn memory_table(&self, name: &str, id: u64, columns: Vec<FieldRef>) -> Arc<MemoryTable> {
        let bytes_max = self.config.state_bytes_max;
        let new = || Arc::new(MemoryTable::new(name, Arc::new(Schema::new(columns)), bytes_max));
        Arc::clone(lock(&self.memory).entry(id).or_insert_with(new))
    }

    /// The table in memory behind a name, if it is one.
    pub(super) fn memory_of(&self, table: &Table) -> Option<Arc<MemoryTable>> {
        match table.sink.kind {
            SinkKind::Memory { .. } => Some(self.memory_table(&table.name, table.id, table.columns.clone())),
            _ => None,
        }
    }
}

/// Whether what stands in the table's topic are no JSON objects.
pub(super) fn holds_records(table: &Table) -> bool {
    table.query.is_some() && table.sink.records.is_some() && are_records(&table.columns)
}

/// Refuses to read what only takes rows.
pub(super) fn check_readable(table: &Table) -> Result<(), SqlError> {
    match table.sink.kind {
        SinkKind::Kafka if holds_records(table) => {
            let reason = "holds records as its query made them; read its topic by a table of your own";
            Err(SqlError::invalid(table.name.clone(), reason))
        }
        SinkKind::Kafka | SinkKind::Memory { .. } => Ok(()),
        SinkKind::Files(_) => {
            let reason = "cannot be read itself; read its directory by a table of your own";
            Err(SqlError::invalid(table.name.clone(), reason))
        }
        SinkKind::Postgres(_) => {
            let reason = "only takes rows; ask PostgreSQL for them";
            Err(SqlError::invalid(table.name.clone(), reason))
        }
        SinkKind::Console(_) | SinkKind::Noop | SinkKind::Receiver(_) => {
            let reason = format!("stands on {}, which keeps no rows to read", table.options.topic);
            Err(SqlError::invalid(table.name.clone(), reason))
        }
    }
}

/// Refuses to stream what is not a stream.
pub(super) fn check_streamable(table: &Table) -> Result<(), SqlError> {
    check_readable(table)?;
    match table.sink.kind {
        SinkKind::Memory { .. } => {
            let reason = "is a table in memory: SELECT can ask it, but a query cannot read it as a STREAM";
            Err(SqlError::invalid(table.name.clone(), reason))
        }
        _ => Ok(()),
    }
}

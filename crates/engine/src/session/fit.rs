//! Whether what a query gives fits where it goes.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};

use crate::error::SqlError;
use crate::operator::aggregate::OutputMode;
use crate::plan::compile::Compiled;
use crate::session::catalog::Table;
use crate::session::start::Reads;
use crate::sink::columns::{self, TopicBy};
use crate::sql::options::TableOptions;
use crate::sql::sink_options::{SinkKind, SinkOptions};

/// # Errors
/// The query and the table that it fills do not fit each other.
pub(super) fn check_table(
    options: &TableOptions,
    sink: &SinkOptions,
    query: Reads<'_>,
    compiled: &Compiled,
) -> Result<(), SqlError> {
    let mut tables = query.sources.iter().chain(query.tables);
    let reads = |table: &Arc<Table>| table.options.reads(options);
    if sink.kind == SinkKind::Kafka && tables.any(reads) {
        return Err(SqlError::invalid("topic", "the query would read what it writes"));
    }
    check_names(compiled)?;
    if let Some(by) = sink.records {
        let columns = stored_columns(compiled);
        if by == TopicBy::Column && !columns::name_topics(&columns) {
            let reason = "is missing, and the query has no column topic; OPTIONS (topic 'events') names one";
            return Err(SqlError::invalid("topic", reason));
        }
        if columns::are_records(&columns) {
            columns::check(&columns)?;
        }
    }
    if let SinkKind::Files(files) = &sink.kind {
        if !compiled.pipeline.appends() {
            return Err(SqlError::Unsupported(
                "write groups to files in this mode: each batch would add another row of a group; choose \
                 outputMode 'append', or write them to a topic, or to memory with a key"
                    .to_owned(),
            ));
        }
        files.check(&stored_columns(compiled))?;
    }
    check_key(options, sink, compiled)
}

/// Whether the columns are there that tell rows apart.
fn check_key(options: &TableOptions, sink: &SinkOptions, compiled: &Compiled) -> Result<(), SqlError> {
    let keys: &[String] = match &sink.kind {
        SinkKind::Memory { key } => key.as_slice(),
        SinkKind::Postgres(postgres) => &postgres.key,
        _ => options.key.as_slice(),
    };
    let grows = matches!(options.output_mode, Some(OutputMode::Append | OutputMode::Complete));
    if matches!(sink.kind, SinkKind::Postgres(_))
        && keys.is_empty()
        && compiled.pipeline.is_stateful()
        && !grows
    {
        return Err(SqlError::Unsupported(
            "write groups to PostgreSQL in this mode without a key: each batch would add another row of a group; \
             name the columns of the group, such as key 'shop'"
                .to_owned(),
        ));
    }
    let columns = compiled.output.fields();
    match keys.iter().find(|key| !columns.iter().any(|column| column.name() == *key)) {
        Some(key) => {
            let names: Vec<String> = columns.iter().map(|column| column.name().clone()).collect();
            let reason = format!("the query has no column {key}; it has {}", names.join(", "));
            Err(SqlError::invalid("key", reason))
        }
        None => Ok(()),
    }
}

/// The sink, or the model, tells columns by their names.
pub(super) fn check_names(compiled: &Compiled) -> Result<(), SqlError> {
    let columns = compiled.output.fields();
    for (index, column) in columns.iter().enumerate() {
        if columns.iter().take(index).any(|other| other.name().eq_ignore_ascii_case(column.name())) {
            let reason = "two columns have this name; give one another with AS";
            return Err(SqlError::invalid(column.name(), reason));
        }
    }
    Ok(())
}

/// The columns of a table that a query fills: what its JSON values hold when they are read again.
pub(crate) fn stored_columns(compiled: &Compiled) -> Vec<FieldRef> {
    stored(compiled.output.fields())
}

/// The same columns as they are stored.
pub(crate) fn stored(columns: &[FieldRef]) -> Vec<FieldRef> {
    let field = |field: &FieldRef| {
        let stored = Field::new(field.name(), stored_type(field.data_type()), true);
        Arc::new(stored.with_metadata(field.metadata().clone()))
    };
    columns.iter().map(field).collect()
}

fn stored_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 | DataType::UInt64 => DataType::Int64,
        DataType::Null => DataType::Utf8,
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            DataType::List(Arc::new(Field::new_list_field(stored_type(item.data_type()), true)))
        }
        DataType::Struct(fields) => {
            let field = |field: &FieldRef| Field::new(field.name(), stored_type(field.data_type()), true);
            DataType::Struct(fields.iter().map(field).collect())
        }
        other => other.clone(),
    }
}

//! Queries that fill a table which is there already.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::FieldRef;
use datafusion::common::{Column, Result as PlanResult, ScalarValue};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit};

use crate::error::SqlError;
use crate::operator::aggregate::OutputMode;
use crate::query::trigger::Trigger;
use crate::session::Shared;
use crate::session::catalog::Table;
use crate::session::insert::check_takes_rows;
use crate::sink::files::manifest;
use crate::source::files::partitions_of;
use crate::source::format::Format;
use crate::source::format::container::Container;
use crate::sql::options::TableOptions;
use crate::sql::options::source::{FileFormat, FileOptions, SourceOptions};
use crate::sql::sink_options::{SinkKind, SinkOptions};
use crate::storage::Store;
use crate::streaming::{options, placeless};

/// What is written is the table's: its topic, or its directory. Options that are given are for files.
pub(super) fn ends(
    table: &Table,
    given: &BTreeMap<String, String>,
    (mode, trigger): (OutputMode, Trigger),
    shared: &Shared,
) -> Result<(TableOptions, SinkOptions), SqlError> {
    let SourceOptions::Files(files) = &table.options.source else {
        check_takes_rows(table)?;
        let mut options = table.options.clone();
        options.output_mode = Some(mode);
        return Ok((options, SinkOptions { kind: SinkKind::Kafka, trigger, ..SinkOptions::default() }));
    };
    let directory = Path::new(&files.path);
    let failed = |error| SqlError::failed(format!("look into {}", files.path), error);
    let store = shared.store_at(&files.path, &files.storage)?;
    let committed = manifest::committed(&store, directory).map_err(failed)?;
    if committed.is_none() && has_files(&store, directory).map_err(failed)? {
        let reason =
            "holds rows that no stream has written, and they would not count any more; name another table";
        return Err(SqlError::invalid(table.name.clone(), reason));
    }
    let (format, mut writing) = words(table, files)?;
    let named = |name: &str| given.keys().any(|given| given.eq_ignore_ascii_case(name));
    if !named("partitionBy") {
        let by = partitions_of(files, &store)
            .map_err(|error| SqlError::failed(format!("look into {}", files.path), error))?;
        writing.insert("partitionBy".to_owned(), by.join(","));
    }
    writing.extend(given.clone());
    SinkOptions::given(format, options(&writing), mode, trigger).map_err(placeless(format))
}

fn has_files(store: &Store, directory: &Path) -> std::io::Result<bool> {
    Ok(store.names(directory)?.iter().any(|name| !name.starts_with(['.', '_'])))
}

/// The table's files in the words of who writes them.
pub(crate) fn words(
    table: &Table,
    files: &FileOptions,
) -> Result<(&'static str, BTreeMap<String, String>), SqlError> {
    let mut words: BTreeMap<String, String> = files.storage.words().collect();
    words.insert("path".to_owned(), files.path.clone());
    let format = match &files.format {
        FileFormat::Rows(Container::Parquet) => "parquet",
        FileFormat::Lines(Format::Json) => "json",
        FileFormat::Lines(Format::Text) => "text",
        FileFormat::Lines(Format::Csv(csv)) => {
            words.insert("header".to_owned(), csv.header.to_string());
            words.insert("sep".to_owned(), char::from(csv.separator).to_string());
            words.extend(csv.null.clone().map(|null| ("nullValue".to_owned(), null)));
            "csv"
        }
        FileFormat::Rows(Container::Avro) | FileFormat::Lines(_) => {
            let reason = "stands on files of a format that is only read";
            return Err(SqlError::invalid(table.name.clone(), reason));
        }
    };
    if files.path.contains(['*', '?', '[', '{']) {
        return Err(SqlError::invalid(
            table.name.clone(),
            "stands on a pattern of files, not on a directory",
        ));
    }
    Ok((format, words))
}

/// The plan with the table's columns, found by their names.
pub(super) fn aligned(plan: LogicalPlan, table: &Table) -> Result<LogicalPlan, SqlError> {
    let given = plan.schema().fields().clone();
    let is = |a: &FieldRef, b: &FieldRef| a.name().eq_ignore_ascii_case(b.name());
    if let Some(extra) = given.iter().find(|given| !table.columns.iter().any(|column| is(column, given))) {
        let known: Vec<&str> = table.columns.iter().map(|column| column.name().as_str()).collect();
        let reason = format!("has no column {}; it has {}", extra.name(), known.join(", "));
        return Err(SqlError::invalid(format!("table {}", table.name), reason));
    }
    let filled = |column: &Arc<_>| match given.iter().find(|given| is(column, given)) {
        Some(given) => {
            let value = Expr::Column(Column::new_unqualified(given.name()));
            match given.data_type() == column.data_type() {
                true => value.alias(column.name()),
                false => cast(value, column.data_type().clone()).alias(column.name()),
            }
        }
        None => {
            let nothing = ScalarValue::try_from(column.data_type()).unwrap_or(ScalarValue::Null);
            lit(nothing).alias(column.name())
        }
    };
    let filled: Vec<Expr> = table.columns.iter().map(filled).collect();
    let plan: PlanResult<_> =
        LogicalPlanBuilder::from(plan).project(filled).and_then(LogicalPlanBuilder::build);
    plan.map_err(|error| SqlError::plan(&error))
}

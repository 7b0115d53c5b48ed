//! `df.write` and `df.writeTo`: rows into files and tables.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit};
use engine::files::FileWriter;
use tokio::task::block_in_place;

use crate::database::TableName;
use crate::error::{Class, Result, SparkError};
use crate::expression::Named;
use crate::place::{complete, local, path_of, storage, zoned};
use crate::plan::frame::{Frame, aliased_name};
use crate::plan::{Planner, not_too_deep, unknown_source};
use crate::python::Source;
use crate::service::tables::{self, NewTable};
use crate::session::Session;
use crate::sql::{CreateTable, Insert};
use crate::wire::command::{DataSource, SaveType, WriteOperation, WriteOperationV2};
use crate::wire::expression::ExprType;
use crate::wire::relation::Relation;

/// `SaveMode`s of the message.
const APPEND: i32 = 1;
const OVERWRITE: i32 = 2;
const ERROR: i32 = 3;
const IGNORE: i32 = 4;
/// Only the partitions that rows come for; no message has this number.
const OVERWRITE_PARTITIONS: i32 = 100;
/// `SaveTable.save_method` of the message: columns find their place by order, not by name.
const INSERT_INTO: i32 = 2;
/// Of `WriteOperationV2` in the message.
const MODE_CREATE: i32 = 1;
const MODE_OVERWRITE_PARTITIONS: i32 = 3;
const MODE_APPEND: i32 = 4;
const MODE_REPLACE: i32 = 5;
const MODE_CREATE_OR_REPLACE: i32 = 6;

/// What is to be written, and how.
struct Writing {
    format: String,
    options: BTreeMap<String, String>,
    partition_by: Vec<String>,
    mode: i32,
}

/// Writes a frame into a directory or a table, one file or several, as Spark does.
pub(crate) async fn write(session: &Arc<Session>, operation: WriteOperation) -> Result<()> {
    // They say how the rows of a table lie, and not which there are: here they lie as they come.
    let lies = operation.bucket_by.is_some() || !operation.clustering_columns.is_empty();
    if lies && !matches!(operation.save_type, Some(SaveType::Table(_))) {
        return Err(SparkError::unsupported("bucketBy and clusterBy of files that are no table"));
    }
    let writing = Writing {
        format: operation.source.as_deref().unwrap_or("parquet").to_lowercase(),
        options: operation.options,
        partition_by: operation.partitioning_columns,
        mode: operation.mode,
    };
    let mut planner = Planner::new(session);
    let frame = finite(&mut planner, operation.input.as_deref()).await?;
    if let Some(source) = session.source(&writing.format) {
        let Writing { mut options, mode, .. } = writing;
        if let Some(SaveType::Path(path)) = operation.save_type {
            options.insert("path".to_owned(), path);
        }
        return to_source(planner, frame, &source, options, mode).await;
    }
    match operation.save_type {
        Some(SaveType::Path(path)) => {
            let path = path_of(&path)?;
            if prepared(&planner, &path, &writing)? {
                save(planner, frame, &path, &writing).await?;
            }
            Ok(())
        }
        Some(SaveType::Table(table)) => {
            let name = TableName::read(session, &table.table_name)?;
            if table.save_method == INSERT_INTO {
                let mode = if writing.mode == OVERWRITE { OVERWRITE } else { APPEND };
                if !name.is_known(&session.engine) {
                    return Err(SparkError::table(&table.table_name.replace('`', "").replace('.', "`.`")));
                }
                return insert(planner, frame, &name, Writing { mode, ..writing }, By::Order).await;
            }
            save_as_table(session, planner, frame, &name, writing).await
        }
        // Spark's `noop`: the rows are made and go nowhere.
        None if writing.format == "noop" => {
            let mut rows = planner.run(frame).await?;
            while let Some(batch) = rows.next().await {
                batch?;
            }
            Ok(())
        }
        None => Err(SparkError::illegal("'path' is not specified.")),
    }
}

/// Rows for a data source of Python.
async fn to_source(
    planner: Planner<'_>,
    frame: Frame,
    source: &DataSource,
    options: BTreeMap<String, String>,
    mode: i32,
) -> Result<()> {
    if mode != APPEND && mode != OVERWRITE {
        let name = if mode == IGNORE { "Ignore" } else { "ErrorIfExists" };
        let text = format!(
            "The data source \"{}\" cannot be written in the \"{name}\" mode. Please use either the \"Append\" or \
             \"Overwrite\" mode instead.",
            source.name
        );
        let condition = "UNSUPPORTED_DATA_SOURCE_SAVE_MODE";
        return Err(SparkError::new(Class::Analysis, condition, "0A000", text)
            .with("source", source.name.as_str())
            .with("createMode", format!("\"{name}\"")));
    }
    let schema = Arc::new(frame.schema());
    let mut writer =
        block_in_place(|| Source::new(source)?.write(&options, &schema, mode == OVERWRITE, &planner.python))?;
    let mut rows = planner.frames.run(projected(frame)?).await?;
    while let Some(batch) = rows.next().await {
        let written = match batch {
            Ok(batch) => block_in_place(|| writer.write(&batch)),
            Err(error) => Err(error.into()),
        };
        if let Err(error) = written {
            // What it says to that is of no matter: the first error is told.
            let _ = block_in_place(|| writer.abort());
            return Err(error);
        }
    }
    block_in_place(|| writer.finish(&RecordBatch::new_empty(schema)))
}

/// `df.writeTo(table)`.
pub(crate) async fn write_to(session: &Arc<Session>, operation: WriteOperationV2) -> Result<()> {
    let name = TableName::read(session, &operation.table_name)?;
    let known = name.is_known(&session.engine);
    let mode = match operation.mode {
        MODE_CREATE => ERROR,
        MODE_CREATE_OR_REPLACE => OVERWRITE,
        MODE_REPLACE | MODE_APPEND | MODE_OVERWRITE_PARTITIONS if !known => {
            return Err(SparkError::table(&operation.table_name.replace('`', "").replace('.', "`.`")));
        }
        MODE_REPLACE => OVERWRITE,
        MODE_APPEND => APPEND,
        MODE_OVERWRITE_PARTITIONS => OVERWRITE_PARTITIONS,
        _ => return Err(SparkError::unsupported("overwrite of writeTo under a condition")),
    };
    let column = |expression: &crate::wire::expression::Expression| match &expression.expr_type {
        Some(ExprType::UnresolvedAttribute(column)) => Ok(aliased_name(&column.unparsed_identifier)),
        _ => Err(SparkError::unsupported("partitionedBy of what is no column")),
    };
    let writing = Writing {
        format: operation.provider.as_deref().unwrap_or("parquet").to_lowercase(),
        options: operation.options,
        partition_by: operation.partitioning_columns.iter().map(column).collect::<Result<_>>()?,
        mode,
    };
    let mut planner = Planner::new(session);
    let frame = finite(&mut planner, operation.input.as_deref()).await?;
    save_as_table(session, planner, frame, &name, writing).await
}

/// `CREATE TABLE`, with rows or without.
pub(crate) async fn create_table(session: &Arc<Session>, table: CreateTable) -> Result<()> {
    let mut planner = Planner::new(session);
    let frame = match &table.query {
        Some(query) => {
            let frame = planner.query(query).await?;
            distinct(&frame)?;
            frame
        }
        None => {
            let field = |(name, kind): &(String, String)| {
                Ok(Field::new(name, crate::schema::parse_type(&stored(kind))?, true))
            };
            let fields = table.columns.iter().map(field).collect::<Result<Vec<_>>>()?;
            let relation = crate::plan::local_relation(&Arc::new(Schema::new(fields)), &[])?;
            planner.relation(&relation).await?
        }
    };
    let mode = if table.replace {
        OVERWRITE
    } else if table.if_not_exists {
        IGNORE
    } else {
        ERROR
    };
    let format = table.format.unwrap_or_else(|| "parquet".to_owned());
    let writing = Writing { format, options: table.options, partition_by: table.partition_by, mode };
    let name = TableName::read(session, &table.name)?;
    save_as_table(session, planner, frame, &name, writing).await?;
    tables::describe(session, &name, table.comment).await
}

/// Text of a length is text.
fn stored(kind: &str) -> String {
    let upper = kind.to_uppercase();
    if upper.starts_with("CHAR") || upper.starts_with("VARCHAR") { "STRING" } else { kind }.to_owned()
}

/// `INSERT`; false if the table is not one of files.
pub(crate) async fn insert_rows(session: &Arc<Session>, insertion: &Insert) -> Result<bool> {
    let mut planner = Planner::new(session);
    let table_name = TableName::read(session, &insertion.name)?;
    if !table_name.is_known(&session.engine) {
        return Err(SparkError::table(insertion.name.trim_matches('`')));
    }
    let key = table_name.key();
    if planner.frames.table_files(&key).is_err() {
        return Ok(false);
    }
    let Some(table) = planner.frames.table(&key).await? else { return Err(table_name.missing()) };
    let name = table_name.whole();
    let mut frame = planner.query(&insertion.query).await?;
    let mut by = By::Order;
    if !insertion.columns.is_empty() {
        if frame.columns.len() != insertion.columns.len() {
            let text = format!(
                "Cannot write to {name}: {} columns are named, {} given.",
                insertion.columns.len(),
                frame.columns.len()
            );
            let condition = "INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS";
            return Err(SparkError::new(Class::Analysis, condition, "21S01", text));
        }
        frame = crate::plan::to_df(frame, &insertion.columns)?;
        let mut all: Vec<Named> = frame.columns.iter().map(crate::plan::whole).collect();
        let named = |field: &str| insertion.columns.iter().any(|column| column.eq_ignore_ascii_case(field));
        for field in table.schema().fields().iter().filter(|field| !named(field.name())) {
            let nothing = ScalarValue::try_from(field.data_type())?;
            all.push(Named::new(lit(nothing), field.name().clone()));
        }
        frame = planner.projected(frame, all)?;
        by = By::Name;
    }
    let mode = if insertion.overwrite { OVERWRITE } else { APPEND };
    let (options, partition_by) = (BTreeMap::new(), Vec::new());
    let writing = Writing { format: String::new(), options, partition_by, mode };
    insert(planner, frame, &table_name, writing, by).await?;
    Ok(true)
}

/// The frame, which must end and tell its columns apart.
async fn finite(planner: &mut Planner<'_>, input: Option<&Relation>) -> Result<Frame> {
    let frame = planner.relation(input.ok_or_else(|| SparkError::missing("input"))?).await?;
    if engine::streaming::is_streaming(&frame.plan) {
        let text = "The method `write` can not be called on streaming Dataset/DataFrame.";
        return Err(SparkError::new(Class::Analysis, "CALL_ON_STREAMING_DATASET_UNSUPPORTED", "42KDE", text)
            .with("methodName", "`write`"));
    }
    distinct(&frame)?;
    Ok(frame)
}

/// No two columns have the same name.
fn distinct(frame: &Frame) -> Result<()> {
    let names = frame.names();
    if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        let text = format!("The column `{}` already exists. Choose another name.", twice.1);
        return Err(SparkError::new(Class::Analysis, "COLUMN_ALREADY_EXISTS", "42711", text));
    }
    Ok(())
}

async fn save_as_table(
    session: &Arc<Session>,
    planner: Planner<'_>,
    frame: Frame,
    table: &TableName,
    writing: Writing,
) -> Result<()> {
    table.place(&session.engine)?;
    let (known, name) = (table.is_known(&session.engine), &table.key());
    match writing.mode {
        IGNORE if known => return Ok(()),
        APPEND | OVERWRITE_PARTITIONS if known => {
            return insert(planner, frame, table, writing, By::Name).await;
        }
        OVERWRITE => {}
        _ if known => return Err(tables::exists(table)),
        _ => {}
    }
    let path = match writing.options.iter().find(|(option, _)| option.eq_ignore_ascii_case("path")) {
        Some((_, path)) => path.clone(),
        None => tables::place_in(session, table)
            .unwrap_or_else(|| planner.frames.table_directory(name).display().to_string()),
    };
    let columns = frame.schema();
    // What is overwritten may be what is read: the rows come first, beside it.
    let path = local(&path, "a table that is replaced")?;
    let beside = format!("{}.new", path.trim_end_matches('/'));
    planner.frames.clear(&beside, &BTreeMap::new())?;
    save(planner, frame, &beside, &writing).await?;
    if known {
        tables::forget(session, table).await?;
    }
    let place = || {
        if Path::new(&path).exists() {
            std::fs::remove_dir_all(&path)?;
        }
        std::fs::rename(&beside, &path)
    };
    place().map_err(|error| failed(&path, &error))?;
    let Writing { format, options, partition_by, .. } = &writing;
    NewTable { name, format, path: &path, options, columns: &columns, partition_by }.create(session).await
}

/// How columns find their place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Name,
    Order,
}

/// Adds rows to a table that is there, or puts them in the place of its rows.
async fn insert(
    planner: Planner<'_>,
    frame: Frame,
    into: &TableName,
    writing: Writing,
    by: By,
) -> Result<()> {
    let Some(table) = planner.frames.table(&into.key()).await? else { return Err(into.missing()) };
    let (format, mut options, partition_by) = planner.frames.table_files(&into.key())?;
    let name = &into.whole();
    let path = options.remove("path").unwrap_or_default();
    let told = storage(planner.session, &options);
    if planner.frames.written_by_stream(&path, &told)? {
        let text = format!("adding rows by hand to {name}, which a stream writes");
        return Err(SparkError::unsupported(text));
    }
    let frame = aligned(&planner, frame, &table.schema(), name, by)?;
    let writing = Writing { format, options, partition_by, mode: writing.mode };
    if writing.mode == APPEND {
        return save(planner, frame, &path, &writing).await;
    }
    let path = local(&path, "overwriting a table")?;
    let beside = format!("{}.new", path.trim_end_matches('/'));
    planner.frames.clear(&beside, &BTreeMap::new())?;
    save(planner, frame, &beside, &writing).await?;
    let depth = match writing.mode {
        OVERWRITE_PARTITIONS => writing.partition_by.len(),
        _ => 0,
    };
    put_in_place(Path::new(&beside), Path::new(&path), depth).map_err(|error| failed(&path, &error))
}

/// Directories that are so deep in the first one go to their place in the second, where others give way.
fn put_in_place(from: &Path, to: &Path, depth: usize) -> std::io::Result<()> {
    if depth == 0 {
        if to.exists() {
            std::fs::remove_dir_all(to)?;
        }
        return std::fs::rename(from, to);
    }
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            put_in_place(&entry.path(), &to.join(entry.file_name()), depth - 1)?;
        }
    }
    std::fs::remove_dir_all(from)
}

/// The frame's columns in those of a table.
fn aligned(planner: &Planner<'_>, frame: Frame, table: &Schema, name: &str, by: By) -> Result<Frame> {
    let (wanted, given) = (table.fields().len(), frame.columns.len());
    if wanted != given {
        let text = format!(
            "Cannot write to {name}, the reason is {} data columns: the table has {wanted}, the frame has {given}.",
            if given > wanted { "too many" } else { "not enough" }
        );
        let condition = if given > wanted {
            "INSERT_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS"
        } else {
            "INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS"
        };
        return Err(SparkError::new(Class::Analysis, condition, "21S01", text));
    }
    let mut columns = Vec::with_capacity(wanted);
    for (at, field) in table.fields().iter().enumerate() {
        let found = match by {
            By::Order => frame.columns.get(at),
            By::Name => frame.columns.iter().find(|column| column.name.eq_ignore_ascii_case(field.name())),
        };
        let column = found.ok_or_else(|| SparkError::column(field.name(), &frame.names()))?;
        columns.push((column.clone(), field));
    }
    let resolver = planner.resolver(&frame);
    let value = |(column, field): &(crate::plan::frame::Column, &Arc<_>)| {
        let field: &datafusion::arrow::datatypes::Field = field;
        let (from, to) = (frame.data_type(column), field.data_type());
        let value = match from == *to {
            true => column.expr(),
            // What lies in structs has its place by order, too.
            false if by == By::Order && from.is_nested() => {
                resolver.converted(column.expr(), &from, to, false)?
            }
            false => cast(column.expr(), to.clone()),
        };
        Ok(value.alias(&column.id))
    };
    let exprs: Vec<Expr> = columns.iter().map(value).collect::<Result<_>>()?;
    let columns = columns.iter().map(|(column, field)| column.renamed(field.name())).collect();
    let plan = LogicalPlanBuilder::from(frame.plan).project(exprs)?.build()?;
    Ok(Frame { plan, columns })
}

/// Runs the frame and writes its rows below a directory.
async fn save(planner: Planner<'_>, frame: Frame, path: &str, writing: &Writing) -> Result<()> {
    let mut options: BTreeMap<String, String> = writing.options.clone();
    options.retain(|name, _| !name.eq_ignore_ascii_case("path"));
    complete(planner.session, path, &mut options);
    zoned(planner.session, &mut options);
    options.insert("path".to_owned(), path.to_owned());
    for name in &writing.partition_by {
        if !frame.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name)) {
            return Err(SparkError::column(name, &frame.names()));
        }
    }
    if !writing.partition_by.is_empty() {
        options.insert("partitionBy".to_owned(), writing.partition_by.join(","));
    }
    if !["csv", "json", "text", "parquet"].contains(&writing.format.as_str()) {
        let known = ["orc", "xml", "avro", "delta"].contains(&writing.format.as_str());
        return Err(match known {
            true => SparkError::unsupported(format!("writing files of {}", writing.format)),
            false => unknown_source(&writing.format),
        });
    }
    let mut writer = planner.frames.writer(&writing.format, &options, &Arc::new(frame.schema()))?;
    let mut rows = planner.frames.run(projected(frame)?).await?;
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        writer = apart(move || writer.write(batch).map(|()| writer)).await?;
    }
    drop(planner.python);
    apart(move || FileWriter::finish(writer)).await
}

/// The columns under their names: they are all different.
fn projected(frame: Frame) -> Result<LogicalPlan> {
    not_too_deep(&frame.plan)?;
    let exprs = frame.columns.iter().map(|column| column.expr().alias(&column.name));
    let exprs: Vec<Expr> = match frame.columns.is_empty() {
        true => vec![lit(true)],
        false => exprs.collect(),
    };
    Ok(LogicalPlanBuilder::from(frame.plan).project(exprs)?.build()?)
}

/// Files make a thread wait: not one of those that answer clients.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> std::result::Result<T, engine::SqlError> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|error| SparkError::internal(error.to_string()))??)
}

/// Makes room; false if there is nothing to do.
fn prepared(planner: &Planner<'_>, path: &str, writing: &Writing) -> Result<bool> {
    let told = storage(planner.session, &writing.options);
    if !planner.frames.exists(path, &told)? {
        return Ok(true);
    }
    match writing.mode {
        APPEND => {}
        IGNORE => return Ok(false),
        OVERWRITE => planner.frames.clear(path, &told)?,
        _ => {
            let text = format!(
                "Path {path} already exists. Set mode as \"overwrite\" to overwrite the existing path."
            );
            let error = SparkError::new(Class::Analysis, "PATH_ALREADY_EXISTS", "42K04", text);
            return Err(error.with("outputPath", path));
        }
    }
    Ok(true)
}

fn failed(path: &str, error: &std::io::Error) -> SparkError {
    SparkError::new(Class::Spark, "FAILED_WRITE_FILE", "58030", format!("Write {path}: {error}."))
}

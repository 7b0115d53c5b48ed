//! `df.writeStream`: formats and options in the engine's words.

use std::collections::BTreeMap;
use std::time::Duration;

use datafusion::arrow::datatypes::DataType;
use engine::storage::{Checkpoint, is_remote};
use engine::streaming::{OutputMode, Trigger, Writing, interval_us};

use crate::database::TableName;
use crate::error::{Class, Result, SparkError};
use crate::place::{complete, forget, path_of, storage, zoned};
use crate::plan::frame::Frame;
use crate::plan::unknown_source;
use crate::session::Session;
use crate::streaming::model::Lesson;
use crate::streaming::read::is_of_connection;
use crate::wire::streaming::{SinkDestination, Trigger as Asked, WriteStreamOperationStart};

/// What lies where a query remembers.
/// Below it, queries remember whose clients do not say where.
const CHECKPOINTS: &str = "spark.sql.streaming.checkpointLocation";

/// The columns that a record is made of.
const RECORD: [&str; 5] = ["key", "value", "topic", "partition", "headers"];

/// What a query writes: its columns by their names in the plan, and how.
pub(crate) struct Wanted {
    pub(crate) columns: Vec<(String, String)>,
    pub(crate) writing: Writing,
    /// The table that is made before the query begins.
    pub(crate) new_table: Option<NewTable>,
    /// The model that learns the rows.
    pub(crate) lesson: Option<Lesson>,
}

/// A table over files, as `toTable` makes it.
pub(crate) struct NewTable {
    pub(crate) format: String,
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) path: String,
    pub(crate) partition_by: Vec<String>,
}

/// What the engine calls the table that is to be written.
fn target(session: &Session, name: &str) -> Result<String> {
    let table = TableName::read(session, name)?;
    table.place(&session.engine)?;
    Ok(table.key())
}

/// What a client asks for.
pub(crate) fn writing(session: &Session, frame: &Frame, start: &WriteStreamOperationStart) -> Result<Wanted> {
    let mut options = start.options.clone();
    let format = match start.format.to_lowercase() {
        // The rows are for a function: no format takes them.
        _ if start.foreach_batch.is_some() || start.foreach_writer.is_some() => "noop".to_owned(),
        format if format.is_empty() => "parquet".to_owned(),
        format => format,
    };
    let name = Some(start.query_name.clone()).filter(|name| !name.is_empty());
    let mode = mode(&start.output_mode)?;
    let trigger = trigger(start.trigger.as_ref())?;
    let mut table = match &start.sink_destination {
        Some(SinkDestination::TableName(table)) => Some(target(session, table)?),
        Some(SinkDestination::Path(path)) => {
            options.insert("path".to_owned(), path.clone());
            None
        }
        None => None,
    };
    let checkpoint = checkpoint(session, &mut options, name.as_deref())?;
    let mut columns: Vec<(String, String)> =
        frame.columns.iter().map(|column| (column.id.clone(), column.name.clone())).collect();
    let (mut new_table, mut lesson) = (None, None);
    match format.as_str() {
        "model" => {
            let path = options.get("path").cloned();
            let names = [table.as_deref(), path.as_deref(), name.as_deref()];
            let learns = Lesson::new(names, std::mem::take(&mut options))?;
            (table, lesson) = (Some(learns.table()), Some(learns));
        }
        _ if let Some(table) = &table => {
            new_table = to_table(session, table, &format, mode, start, &mut options)?;
        }
        "console" => {
            options.retain(|name, _| ["numrows", "truncate"].contains(&name.to_lowercase().as_str()));
            zoned(session, &mut options);
        }
        "noop" => options.clear(),
        "memory" => {
            if name.is_none() {
                let text = "queryName must be specified for memory sink.";
                return Err(SparkError::new(Class::Analysis, "_LEGACY_ERROR_TEMP_1194", "", text));
            }
            options.clear();
        }
        "kafka" => kafka(session, frame, &mut options, &mut columns)?,
        "json" | "csv" | "text" | "parquet" => files(session, &format, mode, start, &mut options)?,
        "orc" | "xml" | "avro" | "delta" => {
            return Err(SparkError::unsupported(format!("streams into files of {format}")));
        }
        other => return Err(unknown_source(other)),
    }
    let keeps = table.is_some() && lesson.is_none()
        || !matches!(format.as_str(), "console" | "noop" | "memory" | "model");
    if keeps && checkpoint.is_none() {
        let text = "checkpointLocation must be specified either through option(\"checkpointLocation\", ...) or \
                    SparkSession.conf.set(\"spark.sql.streaming.checkpointLocation\", ...).";
        return Err(SparkError::new(Class::Analysis, "_LEGACY_ERROR_TEMP_1298", "", text));
    }
    if format != "kafka" || table.is_some() {
        unique(&columns)?;
    }
    Ok(Wanted {
        columns,
        writing: Writing { name, format, table, options, receiver: None, mode, trigger, checkpoint },
        new_table,
        lesson,
    })
}

fn unique(columns: &[(String, String)]) -> Result<()> {
    for (at, (_, name)) in columns.iter().enumerate() {
        if columns[..at].iter().any(|(_, other)| other.eq_ignore_ascii_case(name)) {
            let text = format!(
                "The column `{name}` already exists. Choose another name or rename the existing column."
            );
            return Err(SparkError::new(Class::Analysis, "COLUMN_ALREADY_EXISTS", "42711", text)
                .with("columnName", format!("`{name}`")));
        }
    }
    Ok(())
}

fn mode(word: &str) -> Result<OutputMode> {
    match word.to_lowercase().as_str() {
        "" | "append" => Ok(OutputMode::Append),
        "update" => Ok(OutputMode::Update),
        "complete" => Ok(OutputMode::Complete),
        _ => {
            let text = format!(
                "Invalid streaming output mode: {word}. Accepted output modes are 'Append', 'Complete', 'Update'."
            );
            Err(SparkError::new(Class::IllegalArgument, "STREAMING_OUTPUT_MODE.INVALID", "42KDE", text)
                .with("outputMode", word))
        }
    }
}

fn trigger(asked: Option<&Asked>) -> Result<Trigger> {
    match asked {
        None => Ok(Trigger::Asap),
        Some(Asked::AvailableNow(_)) => Ok(Trigger::AvailableNow),
        Some(Asked::Once(_)) => Ok(Trigger::Once),
        Some(Asked::ProcessingTimeInterval(text)) => {
            let wrong = || {
                let text = format!(
                    "Error parsing '{text}' to interval. Please ensure that the value provided is in a valid format for \
                     defining an interval."
                );
                SparkError::new(
                    Class::IllegalArgument,
                    "INVALID_INTERVAL_FORMAT.UNRECOGNIZED_NUMBER",
                    "22006",
                    text,
                )
            };
            let micros = interval_us(text).ok_or_else(wrong)?;
            match u64::try_from(micros) {
                Ok(0) => Ok(Trigger::Asap),
                Ok(micros) => Ok(Trigger::ProcessingTime(Duration::from_micros(micros))),
                Err(_) => Err(SparkError::illegal(
                    "requirement failed: the interval of trigger should not be negative",
                )),
            }
        }
        Some(Asked::ContinuousCheckpointInterval(_)) => {
            Err(SparkError::unsupported("the trigger continuous; batches begin as soon as there are rows"))
        }
        Some(Asked::RealTimeBatchDuration(_)) => {
            Err(SparkError::unsupported("the trigger realTime; batches begin as soon as there are rows"))
        }
    }
}

/// Where the query remembers, if its client says.
fn checkpoint(
    session: &Session,
    options: &mut BTreeMap<String, String>,
    name: Option<&str>,
) -> Result<Option<Checkpoint>> {
    let key = options.keys().find(|name| name.eq_ignore_ascii_case("checkpointLocation")).cloned();
    let location = match (key.and_then(|key| options.remove(&key)), session.setting(CHECKPOINTS)) {
        (Some(location), _) => location,
        (None, Some(root)) => {
            let below = name.map_or_else(|| session.new_id(), str::to_owned);
            format!("{}/{below}", root.trim_end_matches('/'))
        }
        (None, None) => return Ok(None),
    };
    let checkpoint = Checkpoint { path: path_of(&location)?, storage: storage(session, &*options) };
    if is_remote(&location) && !options.get("path").is_some_and(|path| is_remote(path)) {
        forget(options);
    }
    Ok(Some(checkpoint))
}

/// The columns of a record, which go to a topic.
fn kafka(
    session: &Session,
    frame: &Frame,
    options: &mut BTreeMap<String, String>,
    columns: &mut Vec<(String, String)>,
) -> Result<()> {
    session.kafka.take(options)?;
    let is_topic = |name: &String| name.eq_ignore_ascii_case("topic");
    options.retain(|name, _| is_topic(name) || is_of_connection(name));
    columns.retain(|(_, name)| RECORD.contains(&name.as_str()));
    let absent = |name: &str| {
        let text = format!("Required attribute '{name}' not found.");
        SparkError::new(Class::Analysis, "_LEGACY_ERROR_TEMP_3102", "", text)
    };
    if !columns.iter().any(|(_, name)| name == "value") {
        return Err(absent("value"));
    }
    if !options.keys().any(is_topic) && !columns.iter().any(|(_, name)| name == "topic") {
        let text = "topic option required when no 'topic' attribute is present. Use the topic option for setting a topic.";
        return Err(SparkError::new(Class::Analysis, "_LEGACY_ERROR_TEMP_3102", "", text));
    }
    for column in frame.columns.iter().filter(|column| RECORD.contains(&column.name.as_str())) {
        let found = frame.data_type(column);
        let (fits, wanted) = match column.name.as_str() {
            "key" | "value" => {
                (matches!(found, DataType::Utf8 | DataType::Binary), "\"STRING\" or \"BINARY\"")
            }
            "topic" => (found == DataType::Utf8, "\"STRING\""),
            "partition" => (found == DataType::Int32, "\"INT\""),
            _ => (matches!(found, DataType::List(_)), "\"ARRAY<STRUCT<key: STRING, value: BINARY>>\""),
        };
        if !fits {
            let found = crate::schema::name(&found);
            let text = format!("{} attribute type must be a {wanted}, not \"{found}\".", column.name);
            return Err(SparkError::new(Class::Analysis, "_LEGACY_ERROR_TEMP_3102", "", text));
        }
    }
    unique(columns)
}

/// What `toTable` writes; the table itself, if it is not there yet.
fn to_table(
    session: &Session,
    name: &str,
    format: &str,
    mode: OutputMode,
    start: &WriteStreamOperationStart,
    options: &mut BTreeMap<String, String>,
) -> Result<Option<NewTable>> {
    if session.views().contains_key(&name.to_lowercase()) {
        return Err(SparkError::unsupported(format!("toTable({name}): a view takes no rows")));
    }
    let frames = session.engine.dataframes(&session.zone());
    if session.engine.has_table(name) {
        // Its rows are written as it says; what a topic is written with, its table knows.
        if let Ok((format, mut own, _)) = frames.table_files(name) {
            options.insert("path".to_owned(), own.remove("path").unwrap_or_default());
            files(session, &format, mode, start, options)?;
            options.retain(|option, _| !option.eq_ignore_ascii_case("path"));
        } else {
            options.clear();
        }
        return Ok(None);
    }
    if !["parquet", "json", "csv", "text"].contains(&format) {
        return Err(SparkError::unsupported(format!(
            "toTable of the format {format}, which is none of files"
        )));
    }
    let directory = || frames.table_directory(name).display().to_string();
    let given = options.iter().find(|(option, _)| option.eq_ignore_ascii_case("path"));
    let path = given.map_or_else(directory, |(_, path)| path.clone());
    options.insert("path".to_owned(), path);
    files(session, format, mode, start, options)?;
    let path = options.remove("path").unwrap_or_default();
    let partition_by = start.partitioning_column_names.clone();
    // How its rows are written is no matter of the table.
    let known = options.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("timeZone"));
    let known = known.map(|(name, value)| (name.clone(), value.clone())).collect();
    Ok(Some(NewTable { format: format.to_owned(), options: known, path, partition_by }))
}

fn files(
    session: &Session,
    format: &str,
    mode: OutputMode,
    start: &WriteStreamOperationStart,
    options: &mut BTreeMap<String, String>,
) -> Result<()> {
    if mode != OutputMode::Append {
        let mode = start.output_mode.to_lowercase();
        let text = format!(
            "Invalid streaming output mode: {mode}. This output mode is not supported in Data Source {format}."
        );
        return Err(SparkError::new(
            Class::Analysis,
            "STREAMING_OUTPUT_MODE.UNSUPPORTED_DATASOURCE",
            "42KDE",
            text,
        )
        .with("outputMode", mode)
        .with("className", format));
    }
    if !start.partitioning_column_names.is_empty() {
        options.insert("partitionBy".to_owned(), start.partitioning_column_names.join(","));
    }
    let key = options.keys().find(|name| name.eq_ignore_ascii_case("path")).cloned();
    let path = key.and_then(|key| options.remove(&key));
    let missing =
        || SparkError::new(Class::IllegalArgument, "_LEGACY_ERROR_TEMP_2047", "", "'path' is not specified.");
    let path = path_of(&path.ok_or_else(missing)?)?;
    complete(session, &path, options);
    zoned(session, options);
    options.insert("path".to_owned(), path);
    Ok(())
}

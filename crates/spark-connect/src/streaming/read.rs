//! `spark.readStream`: formats and options in the engine's words.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::Arc;

use datafusion::logical_expr::LogicalPlanBuilder;
use engine::storage::is_remote;
use engine::streaming::{carries_time, first_of_each, interval_us, is_streaming, watermark};

use crate::database::TableName;
use crate::error::{Class, Result, SparkError};
use crate::expression::name_parts;
use crate::place::{complete, path_of};
use crate::plan::frame::{Column, Frame, Stored};
use crate::plan::{Planner, unknown_source, unqualified};
use crate::schema::parse_schema;
use crate::session::Session;
use crate::wire::relation::{Deduplicate, ReadDataSource, WithWatermark};

/// Formats that Spark streams and this engine does not.
const ABSENT: [&str; 3] = ["orc", "xml", "delta"];
/// Options of Kafka that say how a connection or a task works: there is neither.
const KAFKA_MEANS: [&str; 6] = [
    "minpartitions",
    "maxrecordsperpartition",
    "groupidprefix",
    "kafkaconsumer.polltimeoutms",
    "fetchoffset.numretries",
    "fetchoffset.retryintervalms",
];
/// Options of the engine's tables that Spark does not know, and leaves out.
const KAFKA_UNKNOWN: [&str; 3] = ["topic", "format", "value.format"];

/// Where this server's own log can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Kafka(pub(crate) Option<SocketAddr>);

impl Kafka {
    /// Takes the options that concern the connection, if they mean this server; those of another cluster stay.
    pub(crate) fn take(self, options: &mut BTreeMap<String, String>) -> Result<()> {
        const SERVERS: &str = "kafka.bootstrap.servers";
        let servers = options.iter().find(|(name, _)| name.eq_ignore_ascii_case(SERVERS));
        let servers =
            servers.map(|(_, servers)| servers.clone()).filter(|servers| !servers.trim().is_empty());
        let missing = || {
            let text = format!("Option '{SERVERS}' must be specified for configuring Kafka consumer");
            SparkError::illegal(text)
        };
        let servers = servers.ok_or_else(missing)?;
        if servers.split(',').all(|server| self.is(server.trim())) {
            options.retain(|name, _| !is_of_connection(name));
        }
        Ok(())
    }

    /// Whether the address is this server's.
    fn is(self, server: &str) -> bool {
        let Some(own) = self.0 else { return false };
        let Ok(addresses) = server.to_socket_addrs() else { return false };
        let here = |ip: IpAddr| {
            // An address can be listened at only where it is.
            ip == own.ip() || (own.ip().is_unspecified() && UdpSocket::bind((ip, 0)).is_ok())
        };
        addresses.into_iter().any(|address| address.port() == own.port() && here(address.ip()))
    }
}

/// Whether an option is for the client of a Kafka cluster.
pub(crate) fn is_of_connection(option: &str) -> bool {
    option.to_lowercase().starts_with("kafka.")
}

impl Planner<'_> {
    /// A frame over a stream.
    pub(crate) fn read_stream(&mut self, source: &ReadDataSource) -> Result<Frame> {
        let format = source.format.clone().unwrap_or_else(|| "parquet".to_owned()).to_lowercase();
        let schema =
            source.schema.as_deref().filter(|text| !text.is_empty()).map(parse_schema).transpose()?;
        let mut options = source.options.clone();
        match format.as_str() {
            "kafka" => kafka(self.session.kafka, &mut options)?,
            "rate" | "rate-micro-batch" => {}
            "socket" => socket(&options)?,
            "json" | "csv" | "text" | "parquet" | "avro" => {
                files(self.session, &format, source, schema.is_some(), &mut options)?;
            }
            other if ABSENT.contains(&other) => {
                return Err(SparkError::unsupported(format!("streams of {other}")));
            }
            other => return Err(unknown_source(other)),
        }
        if schema.is_some() && matches!(format.as_str(), "kafka" | "rate" | "rate-micro-batch" | "socket") {
            return Err(own_schema(&format));
        }
        let schema = schema.map(Arc::new);
        let plan = self.frames.stream(&format, &options, schema.as_ref())?;
        Ok(unqualified(self.framed(plan, &format)?))
    }

    /// A view over streams, or what comes into a table of the engine from now on.
    pub(crate) async fn read_stream_table(&mut self, name: &str) -> Result<Frame> {
        let parts = name_parts(name)?;
        let short = parts.last().cloned().unwrap_or_default();
        if let Some(stored) = self.view(&parts).filter(|stored| !matches!(stored, Stored::Stream(_))) {
            let frame = self.stored(stored).await?;
            if is_streaming(&frame.plan) {
                return Ok(crate::plan::aliased(frame, &short));
            }
        }
        let table = TableName::of(self.session, &parts).ok();
        let table = table.filter(|table| table.is_known(&self.session.engine));
        match table.map(|table| self.frames.table_stream(&table.key())).transpose()?.flatten() {
            Some(plan) => self.framed(plan, &short),
            None => Err(SparkError::table(&parts.join("`.`"))),
        }
    }

    pub(crate) fn with_watermark(&mut self, frame: Frame, with: &WithWatermark) -> Result<Frame> {
        let delay = interval_us(&with.delay_threshold).ok_or_else(|| {
            let text = format!(
                "Unable to parse '{}'. Please ensure that the value provided is in a valid format for defining an \
                 interval.",
                with.delay_threshold
            );
            SparkError::new(Class::Analysis, "CANNOT_PARSE_INTERVAL", "22006", text)
        })?;
        if delay < 0 {
            let text = format!(
                "requirement failed: delay threshold ({}) should not be negative.",
                with.delay_threshold
            );
            return Err(SparkError::illegal(text));
        }
        let found = frame.columns.iter().find(|column| column.name.eq_ignore_ascii_case(&with.event_time));
        let column = found.ok_or_else(|| SparkError::column(&with.event_time, &frame.names()))?;
        let data_type = frame.data_type(column);
        if !matches!(data_type, datafusion::arrow::datatypes::DataType::Timestamp(..)) {
            let text = format!(
                "The event time `{}` has the invalid type \"{}\", but expected \"TIMESTAMP\".",
                column.name,
                crate::schema::name(&data_type)
            );
            return Err(SparkError::new(
                Class::Analysis,
                "EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE",
                "42K09",
                text,
            )
            .with("eventName", format!("`{}`", column.name)));
        }
        // Rows that end need no watermark.
        if !is_streaming(&frame.plan) {
            return Ok(frame);
        }
        let plan = watermark(frame.plan, &column.id, delay)?;
        Ok(Frame { plan, columns: frame.columns })
    }
}

impl Planner<'_> {
    /// `dropDuplicates` and `dropDuplicatesWithinWatermark` of a stream.
    pub(crate) fn deduplicate_stream(&mut self, frame: Frame, deduplicate: &Deduplicate) -> Result<Frame> {
        let within = deduplicate.within_watermark == Some(true);
        if within && !frame.columns.iter().any(|column| carries_time(&frame.field(column))) {
            let text = "dropDuplicatesWithinWatermark is not supported on streaming DataFrames/DataSets without watermark;";
            return Err(SparkError::new(Class::Analysis, "_LEGACY_ERROR_TEMP_3102", "", text));
        }
        let all = deduplicate.all_columns_as_keys == Some(true) || deduplicate.column_names.is_empty();
        let mut keys = Vec::new();
        for column in &frame.columns {
            let named = |name: &String| column.name.eq_ignore_ascii_case(name);
            if all || deduplicate.column_names.iter().any(named) {
                keys.push(column.id.clone());
            }
        }
        let known = frame.names();
        let absent = |name: &&String| !known.iter().any(|known| known.eq_ignore_ascii_case(name));
        if let Some(name) = deduplicate.column_names.iter().find(absent) {
            return Err(SparkError::column(name, &known));
        }
        let plan =
            LogicalPlanBuilder::from(frame.plan).project(frame.columns.iter().map(Column::expr))?.build()?;
        Ok(Frame { plan: first_of_each(plan, &keys, within)?, columns: frame.columns })
    }
}

fn has(options: &BTreeMap<String, String>, wanted: &str) -> bool {
    options.keys().any(|name| name.eq_ignore_ascii_case(wanted))
}

fn kafka(own: Kafka, options: &mut BTreeMap<String, String>) -> Result<()> {
    let ways =
        ["subscribe", "subscribePattern", "assign"].into_iter().filter(|way| has(options, way)).count();
    if ways != 1 {
        let text = match ways {
            0 => "One of the following options must be specified for Kafka source: subscribe, subscribepattern, \
                  assign. See the docs for more details."
                .to_owned(),
            _ => "Only one of the following options can be specified for Kafka source: subscribe, subscribepattern, \
                  assign. See the docs for more details."
                .to_owned(),
        };
        return Err(SparkError::illegal(text));
    }
    for ending in ["endingOffsets", "endingOffsetsByTimestamp", "endingTimestamp"] {
        if has(options, ending) {
            return Err(SparkError::illegal("ending offset not valid in streaming queries"));
        }
    }
    own.take(options)?;
    options.retain(|name, _| {
        let name = name.to_lowercase();
        !KAFKA_MEANS.contains(&name.as_str()) && !KAFKA_UNKNOWN.contains(&name.as_str())
    });
    let starts = ["startingOffsets", "startingTimestamp", "startingOffsetsByTimestamp"];
    if !starts.iter().any(|start| has(options, start)) {
        options.insert("startingOffsets".to_owned(), "latest".to_owned());
    }
    Ok(())
}

fn socket(options: &BTreeMap<String, String>) -> Result<()> {
    for (name, what) in [("host", "a host"), ("port", "a port")] {
        if !has(options, name) {
            let text = format!("Set {what} to read from with option(\"{name}\", ...).");
            return Err(SparkError::new(Class::Analysis, "_LEGACY_ERROR_TEMP_1136", "", text));
        }
    }
    Ok(())
}

fn files(
    session: &Session,
    format: &str,
    source: &ReadDataSource,
    has_schema: bool,
    options: &mut BTreeMap<String, String>,
) -> Result<()> {
    if !has_schema && format != "text" {
        let text = "Schema must be specified when creating a streaming source DataFrame. If some files already exist in \
                    the directory, then depending on the file format you may be able to create a static DataFrame on \
                    that directory with 'spark.read.load(directory)' and infer schema from it.";
        return Err(SparkError::illegal(text));
    }
    let given =
        options.iter().find(|(name, _)| name.eq_ignore_ascii_case("path")).map(|(_, path)| path.clone());
    let path = source
        .paths
        .first()
        .cloned()
        .or(given)
        .ok_or_else(|| SparkError::illegal("'path' is not specified."))?;
    let path = path_of(&path)?;
    complete(session, &path, options);
    if !is_remote(&path) && !path.contains('*') && !std::path::Path::new(&path).exists() {
        let text = format!("Path does not exist: file:{path}.");
        return Err(SparkError::new(Class::Analysis, "PATH_NOT_FOUND", "42K03", text).with("path", path));
    }
    // What is so anyway.
    let usual = [
        ("mode", "permissive"),
        ("multiline", "false"),
        ("encoding", "utf-8"),
        ("charset", "utf-8"),
        ("wholetext", "false"),
    ];
    options.retain(|name, value| {
        let (name, value) = (name.to_lowercase(), value.to_lowercase());
        name != "path" && name != "inferschema" && !usual.contains(&(name.as_str(), value.as_str()))
    });
    options.insert("path".to_owned(), path);
    Ok(())
}

fn own_schema(format: &str) -> SparkError {
    match format {
        "kafka" => SparkError::illegal(
            "requirement failed: Kafka source has a fixed schema and cannot be set with a custom one",
        ),
        _ => {
            let text = format!("The source {format} does not support user-specified schema.");
            SparkError::new(Class::Unsupported, "_LEGACY_ERROR_TEMP_2242", "", text)
        }
    }
}

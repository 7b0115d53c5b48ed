//! What a table reads, by the word after `USING`.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};

use crate::error::SqlError;
use crate::outside::Outside;
use crate::source::format::Format;
use crate::source::format::container::Container;
use crate::sql::options::format;
use crate::sql::options::given::Given;
use crate::sql::options::kafka::KafkaOptions;
use crate::sql::types::UTC;
use crate::storage::{PREFIX, Settings, is_remote};

/// What a table reads.
#[derive(Debug, Clone)]
pub(crate) enum SourceOptions {
    Kafka(Box<KafkaOptions>),
    Files(FileOptions),
    Rate(RateOptions),
    Socket(SocketOptions),
    /// Nothing: it only takes the rows of its query.
    Nothing,
}

/// Files that appear in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileOptions {
    /// A directory, a file, or a pattern of them.
    pub(crate) path: String,
    pub(crate) format: FileFormat,
    pub(crate) files_max: Option<u64>,
    pub(crate) bytes_max: Option<u64>,
    pub(crate) latest_first: bool,
    /// Whether a file of the same name in another directory is the same file.
    pub(crate) file_name_only: bool,
    /// Older files are left out, counted from the newest.
    pub(crate) age_max_ms: Option<u64>,
    pub(crate) clean: Clean,
    /// Only names that match are read.
    pub(crate) name_pattern: Option<String>,
    /// Directories below are read too.
    pub(crate) recursive: bool,
    /// How an object store is reached.
    pub(crate) storage: Settings,
}

/// What files hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FileFormat {
    /// A record on each line.
    Lines(Format),
    /// Rows of their own.
    Rows(Container),
}

/// What becomes of files that were read for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Clean {
    Off,
    Delete,
    /// They are moved below this directory.
    Archive(String),
}

/// Rows made by a clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RateOptions {
    PerSecond { rows: u64, ramp_up_s: u64 },
    PerBatch { rows: u64, start_ms: i64, advance_ms: u64 },
}

/// Lines from a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SocketOptions {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) timestamp: bool,
}

impl SourceOptions {
    /// `columns` says whether the table names its columns.
    pub(crate) fn from(provider: &str, given: &mut Given<'_>, columns: bool) -> Result<Self, SqlError> {
        match provider {
            "kafka" => Ok(SourceOptions::Kafka(Box::new(KafkaOptions::from(given, columns)?))),
            "rate" => rate(given).map(SourceOptions::Rate),
            "rate-micro-batch" => rate_micro_batch(given).map(SourceOptions::Rate),
            "socket" => socket(given).map(SourceOptions::Socket),
            other => FileOptions::from(other, given).map(SourceOptions::Files),
        }
    }

    /// The columns of a table that names none.
    pub(crate) fn columns(&self) -> Option<Vec<FieldRef>> {
        let field = |name: &str, data_type| Arc::new(Field::new(name, data_type, true));
        let timestamp = || DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()));
        match self {
            SourceOptions::Kafka(kafka) => kafka.format.columns(kafka.headers),
            SourceOptions::Files(FileOptions { format: FileFormat::Lines(format), .. }) => {
                format.columns(false)
            }
            SourceOptions::Files(_) => None,
            SourceOptions::Rate(_) => {
                Some(vec![field("timestamp", timestamp()), field("value", DataType::Int64)])
            }
            SourceOptions::Socket(socket) => {
                let time = socket.timestamp.then(|| field("timestamp", timestamp()));
                Some([field("value", DataType::Utf8)].into_iter().chain(time).collect())
            }
            SourceOptions::Nothing => None,
        }
    }

    /// What is wrong with the columns that a table names.
    pub(crate) fn misfit(&self, columns: &[FieldRef]) -> Option<String> {
        match self {
            SourceOptions::Kafka(kafka) => kafka.format.misfit(columns),
            SourceOptions::Files(FileOptions { format: FileFormat::Lines(format), .. }) => {
                format.misfit(columns)
            }
            SourceOptions::Files(_) => None,
            SourceOptions::Rate(_) | SourceOptions::Socket(_) | SourceOptions::Nothing => {
                Some("the columns of this source are given; leave them out".to_owned())
            }
        }
    }

    /// As people call it.
    pub(crate) fn describe(&self) -> String {
        match self {
            SourceOptions::Kafka(kafka) => kafka.topics.describe(),
            SourceOptions::Files(files) => files.path.clone(),
            SourceOptions::Rate(RateOptions::PerSecond { rows, .. }) => format!("{rows} rows per second"),
            SourceOptions::Rate(RateOptions::PerBatch { rows, .. }) => format!("{rows} rows per batch"),
            SourceOptions::Socket(socket) => format!("{}:{}", socket.host, socket.port),
            SourceOptions::Nothing => "nothing".to_owned(),
        }
    }

    /// The cluster whose topics these are, if not this program.
    pub(crate) fn outside(&self) -> Option<&Outside> {
        match self {
            SourceOptions::Kafka(kafka) => kafka.outside.as_ref(),
            _ => None,
        }
    }
}

impl FileOptions {
    fn from(provider: &str, given: &mut Given<'_>) -> Result<Self, SqlError> {
        let path = given.text("path").ok_or_else(|| {
            given.missing("expected OPTIONS with a path, such as OPTIONS (path '/data/in')")
        })?;
        let word = match given.take("format") {
            Some(value) if provider == "file" => value.text.to_ascii_lowercase(),
            Some(_) => return Err(given.missing(&format!("USING {provider} names the format already"))),
            None => provider.to_owned(),
        };
        let format = match word.as_str() {
            "parquet" => FileFormat::Rows(Container::Parquet),
            "avro" => FileFormat::Rows(Container::Avro),
            word => {
                let expected = "expected format 'json', 'csv', 'text', 'parquet' or 'avro'";
                let format = format::lines(given, word)?;
                FileFormat::Lines(format.ok_or_else(|| given.missing(expected))?)
            }
        };
        let clean = match given.text("cleanSource").map(|word| word.to_ascii_lowercase()).as_deref() {
            None | Some("off") => Clean::Off,
            Some("delete") => Clean::Delete,
            Some("archive") => {
                let dir = given.text("sourceArchiveDir");
                Clean::Archive(
                    dir.ok_or_else(|| given.missing("cleanSource 'archive' needs sourceArchiveDir"))?,
                )
            }
            Some(_) => return Err(given.missing("cleanSource is 'off', 'delete' or 'archive'")),
        };
        if let Clean::Archive(to) = &clean
            && bucket_of(to) != bucket_of(&path)
        {
            return Err(
                given.missing("sourceArchiveDir is not where path is: files are only moved within a bucket")
            );
        }
        let storage = Settings(given.prefixed(PREFIX));
        check_place(&path, &storage).map_err(|reason| given.missing(&reason))?;
        Ok(FileOptions {
            path,
            storage,
            format,
            files_max: given.number("maxFilesPerTrigger", 1, u64::MAX)?,
            bytes_max: given.number("maxBytesPerTrigger", 1, u64::MAX)?,
            latest_first: given.boolean("latestFirst", false)?,
            file_name_only: given.boolean("fileNameOnly", false)?,
            age_max_ms: given.duration_ms("maxFileAge")?,
            clean,
            name_pattern: given.text("pathGlobFilter"),
            recursive: given.boolean("recursiveFileLookup", false)?,
        })
    }
}

/// What is wrong with where files are.
pub(crate) fn check_place(path: &str, storage: &Settings) -> Result<(), String> {
    let local = path.strip_prefix("file://").unwrap_or(path);
    if local.contains("://") && !is_remote(path) {
        return Err(format!(
            "path '{path}' is neither a directory of this machine nor one at s3:// or s3a://"
        ));
    }
    storage.check().map_err(|error| error.to_string())
}

/// The scheme and the bucket of a path; nothing of a directory of this machine.
fn bucket_of(path: &str) -> &str {
    let end = path.find("://").map(|at| path[at + 3..].find('/').map_or(path.len(), |end| at + 3 + end));
    path.get(..end.filter(|_| is_remote(path)).unwrap_or(0)).unwrap_or_default()
}

fn rate(given: &mut Given<'_>) -> Result<RateOptions, SqlError> {
    let rows = given.number("rowsPerSecond", 1, 1_000_000_000)?.unwrap_or(1);
    let ramp_up_s = given.seconds("rampUpTime")?.unwrap_or(0).min(1_000_000_000);
    given.number("numPartitions", 1, 10_000)?;
    Ok(RateOptions::PerSecond { rows, ramp_up_s })
}

fn rate_micro_batch(given: &mut Given<'_>) -> Result<RateOptions, SqlError> {
    let rows = given.number("rowsPerBatch", 1, 10_000_000)?;
    let rows = rows.ok_or_else(|| given.missing("expected the option rowsPerBatch"))?;
    let start_ms = given.number("startTimestamp", 0, i64::MAX as u64)?.unwrap_or(0);
    let advance_ms = given.number("advanceMillisPerBatch", 0, i64::MAX as u64)?.unwrap_or(1_000);
    given.number("numPartitions", 1, 10_000)?;
    let start_ms = i64::try_from(start_ms).unwrap_or(i64::MAX);
    Ok(RateOptions::PerBatch { rows, start_ms, advance_ms })
}

fn socket(given: &mut Given<'_>) -> Result<SocketOptions, SqlError> {
    let host = given.text("host").ok_or_else(|| given.missing("expected the option host"))?;
    let port = given.number("port", 1, 65_535)?.and_then(|port| u16::try_from(port).ok());
    let port = port.ok_or_else(|| given.missing("expected the option port"))?;
    Ok(SocketOptions { host, port, timestamp: given.boolean("includeTimestamp", false)? })
}

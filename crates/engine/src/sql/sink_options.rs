//! What the options of a table say about the query that fills it: where its rows go, and when.

use std::sync::Arc;
use std::time::Duration;

use parquet::basic::{Compression, GzipLevel, ZstdLevel};

use crate::error::{Position, SqlError};
use crate::operator::aggregate::OutputMode;
use crate::query::trigger::Trigger;
use crate::show::{Shown, Zone};
use crate::sink::columns::TopicBy;
use crate::sink::files::{FileOptions, Format};
use crate::sink::postgres::PostgresOptions;
use crate::sink::receiver::{Given, Receiver};
use crate::sql::options::given::Given as Taken;
use crate::sql::options::source::{SourceOptions, check_place};
use crate::sql::options::{TableOptions, output_mode};
use crate::sql::statement::{CreateTable, OptionValue, Options};
use crate::storage::{Checkpoint, PREFIX, Settings, is_remote};

mod postgres;

/// Where a query's rows go, and when it runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct SinkOptions {
    pub(crate) kind: SinkKind,
    pub(crate) trigger: Trigger,
    /// It is a materialized view, whose rows nobody else writes.
    pub(crate) view: bool,
    /// Rows that look like records become records; otherwise all become JSON.
    pub(crate) records: Option<TopicBy>,
    /// Where the query remembers, if not among the server's own files.
    pub(crate) checkpoint: Option<Checkpoint>,
}

/// What takes the rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum SinkKind {
    /// A topic: [`TableOptions`] name it.
    #[default]
    Kafka,
    /// The standard output of the server.
    Console(Shown),
    /// A table in memory; rows with the same key take each other's place.
    Memory { key: Option<String> },
    /// Nothing.
    Noop,
    /// Whoever is there.
    Receiver(Given),
    /// Files of a directory.
    Files(FileOptions),
    /// A table of a database.
    Postgres(Box<PostgresOptions>),
}

impl SinkOptions {
    /// What a table reads or writes, and what the query that fills it does.
    ///
    /// # Errors
    /// An option that is not known or does not fit, with its place.
    pub(crate) fn of(create: &mut CreateTable) -> Result<(TableOptions, Self), SqlError> {
        if create.query.is_none() {
            let provider = &create.provider;
            if ["console", "memory", "noop", "postgresql"].contains(&provider.name.as_str()) {
                let reason = format!("a table on {} needs a query that fills it: AS SELECT", provider.name);
                return Err(SqlError::Syntax { position: provider.position, reason });
            }
            return Ok((TableOptions::from(create)?, SinkOptions::default()));
        }
        SinkOptions::take(create)
    }

    /// Takes the options that concern the query; what is left of a topic's belongs to [`TableOptions`].
    ///
    /// # Errors
    /// An option that is not known or does not fit, with its place.
    fn take(create: &mut CreateTable) -> Result<(TableOptions, Self), SqlError> {
        let given = &mut create.options;
        let trigger = take(given, "trigger").map(|value| trigger(&value)).transpose()?.unwrap_or_default();
        let checkpoint = checkpoint(&create.provider.name, given)?;
        let kind = match create.provider.name.as_str() {
            "console" => SinkKind::Console(shown(given)?),
            "memory" => SinkKind::Memory { key: take(given, "key").map(|value| value.text) },
            "noop" => SinkKind::Noop,
            "postgresql" => SinkKind::Postgres(Box::new(postgres::options(create.provider.position, given)?)),
            "json" | "csv" | "text" | "parquet" => {
                SinkKind::Files(files(&create.provider.name, create.provider.position, given)?)
            }
            _ => {
                let records = records(create);
                let options = TableOptions::from(create)?;
                return Ok((options, SinkOptions { trigger, records, checkpoint, ..SinkOptions::default() }));
            }
        };
        let known = match kind {
            SinkKind::Console(_) => "numRows, truncate, ",
            SinkKind::Memory { .. } => "key, ",
            SinkKind::Files(FileOptions { format: Format::Csv { .. }, .. }) => {
                "path, partitionBy, header, sep, nullValue, fs.s3a.*, "
            }
            SinkKind::Files(FileOptions { format: Format::Parquet(_), .. }) => {
                "path, partitionBy, compression, fs.s3a.*, "
            }
            SinkKind::Files(_) => "path, partitionBy, fs.s3a.*, ",
            SinkKind::Postgres(_) => "url, dbtable, user, password, key, ",
            SinkKind::Kafka | SinkKind::Noop | SinkKind::Receiver(_) => "",
        };
        let output_mode = take(given, "outputMode").map(|value| output_mode(&value)).transpose()?;
        let late_topic = take(given, "lateTopic").map(|value| value.text);
        let options = without_topic(&kind, output_mode, late_topic);
        match given.given.first_key_value() {
            None => Ok((options, SinkOptions { kind, trigger, checkpoint, ..SinkOptions::default() })),
            Some((name, value)) => Err(wrong(
                value,
                format!(
                    "option {name} is not known; known are {known}trigger, outputMode, lateTopic, checkpointLocation"
                ),
            )),
        }
    }

    /// Where the rows of a view are: all of them in memory, or added to a topic of its own if they never change.
    ///
    /// # Errors
    /// The topic's name is none.
    pub(crate) fn of_view(topic: Option<String>) -> Result<(TableOptions, Self), SqlError> {
        let kind = if topic.is_some() { SinkKind::Kafka } else { SinkKind::Memory { key: None } };
        let mode = topic.is_none().then_some(OutputMode::Complete);
        let mut options = without_topic(&kind, mode, None);
        if let Some(topic) = topic {
            let position = Position { line: 1, column: 1 };
            let value = OptionValue { text: topic.clone(), position };
            let given = Options { position, given: [("topic".to_owned(), value)].into() };
            options.source = SourceOptions::from("kafka", &mut Taken::new(&given), true)?;
            options.topic = topic;
        }
        Ok((options, SinkOptions { kind, view: true, ..SinkOptions::default() }))
    }

    /// What a query writes that no statement made: `format` as after `USING`.
    ///
    /// # Errors
    /// The format or an option is not known, or does not fit.
    pub(crate) fn given(
        format: &str,
        mut given: Options,
        mode: OutputMode,
        trigger: Trigger,
    ) -> Result<(TableOptions, Self), SqlError> {
        let (mut topic, mut records) = (None, None);
        let kind = match format {
            "console" => SinkKind::Console(shown(&mut given)?),
            "memory" => SinkKind::Memory { key: None },
            "noop" => SinkKind::Noop,
            "kafka" => {
                topic = take(&mut given, "topic").map(|value| value.text);
                records = Some(if topic.is_some() { TopicBy::Option } else { TopicBy::Column });
                SinkKind::Kafka
            }
            "json" | "csv" | "text" | "parquet" => {
                SinkKind::Files(files(format, given.position, &mut given)?)
            }
            other => return Err(SqlError::Unsupported(format!("write to {other}"))),
        };
        if let (SinkKind::Files(_), Some((name, _))) = (&kind, given.given.first_key_value()) {
            return Err(SqlError::Unsupported(format!("write files with the option {name}")));
        }
        let mut options = without_topic(&kind, Some(mode), None);
        if kind == SinkKind::Kafka && !given.given.is_empty() {
            let Some(text) = topic.clone() else {
                let what = "write to another Kafka without the option topic";
                return Err(SqlError::Unsupported(what.to_owned()));
            };
            let value = OptionValue { text, position: given.position };
            given.given.insert("topic".to_owned(), value);
            let mut taken = Taken::new(&given);
            options.source = SourceOptions::from("kafka", &mut taken, true)?;
            taken.finish()?;
        }
        options.topic = topic.unwrap_or(options.topic);
        Ok((options, SinkOptions { kind, trigger, records, ..SinkOptions::default() }))
    }

    /// What a query gives to a receiver.
    pub(crate) fn to_receiver(
        receiver: Arc<dyn Receiver>,
        mode: OutputMode,
        trigger: Trigger,
    ) -> (TableOptions, Self) {
        let kind = SinkKind::Receiver(Given(receiver));
        let options = without_topic(&kind, Some(mode), None);
        (options, SinkOptions { kind, trigger, ..SinkOptions::default() })
    }

    /// `topic orders`, `console`.
    pub(crate) fn named(&self, options: &TableOptions) -> String {
        match &self.kind {
            SinkKind::Kafka => format!("topic {}", options.log()),
            SinkKind::Files(files) => format!("files to {}", files.path.display()),
            SinkKind::Postgres(postgres) => format!("table {} of PostgreSQL", postgres.table),
            _ => options.topic.clone(),
        }
    }
}

/// What says the topics of rows that may be records: none if they become JSON. A topic that is not named is the one
/// of the table's name.
fn records(create: &mut CreateTable) -> Option<TopicBy> {
    let position = create.options.position;
    let given = &mut create.options.given;
    let has =
        |names: &[&str]| given.keys().any(|given| names.iter().any(|name| given.eq_ignore_ascii_case(name)));
    if has(&["format", "value.format", "key"]) {
        return None;
    }
    if has(&["topic", "subscribe"]) {
        return Some(TopicBy::Option);
    }
    given.insert("topic".to_owned(), OptionValue { text: create.name.clone(), position });
    Some(TopicBy::Column)
}

/// What stands for the topic of a table that has none.
fn without_topic(
    kind: &SinkKind,
    output_mode: Option<OutputMode>,
    late_topic: Option<String>,
) -> TableOptions {
    let topic = match kind {
        SinkKind::Kafka => String::new(),
        SinkKind::Console(_) => "console".to_owned(),
        SinkKind::Memory { .. } => "memory".to_owned(),
        SinkKind::Noop => "noop".to_owned(),
        SinkKind::Receiver(receiver) => receiver.0.description(),
        SinkKind::Files(files) => files.path.display().to_string(),
        SinkKind::Postgres(postgres) => postgres.table.clone(),
    };
    TableOptions {
        topic,
        source: SourceOptions::Nothing,
        partitions: None,
        key: None,
        output_mode,
        late_topic,
    }
}

/// Which rows leave the query that has these options.
///
/// # Errors
/// It is no mode.
pub(crate) fn mode_of(options: &Options) -> Result<Option<OutputMode>, SqlError> {
    take(&mut options.clone(), "outputMode").map(|value| output_mode(&value)).transpose()
}

fn take(options: &mut Options, name: &str) -> Option<OptionValue> {
    let found = options.given.keys().find(|given| given.eq_ignore_ascii_case(name))?.clone();
    options.given.remove(&found)
}

fn wrong(value: &OptionValue, reason: impl Into<String>) -> SqlError {
    SqlError::Syntax { position: value.position, reason: reason.into() }
}

fn shown(given: &mut Options) -> Result<Shown, SqlError> {
    let mut shown = Shown::default();
    if let Some(value) = take(given, "numRows") {
        let rows = value.text.parse().ok().filter(|rows| (1..=100_000).contains(rows));
        let reason = || wrong(&value, "numRows is a whole number from 1 to 100000");
        shown.rows = rows.ok_or_else(reason)?;
    }
    if let Some(value) = take(given, "truncate") {
        shown.truncate = match value.text.to_ascii_lowercase().as_str() {
            "true" => Shown::default().truncate,
            "false" => 0,
            number => number
                .parse()
                .map_err(|_| wrong(&value, "truncate is true, false or a number of characters"))?,
        };
    }
    if let Some(value) = take(given, "timeZone") {
        shown.zone = zone(&value)?;
    }
    Ok(shown)
}

fn zone(value: &OptionValue) -> Result<Zone, SqlError> {
    Zone::parse(&value.text).ok_or_else(|| wrong(value, "timeZone is a zone such as Europe/Berlin or +02:00"))
}

fn files(format: &str, position: Position, given: &mut Options) -> Result<FileOptions, SqlError> {
    let missing = || SqlError::Syntax { position, reason: "expected OPTIONS with a path".to_owned() };
    let path = take(given, "path").filter(|path| !path.text.is_empty()).ok_or_else(missing)?;
    let storage = storage(given);
    check_place(&path.text, &storage).map_err(|reason| wrong(&path, reason))?;
    let format = match format {
        "json" => Format::Json,
        "text" => Format::Text,
        "parquet" => Format::Parquet(compression(given)?),
        _ => csv(given)?,
    };
    let by = take(given, "partitionBy").map(|value| value.text).unwrap_or_default();
    let names = by.split(',').map(str::trim).filter(|name| !name.is_empty());
    let partition_by = names.map(str::to_owned).collect();
    let zone = take(given, "timeZone").map_or(Ok(Zone::UTC), |value| zone(&value))?;
    Ok(FileOptions { path: path.text.into(), format, partition_by, zone, storage })
}

/// Where the query remembers, if the statement says so.
fn checkpoint(format: &str, given: &mut Options) -> Result<Option<Checkpoint>, SqlError> {
    let Some(value) = take(given, "checkpointLocation") else { return Ok(None) };
    if format == "memory" {
        let reason = "checkpointLocation is not for a table in memory, which is empty when the query goes on elsewhere";
        return Err(wrong(&value, reason));
    }
    let path = value.text.strip_prefix("file://").unwrap_or(&value.text).to_owned();
    let is_file = matches!(format, "json" | "csv" | "text" | "parquet");
    let settings = match is_remote(&path) {
        false => Settings::default(),
        // The files are reached in the same way.
        true if is_file => settings_of(given.given.iter()),
        true => storage(given),
    };
    check_place(&path, &settings).map_err(|reason| wrong(&value, reason))?;
    Ok(Some(Checkpoint { path, storage: settings.words().collect() }))
}

/// How an object store is reached.
fn storage(given: &mut Options) -> Settings {
    let told = given.given.extract_if(.., |name, _| name.to_lowercase().starts_with(PREFIX));
    settings_of(told.collect::<Vec<_>>().iter().map(|(name, value)| (name, value)))
}

fn settings_of<'o>(given: impl Iterator<Item = (&'o String, &'o OptionValue)>) -> Settings {
    Settings::named(&given.map(|(name, value)| (name.clone(), value.text.clone())).collect())
}

fn compression(given: &mut Options) -> Result<Compression, SqlError> {
    let Some(value) = take(given, "compression") else { return Ok(Compression::SNAPPY) };
    match value.text.to_ascii_lowercase().as_str() {
        "snappy" => Ok(Compression::SNAPPY),
        "zstd" => Ok(Compression::ZSTD(ZstdLevel::default())),
        "gzip" => Ok(Compression::GZIP(GzipLevel::default())),
        "none" | "uncompressed" => Ok(Compression::UNCOMPRESSED),
        _ => Err(wrong(&value, "compression is 'snappy', 'zstd', 'gzip' or 'none'")),
    }
}

fn csv(given: &mut Options) -> Result<Format, SqlError> {
    let header = match take(given, "header") {
        None => false,
        Some(value) => value
            .text
            .to_ascii_lowercase()
            .parse()
            .map_err(|_| wrong(&value, format!("header is true or false, not '{}'", value.text)))?,
    };
    let separator = match take(given, "sep").or_else(|| take(given, "delimiter")) {
        None => b',',
        Some(value) => match value.text.as_bytes() {
            [separator] => *separator,
            b"\\t" => b'\t',
            _ => return Err(wrong(&value, "sep is one character")),
        },
    };
    let null = take(given, "nullValue").map(|value| value.text).unwrap_or_default();
    Ok(Format::Csv { header, separator, null })
}

/// `processingTime 2 seconds`, `availableNow`, `once`.
pub(crate) fn trigger(value: &OptionValue) -> Result<Trigger, SqlError> {
    let text = value.text.trim();
    let known = "trigger is 'processingTime 2 seconds', 'availableNow' or 'once'";
    match text.to_ascii_lowercase().as_str() {
        "availablenow" => return Ok(Trigger::AvailableNow),
        "once" => return Ok(Trigger::Once),
        _ => {}
    }
    let word = "processingTime";
    let interval = text.get(..word.len()).filter(|begin| begin.eq_ignore_ascii_case(word));
    let interval = interval.and(text.get(word.len()..)).ok_or_else(|| wrong(value, known))?;
    let interval = interval.trim_start_matches([' ', '=']).trim_matches(['\'', '"']);
    match interval_of(interval) {
        Some(Duration::ZERO) => Ok(Trigger::Asap),
        Some(interval) => Ok(Trigger::ProcessingTime(interval)),
        None => Err(wrong(
            value,
            format!("'{interval}' is not an interval such as '500 milliseconds', '2 seconds' or '1 minute'"),
        )),
    }
}

/// `1 minute 30 seconds`, with or without the word `interval` before.
fn interval_of(text: &str) -> Option<Duration> {
    let lower = text.to_ascii_lowercase();
    let mut words = lower.split_whitespace().filter(|word| *word != "interval").peekable();
    words.peek()?;
    let mut sum = Duration::ZERO;
    while let Some(number) = words.next() {
        let number: u32 = number.parse().ok()?;
        let unit = match words.next()?.trim_end_matches('s') {
            "microsecond" => Duration::from_micros(1),
            "millisecond" | "m" => Duration::from_millis(1),
            "second" | "" => Duration::from_secs(1),
            "minute" => Duration::from_secs(60),
            "hour" => Duration::from_secs(3_600),
            "day" => Duration::from_secs(86_400),
            _ => return None,
        };
        sum = sum.checked_add(unit.checked_mul(number)?)?;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Trigger, String> {
        let position = Position { line: 1, column: 1 };
        trigger(&OptionValue { text: text.to_owned(), position }).map_err(|error| error.to_string())
    }

    #[test]
    fn triggers_are_read_as_spark_writes_them() {
        let every = |ms| Ok(Trigger::ProcessingTime(Duration::from_millis(ms)));
        assert_eq!(read("processingTime 2 seconds"), every(2_000));
        assert_eq!(read("processingtime='1 minute 30 seconds'"), every(90_000));
        assert_eq!(read("ProcessingTime interval 250 milliseconds"), every(250));
        assert_eq!(read("processingTime 0 seconds"), Ok(Trigger::Asap));
        assert_eq!(read("availableNow"), Ok(Trigger::AvailableNow));
        assert_eq!(read("ONCE"), Ok(Trigger::Once));
        for wrong in ["continuous 1 second", "processingTime", "processingTime soon", "", "processingTime 1"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}

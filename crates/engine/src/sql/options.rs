//! The options of a streaming table.

use std::collections::BTreeMap;

use crate::error::SqlError;
use crate::operator::aggregate::OutputMode;
use crate::sql::statement::{OptionValue, Options};

const KNOWN: &str = "topic, format, startingOffsets, maxOffsetsPerTrigger, failOnDataLoss, partitions, key, \
                     outputMode, lateTopic";

/// How a streaming table reads or writes its topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableOptions {
    pub(crate) topic: String,
    pub(crate) starting_offsets: StartingOffsets,
    /// Records per batch, over all partitions.
    pub(crate) max_offsets_per_trigger: Option<u64>,
    /// Whether a query fails when the log no longer has what it had not read yet.
    pub(crate) fail_on_data_loss: bool,
    /// For creating the topic.
    pub(crate) partitions: Option<u32>,
    /// The column that becomes the record's key.
    pub(crate) key: Option<String>,
    /// Which rows leave the query that fills the table.
    pub(crate) output_mode: Option<OutputMode>,
    /// The topic for rows that came too late.
    pub(crate) late_topic: Option<String>,
}

/// Where a new query begins to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartingOffsets {
    Earliest,
    Latest,
}

impl TableOptions {
    /// # Errors
    /// An option that is not known or does not fit, with its place.
    pub(crate) fn from(options: &Options) -> Result<Self, SqlError> {
        let mut topic = None;
        let mut parsed = TableOptions {
            topic: String::new(),
            starting_offsets: StartingOffsets::Earliest,
            max_offsets_per_trigger: None,
            fail_on_data_loss: true,
            partitions: None,
            key: None,
            output_mode: None,
            late_topic: None,
        };
        for (name, value) in &options.given {
            match name.to_ascii_lowercase().as_str() {
                "topic" | "subscribe" => topic = Some(value.text.clone()),
                "format" | "value.format" => format(value)?,
                "startingoffsets" => parsed.starting_offsets = starting_offsets(value)?,
                "maxoffsetspertrigger" => {
                    parsed.max_offsets_per_trigger = Some(number(name, value, 1, u64::MAX)?);
                }
                "failondataloss" => parsed.fail_on_data_loss = boolean(name, value)?,
                "partitions" => {
                    let partitions = number(name, value, 1, 10_000)?;
                    parsed.partitions = u32::try_from(partitions).ok();
                }
                "key" => parsed.key = Some(value.text.clone()),
                "outputmode" => parsed.output_mode = Some(output_mode(value)?),
                "latetopic" => parsed.late_topic = Some(value.text.clone()),
                "kafka.bootstrap.servers" => {
                    return Err(wrong(value, "streaming tables read the log of this server; leave it out"));
                }
                _ => return Err(wrong(value, format!("option {name} is not known; known are {KNOWN}"))),
            }
        }
        parsed.topic = topic.ok_or_else(|| SqlError::Syntax {
            position: options.position,
            reason: "expected OPTIONS with a topic, such as OPTIONS (topic 'events', format 'json')"
                .to_owned(),
        })?;
        Ok(parsed)
    }
}

/// The options of a model that learns: the engine's own, and those for its algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModelOptions {
    pub(crate) algorithm: String,
    /// The label's column, if it is not called `label`.
    pub(crate) label: Option<String>,
    /// By their names in lower case.
    pub(crate) rest: BTreeMap<String, String>,
}

impl ModelOptions {
    /// # Errors
    /// No algorithm, or one option under two names.
    pub(crate) fn from(options: &Options) -> Result<Self, SqlError> {
        let mut rest: BTreeMap<String, String> =
            options.given.iter().map(|(name, value)| (name.to_lowercase(), value.text.clone())).collect();
        let syntax =
            |reason: &str| SqlError::Syntax { position: options.position, reason: reason.to_owned() };
        let algorithm = match (rest.remove("algorithm"), rest.remove("model_type")) {
            (Some(algorithm), None) | (None, Some(algorithm)) => algorithm,
            (None, None) => {
                return Err(syntax("expected an algorithm, such as algorithm 'streaming_kmeans'"));
            }
            (Some(_), Some(_)) => return Err(syntax("algorithm and model_type mean the same; give one")),
        };
        let label = match (rest.remove("label"), rest.remove("input_label_cols")) {
            (None, None) => None,
            (Some(label), None) => Some(label),
            (None, Some(labels)) => Some(only_label(&labels).ok_or_else(|| syntax("expected one label"))?),
            (Some(_), Some(_)) => return Err(syntax("label and input_label_cols mean the same; give one")),
        };
        Ok(ModelOptions { algorithm, label, rest })
    }
}

/// BigQuery's `['label']`.
fn only_label(labels: &str) -> Option<String> {
    let label = labels.trim().trim_matches(['[', ']']).trim().trim_matches(['\'', '"']);
    (!label.is_empty() && !label.contains(',')).then(|| label.to_owned())
}

fn wrong(value: &OptionValue, reason: impl Into<String>) -> SqlError {
    SqlError::Syntax { position: value.position, reason: reason.into() }
}

fn format(value: &OptionValue) -> Result<(), SqlError> {
    if value.text.eq_ignore_ascii_case("json") {
        return Ok(());
    }
    Err(wrong(value, format!("format '{}' is not known; known is 'json'", value.text)))
}

fn starting_offsets(value: &OptionValue) -> Result<StartingOffsets, SqlError> {
    match value.text.to_ascii_lowercase().as_str() {
        "earliest" => Ok(StartingOffsets::Earliest),
        "latest" => Ok(StartingOffsets::Latest),
        other => Err(wrong(value, format!("startingOffsets is 'earliest' or 'latest', not '{other}'"))),
    }
}

fn output_mode(value: &OptionValue) -> Result<OutputMode, SqlError> {
    match value.text.to_ascii_lowercase().as_str() {
        "append" => Ok(OutputMode::Append),
        "update" => Ok(OutputMode::Update),
        "complete" => Ok(OutputMode::Complete),
        other => Err(wrong(value, format!("outputMode is 'append', 'update' or 'complete', not '{other}'"))),
    }
}

fn number(name: &str, value: &OptionValue, min: u64, max: u64) -> Result<u64, SqlError> {
    match value.text.parse::<u64>() {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        _ => Err(wrong(value, format!("{name} is a whole number from {min} to {max}, not '{}'", value.text))),
    }
}

fn boolean(name: &str, value: &OptionValue) -> Result<bool, SqlError> {
    match value.text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(wrong(value, format!("{name} is true or false, not '{other}'"))),
    }
}

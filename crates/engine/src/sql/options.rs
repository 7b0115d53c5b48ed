//! The options of a streaming table.

use std::collections::BTreeMap;

use datafusion::arrow::datatypes::FieldRef;

use crate::error::SqlError;
use crate::models::shape::{Beside, PREDICTION, WEIGHT};
use crate::operator::aggregate::OutputMode;
use crate::outside::Outside;
use crate::query::trigger::Trigger;
use crate::source::format::Format;
use crate::sql::options::given::{Given, wrong};
use crate::sql::options::source::SourceOptions;
use crate::sql::sink_options::trigger;
use crate::sql::statement::{CreateTable, OptionValue, Options};

mod format;
pub(crate) mod given;
pub(crate) mod kafka;
pub(crate) mod source;

/// Says when a batch begins.
const TRIGGER: &str = "trigger";

/// How a streaming table reads or writes what stands behind it.
#[derive(Debug, Clone)]
pub(crate) struct TableOptions {
    /// The topic, or what people call it that the table reads.
    pub(crate) topic: String,
    pub(crate) source: SourceOptions,
    /// For creating the topic.
    pub(crate) partitions: Option<u32>,
    /// The column that becomes the record's key.
    pub(crate) key: Option<String>,
    /// Which rows leave the query that fills the table.
    pub(crate) output_mode: Option<OutputMode>,
    /// The topic for rows that came too late.
    pub(crate) late_topic: Option<String>,
}

impl TableOptions {
    /// # Errors
    /// An option that is not known or does not fit, with its place.
    pub(crate) fn from(create: &CreateTable) -> Result<Self, SqlError> {
        let mut given = Given::new(&create.options);
        let written = create.query.is_some();
        let columns = written || !create.columns.is_empty();
        let source = SourceOptions::from(&create.provider.name, &mut given, columns)?;
        let (mut partitions, mut key, mut output_mode, mut late_topic) = (None, None, None, None);
        if matches!(source, SourceOptions::Kafka(_)) {
            partitions = given.number("partitions", 1, 10_000)?;
            key = given.text("key");
            output_mode = given.take("outputMode").map(self::output_mode).transpose()?;
            late_topic = given.text("lateTopic");
        }
        let options = TableOptions {
            topic: source.describe(),
            source,
            partitions: partitions.and_then(|partitions| u32::try_from(partitions).ok()),
            key,
            output_mode,
            late_topic,
        };
        if written {
            options.check_written(&given)?;
        }
        given.finish()?;
        Ok(options)
    }

    /// What the table reads, with the word for it.
    pub(crate) fn describe(&self) -> String {
        match &self.source {
            SourceOptions::Kafka(_) => format!("topic {}", self.log()),
            _ => self.topic.clone(),
        }
    }

    /// Whether topics are read that are this program's own.
    pub(crate) fn reads_here(&self) -> bool {
        matches!(&self.source, SourceOptions::Kafka(kafka) if kafka.outside.is_none())
    }

    /// The cluster that its topics are in, if not this program's own.
    pub(crate) fn outside(&self) -> Option<&Outside> {
        self.source.outside()
    }

    /// The topic as nothing else is called, also where another cluster has one of its name.
    pub(crate) fn log(&self) -> String {
        self.outside().map_or_else(|| self.topic.clone(), |outside| outside.log(&self.topic))
    }

    /// Whether a query that reads this table sees what is written to the other's topic.
    pub(crate) fn reads(&self, written: &TableOptions) -> bool {
        let cluster = |options: &TableOptions| options.outside().map(|outside| outside.address().to_owned());
        let takes = matches!(&self.source, SourceOptions::Kafka(kafka) if kafka.topics.takes(&written.topic));
        takes && cluster(self) == cluster(written)
    }

    /// A query writes one topic.
    fn check_written(&self, given: &Given<'_>) -> Result<(), SqlError> {
        let SourceOptions::Kafka(kafka) = &self.source else {
            return Err(given.missing("a query writes USING kafka"));
        };
        if kafka.format != Format::Json {
            return Err(given.missing("a query writes JSON; leave the format out"));
        }
        match &kafka.topics {
            kafka::Subscription::Topics(topics) if topics.len() == 1 => Ok(()),
            _ => Err(given.missing("a query writes one topic; name it")),
        }
    }

    /// The columns of the table, if they are as the statement names them.
    ///
    /// # Errors
    /// They do not fit what the table reads, or cannot be known.
    pub(crate) fn columns(&self, create: &CreateTable) -> Result<Vec<FieldRef>, SqlError> {
        let wrong = |reason| SqlError::Syntax { position: create.provider.position, reason };
        if create.columns.is_empty() {
            let expected = "expected AS SELECT, or (column type, ...) before USING";
            return self.source.columns().ok_or_else(|| wrong(expected.to_owned()));
        }
        match self.source.misfit(&create.columns) {
            Some(reason) => Err(wrong(reason)),
            None => Ok(create.columns.clone()),
        }
    }
}

/// The options of a model that learns: the engine's own, and those for its algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModelOptions {
    pub(crate) algorithm: String,
    /// The label's column, if it is not called `label`.
    pub(crate) label: Option<String>,
    pub(crate) beside: Beside,
    /// When a batch is learned.
    pub(crate) trigger: Trigger,
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
        let beside = Beside { weight: rest.remove(WEIGHT), prediction: rest.remove(PREDICTION) };
        let named = |(name, _): &(&String, &OptionValue)| name.eq_ignore_ascii_case(TRIGGER);
        let begun = options.given.iter().find(named).map(|(_, value)| trigger(value)).transpose()?;
        rest.remove(TRIGGER);
        Ok(ModelOptions { algorithm, label, beside, trigger: begun.unwrap_or_default(), rest })
    }
}

/// BigQuery's `['label']`.
fn only_label(labels: &str) -> Option<String> {
    let label = labels.trim().trim_matches(['[', ']']).trim().trim_matches(['\'', '"']);
    (!label.is_empty() && !label.contains(',')).then(|| label.to_owned())
}

/// # Errors
/// It is no mode.
pub(crate) fn output_mode(value: &OptionValue) -> Result<OutputMode, SqlError> {
    match value.text.to_ascii_lowercase().as_str() {
        "append" => Ok(OutputMode::Append),
        "update" => Ok(OutputMode::Update),
        "complete" => Ok(OutputMode::Complete),
        other => Err(wrong(value, format!("outputMode is 'append', 'update' or 'complete', not '{other}'"))),
    }
}

//! The options of a table over topics, under the names that Spark's Kafka source gives them.

use std::collections::BTreeMap;
use std::time::Duration;

use regex::Regex;

use crate::error::SqlError;
use crate::outside::Outside;
use crate::source::format::Format;
use crate::sql::options::format;
use crate::sql::options::given::{Given, wrong};
use crate::sql::statement::OptionValue;
use crate::status::Offsets;

/// Spark's numbers for the two ends of a partition.
const LATEST: i64 = -1;

/// Spark's numbers for the two ends of a partition.
const EARLIEST: i64 = -2;

/// How a table reads topics.
#[derive(Debug, Clone)]
pub(crate) struct KafkaOptions {
    pub(crate) topics: Subscription,
    pub(crate) starting: Place,
    /// Where a bounded read ends.
    pub(crate) ending: Place,
    /// Records per batch, over all partitions.
    pub(crate) rows_max: Option<u64>,
    /// A batch waits until there are so many.
    pub(crate) rows_min: Option<u64>,
    /// But no longer than this.
    pub(crate) delay_max: Duration,
    /// Whether a query fails when the log no longer has what it had not read yet.
    pub(crate) fail_on_data_loss: bool,
    pub(crate) headers: bool,
    pub(crate) format: Format,
    /// Whose topics they are, if not this program's own.
    pub(crate) outside: Option<Outside>,
}

/// Which topics.
#[derive(Debug, Clone)]
pub(crate) enum Subscription {
    Topics(Vec<String>),
    /// All topics whose whole name matches.
    Pattern(Regex),
    /// Some partitions of some topics.
    Partitions(BTreeMap<String, Vec<u32>>),
}

/// Where reading begins or ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Earliest,
    Latest,
    /// -2 is the earliest, -1 the latest; a partition that is not named begins at its earliest and ends at its latest.
    Offsets(Offsets),
    /// The first record at or after a time, in Unix milliseconds.
    Times {
        every: Option<i64>,
        each: Offsets,
        or_latest: bool,
    },
}

impl Place {
    /// What a partition's number stands for.
    pub(crate) fn resolve(offset: i64, earliest: i64, latest: i64) -> i64 {
        match offset {
            EARLIEST => earliest,
            LATEST => latest,
            other => other,
        }
    }
}

impl Subscription {
    /// Whether records of this topic would be read.
    pub(crate) fn takes(&self, topic: &str) -> bool {
        match self {
            Subscription::Topics(topics) => topics.iter().any(|known| known == topic),
            Subscription::Pattern(pattern) => !topic.starts_with("__") && pattern.is_match(topic),
            Subscription::Partitions(topics) => topics.contains_key(topic),
        }
    }

    /// The topics, where their names are known.
    pub(crate) fn names(&self) -> Vec<&str> {
        match self {
            Subscription::Topics(topics) => topics.iter().map(String::as_str).collect(),
            Subscription::Pattern(_) => Vec::new(),
            Subscription::Partitions(topics) => topics.keys().map(String::as_str).collect(),
        }
    }

    /// As people call it.
    pub(crate) fn describe(&self) -> String {
        match self {
            Subscription::Pattern(pattern) => {
                let pattern = pattern.as_str();
                pattern.strip_prefix("^(?:").and_then(|p| p.strip_suffix(")$")).unwrap_or(pattern).to_owned()
            }
            named => named.names().join(", "),
        }
    }
}

impl KafkaOptions {
    pub(crate) fn from(given: &mut Given<'_>, columns: bool) -> Result<Self, SqlError> {
        let topics = subscription(given)?;
        let format = format::of_records(given, columns)?;
        let starting = starting(given)?;
        let ending = ending(given)?;
        let rows_max = given.number("maxOffsetsPerTrigger", 1, u64::MAX)?;
        let rows_min = given.number("minOffsetsPerTrigger", 1, u64::MAX)?;
        let delay = given.duration_ms("maxTriggerDelay")?;
        let delay_max = Duration::from_millis(delay.unwrap_or(15 * 60_000));
        let fail_on_data_loss = given.boolean("failOnDataLoss", true)?;
        let headers = given.boolean("includeHeaders", false)?;
        if given.also("kafka.group.id").is_some() || given.also("groupIdPrefix").is_some() {
            return Err(given
                .missing("a query reads by offsets of its own, in no consumer group; leave the group out"));
        }
        let outside = outside(given)?;
        Ok(KafkaOptions {
            topics,
            starting,
            ending,
            rows_max,
            rows_min,
            delay_max,
            fail_on_data_loss,
            headers,
            format,
            outside,
        })
    }
}

/// The cluster that the options `kafka.*` name.
fn outside(given: &mut Given<'_>) -> Result<Option<Outside>, SqlError> {
    let settings = given.prefixed("kafka.");
    match settings.keys().next() {
        None => Ok(None),
        Some(_) if settings.get("bootstrap.servers").is_some_and(|servers| !servers.trim().is_empty()) => {
            Ok(Some(Outside::new(settings)))
        }
        Some(name) => {
            let reason = format!("kafka.{name} is for another cluster; name it with kafka.bootstrap.servers");
            Err(given.missing(&reason))
        }
    }
}

fn subscription(given: &mut Given<'_>) -> Result<Subscription, SqlError> {
    let ways =
        [given.take("topic"), given.take("subscribe"), given.take("subscribePattern"), given.take("assign")];
    match ways {
        [Some(topics), None, None, None] | [None, Some(topics), None, None] => {
            let names = topics.text.split(',').map(|name| name.trim().to_owned());
            let names: Vec<String> = names.filter(|name| !name.is_empty()).collect();
            if names.is_empty() {
                return Err(wrong(topics, "expected the name of a topic"));
            }
            Ok(Subscription::Topics(names))
        }
        [None, None, Some(pattern), None] => Regex::new(&format!("^(?:{})$", pattern.text))
            .map(Subscription::Pattern)
            .map_err(|error| wrong(pattern, format!("subscribePattern is a regular expression: {error}"))),
        [None, None, None, Some(assign)] => serde_json::from_str(&assign.text)
            .map(Subscription::Partitions)
            .map_err(|error| wrong(assign, format!("assign is JSON such as '{{\"topic\":[0,1]}}': {error}"))),
        [None, None, None, None] => {
            Err(given
                .missing("expected OPTIONS with a topic, such as OPTIONS (topic 'events', format 'json')"))
        }
        _ => Err(given.missing("topic, subscribe, subscribePattern and assign exclude each other; give one")),
    }
}

fn starting(given: &mut Given<'_>) -> Result<Place, SqlError> {
    let offsets = given.take("startingOffsets");
    let times = times(given, "startingTimestamp", "startingOffsetsByTimestamp")?;
    let strategy = given.take("startingOffsetsByTimestampStrategy");
    let or_latest = match strategy.map(|value| (value, value.text.to_ascii_lowercase())) {
        None => false,
        Some((_, word)) if word == "error" => false,
        Some((_, word)) if word == "latest" => true,
        Some((value, _)) => {
            return Err(wrong(value, "startingOffsetsByTimestampStrategy is 'error' or 'latest'"));
        }
    };
    // As Spark: a time goes before offsets.
    if let Some((every, each)) = times {
        return Ok(Place::Times { every, each, or_latest });
    }
    offsets.map_or(Ok(Place::Earliest), |value| place("startingOffsets", value))
}

fn ending(given: &mut Given<'_>) -> Result<Place, SqlError> {
    let offsets = given.take("endingOffsets");
    if let Some((every, each)) = times(given, "endingTimestamp", "endingOffsetsByTimestamp")? {
        return Ok(Place::Times { every, each, or_latest: true });
    }
    match offsets.map(|value| (value, place("endingOffsets", value))) {
        None => Ok(Place::Latest),
        Some((value, Ok(Place::Earliest))) => Err(wrong(value, "endingOffsets is 'latest' or JSON")),
        Some((_, place)) => place,
    }
}

type Times = (Option<i64>, Offsets);

fn times(given: &mut Given<'_>, every: &'static str, each: &'static str) -> Result<Option<Times>, SqlError> {
    match (given.take(every), given.take(each)) {
        (None, None) => Ok(None),
        (Some(value), _) => {
            let reason = || format!("{every} is a time in Unix milliseconds, not '{}'", value.text);
            let time = value.text.parse::<i64>().map_err(|_| wrong(value, reason()))?;
            Ok(Some((Some(time), Offsets::new())))
        }
        (None, Some(value)) => Ok(Some((None, json(each, value)?))),
    }
}

fn place(name: &str, value: &OptionValue) -> Result<Place, SqlError> {
    match value.text.trim().to_ascii_lowercase().as_str() {
        "earliest" => Ok(Place::Earliest),
        "latest" => Ok(Place::Latest),
        text if text.starts_with('{') => {
            let offsets = json(name, value)?;
            match offsets.values().flat_map(BTreeMap::values).find(|offset| **offset < EARLIEST) {
                Some(offset) => {
                    Err(wrong(value, format!("{offset} is no offset; -2 is the earliest, -1 the latest")))
                }
                None => Ok(Place::Offsets(offsets)),
            }
        }
        other => Err(wrong(value, format!("{name} is 'earliest', 'latest' or JSON, not '{other}'"))),
    }
}

fn json(name: &str, value: &OptionValue) -> Result<Offsets, SqlError> {
    serde_json::from_str(&value.text).map_err(|error| {
        wrong(value, format!("{name} is JSON such as '{{\"topic\":{{\"0\":23}}}}': {error}"))
    })
}

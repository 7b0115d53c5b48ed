//! Settings of topics under Kafka's names and in Kafka's units: which there are, what they may be, and where a value
//! comes from.
//!
//! One table holds all of them. A topic's own value goes before the broker's default of the moment, that one before
//! the default the broker was started with, and Kafka's default comes last.

use std::collections::BTreeMap;

pub use table::{Allowed, SettingKind, SettingSpec, TOPIC_SETTINGS};
pub use topic_config::{CleanupPolicy, TimestampType, TopicConfig};

mod table;
#[cfg(test)]
mod tests;
mod topic_config;

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingSource {
    /// The topic has it.
    Topic,
    /// It was given to the running broker.
    DynamicDefault,
    /// The broker was started with it.
    Static,
    /// Nobody said anything: Kafka's default.
    Default,
}

/// One setting with its present value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Name, type, default and meaning.
    pub spec: &'static SettingSpec,
    /// The value that holds.
    pub value: String,
    /// Where it comes from.
    pub source: SettingSource,
}

/// Why a setting is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// Kafka has no such setting.
    #[error("unknown topic config name: {name}")]
    Unknown {
        /// The name.
        name: String,
    },
    /// The value is of the wrong type, out of range, or asks for what does not exist here.
    #[error("invalid value {value:?} for {name}: {rule}")]
    Invalid {
        /// The name.
        name: String,
        /// The value.
        value: String,
        /// What it must be.
        rule: String,
    },
}

/// Whether a topic may have this setting.
///
/// # Errors
/// [`SettingError`] for names that Kafka does not know and values that cannot hold.
pub fn check_setting(name: &str, value: &str) -> Result<&'static SettingSpec, SettingError> {
    let spec = SettingSpec::of_topic(name).ok_or_else(|| SettingError::Unknown { name: name.to_owned() })?;
    match spec.refusal(value) {
        None => Ok(spec),
        Some(rule) => Err(SettingError::Invalid { name: name.to_owned(), value: value.to_owned(), rule }),
    }
}

/// What topics without a value of their own have, by the topics' names for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Defaults {
    /// Given at the start.
    pub(crate) fixed: BTreeMap<&'static str, String>,
    /// Given since, and durable.
    pub(crate) dynamic: BTreeMap<&'static str, String>,
}

impl Defaults {
    /// The value of a setting and its source, for a topic that was given `own`.
    pub(crate) fn resolve<'a>(
        &'a self,
        spec: &'static SettingSpec,
        own: &'a BTreeMap<String, String>,
    ) -> (&'a str, SettingSource) {
        if let Some(value) = own.get(spec.name) {
            return (value, SettingSource::Topic);
        }
        if let Some(value) = self.dynamic.get(spec.name) {
            return (value, SettingSource::DynamicDefault);
        }
        match self.fixed.get(spec.name) {
            Some(value) if value != spec.default => (value, SettingSource::Static),
            _ => (spec.default, SettingSource::Default),
        }
    }

    /// All settings of a topic that was given `own`, by name.
    pub(crate) fn describe(&self, own: &BTreeMap<String, String>) -> Vec<Setting> {
        let one = |spec: &'static SettingSpec| {
            let (value, source) = self.resolve(spec, own);
            Setting { spec, value: value.to_owned(), source }
        };
        TOPIC_SETTINGS.iter().map(one).collect()
    }

    /// The broker's values that topics inherit, without those that nobody set.
    pub(crate) fn broker(&self) -> Vec<Setting> {
        let none = BTreeMap::new();
        self.describe(&none)
    }
}

/// A broker-wide default by the broker's name for it, as the topics' setting that it is the default of. The names that
/// count hours and minutes are understood too.
///
/// # Errors
/// [`SettingError`], as of [`check_setting`].
pub(crate) fn broker_default(name: &str, value: &str) -> Result<(&'static str, String), SettingError> {
    let spec = TOPIC_SETTINGS.iter().find(|spec| spec.broker_name == name);
    if let Some(spec) = spec {
        check_setting(spec.name, value).map_err(|error| error.renamed(name))?;
        return Ok((spec.name, value.trim().to_owned()));
    }
    let (target, unit_ms) = match name {
        "log.retention.minutes" => ("retention.ms", 60_000),
        "log.retention.hours" => ("retention.ms", 3_600_000),
        "log.roll.hours" => ("segment.ms", 3_600_000),
        "log.roll.jitter.hours" => ("segment.jitter.ms", 3_600_000),
        _ => return Err(SettingError::Unknown { name: name.to_owned() }),
    };
    let count: i64 = value.trim().parse().map_err(|_| SettingError::Invalid {
        name: name.to_owned(),
        value: value.to_owned(),
        rule: "a whole number".to_owned(),
    })?;
    let ms = if count < 0 { count } else { count.saturating_mul(unit_ms) };
    broker_default_checked(target, name, ms)
}

fn broker_default_checked(
    target: &'static str,
    name: &str,
    ms: i64,
) -> Result<(&'static str, String), SettingError> {
    check_setting(target, &ms.to_string()).map_err(|error| error.renamed(name))?;
    Ok((target, ms.to_string()))
}

impl SettingError {
    fn renamed(self, by: &str) -> Self {
        match self {
            Self::Unknown { .. } => Self::Unknown { name: by.to_owned() },
            Self::Invalid { value, rule, .. } => Self::Invalid { name: by.to_owned(), value, rule },
        }
    }
}

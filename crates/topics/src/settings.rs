//! Settings of topics under Kafka's names and in Kafka's units: which there are, what they may be, and where a value
//! comes from.
//!
//! One table holds all of them. A topic's own value goes before the broker's default of the moment, that one before
//! the default the broker was started with, and Kafka's default comes last.

use std::collections::BTreeMap;

pub use table::{Allowed, BROKER_SETTINGS, SettingKind, SettingSpec, TOPIC_SETTINGS};
pub use topic_config::{CleanupPolicy, TimestampType, TopicConfig};

pub(crate) mod table;
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
    check(spec, name, value)?;
    Ok(spec)
}

fn check(spec: &SettingSpec, name: &str, value: &str) -> Result<(), SettingError> {
    match spec.refusal(value) {
        None => Ok(()),
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

    /// The broker's values that topics inherit, and the broker's own.
    pub(crate) fn broker(&self) -> Vec<Setting> {
        let none = BTreeMap::new();
        let own = |spec: &'static SettingSpec| {
            let (value, source) = self.resolve(spec, &none);
            Setting { spec, value: value.to_owned(), source }
        };
        self.describe(&none).into_iter().chain(BROKER_SETTINGS.iter().map(own)).collect()
    }

    /// A setting of the broker's own, as a number.
    pub(crate) fn number<T: std::str::FromStr>(&self, name: &'static str) -> T {
        let spec = SettingSpec::of_broker(name).expect("the table has every name that is asked for");
        let none = BTreeMap::new();
        let (value, _) = self.resolve(spec, &none);
        value
            .parse()
            .unwrap_or_else(|_| panic!("the table allows {value:?} for {name}, which is no such number"))
    }
}

/// A broker-wide default by the broker's name for it, as the topics' setting that it is the default of. The names that
/// count hours and minutes are understood too.
///
/// # Errors
/// [`SettingError`], as of [`check_setting`].
pub(crate) fn broker_default(name: &str, value: &str) -> Result<(&'static str, String), SettingError> {
    if let Some(spec) = SettingSpec::of_broker(name) {
        check(spec, name, value)?;
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
    let spec = SettingSpec::of_topic(target).expect("the table has it");
    check(spec, name, &ms.to_string())?;
    Ok((target, ms.to_string()))
}

//! What can be set for one group.

use std::ops::RangeInclusive;

use crate::{Config, Error};

/// `consumer.session.timeout.ms`.
const SESSION_TIMEOUT_MS: &str = "consumer.session.timeout.ms";
/// `consumer.heartbeat.interval.ms`.
const HEARTBEAT_INTERVAL_MS: &str = "consumer.heartbeat.interval.ms";

/// What is set for one group, under Kafka's names. What is not holds as the broker has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupSettings {
    /// `consumer.session.timeout.ms`: after this silence a member of the consumer protocol counts as gone.
    pub session_timeout_ms: Option<i32>,
    /// `consumer.heartbeat.interval.ms`: how often members of the consumer protocol are to be heard of.
    pub heartbeat_interval_ms: Option<i32>,
}

impl GroupSettings {
    /// Every name with the value that holds and whether it was set for the group.
    #[must_use]
    pub fn describe(&self, config: &Config) -> [(&'static str, i32, bool); 2] {
        let times = Times::new(*self, config);
        [
            (HEARTBEAT_INTERVAL_MS, times.heartbeat_interval_ms, self.heartbeat_interval_ms.is_some()),
            (SESSION_TIMEOUT_MS, times.session_timeout_ms, self.session_timeout_ms.is_some()),
        ]
    }

    /// Whether groups have a setting of this name.
    #[must_use]
    pub fn is_known(name: &str) -> bool {
        [SESSION_TIMEOUT_MS, HEARTBEAT_INTERVAL_MS].contains(&name)
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Sets one thing by name, or goes back to what the broker has.
    pub(crate) fn set(&mut self, name: &str, value: Option<&str>, config: &Config) -> Result<(), Error> {
        let (place, allowed) = match name {
            SESSION_TIMEOUT_MS => (&mut self.session_timeout_ms, &config.consumer_session_timeouts_ms),
            HEARTBEAT_INTERVAL_MS => {
                (&mut self.heartbeat_interval_ms, &config.consumer_heartbeat_intervals_ms)
            }
            _ => return Err(Error::UnknownSetting),
        };
        *place = value.map(|value| parse(value, allowed)).transpose()?;
        Ok(())
    }

    /// A member must be able to be heard of within its session.
    pub(crate) fn check(&self, config: &Config) -> Result<(), Error> {
        let times = Times::new(*self, config);
        let beats = times.heartbeat_interval_ms < times.session_timeout_ms;
        if beats { Ok(()) } else { Err(Error::InvalidSetting) }
    }
}

fn parse(value: &str, allowed: &RangeInclusive<i32>) -> Result<i32, Error> {
    value.parse().ok().filter(|value| allowed.contains(value)).ok_or(Error::InvalidSetting)
}

/// The times that hold for the members of a group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) session_timeout_ms: i32,
    pub(crate) heartbeat_interval_ms: i32,
}

impl Times {
    pub(crate) fn new(settings: GroupSettings, config: &Config) -> Self {
        Self {
            session_timeout_ms: settings.session_timeout_ms.unwrap_or(config.consumer_session_timeout_ms),
            heartbeat_interval_ms: settings
                .heartbeat_interval_ms
                .unwrap_or(config.consumer_heartbeat_interval_ms),
        }
    }
}

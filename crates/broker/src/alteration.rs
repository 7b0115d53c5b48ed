//! Changing settings while they are in force: what both ways of asking for it share.

use std::collections::BTreeMap;

use groups::GroupSettings;
use protocol::{ErrorCode, StrBytes};
use tokio::runtime::Handle;
use topics::{AlterError, SettingKind, SettingSource, SettingSpec};

use crate::context::Context;
use crate::error_code;

/// Kafka's number for a topic as a thing with settings.
pub(crate) const TOPIC: i8 = 2;
/// And for a broker.
pub(crate) const BROKER: i8 = 4;
/// And for a group.
pub(crate) const GROUP: i8 = 32;

/// New values by name; nothing for the default.
pub(crate) type Changes = BTreeMap<String, Option<String>>;

/// Why nothing was changed.
#[derive(Debug)]
pub(crate) struct Refused {
    code: ErrorCode,
    message: String,
}

/// What is to be changed.
#[derive(Debug)]
pub(crate) enum Target {
    /// The settings of a topic.
    Topic(String),
    /// The defaults of all topics, under the broker's names for them.
    Broker,
    /// The times of a group's members; it need not exist.
    Group(String),
}

impl Refused {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// Code and message of an answer.
    pub(crate) fn split(outcome: Result<(), Self>) -> (i16, Option<StrBytes>) {
        match outcome {
            Ok(()) => (ErrorCode::None.code(), None),
            Err(refused) => (refused.code.code(), Some(StrBytes::from(refused.message))),
        }
    }
}

impl From<AlterError> for Refused {
    fn from(error: AlterError) -> Self {
        Self::new(error_code::alter(&error), error.to_string())
    }
}

impl Target {
    /// What a resource of a request names. Broker settings are those of all brokers (no name) or of this one.
    pub(crate) fn find(context: &Context, resource_type: i8, name: &str) -> Result<Self, Refused> {
        match resource_type {
            TOPIC if context.topics().topic(name).is_some() => Ok(Self::Topic(name.to_owned())),
            TOPIC => {
                Err(Refused::new(ErrorCode::UnknownTopicOrPartition, format!("topic {name} does not exist")))
            }
            BROKER if name.is_empty() || name == context.config().node_id.to_string() => Ok(Self::Broker),
            BROKER => Err(Refused::new(ErrorCode::InvalidRequest, format!("there is no broker {name}"))),
            GROUP if name.is_empty() => {
                Err(Refused::new(ErrorCode::InvalidRequest, "settings of groups are those of one group"))
            }
            GROUP => Ok(Self::Group(name.to_owned())),
            other => {
                let message = format!("resources of type {other} have no settings here");
                Err(Refused::new(ErrorCode::InvalidRequest, message))
            }
        }
    }

    /// What was set already, and is no default.
    pub(crate) fn given(&self, context: &Context) -> BTreeMap<String, String> {
        match self {
            Self::Topic(name) => {
                context.topics().topic(name).map(|topic| topic.configs().clone()).unwrap_or_default()
            }
            Self::Broker => {
                let settings = context.topics().default_settings().into_iter();
                let set = settings.filter(|setting| setting.source == SettingSource::DynamicDefault);
                set.map(|setting| (setting.spec.broker_name.to_owned(), setting.value)).collect()
            }
            Self::Group(name) => {
                let described = group_settings(context, name);
                let set = described.into_iter().filter(|(_, _, is_set)| *is_set);
                set.map(|(name, value, _)| (name.to_owned(), value.to_string())).collect()
            }
        }
    }

    /// The type of a setting, if it exists.
    pub(crate) fn kind(&self, name: &str) -> Option<SettingKind> {
        let spec = match self {
            Self::Topic(_) => SettingSpec::of_topic(name),
            Self::Broker => SettingSpec::of_broker(name),
            Self::Group(_) => return GroupSettings::is_known(name).then_some(SettingKind::Int),
        };
        spec.map(|spec| spec.kind)
    }

    /// The value that a setting has at present.
    pub(crate) fn value(&self, context: &Context, name: &str) -> String {
        let found = match self {
            Self::Topic(_) => {
                let settings = context.topics().settings(&self.given(context)).into_iter();
                settings.map(|setting| (setting.spec.name, setting.value)).find(|(other, _)| *other == name)
            }
            Self::Broker => {
                let settings = context.topics().default_settings().into_iter();
                settings
                    .map(|setting| (setting.spec.broker_name, setting.value))
                    .find(|(other, _)| *other == name)
            }
            // None of them is a list, so nobody appends to them.
            Self::Group(_) => None,
        };
        found.map(|(_, value)| value).unwrap_or_default()
    }

    /// Makes the changes, all or none, durably; or only says whether they could be made.
    pub(crate) fn apply(
        &self,
        context: &Context,
        changes: Changes,
        validate_only: bool,
    ) -> Result<(), Refused> {
        match self {
            Self::Group(name) => return alter_group(context, name, changes, validate_only),
            Self::Topic(_) | Self::Broker if validate_only => return self.check(&changes),
            Self::Topic(name) => {
                context.topics().alter_configs(name, changes)?;
                tracing::info!(topic = name, "settings changed");
            }
            Self::Broker => {
                self.check_names(&changes)?;
                context.topics().alter_defaults(changes)?;
                tracing::info!("broker-wide settings changed");
            }
        }
        Ok(())
    }

    fn check(&self, changes: &Changes) -> Result<(), Refused> {
        self.check_names(changes)?;
        for (name, value) in changes {
            let spec = match self {
                Self::Topic(_) => SettingSpec::of_topic(name),
                Self::Broker => SettingSpec::of_broker(name),
                Self::Group(_) => None,
            };
            if let (Some(spec), Some(value)) = (spec, value) {
                topics::check_setting(spec.name, value)
                    .map_err(|error| Refused::new(ErrorCode::InvalidConfig, error.to_string()))?;
            }
        }
        Ok(())
    }

    /// Says of a name that exists, but only when the program starts, that it is so.
    fn check_names(&self, changes: &Changes) -> Result<(), Refused> {
        match changes.keys().find(|name| self.kind(name).is_none()) {
            None => Ok(()),
            Some(name) => {
                let message = match self {
                    Self::Topic(_) => format!("unknown topic config name: {name}"),
                    Self::Group(_) => format!("unknown group config name: {name}"),
                    Self::Broker => {
                        format!("{name} cannot be changed while the broker runs: put it into pelton.toml")
                    }
                };
                Err(Refused::new(ErrorCode::InvalidConfig, message))
            }
        }
    }
}

/// Called where blocking is allowed, as all of this is.
fn group_settings(context: &Context, group_id: &str) -> Vec<(&'static str, i32, bool)> {
    let asked = context.coordinator().settings(vec![group_id.to_owned()]);
    let found = Handle::current().block_on(asked).unwrap_or_default();
    found.iter().flat_map(|settings| settings.describe(&context.config().groups)).collect()
}

fn alter_group(
    context: &Context,
    group_id: &str,
    changes: Changes,
    validate_only: bool,
) -> Result<(), Refused> {
    let changes: Vec<_> = changes.into_iter().collect();
    let altering = context.coordinator().alter_settings(group_id.to_owned(), changes, validate_only);
    match Handle::current().block_on(altering) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Refused::new(error_code::group(error), error.to_string())),
        Err(unavailable) => Err(Refused::new(ErrorCode::CoordinatorNotAvailable, unavailable.to_string())),
    }
}

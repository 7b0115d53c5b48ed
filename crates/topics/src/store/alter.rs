//! Changing settings: durable first, then in force, without a restart.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use super::{Inner, Topics};
use crate::metadata::Metadata;
use crate::settings::{self, Defaults};
use crate::topic::TopicInner;
use crate::{AlterError, Config, Setting, SettingError, TimestampType, Topic, TopicConfig, check_setting};

impl Topics {
    /// Changes settings of a topic: to a value, or with nothing back to what it inherits. All of them or none; durable
    /// on return, and in force for whatever is appended from then on.
    ///
    /// # Errors
    /// When there is no such topic, a setting is unknown, a value cannot hold, or the disk refuses.
    pub fn alter_configs(
        &self,
        name: &str,
        changes: BTreeMap<String, Option<String>>,
    ) -> Result<(), AlterError> {
        self.inner.alter_topic(name, changes)?;
        self.inner.note_change();
        Ok(())
    }

    /// Changes broker-wide defaults, under the broker's names (`log.retention.ms`): to a value, or with nothing back
    /// to what the program was started with. Topics without a value of their own follow at once. Durable on return.
    ///
    /// # Errors
    /// When a name is none of a default, a value cannot hold, or the disk refuses.
    pub fn alter_defaults(&self, changes: BTreeMap<String, Option<String>>) -> Result<(), AlterError> {
        self.inner.alter_defaults(changes)?;
        self.inner.note_change();
        Ok(())
    }

    /// Every setting that a topic given `own` has or would have, with its source, by name.
    #[must_use]
    pub fn settings(&self, own: &BTreeMap<String, String>) -> Vec<Setting> {
        self.inner.defaults(|defaults| defaults.describe(own))
    }

    /// The broker-wide defaults of topics' settings: [`SettingSpec::broker_name`](crate::SettingSpec) is the name here.
    #[must_use]
    pub fn default_settings(&self) -> Vec<Setting> {
        self.inner.defaults(Defaults::broker)
    }
}

impl Inner {
    pub(crate) fn defaults<T>(&self, look: impl FnOnce(&Defaults) -> T) -> T {
        look(&self.defaults.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn topic_config(&self, own: &BTreeMap<String, String>) -> TopicConfig {
        self.defaults(|defaults| TopicConfig::new(defaults, own))
    }

    pub(super) fn log_config(&self, own: &BTreeMap<String, String>) -> commitlog::Config {
        self.log_config_of(&self.topic_config(own))
    }

    fn log_config_of(&self, topic: &TopicConfig) -> commitlog::Config {
        commitlog::Config {
            segment_bytes: topic.segment_bytes,
            segment_ms: topic.segment_ms,
            segment_jitter_ms: topic.segment_jitter_ms,
            preallocate: topic.preallocate,
            index_interval_bytes: topic.index_interval_bytes,
            log_append_time: topic.timestamp_type == TimestampType::LogAppendTime,
            uncompressed_bytes_max: self.config.uncompressed_bytes_max,
            tail_bytes: self.config.tail_bytes,
            tail_budget: self.tail_budget.clone(),
            ..commitlog::Config::default()
        }
    }

    fn alter_topic(&self, name: &str, changes: BTreeMap<String, Option<String>>) -> Result<(), AlterError> {
        for (setting, value) in &changes {
            // Going back to the default needs a name that exists, and the default always holds.
            match value {
                Some(value) => check_setting(setting, value).map(drop)?,
                None => check_name(setting)?,
            }
        }
        let mut admin = self.admin();
        if admin.closed {
            return Err(AlterError::Closed);
        }
        let mut metadata = admin.metadata.clone();
        let entry = metadata.topics.get_mut(name);
        let entry = entry.ok_or_else(|| AlterError::NotFound { name: name.to_owned() })?;
        apply(&mut entry.configs, changes);
        let configs = entry.configs.clone();
        self.store_altered(&metadata)?;
        admin.metadata = metadata;
        if let Some(topic) = self.lookup(|lookup| lookup.by_name.get(name).cloned()) {
            self.show_configs(&topic, configs);
        }
        Ok(())
    }

    fn alter_defaults(&self, changes: BTreeMap<String, Option<String>>) -> Result<(), AlterError> {
        let mut admin = self.admin();
        if admin.closed {
            return Err(AlterError::Closed);
        }
        let mut metadata = admin.metadata.clone();
        apply(&mut metadata.broker, changes);
        let changed = defaults(&self.config, &metadata)?;
        self.store_altered(&metadata)?;
        admin.metadata = metadata;
        *self.defaults.write().unwrap_or_else(PoisonError::into_inner) = changed;
        let topics: Vec<Topic> = self.lookup(|lookup| lookup.by_name.values().cloned().collect());
        for topic in topics {
            self.enforce(&topic);
        }
        Ok(())
    }

    fn store_altered(&self, metadata: &Metadata) -> Result<(), AlterError> {
        let path = Metadata::path(&self.config.data_dir);
        metadata.store(&*self.env.disk, &self.config.data_dir).map_err(|source| AlterError::Io {
            action: "writing",
            path,
            source,
        })
    }

    /// Shows a topic with other settings, and puts them in force.
    fn show_configs(&self, topic: &Topic, configs: BTreeMap<String, String>) {
        let topic = self.show(TopicInner {
            name: topic.inner.name.clone(),
            id: topic.inner.id,
            configs,
            settings: topic.inner.settings.clone(),
            partitions: topic.inner.partitions.clone(),
        });
        self.enforce(&topic);
    }

    /// Tells a topic's partitions and their owners what holds now.
    fn enforce(&self, topic: &Topic) {
        let config = self.topic_config(topic.configs());
        let of_log = self.log_config_of(&config);
        topic.inner.settings.set(config);
        for partition in &topic.inner.partitions {
            partition.core.with_log(|log| log.set_config(of_log.clone()));
        }
    }
}

/// The defaults that the program was started with, and those it was given since.
pub(super) fn defaults(config: &Config, metadata: &Metadata) -> Result<Defaults, SettingError> {
    let mut defaults = Defaults::default();
    defaults.fixed.insert("segment.bytes", config.segment_bytes.to_string());
    defaults.fixed.insert("max.message.bytes", config.message_bytes_max.to_string());
    // The last one counts: milliseconds go before minutes, minutes before hours, as Kafka has it.
    let mut given: Vec<(&String, &String)> = config.defaults.iter().collect();
    given.sort_by_key(|(name, _)| (name.ends_with(".ms"), name.ends_with(".minutes")));
    for (name, value) in given {
        let (setting, value) = settings::broker_default(name, value)?;
        defaults.fixed.insert(setting, value);
    }
    for (name, value) in &metadata.broker {
        let (setting, value) = settings::broker_default(name, value)?;
        defaults.dynamic.insert(setting, value);
    }
    Ok(defaults)
}

fn apply(settings: &mut BTreeMap<String, String>, changes: BTreeMap<String, Option<String>>) {
    for (name, value) in changes {
        match value {
            Some(value) => settings.insert(name, value.trim().to_owned()),
            None => settings.remove(&name),
        };
    }
}

fn check_name(name: &str) -> Result<(), SettingError> {
    match crate::SettingSpec::of_topic(name) {
        Some(_) => Ok(()),
        None => Err(SettingError::Unknown { name: name.to_owned() }),
    }
}

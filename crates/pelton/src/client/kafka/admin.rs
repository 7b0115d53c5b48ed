//! Changing topics: create, delete, more partitions, fewer records, settings.

use std::collections::BTreeMap;

use anyhow::{Context, anyhow};
use protocol::ErrorCode;
use protocol::messages::create_partitions::CreatePartitionsTopic;
use protocol::messages::create_topics::{CreatableTopic, CreatableTopicConfig};
use protocol::messages::delete_records::{DeleteRecordsPartition, DeleteRecordsTopic};
use protocol::messages::describe_configs::{DescribeConfigsResource, DescribeConfigsResourceResult};
use protocol::messages::incremental_alter_configs::{AlterConfigsResource, AlterableConfig};
use protocol::messages::{
    CreatePartitionsRequest, CreateTopicsRequest, DeleteRecordsRequest, DeleteTopicsRequest,
    DescribeConfigsRequest, DescribeLogDirsRequest, IncrementalAlterConfigsRequest,
};

use super::cluster::{Cluster, Topic};
use super::refusal::Refusal;

/// How long a broker may take to change something.
const CALL_TIMEOUT_MS: i32 = 20_000;
/// Kafka's number for topics among what has settings.
const RESOURCE_TOPIC: i8 = 2;
/// Where a setting's value comes from: the topic's own.
const SOURCE_TOPIC: i8 = 1;
const OPERATION_SET: i8 = 0;
const OPERATION_DELETE: i8 = 1;

/// A topic to be.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewTopic {
    /// Its name.
    pub(crate) name: String,
    /// How many partitions; -1 for the broker's default.
    pub(crate) partitions: i32,
    /// On how many brokers; -1 for the broker's default.
    pub(crate) replication_factor: i16,
    /// Settings that differ from the broker's.
    pub(crate) configs: Vec<(String, String)>,
}

/// Whether a change happens or is only checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It happens.
    Do,
    /// The broker says whether it would.
    Check,
}

/// A setting of a topic.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    /// Kafka's name.
    pub(crate) name: String,
    /// The value in force; none when it is secret.
    pub(crate) value: Option<String>,
    /// Where it comes from, in Kafka's words.
    pub(crate) source: &'static str,
    /// Whether the topic itself says so.
    pub(crate) own: bool,
}

impl Cluster {
    /// Creates a topic. Returns its partitions, when the broker tells.
    pub(crate) fn create_topic(&mut self, topic: &NewTopic, mode: Mode) -> anyhow::Result<Option<i32>> {
        let config = |(name, value): &(String, String)| CreatableTopicConfig {
            name: name.into(),
            value: Some(value.into()),
        };
        let wanted = CreatableTopic {
            name: topic.name.as_str().into(),
            num_partitions: topic.partitions,
            replication_factor: topic.replication_factor,
            configs: topic.configs.iter().map(config).collect(),
            ..CreatableTopic::default()
        };
        let request = CreateTopicsRequest {
            topics: vec![wanted],
            timeout_ms: CALL_TIMEOUT_MS,
            validate_only: mode == Mode::Check,
        };
        let answer = self.ask_controller(&request)?;
        let made = answer.topics.first().context("an answer without the topic")?;
        Refusal::check(made.error_code, made.error_message.as_deref(), || {
            format!("create topic {}", topic.name)
        })?;
        Ok(Some(made.num_partitions).filter(|count| *count > 0))
    }

    /// Deletes topics; an outcome for each.
    pub(crate) fn delete_topics(
        &mut self,
        names: &[String],
    ) -> anyhow::Result<Vec<(String, Result<(), Refusal>)>> {
        let request = DeleteTopicsRequest {
            topic_names: names.iter().map(Into::into).collect(),
            timeout_ms: CALL_TIMEOUT_MS,
            ..DeleteTopicsRequest::default()
        };
        let answer = self.ask_controller(&request)?;
        let outcomes = answer.responses.into_iter().map(|topic| {
            let name = topic.name.as_deref().unwrap_or_default().to_owned();
            let outcome = Refusal::check(topic.error_code, topic.error_message.as_deref(), || {
                format!("delete topic {name}")
            });
            (name, outcome)
        });
        Ok(outcomes.collect())
    }

    /// Raises the number of a topic's partitions to `total`.
    pub(crate) fn create_partitions(&mut self, name: &str, total: i32, mode: Mode) -> anyhow::Result<()> {
        let topic = CreatePartitionsTopic { name: name.into(), count: total, assignments: None };
        let request = CreatePartitionsRequest {
            topics: vec![topic],
            timeout_ms: CALL_TIMEOUT_MS,
            validate_only: mode == Mode::Check,
        };
        let answer = self.ask_controller(&request)?;
        let result = answer.results.first().context("an answer without the topic")?;
        Refusal::check(result.error_code, result.error_message.as_deref(), || {
            format!("raise topic {name} to {total} partitions")
        })?;
        Ok(())
    }

    /// Changes single settings of a topic; no value takes the topic's own away.
    pub(crate) fn alter_configs(
        &mut self,
        name: &str,
        changes: &[(String, Option<String>)],
        mode: Mode,
    ) -> anyhow::Result<()> {
        let change = |(name, value): &(String, Option<String>)| AlterableConfig {
            name: name.into(),
            config_operation: if value.is_some() { OPERATION_SET } else { OPERATION_DELETE },
            value: value.as_ref().map(Into::into),
        };
        let resource = AlterConfigsResource {
            resource_type: RESOURCE_TOPIC,
            resource_name: name.into(),
            configs: changes.iter().map(change).collect(),
        };
        let request =
            IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: mode == Mode::Check };
        let answer = self.ask_controller(&request)?;
        for result in answer.responses {
            Refusal::check(result.error_code, result.error_message.as_deref(), || {
                format!("change settings of topic {name}")
            })?;
        }
        Ok(())
    }

    /// The settings of topics, by topic.
    pub(crate) fn configs(&mut self, names: &[&str]) -> anyhow::Result<BTreeMap<String, Vec<Setting>>> {
        let resource = |name: &&str| DescribeConfigsResource {
            resource_type: RESOURCE_TOPIC,
            resource_name: (*name).into(),
            configuration_keys: None,
        };
        let request = DescribeConfigsRequest {
            resources: names.iter().map(resource).collect(),
            ..DescribeConfigsRequest::default()
        };
        let mut found = BTreeMap::new();
        for result in self.ask(&request)?.results {
            Refusal::check(result.error_code, result.error_message.as_deref(), || {
                format!("ask for settings of topic {}", result.resource_name)
            })?;
            let settings = result.configs.iter().map(Setting::read).collect();
            found.insert(result.resource_name.to_string(), settings);
        }
        Ok(found)
    }

    /// Bytes on disk per topic and partition, as leaders and followers report them; none if the broker does not
    /// tell.
    pub(crate) fn sizes(&mut self, nodes: &[i32]) -> anyhow::Result<Option<Sizes>> {
        let mut sizes = Sizes::new();
        for node in nodes {
            let Ok(answer) = self.ask_node(*node, &DescribeLogDirsRequest { topics: None }) else {
                return Ok(None);
            };
            for dir in answer.results.into_iter().filter(|dir| dir.error_code == 0) {
                for topic in dir.topics {
                    for partition in topic.partitions.iter().filter(|partition| !partition.is_future_key) {
                        let key = (topic.name.to_string(), partition.partition_index, *node);
                        *sizes.entry(key).or_default() += partition.partition_size;
                    }
                }
            }
        }
        Ok(Some(sizes))
    }

    /// Drops a topic's records below an offset per partition (-1: below the end). Returns where each begins now.
    pub(crate) fn delete_records(
        &mut self,
        topic: &Topic,
        before: &BTreeMap<i32, i64>,
    ) -> anyhow::Result<BTreeMap<i32, i64>> {
        let mut by_leader: BTreeMap<i32, Vec<DeleteRecordsPartition>> = BTreeMap::new();
        for (index, offset) in before {
            let partition = topic.partition(*index)?;
            let wanted = DeleteRecordsPartition { partition_index: *index, offset: *offset };
            by_leader.entry(partition.leader).or_default().push(wanted);
        }
        let mut begins = BTreeMap::new();
        for (leader, partitions) in by_leader {
            let topics = vec![DeleteRecordsTopic { name: topic.name.as_str().into(), partitions }];
            let request = DeleteRecordsRequest { topics, timeout_ms: CALL_TIMEOUT_MS };
            let answer = self.ask_node(leader, &request)?;
            for partition in answer.topics.iter().flat_map(|topic| &topic.partitions) {
                Refusal::check(partition.error_code, None, || {
                    format!("delete records of {}-{}", topic.name, partition.partition_index)
                })?;
                begins.insert(partition.partition_index, partition.low_watermark);
            }
        }
        Ok(begins)
    }
}

/// Bytes by topic, partition and broker.
pub(crate) type Sizes = BTreeMap<(String, i32, i32), i64>;

impl Topic {
    /// One partition of it.
    ///
    /// # Errors
    /// When it has none of this number.
    pub(crate) fn partition(&self, index: i32) -> anyhow::Result<&super::cluster::Partition> {
        self.partitions.iter().find(|partition| partition.index == index).ok_or_else(|| {
            let last = self.partitions.len().saturating_sub(1);
            anyhow!("topic {} has no partition {index}; it has 0 to {last}", self.name)
        })
    }
}

impl Setting {
    fn read(told: &DescribeConfigsResourceResult) -> Self {
        Self {
            name: told.name.to_string(),
            value: told.value.as_deref().map(str::to_owned),
            source: match told.config_source {
                SOURCE_TOPIC => "topic",
                2..=4 => "broker",
                5 => "default",
                _ => "unknown",
            },
            own: told.config_source == SOURCE_TOPIC,
        }
    }
}

/// Whether a refusal says that the topic is there already.
pub(crate) fn exists_already(error: &anyhow::Error) -> bool {
    Refusal::code_of(error) == Some(ErrorCode::TopicAlreadyExists)
}

//! CreateTopics, key 19, versions 0 to 7.
//!
//! Creates topics durably, each on its own. A number of partitions of -1 means the configured default. Settings must be
//! ones that Kafka knows and of the right type.
//!
//! Not done: more than one replica, as there is one broker. An assignment by hand is taken as a number of partitions if
//! it names this broker alone.

use std::collections::{BTreeMap, HashSet};

use protocol::messages::create_topics::{CreatableTopic, CreatableTopicConfigs, CreatableTopicResult};
use protocol::messages::{CreateTopicsRequest, CreateTopicsResponse};
use protocol::{ErrorCode, StrBytes};
use tokio::task::spawn_blocking;
use topics::Topic;

use crate::context::Context;
use crate::{error_code, settings};

const REPLICATION_FACTOR: i16 = 1;
const FIRST_WITH_DEFAULTS: i16 = 4;

pub(crate) fn handle(
    context: &Context,
    request: CreateTopicsRequest,
) -> impl Future<Output = CreateTopicsResponse> + Send + use<> {
    let context = context.clone();
    let creating = spawn_blocking(move || {
        let repeated = repeated_names(&request.topics);
        let validate_only = request.validate_only;
        let create = |wanted: CreatableTopic| {
            let name = wanted.name.clone();
            let created = if repeated.contains(&name) {
                Err(Refused::new(ErrorCode::InvalidRequest, "the topic is named more than once"))
            } else {
                check(&context, wanted).and_then(|checked| checked.create(&context, validate_only))
            };
            created.unwrap_or_else(|refused| refused.result(name))
        };
        CreateTopicsResponse {
            topics: request.topics.into_iter().map(create).collect(),
            ..Default::default()
        }
    });
    async move { creating.await.expect("creating does not panic") }
}

fn repeated_names(topics: &[CreatableTopic]) -> HashSet<StrBytes> {
    let mut seen = HashSet::new();
    topics.iter().filter(|topic| !seen.insert(&topic.name)).map(|topic| topic.name.clone()).collect()
}

struct Refused {
    code: ErrorCode,
    message: String,
}

impl Refused {
    fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    fn result(self, name: StrBytes) -> CreatableTopicResult {
        CreatableTopicResult {
            name,
            error_code: self.code.code(),
            error_message: Some(StrBytes::from(self.message)),
            configs: Some(Vec::new()),
            ..Default::default()
        }
    }
}

/// A request that may be carried out.
struct Checked {
    name: StrBytes,
    partitions: u32,
    configs: BTreeMap<String, String>,
}

fn check(context: &Context, wanted: CreatableTopic) -> Result<Checked, Refused> {
    let by_hand = !wanted.assignments.is_empty();
    if by_hand && (wanted.num_partitions != -1 || wanted.replication_factor != -1) {
        return Err(Refused::new(ErrorCode::InvalidRequest, "an assignment leaves no numbers to be given"));
    }
    if !by_hand && wanted.replication_factor != REPLICATION_FACTOR && wanted.replication_factor != -1 {
        let message = "there is one broker, so the replication factor is 1";
        return Err(Refused::new(ErrorCode::InvalidReplicationFactor, message));
    }
    let partitions =
        if by_hand { assigned(context, &wanted)? } else { counted(context, wanted.num_partitions)? };
    let mut configs = BTreeMap::new();
    for config in wanted.configs {
        let Some(value) = config.value else { continue };
        topics::check_setting(&config.name, &value)
            .map_err(|error| Refused::new(ErrorCode::InvalidConfig, error.to_string()))?;
        configs.insert(config.name.to_string(), value.to_string());
    }
    Ok(Checked { name: wanted.name, partitions, configs })
}

fn counted(context: &Context, asked: i32) -> Result<u32, Refused> {
    if asked == -1 && context.api_version >= FIRST_WITH_DEFAULTS {
        return Ok(context.topics().config().default_partitions);
    }
    let count = u32::try_from(asked).ok().filter(|count| *count > 0);
    count.ok_or_else(|| Refused::new(ErrorCode::InvalidPartitions, "a topic has at least one partition"))
}

fn assigned(context: &Context, wanted: &CreatableTopic) -> Result<u32, Refused> {
    let refused = |message: &str| Refused::new(ErrorCode::InvalidReplicaAssignment, message);
    let indexes: HashSet<i32> = wanted.assignments.iter().map(|one| one.partition_index).collect();
    let count = i32::try_from(wanted.assignments.len()).map_err(|_| refused("too many partitions"))?;
    if !(0..count).all(|index| indexes.contains(&index)) {
        return Err(refused("partitions must be numbered from 0 without gaps"));
    }
    if wanted.assignments.iter().any(|one| one.broker_ids != [context.config().node_id]) {
        return Err(refused("there is one broker"));
    }
    Ok(u32::try_from(count).expect("it was counted"))
}

impl Checked {
    fn create(self, context: &Context, validate_only: bool) -> Result<CreatableTopicResult, Refused> {
        if validate_only && context.topics().topic(&self.name).is_some() {
            return Err(Refused::new(ErrorCode::TopicAlreadyExists, format!("topic {} exists", self.name)));
        }
        let configs = described(context, &self.configs);
        if validate_only {
            return Ok(result(self.name, self.partitions, None, configs));
        }
        let created = context.topics().create(&self.name, self.partitions, self.configs);
        let topic = created.map_err(|error| Refused::new(error_code::create(&error), error.to_string()))?;
        tracing::info!(topic = topic.name(), partitions = self.partitions, "topic created");
        Ok(result(self.name, self.partitions, Some(&topic), configs))
    }
}

fn result(
    name: StrBytes,
    partitions: u32,
    topic: Option<&Topic>,
    configs: Vec<CreatableTopicConfigs>,
) -> CreatableTopicResult {
    CreatableTopicResult {
        name,
        topic_id: topic.map(Topic::id).unwrap_or_default(),
        num_partitions: i32::try_from(partitions).unwrap_or(i32::MAX),
        replication_factor: REPLICATION_FACTOR,
        configs: Some(configs),
        ..Default::default()
    }
}

fn described(context: &Context, given: &BTreeMap<String, String>) -> Vec<CreatableTopicConfigs> {
    settings::of_topic(context, given)
        .into_iter()
        .map(|setting| CreatableTopicConfigs {
            name: setting.name.into(),
            value: Some(setting.value.into()),
            config_source: settings::source_code(setting.source),
            ..Default::default()
        })
        .collect()
}

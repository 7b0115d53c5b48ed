//! DescribeConfigs, key 32, versions 0 to 4.
//!
//! Settings of topics (resource type 2), of this broker (4) and of groups (32), under Kafka's names, with their values and
//! where they come from.
//!
//! Not done: other resources (loggers, metrics) are unknown; there is no documentation text. Settings are
//! read-only for the broker.

use groups::GroupSettings;
use protocol::messages::describe_configs::{
    DescribeConfigsResource, DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};
use protocol::{ErrorCode, StrBytes};

use crate::context::Context;
use crate::settings::{self, Setting, Source};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const GROUP: i8 = 32;

pub(crate) fn handle(
    context: &Context,
    request: DescribeConfigsRequest,
) -> impl Future<Output = DescribeConfigsResponse> + Send + use<> {
    let synonyms = request.include_synonyms;
    let of_groups = request.resources.iter().filter(|one| one.resource_type == GROUP);
    let group_ids: Vec<String> = of_groups.map(|one| one.resource_name.to_string()).collect();
    let asking = (!group_ids.is_empty()).then(|| context.coordinator().settings(group_ids));
    let context = context.clone();
    async move {
        let groups = match asking {
            Some(asking) => asking.await.unwrap_or_default(),
            None => Vec::new(),
        };
        let mut groups = groups.into_iter();
        let describe = |one: DescribeConfigsResource| {
            let group = if one.resource_type == GROUP { groups.next() } else { None };
            describe(&context, one, group, synonyms)
        };
        let results = request.resources.into_iter().map(describe).collect();
        DescribeConfigsResponse { results, ..Default::default() }
    }
}

fn describe(
    context: &Context,
    wanted: DescribeConfigsResource,
    group: Option<GroupSettings>,
    synonyms: bool,
) -> DescribeConfigsResult {
    let found = find(context, &wanted, group);
    let mut result = DescribeConfigsResult {
        resource_type: wanted.resource_type,
        resource_name: wanted.resource_name,
        ..Default::default()
    };
    let read_only = wanted.resource_type == BROKER;
    match found {
        Ok(found) => {
            let asked = |setting: &Setting| match &wanted.configuration_keys {
                Some(keys) if !keys.is_empty() => keys.iter().any(|key| *key == setting.name),
                _ => true,
            };
            let shown = found.into_iter().filter(asked).map(|setting| show(setting, read_only, synonyms));
            result.configs = shown.collect();
        }
        Err((error, message)) => {
            result.error_code = error.code();
            result.error_message = Some(message.into());
        }
    }
    result
}

fn find(
    context: &Context,
    wanted: &DescribeConfigsResource,
    group: Option<GroupSettings>,
) -> Result<Vec<Setting>, (ErrorCode, &'static str)> {
    let name: &str = &wanted.resource_name;
    match wanted.resource_type {
        TOPIC => {
            let topic = context.topics().topic(name);
            let topic = topic.ok_or((ErrorCode::UnknownTopicOrPartition, "no such topic"))?;
            Ok(settings::of_topic(context, topic.configs()))
        }
        BROKER if name == context.config().node_id.to_string() => Ok(settings::of_broker(context)),
        // The defaults of all brokers, of which none was changed while running.
        BROKER if name.is_empty() => Ok(Vec::new()),
        BROKER => Err((ErrorCode::InvalidRequest, "no such broker")),
        GROUP => {
            let group = group.ok_or((ErrorCode::CoordinatorNotAvailable, "the groups are not available"))?;
            Ok(settings::of_group(context, group))
        }
        _ => Err((ErrorCode::InvalidRequest, "resources of this type have no settings here")),
    }
}

fn show(setting: Setting, read_only: bool, synonyms: bool) -> DescribeConfigsResourceResult {
    let value = Some(StrBytes::from(setting.value));
    let synonym = DescribeConfigsSynonym {
        name: setting.name.into(),
        value: value.clone(),
        source: settings::source_code(setting.source),
    };
    DescribeConfigsResourceResult {
        name: setting.name.into(),
        value,
        read_only,
        is_default: setting.source == Source::Default,
        config_source: settings::source_code(setting.source),
        synonyms: if synonyms { vec![synonym] } else { Vec::new() },
        config_type: settings::kind_code(setting.kind),
        ..Default::default()
    }
}

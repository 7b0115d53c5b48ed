//! DescribeConfigs, key 32, versions 0 to 4.
//!
//! Settings of topics (resource type 2) and of this broker (4), under Kafka's names, with their values and where they
//! come from.
//!
//! Not done: other resources (loggers, groups, metrics) are unknown; there is no documentation text. Settings are
//! read-only for the broker.

use protocol::messages::describe_configs::{
    DescribeConfigsResource, DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};
use protocol::{ErrorCode, StrBytes};
use topics::SettingSource;

use crate::context::Context;
use crate::settings::{self, Setting};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;

pub(crate) fn handle(
    context: &Context,
    request: DescribeConfigsRequest,
) -> impl Future<Output = DescribeConfigsResponse> + Send + use<> {
    let synonyms = request.include_synonyms;
    let results = request.resources.into_iter().map(|one| describe(context, one, synonyms)).collect();
    std::future::ready(DescribeConfigsResponse { results, ..Default::default() })
}

fn describe(context: &Context, wanted: DescribeConfigsResource, synonyms: bool) -> DescribeConfigsResult {
    let found = find(context, &wanted);
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
        is_default: setting.source == SettingSource::Default,
        config_source: settings::source_code(setting.source),
        synonyms: if synonyms { vec![synonym] } else { Vec::new() },
        config_type: settings::kind_code(setting.kind),
        ..Default::default()
    }
}

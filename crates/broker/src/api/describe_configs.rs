//! DescribeConfigs, key 32, versions 0 to 4.
//!
//! Settings of topics (resource type 2), of this broker (4) and of groups (32), under Kafka's names, with their values and
//! where they come from.
//!
//! Not done: other resources (loggers, metrics) are unknown.

use groups::GroupSettings;
use protocol::messages::describe_configs::{
    DescribeConfigsResource, DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};
use protocol::{ErrorCode, StrBytes};

use crate::alteration::{BROKER, GROUP, TOPIC};
use crate::context::Context;
use crate::settings::{self, Setting, Source};

/// Which details a request wants.
#[derive(Clone, Copy)]
struct Details {
    synonyms: bool,
    documentation: bool,
}

pub(crate) fn handle(
    context: &Context,
    request: DescribeConfigsRequest,
) -> impl Future<Output = DescribeConfigsResponse> + Send + use<> {
    let details =
        Details { synonyms: request.include_synonyms, documentation: request.include_documentation };
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
            describe(&context, one, group, details)
        };
        let results = request.resources.into_iter().map(describe).collect();
        DescribeConfigsResponse { results, ..Default::default() }
    }
}

fn describe(
    context: &Context,
    wanted: DescribeConfigsResource,
    group: Option<GroupSettings>,
    details: Details,
) -> DescribeConfigsResult {
    let found = find(context, &wanted, group);
    let mut result = DescribeConfigsResult {
        resource_type: wanted.resource_type,
        resource_name: wanted.resource_name,
        ..Default::default()
    };
    match found {
        Ok(found) => {
            let asked = |setting: &Setting| match &wanted.configuration_keys {
                Some(keys) if !keys.is_empty() => keys.iter().any(|key| *key == setting.name),
                _ => true,
            };
            let shown = found
                .into_iter()
                .filter(asked)
                .map(|setting| show(setting, wanted.resource_type == BROKER, details));
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
        BROKER if name.is_empty() => Ok(settings::of_all_brokers(context)),
        BROKER => Err((ErrorCode::InvalidRequest, "no such broker")),
        GROUP => {
            let group = group.ok_or((ErrorCode::CoordinatorNotAvailable, "the groups are not available"))?;
            Ok(settings::of_group(context, group))
        }
        _ => Err((ErrorCode::InvalidRequest, "resources of this type have no settings here")),
    }
}

fn show(setting: Setting, of_broker: bool, details: Details) -> DescribeConfigsResourceResult {
    let documentation =
        setting.spec.filter(|_| details.documentation).map(|spec| StrBytes::from_static(spec.doc));
    let synonyms = if details.synonyms { synonyms(&setting) } else { Vec::new() };
    DescribeConfigsResourceResult {
        name: setting.name.into(),
        value: Some(StrBytes::from(setting.value)),
        read_only: of_broker && setting.spec.is_none(),
        is_default: setting.source == Source::Default,
        config_source: settings::source_code(setting.source),
        synonyms,
        config_type: settings::kind_code(setting.kind),
        documentation,
        ..Default::default()
    }
}

/// Where the value comes from, and what it would be without: the first that is there holds.
fn synonyms(setting: &Setting) -> Vec<DescribeConfigsSynonym> {
    let mut synonyms = vec![DescribeConfigsSynonym {
        name: setting.name.into(),
        value: Some(StrBytes::from(&setting.value)),
        source: settings::source_code(setting.source),
    }];
    if let Some(spec) = setting.spec.filter(|_| setting.source != Source::Default) {
        synonyms.push(DescribeConfigsSynonym {
            name: spec.broker_name.into(),
            value: Some(StrBytes::from_static(spec.default)),
            source: settings::source_code(Source::Default),
        });
    }
    synonyms
}

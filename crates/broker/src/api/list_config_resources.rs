//! ListConfigResources, key 74, versions 0 and 1.
//!
//! What has settings, as `DescribeConfigs` knows them: topics and this broker. There are no loggers. Version 0 asks for client metrics' subscriptions, of which there are none.

use protocol::messages::list_config_resources::ConfigResource;
use protocol::messages::{ListConfigResourcesRequest, ListConfigResourcesResponse};
use protocol::{ErrorCode, StrBytes};

use crate::alteration::{BROKER, GROUP, TOPIC};
use crate::context::Context;

const BROKER_LOGGER: i8 = 8;
const CLIENT_METRICS: i8 = 16;
const KNOWN: [i8; 5] = [TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP];

pub(crate) fn handle(
    context: &Context,
    request: ListConfigResourcesRequest,
) -> impl Future<Output = ListConfigResourcesResponse> + Send + use<> {
    let wanted = match (context.api_version, request.resource_types) {
        (0, _) => vec![CLIENT_METRICS],
        (_, types) if types.is_empty() => KNOWN.to_vec(),
        (_, types) => types,
    };
    let mut response = ListConfigResourcesResponse::default();
    if wanted.iter().any(|kind| !KNOWN.contains(kind)) {
        response.error_code = ErrorCode::UnsupportedVersion.code();
        return std::future::ready(response);
    }
    let named = |resource_name: StrBytes, resource_type: i8| ConfigResource { resource_name, resource_type };
    if wanted.contains(&TOPIC) {
        let topics = context.topics().list();
        response
            .config_resources
            .extend(topics.iter().map(|topic| named(StrBytes::from(topic.name()), TOPIC)));
    }
    if wanted.contains(&BROKER) {
        response.config_resources.push(named(StrBytes::from(context.config().node_id.to_string()), BROKER));
    }
    std::future::ready(response)
}

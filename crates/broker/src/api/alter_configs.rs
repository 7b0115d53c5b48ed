//! AlterConfigs, key 33, versions 0 to 2.
//!
//! Sets all settings of a topic or a group, or all broker-wide defaults, at once: what is not named goes back to its default.
//! `IncrementalAlterConfigs` came to replace it.

use std::collections::BTreeMap;

use protocol::messages::alter_configs::{AlterConfigsResource, AlterConfigsResourceResponse};
use protocol::messages::{AlterConfigsRequest, AlterConfigsResponse};
use tokio::task::spawn_blocking;

use crate::alteration::{Changes, Refused, Target};
use crate::context::Context;

pub(crate) fn handle(
    context: &Context,
    request: AlterConfigsRequest,
) -> impl Future<Output = AlterConfigsResponse> + Send + use<> {
    let context = context.clone();
    let altering = spawn_blocking(move || {
        let alter = |resource: AlterConfigsResource| {
            let (code, message) = Refused::split(alter(&context, &resource, request.validate_only));
            AlterConfigsResourceResponse {
                error_code: code,
                error_message: message,
                resource_type: resource.resource_type,
                resource_name: resource.resource_name,
            }
        };
        AlterConfigsResponse {
            responses: request.resources.into_iter().map(alter).collect(),
            ..Default::default()
        }
    });
    async move { altering.await.expect("altering does not panic") }
}

fn alter(context: &Context, resource: &AlterConfigsResource, validate_only: bool) -> Result<(), Refused> {
    let target = Target::find(context, resource.resource_type, &resource.resource_name)?;
    let mut changes: Changes = target.given(context).into_keys().map(|name| (name, None)).collect();
    let wanted: BTreeMap<String, Option<String>> = resource
        .configs
        .iter()
        .map(|config| (config.name.to_string(), config.value.as_ref().map(ToString::to_string)))
        .collect();
    changes.extend(wanted);
    target.apply(context, changes, validate_only)
}

//! IncrementalAlterConfigs, key 44, versions 0 and 1 (KIP-339).
//!
//! Sets, deletes, appends to and subtracts from settings of topics and groups, and broker-wide defaults, while
//! they are in force.

use std::collections::BTreeMap;

use protocol::ErrorCode;
use protocol::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterConfigsResourceResponse, AlterableConfig,
};
use protocol::messages::{IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse};
use tokio::task::spawn_blocking;
use topics::SettingKind;

use crate::alteration::{Changes, Refused, Target};
use crate::context::Context;

const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

pub(crate) fn handle(
    context: &Context,
    request: IncrementalAlterConfigsRequest,
) -> impl Future<Output = IncrementalAlterConfigsResponse> + Send + use<> {
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
        let responses = request.resources.into_iter().map(alter).collect();
        IncrementalAlterConfigsResponse { responses, ..Default::default() }
    });
    async move { altering.await.expect("altering does not panic") }
}

fn alter(context: &Context, resource: &AlterConfigsResource, validate_only: bool) -> Result<(), Refused> {
    let target = Target::find(context, resource.resource_type, &resource.resource_name)?;
    let mut changes = Changes::new();
    for config in &resource.configs {
        let value = changed(context, &target, config)?;
        if changes.insert(config.name.to_string(), value).is_some() {
            let message = format!("{} is named more than once", config.name);
            return Err(Refused::new(ErrorCode::InvalidRequest, message));
        }
    }
    target.apply(context, changes, validate_only)
}

/// What a setting becomes; nothing for its default.
fn changed(context: &Context, target: &Target, config: &AlterableConfig) -> Result<Option<String>, Refused> {
    let invalid = |message: String| Refused::new(ErrorCode::InvalidRequest, message);
    let name = &*config.name;
    if config.config_operation == DELETE {
        return Ok(None);
    }
    let value = config.value.as_deref().ok_or_else(|| invalid(format!("{name} was given no value")))?;
    match config.config_operation {
        SET => Ok(Some(value.to_owned())),
        APPEND | SUBTRACT if target.kind(name) != Some(SettingKind::List) => {
            Err(Refused::new(ErrorCode::InvalidConfig, format!("{name} is no list: set it instead")))
        }
        APPEND => Ok(Some(appended(&target.value(context, name), value))),
        SUBTRACT => Ok(Some(subtracted(&target.value(context, name), value))),
        other => Err(invalid(format!("there is no operation {other} on settings"))),
    }
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|word| !word.is_empty())
}

fn appended(present: &str, more: &str) -> String {
    let mut all: Vec<&str> = words(present).collect();
    for word in words(more) {
        if !all.contains(&word) {
            all.push(word);
        }
    }
    all.join(",")
}

fn subtracted(present: &str, less: &str) -> String {
    let less: BTreeMap<&str, ()> = words(less).map(|word| (word, ())).collect();
    words(present).filter(|word| !less.contains_key(word)).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_grow_and_shrink_by_words() {
        assert_eq!(appended("delete", "compact, delete"), "delete,compact");
        assert_eq!(appended("", "compact"), "compact");
        assert_eq!(subtracted("delete,compact", "delete"), "compact");
        assert_eq!(subtracted("delete", "shred"), "delete");
    }
}

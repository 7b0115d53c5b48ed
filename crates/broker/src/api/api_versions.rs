//! ApiVersions, key 18, versions 0 to 4.
//!
//! Lists what `dispatch` serves. A request in a later version is answered in version 0 with error 35 and the same
//! list; `dispatch` does that, as this handler never sees such a request.
//!
//! Of Kafka's features `group.version` is on at level 1 (KIP-848), and `transaction.version` at 2 (KIP-890): clients that
//! know it end their transactions with a new epoch each.

use protocol::messages::api_versions::{ApiVersion, FinalizedFeatureKey, SupportedFeatureKey};
use protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use protocol::{ErrorCode, StrBytes};

use crate::context::Context;
use crate::dispatch;

const FIRST_WITH_SOFTWARE: i16 = 3;
/// Features that change what clients do, with their levels.
const FEATURES: &[(&str, i16)] = &[("group.version", 1), ("transaction.version", 2)];
/// They never change while this program runs.
const FEATURES_EPOCH: i64 = 1;

pub(crate) fn handle(
    context: &Context,
    request: ApiVersionsRequest,
) -> impl Future<Output = ApiVersionsResponse> + Send + use<> {
    let ApiVersionsRequest { client_software_name: name, client_software_version: version } = request;
    let named = context.api_version < FIRST_WITH_SOFTWARE || (is_name(&name) && is_name(&version));
    let error = if named { ErrorCode::None } else { ErrorCode::InvalidRequest };
    let api_keys = if named { served() } else { Vec::new() };
    std::future::ready(ApiVersionsResponse {
        error_code: error.code(),
        api_keys,
        supported_features: FEATURES.iter().map(supported).collect(),
        finalized_features_epoch: FEATURES_EPOCH,
        finalized_features: FEATURES.iter().map(finalized).collect(),
        ..Default::default()
    })
}

fn supported((name, level): &(&'static str, i16)) -> SupportedFeatureKey {
    SupportedFeatureKey { name: StrBytes::from_static(name), min_version: 0, max_version: *level }
}

fn finalized((name, level): &(&'static str, i16)) -> FinalizedFeatureKey {
    FinalizedFeatureKey {
        name: StrBytes::from_static(name),
        max_version_level: *level,
        min_version_level: *level,
    }
}

/// Every API with its versions, by key.
pub(crate) fn served() -> Vec<ApiVersion> {
    let mut keys: Vec<ApiVersion> = dispatch::routes()
        .map(|route| ApiVersion {
            api_key: route.api.code(),
            min_version: *route.versions.start(),
            max_version: *route.versions.end(),
        })
        .collect();
    keys.sort_by_key(|key| key.api_key);
    keys
}

/// KIP-511: letters, digits, `-` and `.`, not at the ends.
fn is_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let end = |c: char| c.is_ascii_alphanumeric();
    name.chars().all(inner) && name.starts_with(end) && name.ends_with(end)
}

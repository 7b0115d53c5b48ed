//! ApiVersions, key 18, versions 0 to 4.
//!
//! Lists what `dispatch` serves. A request in a later version is answered in version 0 with error 35 and the same
//! list; `dispatch` does that, as this handler never sees such a request.
//!
//! Not done: no features are advertised, so clients use neither the new consumer protocol nor transactions 2.

use protocol::ErrorCode;
use protocol::messages::{ApiVersionsRequest, ApiVersionsResponse, api_versions::ApiVersion};

use crate::context::Context;
use crate::dispatch;

const FIRST_WITH_SOFTWARE: i16 = 3;

pub(crate) fn handle(
    context: &Context,
    request: ApiVersionsRequest,
) -> impl Future<Output = ApiVersionsResponse> + Send + use<> {
    let ApiVersionsRequest { client_software_name: name, client_software_version: version } = request;
    let named = context.api_version < FIRST_WITH_SOFTWARE || (is_name(&name) && is_name(&version));
    let error = if named { ErrorCode::None } else { ErrorCode::InvalidRequest };
    let api_keys = if named { served() } else { Vec::new() };
    std::future::ready(ApiVersionsResponse { error_code: error.code(), api_keys, ..Default::default() })
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

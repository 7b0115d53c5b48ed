//! CreateAcls, key 30, versions 0 to 3: security is not there yet, and says so.

use protocol::messages::create_acls::AclCreationResult;
use protocol::messages::{CreateAclsRequest, CreateAclsResponse};
use protocol::{ErrorCode, StrBytes};

use crate::context::Context;

#[expect(clippy::needless_pass_by_value, reason = "every handler has the same shape")]
pub(crate) fn handle(
    _: &Context,
    request: CreateAclsRequest,
) -> impl Future<Output = CreateAclsResponse> + Send + use<> {
    let refused = AclCreationResult {
        error_code: ErrorCode::SecurityDisabled.code(),
        error_message: Some(StrBytes::from_static(super::NO_ACLS)),
    };
    let results = vec![refused; request.creations.len()];
    std::future::ready(CreateAclsResponse { results, ..Default::default() })
}

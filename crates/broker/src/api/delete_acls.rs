//! DeleteAcls, key 31, versions 0 to 3: security is not there yet, and says so.

use protocol::messages::delete_acls::DeleteAclsFilterResult;
use protocol::messages::{DeleteAclsRequest, DeleteAclsResponse};
use protocol::{ErrorCode, StrBytes};

use crate::context::Context;

#[expect(clippy::needless_pass_by_value, reason = "every handler has the same shape")]
pub(crate) fn handle(
    _: &Context,
    request: DeleteAclsRequest,
) -> impl Future<Output = DeleteAclsResponse> + Send + use<> {
    let refused = DeleteAclsFilterResult {
        error_code: ErrorCode::SecurityDisabled.code(),
        error_message: Some(StrBytes::from_static(super::NO_ACLS)),
        ..Default::default()
    };
    let filter_results = vec![refused; request.filters.len()];
    std::future::ready(DeleteAclsResponse { filter_results, ..Default::default() })
}

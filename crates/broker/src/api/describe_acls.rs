//! DescribeAcls, key 29, versions 0 to 3: security is not there yet, and says so.

use protocol::messages::{DescribeAclsRequest, DescribeAclsResponse};
use protocol::{ErrorCode, StrBytes};

use crate::context::Context;

pub(crate) fn handle(
    _: &Context,
    _: DescribeAclsRequest,
) -> impl Future<Output = DescribeAclsResponse> + Send + use<> {
    std::future::ready(DescribeAclsResponse {
        error_code: ErrorCode::SecurityDisabled.code(),
        error_message: Some(StrBytes::from_static(super::NO_ACLS)),
        ..Default::default()
    })
}

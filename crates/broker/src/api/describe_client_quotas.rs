//! DescribeClientQuotas, key 48, versions 0 and 1: there are no quotas yet.

use protocol::messages::{DescribeClientQuotasRequest, DescribeClientQuotasResponse};

use crate::context::Context;

pub(crate) fn handle(
    _: &Context,
    _: DescribeClientQuotasRequest,
) -> impl Future<Output = DescribeClientQuotasResponse> + Send + use<> {
    std::future::ready(DescribeClientQuotasResponse { entries: Some(Vec::new()), ..Default::default() })
}

//! AlterClientQuotas, key 49, versions 0 and 1.
//!
//! Refused: a quota that is accepted and not enforced would be a lie.

use protocol::messages::alter_client_quotas::{EntryData, EntryResult};
use protocol::messages::{AlterClientQuotasRequest, AlterClientQuotasResponse};
use protocol::{ErrorCode, StrBytes};

use crate::context::Context;

pub(crate) fn handle(
    _: &Context,
    request: AlterClientQuotasRequest,
) -> impl Future<Output = AlterClientQuotasResponse> + Send + use<> {
    let refuse = |entry: EntryData| EntryResult {
        error_code: ErrorCode::InvalidRequest.code(),
        error_message: Some(StrBytes::from_static("this broker does not enforce quotas yet")),
        entity: entry.entity,
    };
    let entries = request.entries.into_iter().map(refuse).collect();
    std::future::ready(AlterClientQuotasResponse { entries, ..Default::default() })
}

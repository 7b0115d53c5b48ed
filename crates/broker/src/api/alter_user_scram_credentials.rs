//! AlterUserScramCredentials, key 51, version 0.
//!
//! Refused: there is no SASL yet that would ask for them.

use std::collections::BTreeSet;

use protocol::messages::alter_user_scram_credentials::AlterUserScramCredentialsResult;
use protocol::messages::{AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse};
use protocol::{ErrorCode, StrBytes};

use crate::context::Context;

#[expect(clippy::needless_pass_by_value, reason = "every handler has the same shape")]
pub(crate) fn handle(
    _: &Context,
    request: AlterUserScramCredentialsRequest,
) -> impl Future<Output = AlterUserScramCredentialsResponse> + Send + use<> {
    let deleted = request.deletions.iter().map(|one| one.name.clone());
    let upserted = request.upsertions.iter().map(|one| one.name.clone());
    let users: BTreeSet<StrBytes> = deleted.chain(upserted).collect();
    let refuse = |user| AlterUserScramCredentialsResult {
        user,
        error_code: ErrorCode::UnsupportedSaslMechanism.code(),
        error_message: Some(StrBytes::from_static("this broker has no SASL yet")),
    };
    let results = users.into_iter().map(refuse).collect();
    std::future::ready(AlterUserScramCredentialsResponse { results, ..Default::default() })
}

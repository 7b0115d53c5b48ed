//! DescribeUserScramCredentials, key 50, version 0: nobody has any.

use protocol::messages::describe_user_scram_credentials::DescribeUserScramCredentialsResult;
use protocol::messages::{DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse};
use protocol::{ErrorCode, StrBytes};

use crate::context::Context;

pub(crate) fn handle(
    _: &Context,
    request: DescribeUserScramCredentialsRequest,
) -> impl Future<Output = DescribeUserScramCredentialsResponse> + Send + use<> {
    let unknown = |user: StrBytes| DescribeUserScramCredentialsResult {
        user,
        error_code: ErrorCode::ResourceNotFound.code(),
        error_message: Some(StrBytes::from_static("the user has no SCRAM credentials")),
        ..Default::default()
    };
    let users = request.users.unwrap_or_default();
    let results = users.into_iter().map(|user| unknown(user.name)).collect();
    std::future::ready(DescribeUserScramCredentialsResponse { results, ..Default::default() })
}

//! DeleteGroups, key 42, versions 0 to 2.
//!
//! Forgets groups without members, with all they have committed.

use protocol::messages::delete_groups::DeletableGroupResult;
use protocol::messages::{DeleteGroupsRequest, DeleteGroupsResponse};
use protocol::{ErrorCode, StrBytes};

use crate::context::Context;
use crate::error_code;

pub(crate) fn handle(
    context: &Context,
    request: DeleteGroupsRequest,
) -> impl Future<Output = DeleteGroupsResponse> + Send + use<> {
    let group_ids = request.groups_names.iter().map(ToString::to_string).collect();
    let deleting = context.coordinator().delete(group_ids);
    async move {
        let deleted = deleting.await;
        let result = |(position, group_id): (usize, StrBytes)| {
            let error = match &deleted {
                Ok(outcomes) => outcomes[position].err().map_or(ErrorCode::None, error_code::group),
                Err(_) => ErrorCode::CoordinatorNotAvailable,
            };
            DeletableGroupResult { group_id, error_code: error.code() }
        };
        let results = request.groups_names.into_iter().enumerate().map(result).collect();
        DeleteGroupsResponse { results, ..Default::default() }
    }
}

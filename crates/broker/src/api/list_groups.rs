//! ListGroups, key 16, versions 0 to 5.
//!
//! All groups; from version 4 filtered by state, from 5 by type, `classic` or `consumer`.

use groups::Listing;
use protocol::messages::list_groups::ListedGroup;
use protocol::messages::{ListGroupsRequest, ListGroupsResponse};
use protocol::{ErrorCode, StrBytes};

use crate::context::Context;

pub(crate) fn handle(
    context: &Context,
    request: ListGroupsRequest,
) -> impl Future<Output = ListGroupsResponse> + Send + use<> {
    let listing = context.coordinator().list();
    async move {
        let Ok(listed) = listing.await else {
            let error_code = ErrorCode::CoordinatorNotAvailable.code();
            return ListGroupsResponse { error_code, ..Default::default() };
        };
        let wanted = |one: &Listing| {
            named(&request.states_filter, one.state) && named(&request.types_filter, one.group_type.name())
        };
        let groups = listed.into_iter().filter(wanted).map(|one| ListedGroup {
            group_id: one.group_id.into(),
            protocol_type: one.protocol_type.into(),
            group_state: StrBytes::from_static(one.state),
            group_type: StrBytes::from_static(one.group_type.name()),
        });
        ListGroupsResponse { groups: groups.collect(), ..Default::default() }
    }
}

/// An empty filter lets everything pass.
fn named(filter: &[StrBytes], name: &str) -> bool {
    filter.is_empty() || filter.iter().any(|one| one.eq_ignore_ascii_case(name))
}

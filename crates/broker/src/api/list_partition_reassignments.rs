//! ListPartitionReassignments, key 46, version 0: no partition is ever on the move.

use protocol::messages::{ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse};

use crate::context::Context;

pub(crate) fn handle(
    _: &Context,
    _: ListPartitionReassignmentsRequest,
) -> impl Future<Output = ListPartitionReassignmentsResponse> + Send + use<> {
    std::future::ready(ListPartitionReassignmentsResponse::default())
}

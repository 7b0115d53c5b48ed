//! FindCoordinator, key 10, versions 0 to 6.
//!
//! This broker coordinates every group and every transaction. Share groups (key type 2) do not exist here.
//!
//! From version 4 several keys are asked for at once.

use protocol::messages::find_coordinator::Coordinator;
use protocol::messages::{FindCoordinatorRequest, FindCoordinatorResponse};
use protocol::{ErrorCode, StrBytes};

use crate::context::Context;

const FIRST_WITH_SEVERAL: i16 = 4;
const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;

pub(crate) fn handle(
    context: &Context,
    request: FindCoordinatorRequest,
) -> impl Future<Output = FindCoordinatorResponse> + Send + use<> {
    let find = |key: StrBytes| find(context, key, request.key_type);
    let response = if context.api_version >= FIRST_WITH_SEVERAL {
        let coordinators = request.coordinator_keys.into_iter().map(find).collect();
        FindCoordinatorResponse { coordinators, ..Default::default() }
    } else {
        let found = find(request.key);
        FindCoordinatorResponse {
            error_code: found.error_code,
            error_message: found.error_message,
            node_id: found.node_id,
            host: found.host,
            port: found.port,
            ..Default::default()
        }
    };
    std::future::ready(response)
}

fn find(context: &Context, key: StrBytes, key_type: i8) -> Coordinator {
    let error = match key_type {
        GROUP if key.is_empty() => ErrorCode::InvalidGroupId,
        GROUP | TRANSACTION => ErrorCode::None,
        _ => ErrorCode::InvalidRequest,
    };
    if error != ErrorCode::None {
        return Coordinator {
            key,
            error_code: error.code(),
            node_id: -1,
            port: -1,
            error_message: Some(StrBytes::from_static("there is no coordinator for such a key")),
            ..Default::default()
        };
    }
    let (host, port) = context.advertised();
    Coordinator { key, node_id: context.config().node_id, host, port, ..Default::default() }
}

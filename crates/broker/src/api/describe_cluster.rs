//! DescribeCluster, key 60, versions 0 to 2.
//!
//! Names this broker as the whole cluster. Controllers of their own (endpoint type 2) do not exist.

use protocol::messages::describe_cluster::DescribeClusterBroker;
use protocol::messages::{DescribeClusterRequest, DescribeClusterResponse};
use protocol::{ErrorCode, StrBytes};

use super::operations;
use crate::context::Context;

const BROKERS: i8 = 1;

#[expect(clippy::needless_pass_by_value, reason = "every handler has the same shape")]
pub(crate) fn handle(
    context: &Context,
    request: DescribeClusterRequest,
) -> impl Future<Output = DescribeClusterResponse> + Send + use<> {
    let (host, port) = context.advertised();
    let broker_id = context.config().node_id;
    let mut response = DescribeClusterResponse {
        cluster_id: StrBytes::from(&context.shared.cluster_id),
        controller_id: broker_id,
        brokers: vec![DescribeClusterBroker { broker_id, host, port, ..Default::default() }],
        ..Default::default()
    };
    async move {
        response.endpoint_type = request.endpoint_type;
        if request.endpoint_type != BROKERS {
            response.error_code = ErrorCode::MismatchedEndpointType.code();
            response.error_message = Some(StrBytes::from_static("this is a broker's endpoint"));
            response.brokers.clear();
        }
        if request.include_cluster_authorized_operations {
            response.cluster_authorized_operations = operations::CLUSTER;
        }
        response
    }
}

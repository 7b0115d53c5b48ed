//! The brokers of a cluster.

use crate::StrBytes;

messages! {
    /// Asks for the brokers.
    request DescribeClusterRequest (DescribeCluster, 0..=2, flexible 0) {
        /// Whether to say what the client may do with the cluster.
        include_cluster_authorized_operations: bool = 0..;
        /// 1 for brokers, 2 for controllers.
        endpoint_type: i8 = 1.., default 1;
        /// Whether to name brokers that are fenced, too.
        include_fenced_brokers: bool = 2..;
    }

    /// The brokers.
    response DescribeClusterResponse (DescribeCluster, 0..=2, flexible 0) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// Why there is no answer.
        error_code: i16 = 0..;
        /// Why there is no answer, in words.
        error_message: Option<StrBytes> = 0.., nullable 0..;
        /// 1 for brokers, 2 for controllers.
        endpoint_type: i8 = 1.., default 1;
        /// The cluster's id.
        cluster_id: StrBytes = 0..;
        /// The broker that creates and deletes topics, -1 if unknown.
        controller_id: i32 = 0.., default -1;
        /// The brokers.
        brokers: Vec<DescribeClusterBroker> = 0..;
        /// What the client may do with the cluster, one bit per operation.
        cluster_authorized_operations: i32 = 0.., default i32::MIN;
    }

    /// A broker.
    part DescribeClusterBroker {
        /// Its id.
        broker_id: i32 = 0..;
        /// The host that clients connect to.
        host: StrBytes = 0..;
        /// The port that clients connect to.
        port: i32 = 0..;
        /// Where it stands, if that was said.
        rack: Option<StrBytes> = 0.., nullable 0..;
        /// Whether it is fenced.
        is_fenced: bool = 2..;
    }
}

//! What has settings. Version 0 was called `ListClientMetricsResources` and knows those alone.

use crate::StrBytes;

messages! {
    /// Asks for things that have settings.
    request ListConfigResourcesRequest (ListConfigResources, 0..=1, flexible 0) {
        /// Their kinds, as in `DescribeConfigs`; empty means all.
        resource_types: Vec<i8> = 1..;
    }

    /// The things.
    response ListConfigResourcesResponse (ListConfigResources, 0..=1, flexible 0) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// Why there is no answer.
        error_code: i16 = 0..;
        /// The things.
        config_resources: Vec<ConfigResource> = 0..;
    }

    /// A thing that has settings.
    part ConfigResource {
        /// The topic's name, the broker's id, or whatever the thing is called.
        resource_name: StrBytes = 0..;
        /// 2 for a topic, 4 for a broker, 8 for a broker's loggers, 16 for client metrics, 32 for a
        /// group.
        resource_type: i8 = 1.., default 16;
    }
}

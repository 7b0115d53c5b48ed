//! Changes single settings of topics or brokers.

use crate::StrBytes;

messages! {
    /// Settings to change.
    request IncrementalAlterConfigsRequest (IncrementalAlterConfigs, 0..=1, flexible 1) {
        /// The things to set.
        resources: Vec<AlterConfigsResource> = 0..;
        /// Whether to check only, and change nothing.
        validate_only: bool = 0..;
    }

    /// Changes to one thing; what is not named stays.
    part AlterConfigsResource {
        /// 2 for a topic, 4 for a broker, 8 for a broker's loggers, 16 for client metrics, 32 for a
        /// group.
        resource_type: i8 = 0..;
        /// The topic's name, the broker's id, or whatever the thing is called.
        resource_name: StrBytes = 0..;
        /// The changes.
        configs: Vec<AlterableConfig> = 0..;
    }

    /// A change to one setting.
    part AlterableConfig {
        /// Its name.
        name: StrBytes = 0..;
        /// 0 to set, 1 to fall back to the default, 2 to append to a list, 3 to take out of a list.
        config_operation: i8 = 0..;
        /// The value; absent if it falls back to the default.
        value: Option<StrBytes> = 0.., nullable 0..;
    }

    /// What became of the changes.
    response IncrementalAlterConfigsResponse (IncrementalAlterConfigs, 0..=1, flexible 1) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// The things that were set.
        responses: Vec<AlterConfigsResourceResponse> = 0..;
    }

    /// What became of the changes to one thing.
    part AlterConfigsResourceResponse {
        /// Why nothing was changed.
        error_code: i16 = 0..;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 0.., nullable 0..;
        /// 2 for a topic, 4 for a broker, 8 for a broker's loggers, 16 for client metrics, 32 for a
        /// group.
        resource_type: i8 = 0..;
        /// The topic's name, the broker's id, or whatever the thing is called.
        resource_name: StrBytes = 0..;
    }
}

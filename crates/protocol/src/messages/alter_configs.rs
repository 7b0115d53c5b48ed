//! Replaces all settings of topics or brokers.

use crate::StrBytes;

messages! {
    /// Settings to replace.
    request AlterConfigsRequest (AlterConfigs, 0..=2, flexible 2) {
        /// The things to set.
        resources: Vec<AlterConfigsResource> = 0..;
        /// Whether to check only, and change nothing.
        validate_only: bool = 0..;
    }

    /// All settings of one thing; what is not named falls back to its default.
    part AlterConfigsResource {
        /// 2 for a topic, 4 for a broker, 8 for a broker's loggers, 16 for client metrics, 32 for a
        /// group.
        resource_type: i8 = 0..;
        /// The topic's name, the broker's id, or whatever the thing is called.
        resource_name: StrBytes = 0..;
        /// The settings.
        configs: Vec<AlterableConfig> = 0..;
    }

    /// A setting.
    part AlterableConfig {
        /// Its name.
        name: StrBytes = 0..;
        /// Its value; absent for the default.
        value: Option<StrBytes> = 0.., nullable 0..;
    }

    /// What became of the settings.
    response AlterConfigsResponse (AlterConfigs, 0..=2, flexible 2) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// The things that were set.
        responses: Vec<AlterConfigsResourceResponse> = 0..;
    }

    /// What became of the settings of one thing.
    part AlterConfigsResourceResponse {
        /// Why nothing was set.
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

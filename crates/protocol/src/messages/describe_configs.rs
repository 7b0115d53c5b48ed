//! The settings of topics and brokers.

use crate::StrBytes;

messages! {
    /// Asks for settings.
    request DescribeConfigsRequest (DescribeConfigs, 0..=4, flexible 4) {
        /// What to describe.
        resources: Vec<DescribeConfigsResource> = 0..;
        /// Whether to tell every place a value could have come from.
        include_synonyms: bool = 1..;
        /// Whether to explain the settings.
        include_documentation: bool = 3..;
    }

    /// What to describe.
    part DescribeConfigsResource {
        /// 2 for a topic, 4 for a broker, 8 for a broker's loggers.
        resource_type: i8 = 0..;
        /// The topic's name or the broker's id.
        resource_name: StrBytes = 0..;
        /// The settings; absent means all.
        configuration_keys: Option<Vec<StrBytes>> = 0.., nullable 0..;
    }

    /// The settings.
    response DescribeConfigsResponse (DescribeConfigs, 0..=4, flexible 4) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// What was described.
        results: Vec<DescribeConfigsResult> = 0..;
    }

    /// The settings of one thing.
    part DescribeConfigsResult {
        /// Why it cannot be described.
        error_code: i16 = 0..;
        /// Why it cannot be described, in words.
        error_message: Option<StrBytes> = 0.., nullable 0..;
        /// 2 for a topic, 4 for a broker, 8 for a broker's loggers.
        resource_type: i8 = 0..;
        /// The topic's name or the broker's id.
        resource_name: StrBytes = 0..;
        /// The settings.
        configs: Vec<DescribeConfigsResourceResult> = 0..;
    }

    /// One setting.
    part DescribeConfigsResourceResult {
        /// Its name.
        name: StrBytes = 0..;
        /// Its value.
        value: Option<StrBytes> = 0.., nullable 0..;
        /// Whether it cannot be changed.
        read_only: bool = 0..;
        /// Whether nobody has set it.
        is_default: bool = 0..=0;
        /// Where the value comes from: 1 topic, 4 configuration file, 5 default ...
        config_source: i8 = 1.., default -1;
        /// Whether the value is a secret, and therefore absent.
        is_sensitive: bool = 0..;
        /// Every place the value could have come from, the one in force first.
        synonyms: Vec<DescribeConfigsSynonym> = 1..;
        /// The value's type: 1 boolean, 2 string, 3 int, 5 long, 7 list ...
        config_type: i8 = 3..;
        /// What it is for.
        documentation: Option<StrBytes> = 3.., nullable 0..;
    }

    /// A place a value could have come from.
    part DescribeConfigsSynonym {
        /// The setting's name there.
        name: StrBytes = 1..;
        /// Its value there.
        value: Option<StrBytes> = 1.., nullable 0..;
        /// The place.
        source: i8 = 1..;
    }
}

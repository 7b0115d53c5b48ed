//! Which APIs and versions a broker serves; the first question of every client.

use crate::StrBytes;

messages! {
    /// Asks what the broker serves.
    request ApiVersionsRequest (ApiVersions, 0..=4, flexible 3) {
        /// What the client's library calls itself.
        client_software_name: StrBytes = 3..;
        /// The library's version.
        client_software_version: StrBytes = 3..;
    }

    /// What the broker serves.
    response ApiVersionsResponse (ApiVersions, 0..=4, flexible 3) {
        /// `UNSUPPORTED_VERSION` if the request's version was too new; the answer then has version 0.
        error_code: i16 = 0..;
        /// The APIs, each with its versions.
        api_keys: Vec<ApiVersion> = 0..;
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 1..;
        /// Features of the whole cluster that this broker could take part in.
        supported_features: Vec<SupportedFeatureKey> = 3.., tag 0;
        /// When the finalized features last changed, -1 if unknown.
        finalized_features_epoch: i64 = 3.., tag 1, default -1;
        /// Features of the whole cluster that are switched on.
        finalized_features: Vec<FinalizedFeatureKey> = 3.., tag 2;
        /// Whether a cluster with ZooKeeper is ready to leave it.
        zk_migration_ready: bool = 3.., tag 3;
    }

    /// The versions of one API.
    part ApiVersion {
        /// The API's number.
        api_key: i16 = 0..;
        /// The oldest version.
        min_version: i16 = 0..;
        /// The newest version.
        max_version: i16 = 0..;
    }

    /// The levels of a feature that a broker could take part in.
    part SupportedFeatureKey {
        /// The feature.
        name: StrBytes = 3..;
        /// Its lowest level.
        min_version: i16 = 3..;
        /// Its highest level.
        max_version: i16 = 3..;
    }

    /// The level of a feature that is switched on.
    part FinalizedFeatureKey {
        /// The feature.
        name: StrBytes = 3..;
        /// The highest level in use.
        max_version_level: i16 = 3..;
        /// The lowest level in use.
        min_version_level: i16 = 3..;
    }
}

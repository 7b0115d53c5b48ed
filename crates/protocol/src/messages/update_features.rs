//! Switches features of the whole cluster.

use crate::StrBytes;

messages! {
    /// Features to switch.
    request UpdateFeaturesRequest (UpdateFeatures, 0..=2, flexible 0) {
        /// How long the broker may take.
        timeout_ms: i32 = 0.., default 60_000;
        /// The features.
        feature_updates: Vec<FeatureUpdateKey> = 0..;
        /// Whether to check only, and change nothing.
        validate_only: bool = 1..;
    }

    /// A feature.
    part FeatureUpdateKey {
        /// Its name.
        feature: StrBytes = 0..;
        /// The level it is to have; below 1 to switch it off.
        max_version_level: i16 = 0..;
        /// 1 for up only, 2 for down where nothing is lost, 3 for down in any case.
        upgrade_type: i8 = 1.., default 1;
        /// Whether the level may go down.
        allow_downgrade: bool = 0..=0;
    }

    /// What became of the features.
    response UpdateFeaturesResponse (UpdateFeatures, 0..=2, flexible 0) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// Why none was switched.
        error_code: i16 = 0..;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 0.., nullable 0..;
        /// The features.
        results: Vec<UpdatableFeatureResult> = 0..=1;
    }

    /// What became of one feature.
    part UpdatableFeatureResult {
        /// Its name.
        feature: StrBytes = 0..=1;
        /// Why it was not switched.
        error_code: i16 = 0..=1;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 0..=1, nullable 0..=1;
    }
}

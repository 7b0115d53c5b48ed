//! UpdateFeatures, key 57, versions 0 to 2.
//!
//! The features are those of the program; none can be raised or lowered.

use protocol::messages::update_features::{FeatureUpdateKey, UpdatableFeatureResult};
use protocol::messages::{UpdateFeaturesRequest, UpdateFeaturesResponse};
use protocol::{ErrorCode, StrBytes};

use crate::context::Context;

const MESSAGE: &str = "features come with the program and cannot be changed";
/// From here on a refusal is told once for all.
const FIRST_WITHOUT_RESULTS: i16 = 2;

pub(crate) fn handle(
    context: &Context,
    request: UpdateFeaturesRequest,
) -> impl Future<Output = UpdateFeaturesResponse> + Send + use<> {
    let code = ErrorCode::FeatureUpdateFailed.code();
    let refuse = |update: FeatureUpdateKey| UpdatableFeatureResult {
        feature: update.feature,
        error_code: code,
        error_message: Some(StrBytes::from_static(MESSAGE)),
    };
    let mut response = UpdateFeaturesResponse::default();
    if context.api_version >= FIRST_WITHOUT_RESULTS && !request.feature_updates.is_empty() {
        response.error_code = code;
        response.error_message = Some(StrBytes::from_static(MESSAGE));
    } else {
        response.results = request.feature_updates.into_iter().map(refuse).collect();
    }
    std::future::ready(response)
}

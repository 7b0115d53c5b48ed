//! Many Hoeffding trees that learn the same stream, each a little differently, and vote.

mod member;

pub mod adaptive_boosting;
pub mod bagging;
pub mod boosting;
pub mod forest;
pub mod forest_regressor;

pub use adaptive_boosting::{AdwinBoosting, Bole};
pub use bagging::{AdwinBagging, LeveragingBagging, OnlineBagging};
pub use boosting::OnlineBoosting;
pub use forest::{AdaptiveRandomForest, StreamingRandomPatches};
pub use forest_regressor::AdaptiveRandomForestRegressor;

use crate::registry::{Algorithm, algorithm};
use crate::schema::Label;

/// Ensembles of trees.
pub(crate) const ALGORITHMS: &[Algorithm] = &[
    algorithm!("online_bagging", Classify, Some(Label::Class), OnlineBagging),
    algorithm!("adwin_bagging", Classify, Some(Label::Class), AdwinBagging),
    algorithm!("leveraging_bagging", Classify, Some(Label::Class), LeveragingBagging),
    algorithm!(boosting::NAME, Classify, Some(Label::Class), OnlineBoosting),
    algorithm!("adwin_boosting", Classify, Some(Label::Class), AdwinBoosting),
    algorithm!("bole", Classify, Some(Label::Class), Bole),
    algorithm!("adaptive_random_forest", Classify, Some(Label::Class), AdaptiveRandomForest),
    algorithm!("srp", Classify, Some(Label::Class), StreamingRandomPatches),
    algorithm!(
        "adaptive_random_forest_regressor",
        Regress,
        Some(Label::Number),
        AdaptiveRandomForestRegressor
    ),
];

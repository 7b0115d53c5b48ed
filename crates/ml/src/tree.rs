//! Decision trees that grow with the stream: a leaf splits as soon as it has seen enough to be nearly sure which
//! column splits it best.

mod adaptive;
mod bins;
mod compact;
mod drawing;
mod growth;
mod labelled;
mod leaf;
mod moments;
mod number_leaf;
mod numbered;
mod split;
mod stats;
mod structure;
mod view;

pub mod extremely_fast;
pub mod hoeffding;
pub mod hoeffding_adaptive;
pub mod regressor;

pub use extremely_fast::ExtremelyFastDecisionTree;
pub(crate) use growth::{Growth, TREE_OPTIONS};
pub use hoeffding::HoeffdingTree;
pub use hoeffding_adaptive::HoeffdingAdaptiveTree;
pub use regressor::{HoeffdingAdaptiveTreeRegressor, HoeffdingTreeRegressor};

pub use labelled::{Labelled, Method};
pub(crate) use labelled::{Scratch, WEIGHT_MAX};
pub(crate) use moments::Moments;
pub(crate) use number_leaf::NumberLeaf;
pub use numbered::{Estimate, Numbered};
pub(crate) use regressor::NUMBER_OPTIONS;
pub(crate) use stats::Stats;
pub(crate) use structure::Tree;
pub use structure::{Example, Scale};
pub(crate) use view::View;
pub use view::{Estimator, Voter};

use crate::registry::{Algorithm, algorithm};
use crate::schema::Label;

/// Trees that grow by Hoeffding's bound.
pub(crate) const ALGORITHMS: &[Algorithm] = &[
    algorithm!(hoeffding::NAME, Classify, Some(Label::Class), HoeffdingTree),
    algorithm!(hoeffding_adaptive::NAME, Classify, Some(Label::Class), HoeffdingAdaptiveTree),
    algorithm!(extremely_fast::NAME, Classify, Some(Label::Class), ExtremelyFastDecisionTree),
    algorithm!("hoeffding_tree_regressor", Regress, Some(Label::Number), HoeffdingTreeRegressor),
    algorithm!(
        "hoeffding_adaptive_tree_regressor",
        Regress,
        Some(Label::Number),
        HoeffdingAdaptiveTreeRegressor
    ),
];

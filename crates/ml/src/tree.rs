//! Decision trees that grow with the stream: a leaf splits as soon as it has seen enough to be nearly sure which
//! column splits it best.

mod adaptive;
mod compact;
mod growth;
mod labelled;
mod leaf;
mod split;
mod stats;
mod structure;

pub mod extremely_fast;
pub mod hoeffding;
pub mod hoeffding_adaptive;

pub use extremely_fast::ExtremelyFastDecisionTree;
pub(crate) use growth::{Growth, TREE_OPTIONS};
pub use hoeffding::HoeffdingTree;
pub use hoeffding_adaptive::HoeffdingAdaptiveTree;

pub(crate) use labelled::Scratch;
pub use labelled::{Labelled, Method};
pub use structure::Example;
pub(crate) use structure::Tree;

use crate::registry::{Algorithm, algorithm};
use crate::schema::Label;

/// Trees that grow by Hoeffding's bound.
pub(crate) const ALGORITHMS: &[Algorithm] = &[
    algorithm!(hoeffding::NAME, Classify, Some(Label::Class), HoeffdingTree),
    algorithm!(hoeffding_adaptive::NAME, Classify, Some(Label::Class), HoeffdingAdaptiveTree),
    algorithm!(extremely_fast::NAME, Classify, Some(Label::Class), ExtremelyFastDecisionTree),
];

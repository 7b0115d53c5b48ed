//! Decision trees that grow with the stream: a leaf splits as soon as it has seen enough to be nearly sure which
//! column splits it best.

mod growth;
mod labelled;
mod leaf;
mod split;
mod structure;

pub mod hoeffding;

pub(crate) use growth::{Growth, TREE_OPTIONS};
pub use hoeffding::HoeffdingTree;

pub(crate) use labelled::Scratch;
pub use labelled::{Labelled, Method};
pub use structure::Example;
pub(crate) use structure::Tree;

use crate::registry::{Algorithm, algorithm};
use crate::schema::Label;

/// Trees that grow by Hoeffding's bound.
pub(crate) const ALGORITHMS: &[Algorithm] =
    &[algorithm!(hoeffding::NAME, Classify, Some(Label::Class), HoeffdingTree)];

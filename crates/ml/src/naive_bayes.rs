//! Naive Bayes: classes by what each column says alone.

pub mod gaussian;

pub use gaussian::GaussianNaiveBayes;

use crate::registry::{Algorithm, algorithm};
use crate::schema::Label;

/// Naive Bayes, by what a column is thought to be.
pub(crate) const ALGORITHMS: &[Algorithm] =
    &[algorithm!(gaussian::NAME, Classify, Some(Label::Class), GaussianNaiveBayes)];

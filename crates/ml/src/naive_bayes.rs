//! Naive Bayes: classes by what each column says alone.

pub mod counting;
pub mod gaussian;

pub use counting::{BernoulliNaiveBayes, ComplementNaiveBayes, MultinomialNaiveBayes};
pub use gaussian::GaussianNaiveBayes;

use crate::registry::{Algorithm, algorithm};
use crate::schema::Label;

/// Naive Bayes, by what a column is thought to be.
pub(crate) const ALGORITHMS: &[Algorithm] = &[
    algorithm!(gaussian::NAME, Classify, Some(Label::Class), GaussianNaiveBayes),
    algorithm!(counting::MULTINOMIAL, Classify, Some(Label::Class), MultinomialNaiveBayes),
    algorithm!(counting::BERNOULLI, Classify, Some(Label::Class), BernoulliNaiveBayes),
    algorithm!(counting::COMPLEMENT, Classify, Some(Label::Class), ComplementNaiveBayes),
];

/// Turns scores, not all of them minus infinity, into shares of 1.
fn softmax(scores: &mut [f64]) {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = libm::exp(*score - most);
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}

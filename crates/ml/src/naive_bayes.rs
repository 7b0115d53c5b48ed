//! Naive Bayes: classes by what each column says alone.

pub mod gaussian;

pub use gaussian::GaussianNaiveBayes;

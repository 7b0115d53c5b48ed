//! Linear models: a weight per column, learned row by row.

pub mod config;
pub mod logistic;
pub mod loss;
pub mod mllib;
pub(crate) mod one_vs_rest;
pub mod optimizer;
pub mod passive_aggressive;
pub mod regression;
pub mod softmax;
pub(crate) mod weights;

pub use logistic::{LogisticRegression, Perceptron};
pub use mllib::{StreamingLinearRegression, StreamingLogisticRegression};
pub use passive_aggressive::{PassiveAggressiveClassifier, PassiveAggressiveRegressor};
pub use regression::LinearRegression;
pub use softmax::SoftmaxRegression;

use crate::model::Task;
use crate::registry::{Algorithm, algorithm};
use crate::schema::Label;

/// Linear models, by name.
pub(crate) const ALGORITHMS: &[Algorithm] = &[
    algorithm!(regression::NAME, Regress, Some(Label::Number), LinearRegression),
    algorithm!(logistic::NAME, Classify, Some(Label::Class), LogisticRegression),
    algorithm!(softmax::NAME, Classify, Some(Label::Class), SoftmaxRegression),
    algorithm!(passive_aggressive::CLASSIFIER, Classify, Some(Label::Class), PassiveAggressiveClassifier),
    algorithm!(passive_aggressive::REGRESSOR, Regress, Some(Label::Number), PassiveAggressiveRegressor),
    algorithm!(mllib::LINEAR, Regress, Some(Label::Number), StreamingLinearRegression),
    algorithm!(mllib::LOGISTIC, Classify, Some(Label::Class), StreamingLogisticRegression),
    Algorithm {
        name: logistic::PERCEPTRON,
        create: |options, schema| Ok(Task::Classify(Box::new(Perceptron::from_options(options, schema)?))),
        ..algorithm!(logistic::NAME, Classify, Some(Label::Class), LogisticRegression)
    },
];

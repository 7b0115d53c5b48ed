//! Linear models: a weight per column, learned row by row.

pub mod config;
pub mod logistic;
pub mod loss;
pub(crate) mod one_vs_rest;
pub mod optimizer;
pub mod regression;
pub(crate) mod weights;

pub use logistic::{LogisticRegression, Perceptron};
pub use regression::LinearRegression;

use crate::model::Task;
use crate::registry::{Algorithm, algorithm};
use crate::schema::Label;

/// Linear models, by name.
pub(crate) const ALGORITHMS: &[Algorithm] = &[
    algorithm!(regression::NAME, Regress, Some(Label::Number), LinearRegression),
    algorithm!(logistic::NAME, Classify, Some(Label::Class), LogisticRegression),
    Algorithm {
        name: logistic::PERCEPTRON,
        create: |options, schema| Ok(Task::Classify(Box::new(Perceptron::from_options(options, schema)?))),
        ..algorithm!(logistic::NAME, Classify, Some(Label::Class), LogisticRegression)
    },
];

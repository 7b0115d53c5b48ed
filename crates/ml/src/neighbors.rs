//! Nearest neighbours: the answer is that of the most similar rows among the last ones.
//!
//! A window of the last `window_size` rows (default 1,000, as MOA's) is all the model is; a question is compared with
//! each of them, and the `n_neighbors` nearest (default 5, as River's) answer. Distances are Euclidean; a column of
//! categories counts 1 where they differ. Columns are not scaled, unless `scale` is `'window'`: then a difference counts as
//! a share of its column's range in the window, as MOA has it, so that a column that only ever rises still tells near
//! from far; steps such as `standard_scaler` go by all rows so far. Among equally near rows the oldest is taken.
//!
//! It is River's `KNNClassifier` and `KNNRegressor` with `LazySearch`: exact, and every row once, also when it weighs
//! more; its weight then multiplies its vote. River's own default window holds 50 rows, which is few, and its default
//! engine is an approximate graph.

pub mod classifier;
pub mod regressor;
mod window;

pub use classifier::KnnClassifier;
pub use regressor::KnnRegressor;

use crate::options::{OptionError, Options};
use crate::registry::{Algorithm, algorithm};
use crate::schema::Label;

/// Nearest neighbours, by what they are asked for.
pub(crate) const ALGORITHMS: &[Algorithm] = &[
    algorithm!(classifier::NAME, Classify, Some(Label::Class), KnnClassifier),
    algorithm!(regressor::NAME, Regress, Some(Label::Number), KnnRegressor),
];

/// The most neighbours that are asked.
const NEIGHBORS_MAX: usize = 1_000;

/// The longest window, in rows.
const WINDOW_MAX: usize = 100_000;

/// Reads how many neighbours are asked, among how many rows, and whether differences are scaled.
fn sizes(options: &Options) -> Result<(usize, usize, bool), OptionError> {
    let neighbors = options.number("n_neighbors", 1..=NEIGHBORS_MAX)?.unwrap_or(5);
    let window = options.number("window_size", 1..=WINDOW_MAX)?.unwrap_or(1_000);
    let scaled = options.choice("scale", &[("none", false), ("window", true)])?.unwrap_or(false);
    Ok((neighbors, window, scaled))
}

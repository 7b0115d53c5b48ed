//! What is unusual: detectors that learn what is common and score how far a row is from it.

pub mod filter;
pub mod gaussian_scorer;
pub mod half_space_trees;
pub mod loda;
pub mod one_class_svm;
pub mod random_cut_forest;

pub use filter::{QuantileFilter, ThresholdFilter};
pub use gaussian_scorer::GaussianScorer;
pub use half_space_trees::HalfSpaceTrees;
pub use loda::Loda;
pub use one_class_svm::OneClassSvm;
pub use random_cut_forest::RandomCutForest;

use crate::registry::{Algorithm, algorithm};

/// Those that say how strange a row is.
pub(crate) const ALGORITHMS: &[Algorithm] = &[
    algorithm!(gaussian_scorer::NAME, Detect, None, GaussianScorer),
    algorithm!(half_space_trees::NAME, Detect, None, HalfSpaceTrees),
    algorithm!(loda::NAME, Detect, None, Loda),
    algorithm!(one_class_svm::NAME, Detect, None, OneClassSvm),
    algorithm!("quantile_filter", Detect, None, QuantileFilter, QuantileFilter::import),
    algorithm!("threshold_filter", Detect, None, ThresholdFilter, ThresholdFilter::import),
    algorithm!(random_cut_forest::NAME, Detect, None, RandomCutForest),
];

/// Numbers that a detector may keep: rows of a window times columns are otherwise without an end.
const CELLS_MAX: usize = 4 << 20;

/// Makes a type with `rows_learned`, `dim` and a `config` a [`Learner`](crate::Learner).
macro_rules! anomaly_detector {
    ($detector:ty, $name:expr, $missing:ident) => {
        impl $crate::learner::Learner for $detector {
            fn algorithm(&self) -> &'static str {
                $name
            }

            fn rows_learned(&self) -> u64 {
                self.rows_learned
            }

            fn dim(&self) -> Option<usize> {
                self.dim
            }

            fn missing(&self) -> $crate::row::Missing {
                $crate::row::Missing::$missing
            }

            fn snapshot(&self) -> Vec<u8> {
                $crate::snapshot::write(self)
            }

            fn export(&self) -> serde_json::Value {
                $crate::snapshot::export(self)
            }

            fn describe(&self) -> serde_json::Value {
                serde_json::json!({
                    "algorithm": $name,
                    "dim": self.dim,
                    "rows_learned": self.rows_learned,
                    "options": self.config.describe(),
                    "state": self.describe(),
                })
            }

            fn restore(snapshot: &[u8]) -> Result<Self, $crate::snapshot::SnapshotError> {
                $crate::snapshot::read(snapshot)
            }
        }
    };
}
use anomaly_detector;

//! How good predictions are, counted as they come.

mod accuracy;
mod classification;
mod contingency;
mod regression;
mod roc_auc;
mod silhouette;

pub use accuracy::Accuracy;
pub use classification::{ClassCounts, ClassFigures};
pub use contingency::Contingency;
pub use regression::{ErrorFigures, ErrorSums};
pub use roc_auc::roc_auc;
pub use silhouette::{silhouette, silhouette_one};

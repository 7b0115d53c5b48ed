//! How good predictions are, counted as they come.

mod accuracy;
mod contingency;

pub use accuracy::Accuracy;
pub use contingency::Contingency;

//! How good predictions are, counted as they come.

mod contingency;

pub use contingency::Contingency;

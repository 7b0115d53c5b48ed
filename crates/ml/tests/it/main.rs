//! What the crate promises, through its public face.

mod contract;
mod metrics;
mod options;
mod snapshots;

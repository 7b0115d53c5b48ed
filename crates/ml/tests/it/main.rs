//! What the crate promises, through its public face.

mod cluster;
mod contract;
mod digits;
mod evaluation;
mod metrics;
mod options;
mod snapshots;

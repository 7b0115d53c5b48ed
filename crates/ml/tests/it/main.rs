//! What the crate promises, through its public face.

mod cluster;
mod contract;
mod digits;
mod evaluation;
mod forecast;
mod metrics;
mod options;
mod snapshots;

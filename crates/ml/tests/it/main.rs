//! What the crate promises, through its public face.

mod allocation;
mod anomaly;
mod baseline;
mod cluster;
mod contract;
mod digits;
mod documented;
mod elec;
mod evaluation;
mod explained;
mod forecast;
mod forged;
mod linear;
mod metrics;
mod naive_bayes;
mod neighbors;
mod numbers;
mod onnx;
mod options;
mod preprocess;
mod snapshots;
mod text;
mod trees;

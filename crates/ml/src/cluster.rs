//! Clustering.

mod centers;
mod seeding;
pub mod streaming_kmeans;

pub use streaming_kmeans::StreamingKMeans;

//! Clustering.

mod centers;
pub mod mini_batch_kmeans;
mod seeding;
pub mod streaming_kmeans;

pub use mini_batch_kmeans::MiniBatchKMeans;
pub use streaming_kmeans::StreamingKMeans;

use crate::registry::{Algorithm, algorithm};

/// Those that group rows.
pub(crate) const ALGORITHMS: &[Algorithm] = &[
    algorithm!(mini_batch_kmeans::NAME, Cluster, None, MiniBatchKMeans),
    algorithm!(streaming_kmeans::NAME, Cluster, None, StreamingKMeans, StreamingKMeans::import),
];

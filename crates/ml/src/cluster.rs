//! Clustering.

mod centers;
mod seeding;
pub mod streaming_kmeans;

pub use streaming_kmeans::StreamingKMeans;

use crate::registry::{Algorithm, algorithm};

/// Those that group rows.
pub(crate) const ALGORITHMS: &[Algorithm] =
    &[algorithm!(streaming_kmeans::NAME, Cluster, None, StreamingKMeans, StreamingKMeans::import)];

//! Clustering.

pub mod birch;
mod centers;
pub mod clustream;
pub mod denstream;
mod feature;
mod macro_clusters;
pub mod mini_batch_kmeans;
mod seeding;
pub mod streaming_kmeans;

pub use birch::Birch;
pub use clustream::CluStream;
pub use denstream::DenStream;
pub use mini_batch_kmeans::MiniBatchKMeans;
pub use streaming_kmeans::StreamingKMeans;

use crate::registry::{Algorithm, algorithm};

/// Those that group rows.
pub(crate) const ALGORITHMS: &[Algorithm] = &[
    algorithm!(birch::NAME, Cluster, None, Birch),
    algorithm!(clustream::NAME, Cluster, None, CluStream),
    algorithm!(denstream::NAME, Cluster, None, DenStream),
    algorithm!(mini_batch_kmeans::NAME, Cluster, None, MiniBatchKMeans),
    algorithm!(streaming_kmeans::NAME, Cluster, None, StreamingKMeans, StreamingKMeans::import),
];

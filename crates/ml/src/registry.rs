//! Every algorithm by its name.

use std::collections::BTreeMap;

use crate::cluster::StreamingKMeans;
use crate::cluster::streaming_kmeans;
use crate::learner::Learner;
use crate::model::Model;
use crate::options::OptionError;
use crate::snapshot::{self, SnapshotError};

/// The algorithms that [`create`] knows.
pub const ALGORITHMS: &[&str] = &[streaming_kmeans::NAME];

/// Makes a new model that knows nothing yet. Names and option keys are matched without regard to case.
///
/// # Errors
///
/// If there is no such algorithm, or an option is unknown, missing, malformed or out of range; the
/// message names what would be accepted.
pub fn create(algorithm: &str, options: &BTreeMap<String, String>) -> Result<Box<dyn Model>, OptionError> {
    match algorithm.to_ascii_lowercase().as_str() {
        streaming_kmeans::NAME => {
            let config = streaming_kmeans::Config::from_options(options)?;
            Ok(Box::new(StreamingKMeans::new(config)?))
        }
        _ => Err(OptionError::UnknownAlgorithm { name: algorithm.to_owned(), known: ALGORITHMS.join(", ") }),
    }
}

/// Reads back whichever model wrote the snapshot.
///
/// # Errors
///
/// If the bytes are damaged, or written by an algorithm or version this build does not know.
pub fn restore(snapshot: &[u8]) -> Result<Box<dyn Model>, SnapshotError> {
    match snapshot::algorithm(snapshot)? {
        streaming_kmeans::NAME => Ok(Box::new(StreamingKMeans::restore(snapshot)?)),
        name => Err(SnapshotError::UnknownAlgorithm { name: name.to_owned() }),
    }
}

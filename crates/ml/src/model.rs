//! The one face of all learners, for a caller that knows the task only at run time.

use std::collections::BTreeMap;

use crate::cluster::StreamingKMeans;
use crate::cluster::streaming_kmeans;
use crate::features::Features;
use crate::learner::{Clusterer, LearnReport, Learner};
use crate::options::OptionError;
use crate::snapshot::{self, SnapshotError};

/// The algorithms that [`create`] knows.
pub const ALGORITHMS: &[&str] = &[streaming_kmeans::NAME];

/// A learner of any task.
pub trait Model: Learner {
    /// Learns from a micro-batch. A refused row does not hinder the others.
    fn learn(&mut self, rows: Features<'_>) -> LearnReport;

    /// Answers each row; rows without an answer are `None`.
    fn predict(&self, rows: Features<'_>) -> Predictions;

    /// What [`Model::predict`] will give, for planning before there are rows.
    fn prediction_type(&self) -> PredictionType;

    /// A copy that goes its own way from here: the old version goes on answering while it learns.
    fn fork(&self) -> Box<dyn Model>;

    /// This model as a clusterer, if it is one.
    fn as_clusterer(&self) -> Option<&dyn Clusterer>;
}

/// The kind of answers a model gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PredictionType {
    /// The number of a cluster.
    Cluster,
}

/// Answers to a micro-batch, one per row.
#[derive(Clone, Debug, PartialEq)]
pub enum Predictions {
    /// The number of each row's cluster.
    Clusters(Vec<Option<u32>>),
}

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

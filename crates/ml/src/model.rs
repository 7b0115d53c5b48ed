//! The one face of all learners, for a caller that knows the task only at run time.

use crate::features::Features;
use crate::learner::{Clusterer, LearnReport, Learner};

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

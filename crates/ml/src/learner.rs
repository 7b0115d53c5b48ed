//! The traits of learning from a stream, one per task.
//!
//! Learning takes `&mut self`, predicting takes `&self`: a prediction that changed the model would not
//! compile. `_many` is one micro-batch and `_one` a micro-batch of a single row.

use serde_json::Value;

use crate::features::{Features, Rejection, Row};
use crate::snapshot::SnapshotError;

/// What every learner can do, whatever its task.
pub trait Learner: Send + Sync + std::fmt::Debug {
    /// The name it is created by, as in `CREATE MODEL ... OPTIONS (algorithm '...')`.
    fn algorithm(&self) -> &'static str;

    /// Rows taken in so far: all that were handed over, less the refused ones.
    fn rows_learned(&self) -> u64;

    /// How wide its rows are, once that is known.
    fn dim(&self) -> Option<usize>;

    /// Everything it is, as bytes: versioned, checksummed, equal for equal learners.
    fn snapshot(&self) -> Vec<u8>;

    /// Options and parameters for people to look at; never read back.
    fn describe(&self) -> Value;

    /// The learner that [`Learner::snapshot`] wrote. It predicts and learns on as the original would.
    ///
    /// # Errors
    ///
    /// If the bytes are damaged, are of another algorithm or of a version this build does not know.
    fn restore(snapshot: &[u8]) -> Result<Self, SnapshotError>
    where
        Self: Sized;
}

/// What became of one micro-batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LearnReport {
    /// Rows taken in.
    pub learned: usize,
    /// Rows refused, in order.
    pub rejected: Vec<RejectedRow>,
}

/// A row of a micro-batch that was not learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RejectedRow {
    /// Its index in the batch.
    pub row: usize,
    /// What is wrong with it.
    pub reason: Rejection,
}

/// Groups rows without being told the groups.
pub trait Clusterer: Learner {
    /// Learns from one row, as a micro-batch of its own.
    ///
    /// # Errors
    ///
    /// Why the row was refused; the model is then unchanged.
    fn learn_one(&mut self, row: Row<'_>) -> Result<(), Rejection>;

    /// Learns from a micro-batch. A refused row does not hinder the others.
    fn learn_many(&mut self, rows: Features<'_>) -> LearnReport;

    /// The row's cluster; `None` if the model has no clusters yet or the row is not acceptable.
    fn predict_one(&self, row: Row<'_>) -> Option<u32>;

    /// The cluster of each row, as [`Clusterer::predict_one`].
    fn predict_many(&self, rows: Features<'_>) -> Vec<Option<u32>>;

    /// The middle of each cluster, in the order of their numbers; `None` before there are any.
    fn centers(&self) -> Option<Features<'_>>;

    /// The weight of each cluster: how much the past counts for it. Empty before there are any.
    fn weights(&self) -> &[f64];
}

/// Learns to name the class of a row. Classes are numbers; the caller keeps their names.
pub trait Classifier: Learner {
    /// Learns that `row` is of `class`.
    ///
    /// # Errors
    ///
    /// Why the row was refused; the model is then unchanged.
    fn learn_one(&mut self, row: Row<'_>, class: u32) -> Result<(), Rejection>;

    /// Learns from a micro-batch; `classes` has one entry per row.
    fn learn_many(&mut self, rows: Features<'_>, classes: &[u32]) -> LearnReport;

    /// The likeliest class; `None` before any was seen or if the row is not acceptable.
    fn predict_one(&self, row: Row<'_>) -> Option<u32>;

    /// The likeliest class of each row.
    fn predict_many(&self, rows: Features<'_>) -> Vec<Option<u32>>;
}

/// Learns to estimate a number.
pub trait Regressor: Learner {
    /// Learns that `row` goes with `target`.
    ///
    /// # Errors
    ///
    /// Why the row was refused; the model is then unchanged.
    fn learn_one(&mut self, row: Row<'_>, target: f64) -> Result<(), Rejection>;

    /// Learns from a micro-batch; `targets` has one entry per row.
    fn learn_many(&mut self, rows: Features<'_>, targets: &[f64]) -> LearnReport;

    /// The estimate; `None` if the row is not acceptable.
    fn predict_one(&self, row: Row<'_>) -> Option<f64>;

    /// The estimate for each row.
    fn predict_many(&self, rows: Features<'_>) -> Vec<Option<f64>>;
}

/// Learns what is usual and says how unusual a row is.
pub trait AnomalyDetector: Learner {
    /// Learns from one row.
    ///
    /// # Errors
    ///
    /// Why the row was refused; the model is then unchanged.
    fn learn_one(&mut self, row: Row<'_>) -> Result<(), Rejection>;

    /// Learns from a micro-batch.
    fn learn_many(&mut self, rows: Features<'_>) -> LearnReport;

    /// Larger is stranger; `None` if the row is not acceptable.
    fn score_one(&self, row: Row<'_>) -> Option<f64>;

    /// The score of each row.
    fn score_many(&self, rows: Features<'_>) -> Vec<Option<f64>>;
}

/// Watches one number (an error rate, say) and notices when it stops behaving as before.
pub trait DriftDetector: Learner {
    /// Takes the next value and says what it makes of it.
    ///
    /// # Errors
    ///
    /// Why the value was refused; the detector is then unchanged.
    fn update(&mut self, value: f64) -> Result<Drift, Rejection>;
}

/// What a drift detector saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Drift {
    /// Nothing unusual.
    #[default]
    None,
    /// Perhaps: a good moment to start training a substitute.
    Warning,
    /// The values changed.
    Detected,
}

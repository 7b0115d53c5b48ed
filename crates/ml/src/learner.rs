//! The traits of learning from a stream, one per task.
//!
//! Learning takes `&mut self`, predicting takes `&self`: a prediction that changed the model would not
//! compile. `_many` is one micro-batch and `_one` a micro-batch of a single row. What a trait gives for `_many`
//! goes row by row; a learner for which a batch is more than its rows, or is quicker than they are, says it better.

use dyn_clone::DynClone;
use serde_json::Value;

use crate::features::Features;
use crate::onnx::Graph;
use crate::options::OptionError;
use crate::row::{Missing, Rejection, Row, VALUE_MAX};
use crate::schema::Kind;
use crate::snapshot::SnapshotError;

/// What every learner can do, whatever its task.
pub trait Learner: DynClone + Send + Sync + std::fmt::Debug {
    /// The name it is created by, as in `CREATE MODEL ... OPTIONS (algorithm '...')`.
    fn algorithm(&self) -> &'static str;

    /// Rows taken in so far: all that were handed over, less the refused ones.
    fn rows_learned(&self) -> u64;

    /// How wide its rows are, once that is known.
    fn dim(&self) -> Option<usize>;

    /// What it makes of missing values.
    fn missing(&self) -> Missing {
        Missing::Refused
    }

    /// Whether a micro-batch is more to it than its rows one after the other: its rows are then all judged before any
    /// of them is learned.
    fn by_batch(&self) -> bool {
        false
    }

    /// Everything it is, as bytes: versioned, checksummed, equal for equal learners.
    fn snapshot(&self) -> Vec<u8>;

    /// Everything it is, in JSON, with every number to its last bit: what [`Learner::snapshot`] has, for other programs.
    fn export(&self) -> Value;

    /// Options and parameters for people to look at; never read back.
    fn describe(&self) -> Value;

    /// Adds what it makes of rows to a graph, and gives the name of that: of a step the prepared rows, of a learner of
    /// classes a probability per class, of one of numbers a column of answers. `None` if ONNX has no words for it.
    fn draw(&self, graph: &mut Graph, rows: &str) -> Option<String> {
        let _ = (graph, rows);
        None
    }

    /// Changes an option of a learner that is at work (`ALTER MODEL`): a learning rate, say.
    ///
    /// # Errors
    ///
    /// If the option does not exist, cannot be changed any more, or does not take this value.
    fn alter(&mut self, option: &str, value: &str) -> Result<(), OptionError> {
        let _ = value;
        Err(OptionError::Fixed { algorithm: self.algorithm(), name: option.to_owned() })
    }

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

impl LearnReport {
    /// Counts what became of one more row.
    pub fn note(&mut self, row: usize, outcome: Result<(), Rejection>) {
        match outcome {
            Ok(()) => self.learned += 1,
            Err(reason) => self.rejected.push(RejectedRow { row, reason }),
        }
    }
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
    fn learn_many(&mut self, rows: Features<'_>) -> LearnReport {
        let mut report = LearnReport::default();
        for (index, row) in rows.iter().enumerate() {
            report.note(index, self.learn_one(row));
        }
        report
    }

    /// The row's cluster; `None` if the model has no clusters yet or the row is not acceptable.
    fn predict_one(&self, row: Row<'_>) -> Option<u32>;

    /// The cluster of each row, as [`Clusterer::predict_one`].
    fn predict_many(&self, rows: Features<'_>) -> Vec<Option<u32>> {
        rows.iter().map(|row| self.predict_one(row)).collect()
    }

    /// The middle of each cluster, in the order of their numbers; `None` before there are any.
    fn centers(&self) -> Option<Features<'_>>;

    /// The weight of each cluster: how much the past counts for it. Empty before there are any.
    fn weights(&self) -> &[f64];
}

/// How much each column spoke for an answer: the column's place, and its part.
pub type Contributions = Vec<(usize, f64)>;

/// Learns to name the class of a row. Classes are numbers; the caller keeps their names.
pub trait Classifier: Learner {
    /// Learns that `row` is of `class`. A weight of 2 is as if the row came twice, one of 0 as if it did not come.
    ///
    /// # Errors
    ///
    /// Why the row was refused; the model is then unchanged.
    fn learn_one(&mut self, row: Row<'_>, class: u32, weight: f64) -> Result<(), Rejection>;

    /// Learns from a micro-batch; `classes` has one entry per row, and each row weighs 1.
    fn learn_many(&mut self, rows: Features<'_>, classes: &[u32]) -> LearnReport {
        let mut report = LearnReport::default();
        for (index, (row, &class)) in rows.iter().zip(classes).enumerate() {
            report.note(index, self.learn_one(row, class, 1.0));
        }
        report
    }

    /// Writes the probability of each class to `shares`, which sum to 1, one for every class up to the largest that
    /// was learned. False, and `shares` empty, before any was, or if the row is not acceptable.
    fn predict_proba_one(&self, row: Row<'_>, shares: &mut Vec<f64>) -> bool;

    /// The likeliest class, the smallest among equals; `None` where there are no probabilities.
    fn predict_one(&self, row: Row<'_>) -> Option<u32> {
        likeliest(self, row, &mut Vec::new())
    }

    /// The likeliest class of each row.
    fn predict_many(&self, rows: Features<'_>) -> Vec<Option<u32>> {
        let mut shares = Vec::new();
        rows.iter().map(|row| likeliest(self, row, &mut shares)).collect()
    }

    /// How much each column spoke for the class it predicts, by column; `None` if the learner cannot say.
    fn explain_one(&self, row: Row<'_>) -> Option<Contributions> {
        let _ = row;
        None
    }
}

fn likeliest<C: Classifier + ?Sized>(classifier: &C, row: Row<'_>, shares: &mut Vec<f64>) -> Option<u32> {
    classifier.predict_proba_one(row, shares).then(|| argmax(shares)).flatten()
}

/// What a [`Learner`] that is a [`State`](crate::snapshot::State) says of itself, inside its `impl`: rows and bytes, and
/// with `dim` the width, where the two counts are fields of it.
macro_rules! kept_as_state {
    (dim) => {
        fn dim(&self) -> Option<usize> {
            self.dim
        }
        $crate::learner::kept_as_state!();
    };
    () => {
        fn rows_learned(&self) -> u64 {
            self.rows_learned
        }
        fn snapshot(&self) -> Vec<u8> {
            $crate::snapshot::write(self)
        }
        fn export(&self) -> serde_json::Value {
            $crate::snapshot::export(self)
        }
        fn restore(snapshot: &[u8]) -> Result<Self, $crate::snapshot::SnapshotError> {
            $crate::snapshot::read(snapshot)
        }
    };
}
pub(crate) use kept_as_state;

/// [`Learner`] for a [`State`](crate::snapshot::State) with the fields `dim` and `rows_learned` and a method `summary`
/// of what people look at; after a semicolon, the method that draws it.
macro_rules! learner_of_state {
    ($learner:ty, $missing:expr $(, $event:ident: $bound:path)? $(; $draw:ident)?) => {
        impl$(<$event: $bound>)? $crate::learner::Learner for $learner {
            fn algorithm(&self) -> &'static str {
                <$learner as $crate::snapshot::State>::NAME
            }
            $crate::learner::kept_as_state!(dim);
            fn missing(&self) -> $crate::row::Missing {
                $missing
            }
            fn describe(&self) -> serde_json::Value {
                let mut summary = self.summary();
                summary["algorithm"] = serde_json::json!(self.algorithm());
                summary["dim"] = serde_json::json!(self.dim.unwrap_or(0));
                summary["rows_learned"] = serde_json::json!(self.rows_learned);
                summary
            }
            $(fn draw(&self, graph: &mut $crate::onnx::Graph, rows: &str) -> Option<String> {
                self.$draw(graph, rows)
            })?
        }
    };
}
pub(crate) use learner_of_state;

/// Says whether a learner `dim` columns wide can take this row with this weight.
pub(crate) fn check_lesson(
    row: Row<'_>,
    dim: Option<usize>,
    missing: Missing,
    weight: f64,
) -> Result<(), Rejection> {
    row.check(dim, missing)?;
    if (0.0..=VALUE_MAX).contains(&weight) { Ok(()) } else { Err(Rejection::BadWeight) }
}

/// The place of the largest number, the first among equals.
pub(crate) fn argmax(numbers: &[f64]) -> Option<u32> {
    let mut best: Option<(u32, f64)> = None;
    for (place, &number) in (0..).zip(numbers) {
        if best.is_none_or(|(_, most)| number > most) {
            best = Some((place, number));
        }
    }
    best.map(|(place, _)| place)
}

/// Learns to estimate a number.
pub trait Regressor: Learner {
    /// Learns that `row` goes with `target`, with a weight as in [`Classifier::learn_one`].
    ///
    /// # Errors
    ///
    /// Why the row was refused; the model is then unchanged.
    fn learn_one(&mut self, row: Row<'_>, target: f64, weight: f64) -> Result<(), Rejection>;

    /// Learns from a micro-batch; `targets` has one entry per row, and each row weighs 1.
    fn learn_many(&mut self, rows: Features<'_>, targets: &[f64]) -> LearnReport {
        let mut report = LearnReport::default();
        for (index, (row, &target)) in rows.iter().zip(targets).enumerate() {
            report.note(index, self.learn_one(row, target, 1.0));
        }
        report
    }

    /// The estimate; `None` if the row is not acceptable.
    fn predict_one(&self, row: Row<'_>) -> Option<f64>;

    /// The estimate for each row.
    fn predict_many(&self, rows: Features<'_>) -> Vec<Option<f64>> {
        rows.iter().map(|row| self.predict_one(row)).collect()
    }

    /// How much each column added to the estimate, by column; `None` if the learner cannot say.
    fn explain_one(&self, row: Row<'_>) -> Option<Contributions> {
        let _ = row;
        None
    }
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
    fn learn_many(&mut self, rows: Features<'_>) -> LearnReport {
        let mut report = LearnReport::default();
        for (index, row) in rows.iter().enumerate() {
            report.note(index, self.learn_one(row));
        }
        report
    }

    /// Larger is stranger; `None` if the model knows too little yet or the row is not acceptable.
    fn score_one(&self, row: Row<'_>) -> Option<f64>;

    /// The score of each row.
    fn score_many(&self, rows: Features<'_>) -> Vec<Option<f64>> {
        rows.iter().map(|row| self.score_one(row)).collect()
    }
}

/// Learns how a number goes on in time, by itself or with the help of a row of features.
pub trait Forecaster: Learner {
    /// Learns the next value of the series. `row` is empty for a learner that takes no features.
    ///
    /// # Errors
    ///
    /// Why the value was refused; the model is then unchanged.
    fn learn_one(&mut self, row: Row<'_>, value: f64) -> Result<(), Rejection>;

    /// Learns from a micro-batch, in the order of the series; `values` has one entry per row.
    fn learn_many(&mut self, rows: Features<'_>, values: &[f64]) -> LearnReport {
        let mut report = LearnReport::default();
        for (index, (row, &value)) in rows.iter().zip(values).enumerate() {
            report.note(index, self.learn_one(row, value));
        }
        report
    }

    /// The next value, if `row` goes with it; `None` if too little of the series is known or the row is not acceptable.
    fn predict_one(&self, row: Row<'_>) -> Option<f64>;

    /// The next value as it would be with each of the rows, of which only one can come true.
    fn predict_many(&self, rows: Features<'_>) -> Vec<Option<f64>> {
        rows.iter().map(|row| self.predict_one(row)).collect()
    }

    /// The next `horizon` values, as far as they can be told; `rows` has the features of each. Without them, the
    /// columns are missing.
    fn forecast(&self, horizon: usize, rows: Option<Features<'_>>) -> Vec<f64>;
}

/// Prepares rows for a learner: scales, fills, hashes. It may learn from them how (without labels).
pub trait Transformer: Learner {
    /// Whether no value is missing any more in what it made of columns of this kind.
    fn fills(&self, kind: Kind) -> bool {
        let _ = kind;
        false
    }

    /// Learns from one row.
    ///
    /// # Errors
    ///
    /// Why the row was refused; the transformer is then unchanged.
    fn learn_one(&mut self, row: Row<'_>) -> Result<(), Rejection>;

    /// Writes the prepared row to `out`, whatever was in it.
    ///
    /// # Errors
    ///
    /// Why the row cannot be prepared.
    fn transform_one(&self, row: Row<'_>, out: &mut RowBuffer) -> Result<(), Rejection>;

    /// Learns from one row and then writes it to `out`, prepared: both of the above, which some do in one pass.
    ///
    /// # Errors
    ///
    /// Why the row was refused; the transformer is then unchanged.
    fn learn_and_transform_one(&mut self, row: Row<'_>, out: &mut RowBuffer) -> Result<(), Rejection> {
        self.learn_one(row)?;
        self.transform_one(row, out)
    }
}

/// A row that is written over and over, so that its memory serves many rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowBuffer {
    dim: usize,
    columns: Option<Vec<u32>>,
    values: Vec<f64>,
}

impl RowBuffer {
    /// Becomes an empty dense row to push values to.
    pub fn dense(&mut self) -> &mut Vec<f64> {
        self.columns = None;
        self.values.clear();
        &mut self.values
    }

    /// Becomes a sparse row of `dim` columns with these entries; those of one column are added up.
    ///
    /// # Panics
    ///
    /// If a column is not below `dim`.
    pub fn sparse(&mut self, dim: usize, entries: &mut [(u32, f64)]) {
        entries.sort_unstable_by_key(|&(column, _)| column);
        assert!(entries.last().is_none_or(|&(column, _)| (column as usize) < dim), "columns are below {dim}");
        self.dim = dim;
        self.values.clear();
        let columns = self.columns.get_or_insert_default();
        columns.clear();
        for &(column, value) in entries.iter() {
            match self.values.last_mut().filter(|_| columns.last() == Some(&column)) {
                Some(sum) => *sum += value,
                None => {
                    columns.push(column);
                    self.values.push(value);
                }
            }
        }
    }

    /// Becomes `row` with each value replaced: all of a dense row, missing ones too, and those that a sparse one lists.
    pub fn map(&mut self, row: Row<'_>, replace: impl Fn(usize, f64) -> f64) {
        match row {
            Row::F64(values) => {
                let values = values.iter().enumerate().map(|(column, &value)| replace(column, value));
                self.dense().extend(values);
            }
            Row::F32(values) => {
                let values = values.iter().enumerate();
                self.dense().extend(values.map(|(column, &value)| replace(column, f64::from(value))));
            }
            Row::Sparse(row) => {
                let pairs = row.columns().iter().zip(row.values());
                self.values.clear();
                self.values.extend(pairs.map(|(&column, &value)| replace(column as usize, value)));
                let columns = self.columns.get_or_insert_default();
                columns.clear();
                columns.extend_from_slice(row.columns());
                self.dim = Row::Sparse(row).dim();
            }
        }
    }

    /// The row.
    #[must_use]
    pub fn row(&self) -> Row<'_> {
        match &self.columns {
            None => Row::F64(&self.values),
            Some(columns) => Row::Sparse(crate::row::SparseRow::trusted(self.dim, columns, &self.values)),
        }
    }
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

dyn_clone::clone_trait_object!(Clusterer);
dyn_clone::clone_trait_object!(Classifier);
dyn_clone::clone_trait_object!(Regressor);
dyn_clone::clone_trait_object!(AnomalyDetector);
dyn_clone::clone_trait_object!(Forecaster);
dyn_clone::clone_trait_object!(Transformer);
dyn_clone::clone_trait_object!(DriftDetector);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_largest_is_chosen() {
        assert_eq!(argmax(&[0.2, 0.4, 0.4]), Some(1));
        assert_eq!(argmax(&[]), None);
    }

    #[test]
    fn a_buffer_is_dense_or_sparse_as_last_written() {
        let mut buffer = RowBuffer::default();
        buffer.sparse(9, &mut [(5, 1.0), (2, 3.0), (5, 0.5)]);
        let mut seen = Vec::new();
        buffer.row().for_each(|column, value| seen.push((column, value)));
        assert_eq!((seen, buffer.row().dim()), (vec![(2, 3.0), (5, 1.5)], 9));
        buffer.dense().extend([1.0, 2.0]);
        assert_eq!((buffer.row().dim(), buffer.row().dense(&mut Vec::new())), (2, &[1.0, 2.0][..]));
    }
}

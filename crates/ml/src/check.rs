//! The contract every learner must pass.
//!
//! [`Contract::check`] takes a way to make a fresh model and feeds it ordinary, extreme and broken rows. It
//! returns the first broken rule instead of panicking, so that it can be tested itself and used from
//! other crates. What it holds a learner to:
//!
//! 1. *repeatable*: the same batches give the same bytes;
//! 2. *durable*: a restored model, and one that was exported and imported, has the same bytes and answers, and the same future;
//! 3. *untouched by questions*: predicting leaves no trace;
//! 4. *unpoisoned*: broken rows are refused by index, answered with nothing, and leave no trace;
//! 5. *finite*: whatever finite rows come, all answers and parameters are finite;
//! 6. *bounded*: however long the stream, memory has an end;
//! 7. *careful*: a damaged snapshot is an error.

use serde_json::Value;
use thiserror::Error;

use crate::batch::{Batch, Labels};
use crate::features::Features;
use crate::model::{Model, Predictions};
use crate::row::{Missing, Rejection, VALUE_MAX};
use crate::schema::Label;

/// Rows per batch and batches per run: enough for any learner here to leave its first phase.
const ROWS: usize = 64;
const BATCHES: usize = 48;

/// The names of the classes that rows are labelled with.
const CLASSES: [&str; 5] = ["red", "green", "blue", "white", "black"];

/// A rule that a learner broke.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not {rule}: {detail}")]
pub struct Violation {
    /// The rule, as listed on this module's page.
    pub rule: &'static str,
    /// What happened.
    pub detail: String,
}

/// What is checked: a way to make a model of vectors, and how large it may grow.
pub struct Contract<'a> {
    /// Makes a fresh model, always the same.
    pub make: &'a dyn Fn() -> Model,
    /// How wide its rows are.
    pub dim: usize,
    /// What its snapshot may never exceed.
    pub snapshot_bytes_max: usize,
}

/// One micro-batch with labels of both kinds; a model takes those it wants.
struct Sample {
    values: Vec<f64>,
    offsets: Vec<i32>,
    classes: Vec<Option<&'static str>>,
    numbers: Vec<f64>,
}

impl Sample {
    fn batch(&self, model: &Model) -> Batch<'_> {
        let rows = Features::ragged(&self.values[..], &self.offsets).expect("offsets are in order");
        let batch = Batch::vectors(rows);
        match model.schema().label {
            None => batch,
            Some(Label::Class) => batch.with_labels(Labels::Classes(&self.classes)),
            Some(Label::Number) => batch.with_labels(Labels::Numbers(&self.numbers)),
        }
    }

    fn len(&self) -> usize {
        self.classes.len()
    }

    fn push(&mut self, row: &[f64], class: Option<&'static str>, number: f64) {
        self.values.extend_from_slice(row);
        self.offsets.push(i32::try_from(self.values.len()).expect("a small batch"));
        self.classes.push(class);
        self.numbers.push(number);
    }

    fn row(&self, index: usize) -> &[f64] {
        let at = |index: usize| usize::try_from(self.offsets[index]).expect("offsets are in order");
        &self.values[at(index)..at(index + 1)]
    }
}

impl Default for Sample {
    fn default() -> Self {
        Sample { values: Vec::new(), offsets: vec![0], classes: Vec::new(), numbers: Vec::new() }
    }
}

impl Contract<'_> {
    /// Holds the learner to the contract.
    ///
    /// # Errors
    ///
    /// The first rule it breaks.
    pub fn check(&self) -> Result<(), Violation> {
        let stream = samples(self.dim, BATCHES);
        self.repeatable(&stream)?;
        self.durable(&stream)?;
        self.untouched_by_questions(&stream)?;
        self.unpoisoned(&stream)?;
        self.finite(&stream)?;
        self.bounded()?;
        self.careful(&stream)
    }

    fn repeatable(&self, stream: &[Sample]) -> Result<(), Violation> {
        let (one, other) = (self.taught(stream), self.taught(stream));
        ensure(one.snapshot() == other.snapshot(), "repeatable", || "two equal runs differ".to_owned())?;
        let rows = (stream.len() * ROWS) as u64;
        ensure(one.rows_learned() == rows, "repeatable", || {
            format!("{} of {rows} rows learned", one.rows_learned())
        })
    }

    fn durable(&self, stream: &[Sample]) -> Result<(), Violation> {
        for stop in [0, 1, 2, stream.len() / 2, stream.len()] {
            let mut original = self.taught(&stream[..stop]);
            let snapshot = original.snapshot();
            let mut twin = Model::restore(&snapshot)
                .map_err(|error| broken("durable", format!("after {stop}: {error}")))?;
            ensure(twin.snapshot() == snapshot, "durable", || {
                format!("bytes change when restored after {stop}")
            })?;
            let imported = Model::import(original.export())
                .map_err(|error| broken("durable", format!("exported after {stop}: {error}")))?;
            ensure(imported.snapshot() == snapshot, "durable", || {
                format!("bytes change when exported after {stop}")
            })?;
            for sample in stream {
                let batch = sample.batch(&original);
                ensure(original.predict(&batch) == twin.predict(&batch), "durable", || {
                    format!("answers, after {stop}")
                })?;
                let reports = (original.learn(&batch), twin.learn(&batch));
                ensure(reports.0 == reports.1, "durable", || format!("reports, after {stop}"))?;
            }
            let same = original.snapshot() == twin.snapshot();
            ensure(same, "durable", || format!("another future after {stop}"))?;
        }
        Ok(())
    }

    fn untouched_by_questions(&self, stream: &[Sample]) -> Result<(), Violation> {
        let model = self.taught(stream);
        let before = model.snapshot();
        let fork = model.clone();
        for sample in stream {
            let answers = count(&model.predict(&sample.batch(&model)))?;
            ensure(answers == ROWS, "untouched by questions", || {
                format!("{answers} answers to {ROWS} rows")
            })?;
        }
        let same = model.snapshot() == before && fork.snapshot() == before;
        ensure(same, "untouched by questions", || "predicting or forking changed the model".to_owned())
    }

    fn unpoisoned(&self, stream: &[Sample]) -> Result<(), Violation> {
        let (mut clean, mut tried) = (self.taught(&stream[..1]), self.taught(&stream[..1]));
        for sample in &stream[1..] {
            clean.learn(&sample.batch(&clean));
            let (spoiled, bad) = spoiled(sample, self.dim, &tried);
            let batch = spoiled.batch(&tried);
            let report = tried.learn(&batch);
            let refused: Vec<usize> = report.rejected.iter().map(|row| row.row).collect();
            ensure(refused == bad, "unpoisoned", || format!("refused rows {refused:?}, broken are {bad:?}"))?;
            let unlabelled =
                |row: usize| spoiled.row(row).len() == self.dim && spoiled.row(row)[0].is_finite();
            let answered = answered(&tried.predict(&batch));
            let wrong = bad.iter().find(|&&row| answered[row] && !unlabelled(row));
            ensure(wrong.is_none(), "unpoisoned", || "a broken row is answered".into())?;
            let narrow = report.rejected.iter().any(|row| matches!(row.reason, Rejection::Dimension { .. }));
            ensure(narrow, "unpoisoned", || "a narrow row has another reason".to_owned())?;
        }
        ensure(clean.snapshot() == tried.snapshot(), "unpoisoned", || "refused rows left a trace".to_owned())
    }

    fn finite(&self, stream: &[Sample]) -> Result<(), Violation> {
        let mut model = self.taught(&stream[..1]);
        let extremes = [VALUE_MAX, -VALUE_MAX, f64::MIN_POSITIVE, -0.0, 0.0, 5e-324, 1.0];
        for (step, sample) in stream.iter().enumerate() {
            let value = extremes[step % extremes.len()];
            let row: Vec<f64> = (0..self.dim).map(|at| if at % 2 == 0 { value } else { -value }).collect();
            let mut extreme = Sample::default();
            CLASSES[..3].iter().for_each(|class| extreme.push(&row, Some(class), value));
            let learned = model.learn(&extreme.batch(&model)).learned;
            ensure(learned == 3, "finite", || format!("{learned} of 3 rows of {value} learned"))?;
            model.learn(&sample.batch(&model));
            // JSON has no word for NaN and infinity: they become null.
            let parameters = model.describe();
            ensure(!has_null(&parameters), "finite", || format!("after a row of {value}: {parameters}"))?;
            let answers = count(&model.predict(&sample.batch(&model)))?;
            ensure(answers == 0 || answers == ROWS, "finite", || format!("{answers} answers after {value}"))?;
        }
        Model::restore(&model.snapshot()).map(|_| ()).map_err(|error| broken("finite", error.to_string()))
    }

    fn bounded(&self) -> Result<(), Violation> {
        let mut model = (self.make)();
        for sample in samples(self.dim, 4 * BATCHES) {
            model.learn(&sample.batch(&model));
            let (bytes, limit) = (model.snapshot().len(), self.snapshot_bytes_max);
            ensure(bytes <= limit, "bounded", || {
                format!("{bytes} bytes after {} rows, more than {limit}", model.rows_learned())
            })?;
        }
        Ok(())
    }

    fn careful(&self, stream: &[Sample]) -> Result<(), Violation> {
        for learned in [1, stream.len()] {
            let snapshot = self.taught(&stream[..learned]).snapshot();
            let step = (snapshot.len() / 500).max(1);
            for at in (0..snapshot.len()).step_by(step) {
                let mut damaged = snapshot.clone();
                damaged[at] ^= 0x10;
                ensure(Model::restore(&damaged).is_err(), "careful", || {
                    format!("a flipped bit in byte {at} is accepted")
                })?;
                ensure(Model::restore(&snapshot[..at]).is_err(), "careful", || {
                    format!("a cut at byte {at} is accepted")
                })?;
            }
        }
        Ok(())
    }

    /// A fresh model that learned these batches.
    fn taught(&self, stream: &[Sample]) -> Model {
        let mut model = (self.make)();
        for sample in stream {
            model.learn(&sample.batch(&model));
        }
        model
    }
}

/// Batches of rows around a handful of slowly moving middles, always the same. A row's class is its middle, its
/// number the sum of its values.
fn samples(dim: usize, count: usize) -> Vec<Sample> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1_u64 << 24) as f64 - 0.5
    };
    let mut sample = |moved: f64| {
        let mut sample = Sample::default();
        for place in 0..ROWS {
            let middle = place % CLASSES.len();
            let row: Vec<f64> = (0..dim)
                .map(|column| middle as f64 * 10.0 * ((column % 3) as f64 - 1.0) + moved + noise())
                .collect();
            sample.push(&row, Some(CLASSES[middle]), row.iter().sum());
        }
        sample
    };
    (0..count).map(|index| sample(index as f64 * 0.01)).collect()
}

/// The batch with broken rows strewn in, and where those rows are.
fn spoiled(sample: &Sample, dim: usize, model: &Model) -> (Sample, Vec<usize>) {
    let whole = |value: f64| vec![value; dim];
    let mut wide = whole(0.5);
    wide.push(0.5);
    let mut broken = vec![whole(f64::INFINITY), whole(f64::NEG_INFINITY), vec![], wide, whole(1e200)];
    if model.missing() == Missing::Refused {
        broken.push(whole(f64::NAN));
    }
    let (mut spoiled, mut bad) = (Sample::default(), Vec::new());
    for index in 0..sample.len() {
        let (class, number) = (sample.classes[index], sample.numbers[index]);
        if index % 8 == 0 {
            bad.push(spoiled.len());
            spoiled.push(&broken[index / 8 % broken.len()], class, number);
        }
        if index % 16 == 4 && model.schema().label.is_some() {
            bad.push(spoiled.len());
            spoiled.push(sample.row(index), None, f64::NAN);
        }
        spoiled.push(sample.row(index), class, number);
    }
    (spoiled, bad)
}

fn answered(predictions: &Predictions) -> Vec<bool> {
    match predictions {
        Predictions::Clusters(answers) | Predictions::Classes(answers) => {
            answers.iter().map(Option::is_some).collect()
        }
        Predictions::Numbers(answers) | Predictions::Scores(answers) => {
            answers.iter().map(Option::is_some).collect()
        }
    }
}

/// How many rows were answered, if all numbers among the answers are finite.
fn count(predictions: &Predictions) -> Result<usize, Violation> {
    if let Predictions::Numbers(answers) | Predictions::Scores(answers) = predictions {
        let bad = answers.iter().flatten().find(|answer| !answer.is_finite());
        ensure(bad.is_none(), "finite", || format!("an answer is {bad:?}"))?;
    }
    Ok(answered(predictions).iter().filter(|answered| **answered).count())
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(fields) => fields.values().any(has_null),
        _ => false,
    }
}

fn ensure(holds: bool, rule: &'static str, detail: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(broken(rule, detail())) }
}

fn broken(rule: &'static str, detail: String) -> Violation {
    Violation { rule, detail }
}

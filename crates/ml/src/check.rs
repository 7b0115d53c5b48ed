//! The contract every learner must pass.
//!
//! [`check`] takes a way to make a fresh model and feeds it ordinary, extreme and broken rows. It
//! returns the first broken rule instead of panicking, so that it can be tested itself and used from
//! other crates. What it holds a learner to:
//!
//! 1. *repeatable*: the same batches give the same bytes;
//! 2. *durable*: a restored model has the same bytes and answers, and the same future;
//! 3. *untouched by questions*: predicting leaves no trace;
//! 4. *unpoisoned*: broken rows are refused by index, answered with nothing, and leave no trace;
//! 5. *finite*: whatever finite rows come, all answers and parameters are finite;
//! 6. *bounded*: twice the stream does not need more memory;
//! 7. *careful*: a damaged snapshot is an error.

use serde_json::Value;
use thiserror::Error;

use crate::features::{Features, Rejection, VALUE_MAX};
use crate::model::{Model, Predictions};
use crate::registry::restore;

/// Rows per batch and batches per run: enough for any learner here to leave its first phase.
const ROWS: usize = 64;
const BATCHES: usize = 48;

/// A rule that a learner broke.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not {rule}: {detail}")]
pub struct Violation {
    /// The rule, as listed on this module's page.
    pub rule: &'static str,
    /// What happened.
    pub detail: String,
}

/// A way to make a fresh model, always the same.
pub type Make<'a> = &'a dyn Fn() -> Box<dyn Model>;

/// Holds a learner of rows `dim` wide to the contract.
///
/// # Errors
///
/// The first rule it breaks.
pub fn check(make: Make<'_>, dim: usize) -> Result<(), Violation> {
    let stream = batches(dim, BATCHES);
    repeatable(make, dim, &stream)?;
    durable(make, dim, &stream)?;
    untouched_by_questions(make, dim, &stream)?;
    unpoisoned(make, dim, &stream)?;
    finite(make, dim, &stream)?;
    bounded(make, dim)?;
    careful(make, dim, &stream)
}

fn repeatable(make: Make<'_>, dim: usize, stream: &[Vec<f64>]) -> Result<(), Violation> {
    let (one, other) = (taught(make, dim, stream), taught(make, dim, stream));
    ensure(one.snapshot() == other.snapshot(), "repeatable", || "two equal runs differ".to_owned())?;
    let rows = (stream.len() * ROWS) as u64;
    ensure(one.rows_learned() == rows, "repeatable", || {
        format!("{} of {rows} rows learned", one.rows_learned())
    })
}

fn durable(make: Make<'_>, dim: usize, stream: &[Vec<f64>]) -> Result<(), Violation> {
    for stop in [0, 1, 2, stream.len() / 2, stream.len()] {
        let mut original = taught(make, dim, &stream[..stop]);
        let snapshot = original.snapshot();
        let mut twin =
            restore(&snapshot).map_err(|error| broken("durable", format!("after {stop}: {error}")))?;
        ensure(twin.snapshot() == snapshot, "durable", || {
            format!("bytes change when restored after {stop}")
        })?;
        for batch in stream {
            let rows = features(batch, dim);
            ensure(original.predict(rows) == twin.predict(rows), "durable", || {
                format!("answers, after {stop}")
            })?;
            ensure(original.learn(rows) == twin.learn(rows), "durable", || format!("reports, after {stop}"))?;
        }
        ensure(original.snapshot() == twin.snapshot(), "durable", || format!("another future after {stop}"))?;
    }
    Ok(())
}

fn untouched_by_questions(make: Make<'_>, dim: usize, stream: &[Vec<f64>]) -> Result<(), Violation> {
    let model = taught(make, dim, stream);
    let before = model.snapshot();
    let fork = model.fork();
    for batch in stream {
        let answers = count(&model.predict(features(batch, dim)));
        ensure(answers == ROWS, "untouched by questions", || format!("{answers} answers to {ROWS} rows"))?;
    }
    let same = model.snapshot() == before && fork.snapshot() == before;
    ensure(same, "untouched by questions", || "predicting or forking changed the model".to_owned())
}

fn unpoisoned(make: Make<'_>, dim: usize, stream: &[Vec<f64>]) -> Result<(), Violation> {
    let (mut clean, mut tried) = (taught(make, dim, &stream[..1]), taught(make, dim, &stream[..1]));
    for batch in &stream[1..] {
        clean.learn(features(batch, dim));
        let (values, offsets, bad) = spoiled(batch, dim);
        let rows = Features::ragged(&values[..], &offsets).expect("offsets are in order");
        let report = tried.learn(rows);
        let refused: Vec<usize> = report.rejected.iter().map(|row| row.row).collect();
        ensure(refused == bad, "unpoisoned", || format!("refused rows {refused:?}, broken are {bad:?}"))?;
        let Predictions::Clusters(answers) = tried.predict(rows);
        ensure(bad.iter().all(|&row| answers[row].is_none()), "unpoisoned", || {
            "a broken row is answered".into()
        })?;
        let narrow = report.rejected.iter().any(|row| matches!(row.reason, Rejection::Dimension { .. }));
        ensure(narrow || dim == 1, "unpoisoned", || "a narrow row has another reason".to_owned())?;
    }
    ensure(clean.snapshot() == tried.snapshot(), "unpoisoned", || "refused rows left a trace".to_owned())
}

fn finite(make: Make<'_>, dim: usize, stream: &[Vec<f64>]) -> Result<(), Violation> {
    let mut model = taught(make, dim, &stream[..1]);
    let extremes = [VALUE_MAX, -VALUE_MAX, f64::MIN_POSITIVE, -0.0, 0.0, 5e-324, 1.0];
    for (step, batch) in stream.iter().enumerate() {
        let value = extremes[step % extremes.len()];
        let row: Vec<f64> = (0..dim * 3).map(|at| if at % 2 == 0 { value } else { -value }).collect();
        let learned = model.learn(features(&row, dim)).learned;
        ensure(learned == 3, "finite", || format!("{learned} of 3 rows of {value} learned"))?;
        model.learn(features(batch, dim));
        // JSON has no word for NaN and infinity: they become null.
        let parameters = model.describe();
        ensure(!has_null(&parameters), "finite", || format!("after a row of {value}: {parameters}"))?;
        let answers = count(&model.predict(features(batch, dim)));
        ensure(answers == 0 || answers == ROWS, "finite", || format!("{answers} answers after {value}"))?;
    }
    restore(&model.snapshot()).map(|_| ()).map_err(|error| broken("finite", error.to_string()))
}

fn bounded(make: Make<'_>, dim: usize) -> Result<(), Violation> {
    let once = taught(make, dim, &batches(dim, BATCHES)).snapshot().len();
    let twice = taught(make, dim, &batches(dim, 2 * BATCHES)).snapshot().len();
    ensure(twice <= once, "bounded", || format!("{once} bytes, {twice} after twice the stream"))
}

fn careful(make: Make<'_>, dim: usize, stream: &[Vec<f64>]) -> Result<(), Violation> {
    for learned in [1, stream.len()] {
        let snapshot = taught(make, dim, &stream[..learned]).snapshot();
        let step = (snapshot.len() / 500).max(1);
        for at in (0..snapshot.len()).step_by(step) {
            let mut damaged = snapshot.clone();
            damaged[at] ^= 0x10;
            ensure(restore(&damaged).is_err(), "careful", || {
                format!("a flipped bit in byte {at} is accepted")
            })?;
            ensure(restore(&snapshot[..at]).is_err(), "careful", || {
                format!("a cut at byte {at} is accepted")
            })?;
        }
    }
    Ok(())
}

/// A fresh model that learned these batches.
fn taught(make: Make<'_>, dim: usize, stream: &[Vec<f64>]) -> Box<dyn Model> {
    let mut model = make();
    for batch in stream {
        model.learn(features(batch, dim));
    }
    model
}

/// Batches of rows around a handful of slowly moving middles, always the same.
fn batches(dim: usize, count: usize) -> Vec<Vec<f64>> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1_u64 << 24) as f64 - 0.5
    };
    let mut batch = |moved: f64| -> Vec<f64> {
        (0..ROWS * dim)
            .map(|at| (at / dim % 5) as f64 * 10.0 * ((at % dim % 3) as f64 - 1.0) + moved + noise())
            .collect()
    };
    (0..count).map(|index| batch(index as f64 * 0.01)).collect()
}

/// The batch with broken rows strewn in, as values and offsets, and where those rows are.
fn spoiled(batch: &[f64], dim: usize) -> (Vec<f64>, Vec<i32>, Vec<usize>) {
    let whole = |value: f64| vec![value; dim];
    let mut narrow_or_wide = whole(0.5);
    narrow_or_wide.push(0.5);
    let broken_rows = [
        whole(f64::NAN),
        whole(f64::INFINITY),
        whole(f64::NEG_INFINITY),
        vec![],
        narrow_or_wide,
        whole(1e200),
    ];
    let (mut values, mut offsets, mut bad) = (Vec::new(), vec![0], Vec::new());
    let mut push = |row: &[f64]| {
        values.extend_from_slice(row);
        offsets.push(i32::try_from(values.len()).expect("a small batch"));
    };
    for (index, row) in batch.chunks_exact(dim).enumerate() {
        if index % 8 == 0 {
            bad.push(index + bad.len());
            push(&broken_rows[index / 8 % broken_rows.len()]);
        }
        push(row);
    }
    (values, offsets, bad)
}

fn features(batch: &[f64], dim: usize) -> Features<'_> {
    Features::dense(batch, dim).expect("batches are made of whole rows")
}

fn count(predictions: &Predictions) -> usize {
    let Predictions::Clusters(clusters) = predictions;
    clusters.iter().flatten().count()
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

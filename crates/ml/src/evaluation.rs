//! Judging a model while it learns: each row is a question first and a lesson then (test-then-train; Gama, Sebastião
//! and Rodrigues, 2013).
//!
//! [`Evaluation`] keeps figures over everything and over a sliding window, because a model that was bad a million rows
//! ago should be told from one that is bad now. [`Monitor`] watches the errors with a drift detector.

mod monitor;
mod pending;

pub use monitor::{Monitor, OnDrift};
pub use pending::{Given, Pending};

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::learner::argmax;
use crate::metric::{ClassCounts, ErrorSums, roc_auc};
use crate::schema::Label;

/// The largest sliding window, in rows.
pub const WINDOW_MAX: usize = 100_000;

/// The sliding window unless the option `evaluation_window` says another, in rows.
pub const WINDOW: usize = 1_000;

/// A confusion matrix is kept up to so many classes; the figures need none.
const MATRIX_CLASSES_MAX: usize = 64;

/// Keeps the logarithm of a probability finite, as scikit-learn and River do.
const SHARE_MIN: f64 = 1e-15;

/// What a model answered so far, as far as figures need it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    window: usize,
    answers: Answers,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Answers {
    Classes(ClassAnswers),
    Numbers { sums: ErrorSums, recent: VecDeque<(f64, f64)> },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct ClassAnswers {
    counts: ClassCounts,
    /// Row-major: by actual class, then by predicted. Emptied for ever when there are too many classes.
    matrix: Vec<Vec<u64>>,
    many: bool,
    /// Sum of the negative logarithms, and of how many rows.
    log_loss: (f64, u64),
    /// The class of the last row.
    last: Option<u32>,
    recent: VecDeque<ClassAnswer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct ClassAnswer {
    actual: u32,
    predicted: Option<u32>,
    repeated: bool,
    /// Of the actual class; `None` without an answer.
    share: Option<f64>,
    /// Of class 1, for the ROC curve of two classes.
    second: f64,
}

impl Evaluation {
    /// Nothing judged yet.
    #[must_use]
    pub fn new(label: Label, window: usize) -> Self {
        let answers = match label {
            Label::Class => Answers::Classes(ClassAnswers::default()),
            Label::Number => Answers::Numbers { sums: ErrorSums::default(), recent: VecDeque::new() },
        };
        Evaluation { window: window.clamp(1, WINDOW_MAX), answers }
    }

    /// Judges the answer to a row of class `actual`: the share of each class, or nothing. Says how wrong it was: 0 for
    /// right, 1 for wrong.
    pub fn class(&mut self, actual: u32, shares: Option<&[f64]>) -> f64 {
        let share = |class: u32| shares.map(|shares| shares.get(class as usize).copied().unwrap_or(0.0));
        self.answered(actual, shares.and_then(argmax), share(actual), share(1).unwrap_or(0.0))
    }

    /// Judges an answer that is a class and no more: figures that need shares leave it out.
    pub fn class_alone(&mut self, actual: u32, predicted: Option<u32>) -> f64 {
        self.answered(actual, predicted, None, 0.0)
    }

    fn answered(&mut self, actual: u32, predicted: Option<u32>, share: Option<f64>, second: f64) -> f64 {
        let Answers::Classes(answers) = &mut self.answers else { return 0.0 };
        let answer = ClassAnswer { actual, predicted, repeated: answers.last == Some(actual), share, second };
        answers.add(answer);
        slide(&mut answers.recent, answer, self.window);
        f64::from(u8::from(predicted != Some(actual)))
    }

    /// Judges an estimate of the number `actual`. Says how far off it was; nothing if there was no estimate.
    pub fn number(&mut self, actual: f64, estimate: Option<f64>) -> Option<f64> {
        let estimate = estimate?;
        if let Answers::Numbers { sums, recent } = &mut self.answers {
            sums.add(actual, estimate);
            slide(recent, (actual, estimate), self.window);
        }
        Some((actual - estimate).abs())
    }

    /// All figures, over everything and over the window, and the confusion matrix if there are not too many classes.
    /// `name` says what a class is called.
    #[must_use]
    pub fn figures<'a>(&self, name: impl Fn(u32) -> Option<&'a str>) -> Value {
        match &self.answers {
            Answers::Numbers { sums, recent } => {
                let mut window = ErrorSums::default();
                recent.iter().for_each(|(actual, estimate)| window.add(*actual, *estimate));
                json!({ "overall": sums.figures(), "window": window.figures() })
            }
            Answers::Classes(answers) => {
                let mut figures = json!({ "overall": answers.overall(), "window": answers.window() });
                if !answers.matrix.is_empty() {
                    let names = (0..).take(answers.matrix.len()).map(|class| name(class).unwrap_or_default());
                    figures["confusion"] = json!({ "classes": names.collect::<Vec<_>>(), "actual_by_predicted": answers.square() });
                }
                figures
            }
        }
    }

    /// The one figure that says most, over the window: accuracy, or the mean absolute error.
    #[must_use]
    pub fn recent(&self) -> Option<f64> {
        match &self.answers {
            Answers::Classes(answers) => answers.recent_counts().figures().accuracy,
            Answers::Numbers { recent, .. } => {
                let errors: f64 = recent.iter().map(|(actual, estimate)| (actual - estimate).abs()).sum();
                (!recent.is_empty()).then(|| errors / recent.len() as f64)
            }
        }
    }

    pub(crate) fn validate(&self) -> Result<(), &'static str> {
        let fits = (1..=WINDOW_MAX).contains(&self.window);
        match &self.answers {
            Answers::Numbers { sums, recent } => {
                let finite =
                    recent.iter().all(|(actual, estimate)| actual.is_finite() && estimate.is_finite());
                if !fits || recent.len() > self.window || !finite {
                    return Err("its evaluation");
                }
                sums.validate()
            }
            Answers::Classes(answers) => {
                let whole = answers.matrix.len() <= MATRIX_CLASSES_MAX
                    && answers.matrix.iter().all(|row| row.len() <= MATRIX_CLASSES_MAX);
                let share =
                    |answer: &ClassAnswer| answer.share.is_none_or(|share| (0.0..=1.1).contains(&share));
                let class = |class: u32| (class as usize) < crate::model::CLASSES_MAX;
                let known = |answer: &ClassAnswer| class(answer.actual) && answer.predicted.is_none_or(class);
                let sound = answers.recent.iter().all(|a| share(a) && known(a) && a.second.is_finite());
                if !fits || answers.recent.len() > self.window || !whole || !sound {
                    return Err("its evaluation");
                }
                answers.counts.validate()
            }
        }
    }
}

fn slide<T>(recent: &mut VecDeque<T>, answer: T, window: usize) {
    if recent.len() == window {
        recent.pop_front();
    }
    recent.push_back(answer);
}

impl ClassAnswers {
    fn add(&mut self, answer: ClassAnswer) {
        self.counts.add(answer.actual, answer.predicted, answer.repeated);
        self.last = Some(answer.actual);
        if let Some(loss) = answer.loss() {
            self.log_loss = (self.log_loss.0 + loss, self.log_loss.1 + 1);
        }
        if let Some(predicted) = answer.predicted.filter(|_| !self.many) {
            let (row, column) = (answer.actual as usize, predicted as usize);
            if row.max(column) >= MATRIX_CLASSES_MAX {
                (self.many, self.matrix) = (true, Vec::new());
                return;
            }
            let rows = self.matrix.len().max(row + 1);
            self.matrix.resize(rows, Vec::new());
            let columns = self.matrix[row].len().max(column + 1);
            self.matrix[row].resize(columns, 0);
            self.matrix[row][column] += 1;
        }
    }

    /// The matrix with all rows of one length.
    fn square(&self) -> Vec<Vec<u64>> {
        let width = self.matrix.iter().map(Vec::len).max().unwrap_or(0).max(self.matrix.len());
        let wide = |row: &Vec<u64>| {
            let mut row = row.clone();
            row.resize(width, 0);
            row
        };
        let mut matrix: Vec<Vec<u64>> = self.matrix.iter().map(wide).collect();
        matrix.resize(width, vec![0; width]);
        matrix
    }

    fn overall(&self) -> Value {
        let mut figures = json!(self.counts.figures());
        let (loss, rows) = self.log_loss;
        figures["log_loss"] = json!((rows > 0).then(|| loss / rows as f64));
        figures
    }

    fn recent_counts(&self) -> ClassCounts {
        let mut counts = ClassCounts::default();
        self.recent.iter().for_each(|answer| counts.add(answer.actual, answer.predicted, answer.repeated));
        counts
    }

    fn window(&self) -> Value {
        let mut figures = json!(self.recent_counts().figures());
        let losses: Vec<f64> = self.recent.iter().filter_map(ClassAnswer::loss).collect();
        let mean = losses.iter().sum::<f64>() / losses.len() as f64;
        figures["log_loss"] = json!((!losses.is_empty()).then_some(mean));
        if self.recent.iter().all(|answer| answer.actual < 2) {
            let answered = self.recent.iter().filter(|answer| answer.share.is_some());
            let mut scored: Vec<(f64, bool)> = answered.map(|a| (a.second, a.actual == 1)).collect();
            figures["roc_auc"] = json!(roc_auc(&mut scored));
        }
        figures
    }
}

impl ClassAnswer {
    fn loss(&self) -> Option<f64> {
        self.share.map(|share| -libm::log(share.clamp(SHARE_MIN, 1.0 - SHARE_MIN)))
    }
}

#[cfg(test)]
mod tests;

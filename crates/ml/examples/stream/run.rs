//! One learner over one stream.

use std::fs::File;
use std::io::{BufWriter, Write};

use ml::{Features, Model, Row, RowBuffer, Task, Transformer};

use crate::Outcome;
use crate::rows::Rows;
use crate::score::Score;

/// Where answers are written, if anywhere.
pub(crate) type Answers = Option<BufWriter<File>>;

/// A learner, what comes before it, the rows, and what came of them.
pub(crate) struct Run<'a> {
    rows: &'a Rows,
    steps: Vec<Box<dyn Transformer>>,
    task: Task,
    pub(crate) score: Score,
    pub(crate) refused: usize,
    pub(crate) answers: Answers,
}

/// Scratch space for the steps before a learner.
#[derive(Default)]
struct Prepared {
    row: RowBuffer,
    spare: RowBuffer,
}

impl Prepared {
    /// The row after `steps`, of which there are some; they learn from it first if they are `learning`.
    fn take(&mut self, steps: &mut [Box<dyn Transformer>], values: &[f64], learning: bool) -> Outcome<()> {
        for (place, step) in steps.iter_mut().enumerate() {
            let row = if place == 0 { Row::F64(values) } else { self.row.row() };
            if learning {
                step.learn_and_transform_one(row, &mut self.spare)?;
            } else {
                step.transform_one(row, &mut self.spare)?;
            }
            std::mem::swap(&mut self.row, &mut self.spare);
        }
        Ok(())
    }
}

impl<'a> Run<'a> {
    pub(crate) fn new(rows: &'a Rows, model: &Model, answers: Answers) -> Self {
        let (steps, task) = (model.steps().to_vec(), model.task().clone());
        Run { rows, steps, task, score: Score::default(), refused: 0, answers }
    }

    /// The model as it has become.
    pub(crate) fn model(&self) -> Model {
        Model::new(self.rows.schema(), self.steps.clone(), self.task.clone())
    }

    /// All rows, `batch` at a time.
    pub(crate) fn stream(&mut self, batch: usize) -> Outcome<()> {
        if batch > 1 {
            return self.in_batches(batch);
        }
        let mut scratch = Prepared::default();
        let mut shares = Vec::new();
        for index in 0..self.rows.len() {
            let values = self.rows.slice(index, index + 1);
            if self.steps.is_empty() {
                self.ask(index, Row::F64(values), &mut shares)?;
                self.teach(index, Row::F64(values));
                continue;
            }
            scratch.take(&mut self.steps, values, false)?;
            self.ask(index, scratch.row.row(), &mut shares)?;
            scratch.take(&mut self.steps, values, true)?;
            self.teach(index, scratch.row.row());
        }
        Ok(())
    }

    fn ask(&mut self, index: usize, row: Row<'_>, shares: &mut Vec<f64>) -> Outcome<()> {
        match &self.task {
            Task::Classify(learner) => {
                learner.predict_proba_one(row, shares);
                self.score.class(largest(shares), self.rows.classes[index]);
                write(&mut self.answers, shares)
            }
            Task::Regress(learner) => {
                let answer = learner.predict_one(row);
                self.score.number(answer, self.rows.targets[index]);
                write(&mut self.answers, answer.as_slice())
            }
            Task::Forecast(learner) => {
                let answer = learner.predict_one(row);
                self.score.number(answer, self.rows.targets[index]);
                write(&mut self.answers, answer.as_slice())
            }
            Task::Detect(learner) => {
                let answer = learner.score_one(row);
                self.score.strangeness(answer, self.rows.strange(index));
                write(&mut self.answers, answer.as_slice())
            }
            Task::Cluster(learner) => {
                let answer = learner.predict_one(row);
                self.score.cluster(answer, self.rows.name(index));
                write(&mut self.answers, answer.map(f64::from).as_slice())
            }
        }
    }

    fn teach(&mut self, index: usize, row: Row<'_>) {
        let outcome = match &mut self.task {
            Task::Classify(learner) => learner.learn_one(row, self.rows.classes[index], 1.0),
            Task::Regress(learner) => learner.learn_one(row, self.rows.targets[index], 1.0),
            Task::Forecast(learner) => learner.learn_one(row, self.rows.targets[index]),
            Task::Detect(learner) => learner.learn_one(row),
            Task::Cluster(learner) => learner.learn_one(row),
        };
        self.refused += usize::from(outcome.is_err());
    }

    fn in_batches(&mut self, batch: usize) -> Outcome<()> {
        if !self.steps.is_empty() {
            return Err("steps before a learner go row by row: batch=1".into());
        }
        for start in (0..self.rows.len()).step_by(batch) {
            let end = (start + batch).min(self.rows.len());
            let rows = Features::dense(self.rows.slice(start, end), self.rows.dim())?;
            self.batch(rows, start, end)?;
        }
        Ok(())
    }

    fn batch(&mut self, rows: Features<'_>, start: usize, end: usize) -> Outcome<()> {
        let report = match &mut self.task {
            Task::Classify(learner) => {
                let classes = &self.rows.classes[start..end];
                for (answer, &class) in learner.predict_many(rows).into_iter().zip(classes) {
                    self.score.class(answer, class);
                    write(&mut self.answers, answer.map(f64::from).as_slice())?;
                }
                learner.learn_many(rows, classes)
            }
            Task::Regress(learner) => {
                let targets = &self.rows.targets[start..end];
                for (answer, &target) in learner.predict_many(rows).into_iter().zip(targets) {
                    self.score.number(answer, target);
                    write(&mut self.answers, answer.as_slice())?;
                }
                learner.learn_many(rows, targets)
            }
            // A series is asked for its next value, one at a time.
            Task::Forecast(_) => return Err("a forecaster goes row by row: batch=1".into()),
            Task::Detect(learner) => {
                for (index, answer) in (start..end).zip(learner.score_many(rows)) {
                    self.score.strangeness(answer, self.rows.strange(index));
                    write(&mut self.answers, answer.as_slice())?;
                }
                learner.learn_many(rows)
            }
            Task::Cluster(learner) => {
                for (index, answer) in (start..end).zip(learner.predict_many(rows)) {
                    self.score.cluster(answer, self.rows.name(index));
                    write(&mut self.answers, answer.map(f64::from).as_slice())?;
                }
                learner.learn_many(rows)
            }
        };
        self.refused += report.rejected.len();
        Ok(())
    }
}

fn largest(shares: &[f64]) -> Option<u32> {
    let mut best: Option<(u32, f64)> = None;
    for (place, &share) in (0..).zip(shares) {
        if best.is_none_or(|(_, most)| share > most) {
            best = Some((place, share));
        }
    }
    best.map(|(place, _)| place)
}

fn write(answers: &mut Answers, numbers: &[f64]) -> Outcome<()> {
    if let Some(file) = answers {
        let numbers: Vec<String> = numbers.iter().map(f64::to_string).collect();
        writeln!(file, "{}", numbers.join(","))?;
    }
    Ok(())
}

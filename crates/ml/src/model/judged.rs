//! Asking about each row before it is learned, and beginning anew when the errors say so.

use serde_json::Value;

use super::delayed::Truth;
use super::rows::Gathered;
use super::{Model, Task};
use crate::evaluation::{Evaluation, Given};
use crate::features::Features;
use crate::learner::LearnReport;
use crate::registry;
use crate::row::{Rejection, Row};

impl Model {
    pub(super) fn learn_rows(&mut self, rows: Features<'_>, gathered: &Gathered) -> LearnReport {
        if !gathered.weights.is_empty() && self.takes_weights() {
            let mut report = LearnReport::default();
            for (index, row) in rows.iter().enumerate() {
                report.note(index, self.learn_row(row, gathered, index));
            }
            return report;
        }
        match &mut self.task {
            Task::Cluster(learner) => learner.learn_many(rows),
            Task::Detect(learner) => learner.learn_many(rows),
            Task::Classify(learner) => learner.learn_many(rows, &gathered.classes),
            Task::Regress(learner) => learner.learn_many(rows, &gathered.targets),
            Task::Forecast(learner) => learner.learn_many(rows, &gathered.targets),
        }
    }

    fn learn_row(&mut self, row: Row<'_>, gathered: &Gathered, index: usize) -> Result<(), Rejection> {
        let weight = gathered.weights.get(index).copied().unwrap_or(1.0);
        match &mut self.task {
            Task::Classify(learner) => learner.learn_one(row, gathered.classes[index], weight),
            Task::Regress(learner) => learner.learn_one(row, gathered.targets[index], weight),
            Task::Forecast(learner) => learner.learn_one(row, gathered.targets[index]),
            Task::Cluster(learner) => learner.learn_one(row),
            Task::Detect(learner) => learner.learn_one(row),
        }
    }

    /// Whether rows may count more or less than others.
    #[must_use]
    pub fn takes_weights(&self) -> bool {
        matches!(self.task, Task::Classify(_) | Task::Regress(_)) && !self.learner().by_batch()
    }

    /// Asks about each row before it is learned: one after the other, unless a batch is one lesson.
    pub(super) fn test_then_train(
        &mut self,
        evaluation: &mut Evaluation,
        rows: Features<'_>,
        gathered: &Gathered,
        answers: Option<&[Given]>,
    ) -> LearnReport {
        let mut shares = Vec::new();
        let mut judge = |model: &Self, evaluation: &mut Evaluation, row: Row<'_>, index: usize| match answers
        {
            Some(answers) => {
                model.judge_earlier(evaluation, &answers[gathered.place(index)], gathered, index)
            }
            None => model.judge(evaluation, row, gathered, index, &mut shares),
        };
        if self.learner().by_batch() {
            let mut reset = false;
            for (index, row) in rows.iter().enumerate() {
                let error = judge(self, evaluation, row, index);
                reset |= self.watch(error);
            }
            let report = self.learn_rows(rows, gathered);
            self.reset_if(reset);
            return report;
        }
        let mut report = LearnReport::default();
        for (index, row) in rows.iter().enumerate() {
            let error = judge(self, evaluation, row, index);
            report.note(index, self.learn_row(row, gathered, index));
            let reset = self.watch(error);
            self.reset_if(reset);
        }
        report
    }

    /// How wrong the answer to a row was that was given when it was a question.
    fn judge_earlier(
        &self,
        evaluation: &mut Evaluation,
        answer: &Given,
        gathered: &Gathered,
        index: usize,
    ) -> Option<f64> {
        let truth = match &self.task {
            Task::Classify(_) => Truth::Class(gathered.classes[index]),
            Task::Regress(_) | Task::Forecast(_) => Truth::Number(gathered.targets[index]),
            Task::Cluster(_) | Task::Detect(_) => return None,
        };
        self.error_of(evaluation, answer, truth)
    }

    /// How wrong the answer to a row is; `None` if there is nothing to compare.
    fn judge(
        &self,
        evaluation: &mut Evaluation,
        row: Row<'_>,
        gathered: &Gathered,
        index: usize,
        shares: &mut Vec<f64>,
    ) -> Option<f64> {
        match &self.task {
            Task::Classify(learner) => {
                let answered = learner.predict_proba_one(row, shares);
                Some(evaluation.class(gathered.classes[index], answered.then_some(shares.as_slice())))
            }
            Task::Regress(learner) => evaluation.number(gathered.targets[index], learner.predict_one(row)),
            Task::Forecast(learner) => evaluation.number(gathered.targets[index], learner.predict_one(row)),
            Task::Cluster(_) | Task::Detect(_) => None,
        }
    }

    /// True if the errors say that what was learned no longer holds, and the learner is to begin anew.
    pub(super) fn watch(&mut self, error: Option<f64>) -> bool {
        match (&mut self.monitor, error) {
            (Some(monitor), Some(error)) => monitor.watch(error),
            _ => false,
        }
    }

    /// Begins anew; steps, names and figures stay.
    pub(super) fn reset_if(&mut self, reset: bool) {
        if reset && let Ok(task) = registry::again(&self.recipe, &self.schema) {
            self.task = task;
        }
    }

    /// How well it answered each row before it learned it, over everything and over a sliding window, with what the
    /// drift detector saw. Null for a model that is not judged.
    #[must_use]
    pub fn evaluation(&self) -> Value {
        let Some(evaluation) = &self.evaluation else { return Value::Null };
        let mut figures = evaluation.figures(|class| self.class(class));
        if let Some(monitor) = &self.monitor {
            figures["drift"] = monitor.describe();
        }
        figures
    }

    /// Its accuracy, or its mean absolute error, over the sliding window of rows that it last learned.
    #[must_use]
    pub fn recent_figure(&self) -> Option<f64> {
        self.evaluation.as_ref().and_then(Evaluation::recent)
    }
}

//! Labels that come after their rows.
//!
//! A model that waits for labels is asked with [`Model::give`]; what it gives is kept, by [`Pending`] for one, until
//! the labels are there, and judged with [`Model::score_delayed`]. The rows are then learned without being judged again
//! ([`Model::learn_unjudged`]).
//!
//! [`Pending`]: crate::evaluation::Pending

use super::rows::{Target, target};
use super::{CLASSES_MAX, Model, Predictions};
use crate::batch::{Batch, Labels};
use crate::evaluation::{Evaluation, Given};
use crate::learner::LearnReport;
use crate::row::Rejection;

impl Model {
    /// Answers each row with all that judging the answer later will need.
    #[must_use]
    pub fn give(&self, batch: &Batch<'_>) -> Vec<Given> {
        let number = |answer: Option<f64>| answer.map_or(Given::Nothing, Given::Number);
        if let Some(answers) = self.predict_proba(batch) {
            return answers.into_iter().map(|shares| shares.map_or(Given::Nothing, Given::Shares)).collect();
        }
        match self.predict(batch) {
            Predictions::Numbers(answers) => answers.into_iter().map(number).collect(),
            _ => vec![Given::Nothing; batch.len()],
        }
    }

    /// Judges answers that were given before, now that the labels are there; the drift detector sees the errors too.
    /// `learned` counts what was judged. A model that is not judged takes no notice.
    pub fn score_delayed(&mut self, answers: &[Given], labels: Labels<'_>) -> LearnReport {
        let mut report = LearnReport::default();
        for (row, answer) in answers.iter().enumerate().take(labels.len()) {
            report.note(row, self.score_one(answer, labels, row));
        }
        report
    }

    /// Learns as [`Model::learn`] does, from rows whose answers are judged elsewhere.
    pub fn learn_unjudged(&mut self, batch: &Batch<'_>) -> LearnReport {
        let evaluation = self.evaluation.take();
        let report = self.learn(batch);
        self.evaluation = evaluation;
        report
    }

    fn score_one(&mut self, answer: &Given, labels: Labels<'_>, row: usize) -> Result<(), Rejection> {
        let truth = target(Some(labels), row, self.schema.label)?;
        let Some(mut evaluation) = self.evaluation.take() else { return Ok(()) };
        let error = self.error_of(&mut evaluation, answer, truth);
        self.evaluation = Some(evaluation);
        let reset = self.watch(error?);
        self.reset_if(reset);
        Ok(())
    }

    /// How wrong an answer was; `None` if there is nothing to compare.
    fn error_of(
        &mut self,
        evaluation: &mut Evaluation,
        answer: &Given,
        truth: Option<Target<'_>>,
    ) -> Result<Option<f64>, Rejection> {
        Ok(match (truth, answer) {
            (Some(Target::Class(word)), answer) => {
                self.check_class(word)?;
                let limit = CLASSES_MAX;
                let actual = self.classes.learn(word).ok_or(Rejection::TooManyCategories { limit })?;
                let shares = match answer {
                    Given::Shares(shares) => Some(shares.as_slice()),
                    Given::Number(_) | Given::Nothing => None,
                };
                Some(evaluation.class(actual, shares))
            }
            (Some(Target::Number(actual)), Given::Number(estimate)) => {
                evaluation.number(actual, Some(*estimate))
            }
            _ => None,
        })
    }
}

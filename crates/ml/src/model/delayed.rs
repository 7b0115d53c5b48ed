//! Labels that come after their rows.
//!
//! A model that waits for labels is asked with [`Model::give`]; what it gives is kept, by [`Pending`] for one, until
//! the labels are there, and judged with [`Model::score_delayed`]. The rows are then learned without being judged again
//! ([`Model::learn_unjudged`]).
//!
//! Where something else stores the answers, such as a topic, they come back with the labels as
//! [`Batch::answers`](crate::Batch::answers), and [`Model::learn`] does both at once.
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
        let truth = match target(Some(labels), row, self.schema.label)? {
            Some(Target::Class(word)) => {
                self.check_class(word)?;
                let limit = CLASSES_MAX;
                Truth::Class(self.classes.learn(word).ok_or(Rejection::TooManyCategories { limit })?)
            }
            Some(Target::Number(actual)) => Truth::Number(actual),
            None => return Ok(()),
        };
        let Some(mut evaluation) = self.evaluation.take() else { return Ok(()) };
        let error = self.error_of(&mut evaluation, answer, truth);
        self.evaluation = Some(evaluation);
        let reset = self.watch(error);
        self.reset_if(reset);
        Ok(())
    }

    /// How wrong an answer was; `None` if there is nothing to compare.
    pub(super) fn error_of(&self, evaluation: &mut Evaluation, answer: &Given, truth: Truth) -> Option<f64> {
        match (truth, answer) {
            (Truth::Class(actual), Given::Shares(shares)) => Some(evaluation.class(actual, Some(shares))),
            (Truth::Class(actual), Given::Named(shares)) => {
                Some(evaluation.class(actual, self.shares_of(shares).as_deref()))
            }
            (Truth::Class(actual), Given::Class(word)) => {
                Some(evaluation.class_alone(actual, self.classes.code(word)))
            }
            (Truth::Class(actual), Given::Number(_) | Given::Nothing) => Some(evaluation.class(actual, None)),
            (Truth::Number(actual), Given::Number(estimate)) => evaluation.number(actual, Some(*estimate)),
            (Truth::Number(_), _) => None,
        }
    }

    /// Shares by the codes of their classes. `None` if the likeliest is a class that no row was of: it is no class that
    /// could be right.
    fn shares_of(&self, named: &[(String, f64)]) -> Option<Vec<f64>> {
        let mut shares = vec![0.0; self.classes.words().len()];
        let (mut known, mut unknown) = (0.0_f64, 0.0_f64);
        for (word, share) in named {
            match self.classes.code(word).and_then(|code| shares.get_mut(code as usize)) {
                Some(place) => {
                    *place = *share;
                    known = known.max(*share);
                }
                None => unknown = unknown.max(*share),
            }
        }
        (!named.is_empty() && known >= unknown).then_some(shares)
    }
}

/// What a row turned out to be.
#[derive(Clone, Copy)]
pub(super) enum Truth {
    Class(u32),
    Number(f64),
}

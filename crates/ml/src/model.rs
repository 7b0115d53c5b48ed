//! A model as its owner holds it: a learner of some task, what comes before it, and the names it knows.
//!
//! Which task it is, is known only at run time; [`create`](crate::registry::create) makes one by the name of
//! its algorithm. Everything it needs to go on after a restart is in its snapshot: the codes of categories and
//! classes, and what scalers have learned, are state as much as weights are.

pub mod forecast;

mod delayed;
mod judged;
mod rows;
mod stored;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use std::collections::BTreeMap;

use crate::batch::{Batch, Columns};
use crate::evaluation::{Evaluation, Monitor};
use crate::features::Features;
use crate::learner::{
    AnomalyDetector, Classifier, Clusterer, Contributions, Forecaster, LearnReport, Learner, Regressor,
    RejectedRow, RowBuffer, Transformer,
};
use crate::metric::silhouette_one;
use crate::options::OptionError;
use crate::preprocess::Words;
use crate::row::{Missing, Rejection, Row};
use crate::schema::{Kind, Schema};
use crate::vocabulary::Vocabulary;

/// The most classes that one model keeps apart: labels that are really numbers, or ids, must not fill the memory.
pub const CLASSES_MAX: usize = 1_000;

/// A learner of any task.
#[derive(Clone, Debug)]
pub enum Task {
    /// Groups rows.
    Cluster(Box<dyn Clusterer>),
    /// Names the class of a row.
    Classify(Box<dyn Classifier>),
    /// Estimates a number.
    Regress(Box<dyn Regressor>),
    /// Says how strange a row is.
    Detect(Box<dyn AnomalyDetector>),
    /// Tells how a series goes on.
    Forecast(Box<dyn Forecaster>),
}

/// The kind of answers a model gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PredictionType {
    /// The number of a cluster.
    Cluster,
    /// The code of a class; [`Model::class`] has its name.
    Class,
    /// An estimate.
    Number,
    /// How strange a row is.
    Score,
}

/// Answers to a micro-batch, one per row; `None` where there is none.
#[derive(Clone, Debug, PartialEq)]
pub enum Predictions {
    /// The number of each row's cluster.
    Clusters(Vec<Option<u32>>),
    /// The code of each row's class.
    Classes(Vec<Option<u32>>),
    /// An estimate for each row.
    Numbers(Vec<Option<f64>>),
    /// How strange each row is.
    Scores(Vec<Option<f64>>),
}

impl Predictions {
    /// There is no answer to this row.
    fn take_back(&mut self, row: usize) {
        match self {
            Predictions::Clusters(answers) | Predictions::Classes(answers) => answers[row] = None,
            Predictions::Numbers(answers) | Predictions::Scores(answers) => answers[row] = None,
        }
    }
}

/// A model.
#[derive(Clone, Debug)]
pub struct Model {
    schema: Schema,
    /// Per column of the schema; empty for numbers.
    categories: Vec<Vocabulary>,
    classes: Vocabulary,
    /// What turns texts into numbers, before all steps.
    words: Option<Words>,
    steps: Vec<Box<dyn Transformer>>,
    task: Task,
    recipe: Recipe,
    evaluation: Option<Evaluation>,
    monitor: Option<Monitor>,
}

/// How a model was made, for making one like it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recipe {
    pub(crate) algorithm: String,
    /// All of its options, those of its steps and its evaluation included.
    pub(crate) options: BTreeMap<String, String>,
}

impl Model {
    /// A model that knows nothing yet: rows of `schema` go through `steps`, in order, to the learner.
    #[must_use]
    pub fn new(schema: Schema, steps: Vec<Box<dyn Transformer>>, task: Task) -> Self {
        let categories = vec![Vocabulary::default(); schema.columns.len()];
        let (classes, recipe) = (Vocabulary::default(), Recipe::default());
        let (words, evaluation, monitor) = (None, None, None);
        Model { schema, categories, classes, words, steps, task, recipe, evaluation, monitor }
    }

    /// The same, with texts turned into numbers first.
    pub(crate) fn reading(self, words: Option<Words>) -> Self {
        Model { words, ..self }
    }

    /// The same, judged row by row before it learns them.
    pub(crate) fn judged(
        self,
        recipe: Recipe,
        evaluation: Option<Evaluation>,
        monitor: Option<Monitor>,
    ) -> Self {
        Model { recipe, evaluation, monitor, ..self }
    }

    pub(crate) fn into_task(self) -> Task {
        self.task
    }

    /// Learns from a micro-batch. A refused row does not hinder the others, and leaves no trace.
    pub fn learn(&mut self, batch: &Batch<'_>) -> LearnReport {
        let mut report = LearnReport::default();
        let gathered = self.gather(batch, &mut report);
        let rows = gathered.rows(batch);
        let inner = match self.evaluation.take() {
            None => self.learn_rows(rows, &gathered),
            Some(mut evaluation) => {
                let inner = self.test_then_train(&mut evaluation, rows, &gathered, batch.answers);
                self.evaluation = Some(evaluation);
                inner
            }
        };
        report.learned += inner.learned;
        let refused = inner.rejected.into_iter();
        report
            .rejected
            .extend(refused.map(|refusal| RejectedRow { row: gathered.place(refusal.row), ..refusal }));
        report.rejected.sort_by_key(|refusal| refusal.row);
        report
    }

    /// Answers each row. Labels are not looked at.
    #[must_use]
    pub fn predict(&self, batch: &Batch<'_>) -> Predictions {
        if let Columns::Vectors(rows) = batch.columns
            && self.steps.is_empty()
            && self.words.is_none()
        {
            return self.answer(rows);
        }
        let (store, refused) = self.prepare(batch);
        let mut answers = self.answer(store.rows());
        refused.iter().for_each(|&row| answers.take_back(row));
        answers
    }

    /// The probability of each class, by its code, for each row; `None` for a row without an answer, and for a model
    /// that does not name classes.
    #[must_use]
    pub fn predict_proba(&self, batch: &Batch<'_>) -> Option<Vec<Option<Vec<f64>>>> {
        let Task::Classify(learner) = &self.task else { return None };
        Some(self.ask_each(batch, |row| {
            let mut shares = Vec::new();
            learner.predict_proba_one(row, &mut shares).then_some(shares)
        }))
    }

    /// How much each column spoke for the answer to each row, by the column's place in the row that reaches the
    /// learner; `None` for a row without an answer, and for a learner that cannot say.
    #[must_use]
    pub fn explain(&self, batch: &Batch<'_>) -> Option<Vec<Option<Contributions>>> {
        let explained = match &self.task {
            Task::Classify(learner) => self.ask_each(batch, |row| learner.explain_one(row)),
            Task::Regress(learner) => self.ask_each(batch, |row| learner.explain_one(row)),
            _ => return None,
        };
        (batch.is_empty() || explained.iter().any(Option::is_some)).then_some(explained)
    }

    /// How well each row lies in its cluster, by the [middles](crate::metric::silhouette()) of all; `None` for a row
    /// without an answer, and for a model that does not group rows.
    #[must_use]
    pub fn silhouettes(&self, batch: &Batch<'_>) -> Option<Vec<Option<f64>>> {
        let Task::Cluster(learner) = &self.task else { return None };
        let middles = learner.centers();
        Some(self.ask_each(batch, |row| silhouette_one(row, middles?)))
    }

    /// Asks about each row that can be prepared.
    fn ask_each<T>(&self, batch: &Batch<'_>, ask: impl Fn(Row<'_>) -> Option<T>) -> Vec<Option<T>> {
        if let Columns::Vectors(rows) = batch.columns
            && self.steps.is_empty()
            && self.words.is_none()
        {
            return rows.iter().map(ask).collect();
        }
        let (store, refused) = self.prepare(batch);
        let mut answers: Vec<Option<T>> = store.rows().iter().map(ask).collect();
        refused.iter().for_each(|&row| answers[row] = None);
        answers
    }

    /// What is wrong with a row as far as that shows before it is learned or answered.
    ///
    /// # Errors
    ///
    /// The first thing wrong with it.
    pub fn check(&self, row: Row<'_>) -> Result<(), Rejection> {
        let dim = if self.steps.is_empty() { self.dim() } else { self.schema.dim() };
        row.check(dim, self.missing())
    }

    /// What is wrong with one row of a batch as far as that shows before it is learned or answered. Labels are not
    /// looked at, and a name that was never learned from is a missing value.
    ///
    /// # Errors
    ///
    /// The first thing wrong with it.
    pub fn check_row(&self, batch: &Batch<'_>, row: usize) -> Result<(), Rejection> {
        match batch.columns {
            Columns::Vectors(rows) => self.check(rows.row(row)),
            Columns::Table(_) => self.encode(batch.columns, row, &mut RowBuffer::default()),
        }
    }

    /// What [`Model::predict`] gives.
    #[must_use]
    pub fn prediction_type(&self) -> PredictionType {
        match &self.task {
            Task::Cluster(_) => PredictionType::Cluster,
            Task::Classify(_) => PredictionType::Class,
            Task::Regress(_) | Task::Forecast(_) => PredictionType::Number,
            Task::Detect(_) => PredictionType::Score,
        }
    }

    /// The name of a class.
    #[must_use]
    pub fn class(&self, code: u32) -> Option<&str> {
        self.classes.word(code)
    }

    /// What rows and labels are.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The learner.
    #[must_use]
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// What prepares rows for the learner, in order.
    #[must_use]
    pub fn steps(&self) -> &[Box<dyn Transformer>] {
        &self.steps
    }

    /// The name of the learner's algorithm.
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        self.learner().algorithm()
    }

    /// Rows learned so far.
    #[must_use]
    pub fn rows_learned(&self) -> u64 {
        self.learner().rows_learned()
    }

    /// How wide the learner's rows are, once that is known.
    #[must_use]
    pub fn dim(&self) -> Option<usize> {
        self.learner().dim()
    }

    /// What becomes of missing numbers in its rows.
    #[must_use]
    pub fn missing(&self) -> Missing {
        if self.takes_missing(Kind::Number) { Missing::Skipped } else { Missing::Refused }
    }

    /// Whether a column of this kind may lack a value: a step fills it, or nobody minds. A row that would be refused at
    /// the end must not teach the steps before.
    fn takes_missing(&self, kind: Kind) -> bool {
        if self.words.is_some() {
            return true;
        }
        for step in &self.steps {
            if step.missing() == Missing::Refused {
                return false;
            }
            if step.fills(kind) {
                return true;
            }
        }
        self.learner().missing() == Missing::Skipped
    }

    /// Changes an option of the learner, or else of the first step that has it.
    ///
    /// # Errors
    ///
    /// What the learner says when nobody takes it.
    pub fn alter(&mut self, option: &str, value: &str) -> Result<(), OptionError> {
        let learner: &mut dyn Learner = match &mut self.task {
            Task::Cluster(learner) => &mut **learner,
            Task::Classify(learner) => &mut **learner,
            Task::Regress(learner) => &mut **learner,
            Task::Detect(learner) => &mut **learner,
            Task::Forecast(learner) => &mut **learner,
        };
        let refusal = match learner.alter(option, value) {
            Err(refusal @ OptionError::Fixed { .. }) => refusal,
            other => return other,
        };
        self.steps.iter_mut().find_map(|step| step.alter(option, value).ok()).ok_or(refusal)
    }

    /// Options and parameters for people to look at.
    #[must_use]
    pub fn describe(&self) -> Value {
        let mut description = self.learner().describe();
        if let Value::Object(fields) = &mut description {
            if !self.classes.words().is_empty() {
                fields.insert("classes".to_owned(), json!(self.classes.words()));
            }
            if !self.steps.is_empty() {
                let steps: Vec<Value> = self.steps.iter().map(|step| step.describe()).collect();
                fields.insert("steps".to_owned(), Value::Array(steps));
            }
        }
        description
    }

    fn learner(&self) -> &dyn Learner {
        match &self.task {
            Task::Cluster(learner) => &**learner,
            Task::Classify(learner) => &**learner,
            Task::Regress(learner) => &**learner,
            Task::Detect(learner) => &**learner,
            Task::Forecast(learner) => &**learner,
        }
    }

    fn answer(&self, rows: Features<'_>) -> Predictions {
        match &self.task {
            Task::Cluster(learner) => Predictions::Clusters(learner.predict_many(rows)),
            Task::Classify(learner) => Predictions::Classes(learner.predict_many(rows)),
            Task::Regress(learner) => Predictions::Numbers(learner.predict_many(rows)),
            Task::Detect(learner) => Predictions::Scores(learner.score_many(rows)),
            Task::Forecast(learner) => Predictions::Numbers(learner.predict_many(rows)),
        }
    }
}

//! A model as its owner holds it: a learner of some task, what comes before it, and the names it knows.
//!
//! Which task it is, is known only at run time; [`create`](crate::registry::create) makes one by the name of
//! its algorithm. Everything it needs to go on after a restart is in its snapshot: the codes of categories and
//! classes, and what scalers have learned, are state as much as weights are.

pub mod forecast;

mod delayed;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use std::collections::BTreeMap;

use crate::batch::{Batch, ColumnValues, Columns, Labels, RowStore};
use crate::evaluation::{Evaluation, Monitor};
use crate::features::Features;
use crate::learner::{
    AnomalyDetector, Classifier, Clusterer, Contributions, Forecaster, LearnReport, Learner, Regressor,
    RejectedRow, RowBuffer, Transformer,
};
use crate::options::OptionError;
use crate::registry;
use crate::row::{Missing, Rejection, Row, VALUE_MAX};
use crate::schema::{Kind, Label, Schema};
use crate::snapshot::{self, SnapshotError, State};
use crate::vocabulary::{Vocabulary, WORDS_MAX};

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
        Model { schema, categories, classes, steps, task, recipe, evaluation: None, monitor: None }
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
                let inner = self.test_then_train(&mut evaluation, rows, &gathered);
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

    fn learn_rows(&mut self, rows: Features<'_>, gathered: &Gathered) -> LearnReport {
        match &mut self.task {
            Task::Cluster(learner) => learner.learn_many(rows),
            Task::Detect(learner) => learner.learn_many(rows),
            Task::Classify(learner) => learner.learn_many(rows, &gathered.classes),
            Task::Regress(learner) => learner.learn_many(rows, &gathered.targets),
            Task::Forecast(learner) => learner.learn_many(rows, &gathered.targets),
        }
    }

    /// Asks about each row before it is learned: one after the other, unless a batch is one lesson.
    fn test_then_train(
        &mut self,
        evaluation: &mut Evaluation,
        rows: Features<'_>,
        gathered: &Gathered,
    ) -> LearnReport {
        let mut shares = Vec::new();
        if self.learner().by_batch() {
            let mut reset = false;
            for (index, row) in rows.iter().enumerate() {
                let error = self.judge(evaluation, row, gathered, index, &mut shares);
                reset |= self.watch(error);
            }
            let report = self.learn_rows(rows, gathered);
            self.reset_if(reset);
            return report;
        }
        let mut report = LearnReport::default();
        for (index, row) in rows.iter().enumerate() {
            let error = self.judge(evaluation, row, gathered, index, &mut shares);
            let learned = match &mut self.task {
                Task::Classify(learner) => learner.learn_one(row, gathered.classes[index], 1.0),
                Task::Regress(learner) => learner.learn_one(row, gathered.targets[index], 1.0),
                Task::Forecast(learner) => learner.learn_one(row, gathered.targets[index]),
                Task::Cluster(learner) => learner.learn_one(row),
                Task::Detect(learner) => learner.learn_one(row),
            };
            report.note(index, learned);
            let reset = self.watch(error);
            self.reset_if(reset);
        }
        report
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
    fn watch(&mut self, error: Option<f64>) -> bool {
        match (&mut self.monitor, error) {
            (Some(monitor), Some(error)) => monitor.watch(error),
            _ => false,
        }
    }

    /// Begins anew; steps, names and figures stay.
    fn reset_if(&mut self, reset: bool) {
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

    /// Answers each row. Labels are not looked at.
    #[must_use]
    pub fn predict(&self, batch: &Batch<'_>) -> Predictions {
        if let Columns::Vectors(rows) = batch.columns
            && self.steps.is_empty()
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

    /// Asks about each row that can be prepared.
    fn ask_each<T>(&self, batch: &Batch<'_>, ask: impl Fn(Row<'_>) -> Option<T>) -> Vec<Option<T>> {
        if let Columns::Vectors(rows) = batch.columns
            && self.steps.is_empty()
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
        row.check(dim, self.first().missing())
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
            Columns::Table(_) => self.encode(batch.columns, row, &mut Vec::new()),
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

    /// What becomes of missing values in its rows.
    #[must_use]
    pub fn missing(&self) -> Missing {
        self.first().missing()
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

    /// Everything it is, as bytes: versioned, checksummed, equal for equal models.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        snapshot::write(&Saved {
            schema: self.schema.clone(),
            categories: self.categories.clone(),
            classes: self.classes.clone(),
            steps: self.steps.iter().map(|step| step.snapshot()).collect(),
            learner: self.learner().snapshot(),
            recipe: self.recipe.clone(),
            evaluation: self.evaluation.clone(),
            monitor: self.monitor.clone(),
        })
    }

    /// The model that [`Model::snapshot`] wrote. It predicts and learns on as the original would.
    ///
    /// # Errors
    ///
    /// If the bytes are damaged, or written by an algorithm or version this build does not know.
    pub fn restore(snapshot: &[u8]) -> Result<Self, SnapshotError> {
        if snapshot::algorithm(snapshot)? != Saved::NAME {
            // Written before models were more than their learner.
            return Ok(Model::new(Schema::default(), Vec::new(), registry::restore_task(snapshot)?));
        }
        let saved: Saved = snapshot::read(snapshot)?;
        let steps = saved.steps.iter().map(|step| registry::restore_step(step)).collect::<Result<_, _>>()?;
        let task = registry::restore_task(&saved.learner)?;
        Ok(Model {
            schema: saved.schema,
            categories: saved.categories,
            classes: saved.classes,
            steps,
            task,
            recipe: saved.recipe,
            evaluation: saved.evaluation,
            monitor: saved.monitor,
        })
    }

    /// Everything it is, in JSON, with every number to its last bit: what [`Model::snapshot`] has, for other programs.
    #[must_use]
    pub fn export(&self) -> Value {
        json!({
            "format": EXPORT_FORMAT,
            "schema": self.schema,
            "categories": self.categories,
            "classes": self.classes,
            "steps": self.steps.iter().map(|step| exported(&**step)).collect::<Vec<_>>(),
            "learner": exported(self.learner()),
            "recipe": self.recipe,
            "evaluation": self.evaluation,
            "monitor": self.monitor,
        })
    }

    /// The model that [`Model::export`] gave. It predicts and learns on as the original would.
    ///
    /// # Errors
    ///
    /// If it is not of that form, of an algorithm this build does not know, or contradicts itself.
    pub fn import(exported: Value) -> Result<Self, SnapshotError> {
        let exported: Exported = serde_json::from_value(exported)
            .map_err(|error| SnapshotError::NotTheState { name: Saved::NAME, reason: error.to_string() })?;
        if exported.format != EXPORT_FORMAT {
            let reason = format!("its format is '{}', not '{EXPORT_FORMAT}'", exported.format);
            return Err(SnapshotError::NotTheState { name: Saved::NAME, reason });
        }
        let steps = exported.steps.into_iter().map(|part| registry::import_step(&part.algorithm, part.state));
        let model = Model {
            steps: steps.collect::<Result<_, _>>()?,
            task: registry::import_task(&exported.learner.algorithm, exported.learner.state)?,
            schema: exported.schema,
            categories: exported.categories,
            classes: exported.classes,
            recipe: exported.recipe,
            evaluation: exported.evaluation,
            monitor: exported.monitor,
        };
        // What reading checks is checked here too.
        Model::restore(&model.snapshot())
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

    /// Who sees a row first.
    fn first(&self) -> &dyn Learner {
        match self.steps.first() {
            Some(step) => &**step,
            None => self.learner(),
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

    /// The rows as the learner takes them, and those that cannot be prepared; in their places are empty ones.
    fn prepare(&self, batch: &Batch<'_>) -> (RowStore, Vec<usize>) {
        let (mut store, mut refused) = (RowStore::new(), Vec::new());
        let (mut row, mut spare) = (RowBuffer::default(), RowBuffer::default());
        for index in 0..batch.len() {
            let done = self.encode(batch.columns, index, row.dense());
            let done = done.and_then(|()| {
                for step in &self.steps {
                    step.transform_one(row.row(), &mut spare)?;
                    std::mem::swap(&mut row, &mut spare);
                }
                Ok(())
            });
            if done.is_ok() {
                store.push(row.row());
            } else {
                store.push(Row::F64(&[]));
                refused.push(index);
            }
        }
        (store, refused)
    }

    /// The rows that can be learned, prepared, with their labels. Steps learn on the way.
    fn gather(&mut self, batch: &Batch<'_>, report: &mut LearnReport) -> Gathered {
        let mut gathered = Gathered::default();
        let as_they_are = matches!(batch.columns, Columns::Vectors(_)) && self.steps.is_empty();
        let mut store = RowStore::new();
        let (mut row, mut spare) = (RowBuffer::default(), RowBuffer::default());
        for index in 0..batch.len() {
            let admitted = self.admit(batch, index).and_then(|target| {
                if !as_they_are {
                    self.learn_steps(batch.columns, index, &mut row, &mut spare)?;
                }
                self.note(target, &mut gathered);
                Ok(())
            });
            match admitted {
                Ok(()) if as_they_are => gathered.places.push(index),
                Ok(()) => {
                    gathered.places.push(index);
                    store.push(row.row());
                }
                Err(reason) => report.rejected.push(RejectedRow { row: index, reason }),
            }
        }
        if !as_they_are {
            gathered.store = Some(store);
        } else if gathered.places.len() < batch.len() {
            if let Columns::Vectors(rows) = batch.columns {
                gathered.places.iter().for_each(|&place| store.push(rows.row(place)));
            }
            gathered.store = Some(store);
        }
        gathered
    }

    /// Says what a row is to be learned as, if nothing is wrong with it.
    fn admit<'a>(&self, batch: &Batch<'a>, index: usize) -> Result<Option<Target<'a>>, Rejection> {
        let target = target(batch.labels, index, self.schema.label)?;
        if let Columns::Vectors(rows) = batch.columns {
            self.check(rows.row(index))?;
        }
        if let Some(Target::Class(word)) = target {
            self.check_class(word)?;
        }
        Ok(target)
    }

    /// Prepares a row in `row`; steps learn on the way.
    fn learn_steps(
        &mut self,
        columns: Columns<'_>,
        index: usize,
        row: &mut RowBuffer,
        spare: &mut RowBuffer,
    ) -> Result<(), Rejection> {
        self.learn_words(columns, index)?;
        self.encode(columns, index, row.dense())?;
        for step in &mut self.steps {
            step.learn_one(row.row())?;
            step.transform_one(row.row(), spare)?;
            std::mem::swap(row, spare);
        }
        Ok(())
    }

    /// Names get their codes only when nothing can be wrong any more with their rows.
    fn note(&mut self, target: Option<Target<'_>>, gathered: &mut Gathered) {
        match target {
            Some(Target::Class(word)) => gathered.classes.extend(self.classes.learn(word)),
            Some(Target::Number(number)) => gathered.targets.push(number),
            None => {}
        }
    }

    fn check_class(&self, word: &str) -> Result<(), Rejection> {
        if self.classes.code(word).is_some() || self.classes.words().len() < CLASSES_MAX {
            return Ok(());
        }
        Err(Rejection::TooManyCategories { limit: CLASSES_MAX })
    }

    /// Gives the names of a row their codes.
    fn learn_words(&mut self, columns: Columns<'_>, index: usize) -> Result<(), Rejection> {
        let Columns::Table(columns) = columns else { return Ok(()) };
        for (values, words) in columns.iter().zip(&mut self.categories) {
            if let ColumnValues::Words(column) = values
                && let Some(word) = column[index]
                && words.learn(word).is_none()
            {
                return Err(Rejection::TooManyCategories { limit: WORDS_MAX });
            }
        }
        Ok(())
    }

    /// Writes one row as numbers. A name that never was learned from is a missing value.
    fn encode(&self, columns: Columns<'_>, index: usize, row: &mut Vec<f64>) -> Result<(), Rejection> {
        let columns = match columns {
            Columns::Vectors(rows) => {
                rows.row(index).append_to(row);
                return Ok(());
            }
            Columns::Table(columns) => columns,
        };
        let expected = self.schema.columns.len();
        if columns.len() != expected {
            return Err(Rejection::Dimension { expected, found: columns.len() });
        }
        for (column, values) in columns.iter().enumerate() {
            row.push(match (values, self.schema.kind(column)) {
                (ColumnValues::Numbers(values), Kind::Number) => values[index],
                (ColumnValues::Words(words), Kind::Category) => {
                    let code = words[index].and_then(|word| self.categories[column].code(word));
                    code.map_or(f64::NAN, f64::from)
                }
                _ => return Err(Rejection::WrongKind { column }),
            });
        }
        if expected == 0 {
            return Ok(());
        }
        Row::F64(row).check(Some(expected), self.first().missing())
    }
}

/// What one row is to be learned as.
#[derive(Clone, Copy)]
enum Target<'a> {
    Class(&'a str),
    Number(f64),
}

fn target(
    labels: Option<Labels<'_>>,
    index: usize,
    wanted: Option<Label>,
) -> Result<Option<Target<'_>>, Rejection> {
    let Some(wanted) = wanted else { return Ok(None) };
    match (labels, wanted) {
        (Some(Labels::Classes(words)), Label::Class) => {
            words[index].map(|word| Some(Target::Class(word))).ok_or(Rejection::NoLabel)
        }
        (Some(Labels::Numbers(numbers)), Label::Number) => match numbers[index] {
            number if number.is_nan() => Err(Rejection::NoLabel),
            number if number.abs() > VALUE_MAX => Err(Rejection::BadLabel),
            number => Ok(Some(Target::Number(number))),
        },
        _ => Err(Rejection::NoLabel),
    }
}

/// The rows of a batch that can be learned.
#[derive(Debug, Default)]
struct Gathered {
    /// Where each was in the batch.
    places: Vec<usize>,
    /// Not set if the learner takes the batch as it is.
    store: Option<RowStore>,
    classes: Vec<u32>,
    targets: Vec<f64>,
}

impl Gathered {
    fn rows<'a>(&'a self, batch: &Batch<'a>) -> Features<'a> {
        match (&self.store, batch.columns) {
            (Some(store), _) => store.rows(),
            (None, Columns::Vectors(rows)) => rows,
            (None, Columns::Table(_)) => {
                Features::ragged(&[][..] as &[f64], &[0]).expect("no rows are in order")
            }
        }
    }

    fn place(&self, row: usize) -> usize {
        self.places[row]
    }
}

/// Says which form an exported model has.
const EXPORT_FORMAT: &str = "pelton-model/1";

/// A model on its way from JSON.
#[derive(Deserialize)]
struct Exported {
    format: String,
    schema: Schema,
    categories: Vec<Vocabulary>,
    classes: Vocabulary,
    steps: Vec<Part>,
    learner: Part,
    recipe: Recipe,
    evaluation: Option<Evaluation>,
    monitor: Option<Monitor>,
}

/// A learner or a step on its way from JSON.
#[derive(Deserialize)]
struct Part {
    algorithm: String,
    state: Value,
}

fn exported(learner: &dyn Learner) -> Value {
    json!({ "algorithm": learner.algorithm(), "state": learner.export() })
}

/// A model on its way to bytes and back.
#[derive(Serialize, Deserialize)]
struct Saved {
    schema: Schema,
    categories: Vec<Vocabulary>,
    classes: Vocabulary,
    steps: Vec<Vec<u8>>,
    learner: Vec<u8>,
    recipe: Recipe,
    evaluation: Option<Evaluation>,
    monitor: Option<Monitor>,
}

impl State for Saved {
    const NAME: &'static str = "model";
    const VERSION: u16 = 2;

    fn validate(&self) -> Result<(), &'static str> {
        self.evaluation.as_ref().map_or(Ok(()), Evaluation::validate)?;
        self.monitor.as_ref().map_or(Ok(()), Monitor::validate)?;
        if self.categories.len() != self.schema.columns.len() || self.classes.words().len() > CLASSES_MAX {
            return Err("its names");
        }
        Ok(())
    }
}

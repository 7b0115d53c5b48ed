//! Every algorithm by its name.
//!
//! Each family of learners lists its algorithms beside them; here the lists come together. What prepares rows for a
//! learner is listed the same way: the option `preprocess` names the steps, in order, as
//! `'impute(strategy=median), standard_scaler'`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::evaluation::{self, Evaluation, Monitor};
use crate::learner::Transformer;
use crate::model::{Model, Recipe, Task};
use crate::options::OptionError;
use crate::schema::{Label, Schema};
use crate::snapshot::{self, SnapshotError};
use crate::{
    anomaly, baseline, cluster, ensemble, forecast, linear, naive_bayes, neighbors, network, preprocess, tree,
};

/// One learner: its name, how it is made from options, and how it is read back.
pub(crate) struct Algorithm {
    pub(crate) name: &'static str,
    /// What its rows are labelled with.
    pub(crate) label: Option<Label>,
    pub(crate) create: fn(&BTreeMap<String, String>, &Schema) -> Result<Task, OptionError>,
    pub(crate) restore: fn(&[u8]) -> Result<Task, SnapshotError>,
    pub(crate) import: fn(Value) -> Result<Task, SnapshotError>,
}

/// The entry of a learner whose type has `from_options`, and is a [`State`](crate::snapshot::State) or has `import`.
macro_rules! algorithm {
    ($name:expr, $task:ident, $label:expr, $learner:ty) => {
        algorithm!($name, $task, $label, $learner, $crate::snapshot::import::<$learner>)
    };
    ($name:expr, $task:ident, $label:expr, $learner:ty, $import:expr) => {
        $crate::registry::Algorithm {
            name: $name,
            label: $label,
            create: |options, schema| {
                Ok($crate::model::Task::$task(Box::new(<$learner>::from_options(options, schema)?)))
            },
            restore: |snapshot| {
                let learner = <$learner as $crate::learner::Learner>::restore(snapshot)?;
                Ok($crate::model::Task::$task(Box::new(learner)))
            },
            import: |exported| Ok($crate::model::Task::$task(Box::new($import(exported)?))),
        }
    };
}
pub(crate) use algorithm;

/// One step before the learner.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    /// Makes it from its arguments for rows of a schema, with the schema of what it gives.
    pub(crate) create: CreateStep,
    pub(crate) restore: fn(&[u8]) -> ReadStep,
    pub(crate) import: fn(Value) -> ReadStep,
}

/// A step that was read back.
pub(crate) type ReadStep = Result<Box<dyn Transformer>, SnapshotError>;

/// The entry of a step whose type has `from_arguments` and is a [`State`](crate::snapshot::State).
macro_rules! step {
    ($name:expr, $transformer:ty) => {
        $crate::registry::Step {
            name: $name,
            create: |arguments, schema| {
                let (step, schema) = <$transformer>::from_arguments(arguments, schema)?;
                Ok((Box::new(step), schema))
            },
            restore: |snapshot| Ok(Box::new(<$transformer as $crate::learner::Learner>::restore(snapshot)?)),
            import: |exported| Ok(Box::new($crate::snapshot::import::<$transformer>(exported)?)),
        }
    };
}
pub(crate) use step;

/// How a [`Step`] is made.
pub(crate) type CreateStep =
    fn(&BTreeMap<String, String>, &Schema) -> Result<(Box<dyn Transformer>, Schema), OptionError>;

/// The learners, by family.
const FAMILIES: &[&[Algorithm]] = &[
    anomaly::ALGORITHMS,
    baseline::ALGORITHMS,
    cluster::ALGORITHMS,
    ensemble::ALGORITHMS,
    forecast::ALGORITHMS,
    linear::ALGORITHMS,
    naive_bayes::ALGORITHMS,
    neighbors::ALGORITHMS,
    network::ALGORITHMS,
    tree::ALGORITHMS,
];

fn learners() -> impl Iterator<Item = &'static Algorithm> {
    FAMILIES.iter().copied().flatten()
}

/// The names that [`create`] knows for rows with such a label, in alphabetical order.
#[must_use]
pub fn algorithms(label: Option<Label>) -> Vec<&'static str> {
    let mut names: Vec<_> =
        learners().filter(|algorithm| algorithm.label == label).map(|algorithm| algorithm.name).collect();
    names.sort_unstable();
    names
}

/// What the rows of an algorithm are labelled with.
///
/// # Errors
///
/// If there is no such algorithm; the message names all there are.
pub fn label_of(algorithm: &str) -> Result<Option<Label>, OptionError> {
    let name = algorithm.to_ascii_lowercase();
    match learners().find(|known| known.name == name) {
        Some(known) => Ok(known.label),
        None => {
            let mut known: Vec<_> = learners().map(|known| known.name).collect();
            known.sort_unstable();
            Err(OptionError::UnknownAlgorithm { name: algorithm.to_owned(), known: known.join(", ") })
        }
    }
}

/// Makes a new model that knows nothing yet. Names and option keys are matched without regard to case.
///
/// # Errors
///
/// If there is no such algorithm, it cannot learn such rows, or an option is unknown, missing, malformed or out of
/// range; the message names what would be accepted.
pub fn create(
    algorithm: &str,
    options: &BTreeMap<String, String>,
    schema: Schema,
) -> Result<Model, OptionError> {
    let name = algorithm.to_ascii_lowercase();
    let known = learners().find(|known| known.name == name).ok_or_else(|| OptionError::UnknownAlgorithm {
        name: algorithm.to_owned(),
        known: algorithms(schema.label).join(", "),
    })?;
    let recipe = Recipe { algorithm: known.name.to_owned(), options: lower_case(options)? };
    let mut rest = recipe.options.clone();
    let monitor = Monitor::from_options(&mut rest)?;
    let evaluation = evaluation(&mut rest, schema.label)?;
    let prepared = preprocess::steps(&mut rest, &schema)?;
    let task = (known.create)(&rest, &prepared.schema)?;
    if monitor.is_some() && evaluation.is_none() {
        return Err(OptionError::Unused { name: "drift", with: "labels, and an evaluation of them" });
    }
    let model = Model::new(schema, prepared.steps, task).reading(prepared.words);
    Ok(model.judged(recipe, evaluation, monitor))
}

/// A learner that knows nothing yet, made as the one before it was.
pub(crate) fn again(recipe: &Recipe, schema: &Schema) -> Result<Task, OptionError> {
    Ok(create(&recipe.algorithm, &recipe.options, schema.clone())?.into_task())
}

fn lower_case(options: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, OptionError> {
    let mut lower = BTreeMap::new();
    for (name, value) in options {
        let name = name.to_ascii_lowercase();
        if lower.insert(name.clone(), value.trim().to_owned()).is_some() {
            return Err(OptionError::Twice { name });
        }
    }
    Ok(lower)
}

/// Takes `evaluation_window` out of the options: a number of rows, 0 for no evaluation at all.
fn evaluation(
    options: &mut BTreeMap<String, String>,
    label: Option<Label>,
) -> Result<Option<Evaluation>, OptionError> {
    let name = "evaluation_window";
    let given = options.remove(name);
    let Some(label) = label else {
        return match given {
            Some(_) => Err(OptionError::Unused { name, with: "labels" }),
            None => Ok(None),
        };
    };
    let window = match given {
        None => evaluation::WINDOW,
        Some(value) => match value.parse() {
            Ok(window) if window <= evaluation::WINDOW_MAX => window,
            _ => {
                let expected =
                    format!("a number of rows from 0 (no evaluation) to {}", evaluation::WINDOW_MAX);
                return Err(OptionError::Invalid { name, value, expected });
            }
        },
    };
    Ok((window > 0).then(|| Evaluation::new(label, window)))
}

/// Reads back whichever learner wrote the snapshot.
pub(crate) fn restore_task(snapshot: &[u8]) -> Result<Task, SnapshotError> {
    (learner(snapshot::algorithm(snapshot)?)?.restore)(snapshot)
}

/// Reads back whichever transformer wrote the snapshot.
pub(crate) fn restore_step(snapshot: &[u8]) -> ReadStep {
    (known_step(snapshot::algorithm(snapshot)?)?.restore)(snapshot)
}

/// Reads back the learner `name` from what it exported.
pub(crate) fn import_task(name: &str, exported: Value) -> Result<Task, SnapshotError> {
    (learner(name)?.import)(exported)
}

/// Reads back the transformer `name` from what it exported.
pub(crate) fn import_step(name: &str, exported: Value) -> ReadStep {
    (known_step(name)?.import)(exported)
}

fn learner(name: &str) -> Result<&'static Algorithm, SnapshotError> {
    let unknown = || SnapshotError::UnknownAlgorithm { name: name.to_owned() };
    learners().find(|known| known.name == name).ok_or_else(unknown)
}

fn known_step(name: &str) -> Result<&'static Step, SnapshotError> {
    let unknown = || SnapshotError::UnknownAlgorithm { name: name.to_owned() };
    preprocess::STEPS.iter().find(|known| known.name == name).ok_or_else(unknown)
}

//! A model as bytes, and as JSON.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CLASSES_MAX, Model, Recipe};
use crate::evaluation::{Evaluation, Monitor};
use crate::learner::Learner;
use crate::preprocess::{self, Words};
use crate::registry;
use crate::schema::Schema;
use crate::snapshot::{self, SnapshotError, State};
use crate::vocabulary::Vocabulary;

impl Model {
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
        let words = words(&saved.recipe, &saved.schema)?;
        Ok(Model {
            words,
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
            words: words(&exported.recipe, &exported.schema)?,
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
}

/// What turns texts into numbers learns nothing, so it is made again.
fn words(recipe: &Recipe, schema: &Schema) -> Result<Option<Words>, SnapshotError> {
    let mut options = recipe.options.clone();
    let prepared = preprocess::steps(&mut options, schema);
    Ok(prepared.map_err(|_| SnapshotError::Invalid { what: "its recipe" })?.words)
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

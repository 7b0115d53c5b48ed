//! Every algorithm by its name.

use std::collections::BTreeMap;

use crate::cluster::{StreamingKMeans, streaming_kmeans};
use crate::learner::{Learner, Transformer};
use crate::model::{Model, Task};
use crate::naive_bayes::{GaussianNaiveBayes, gaussian};
use crate::options::OptionError;
use crate::schema::{Label, Schema};
use crate::snapshot::{self, SnapshotError};

/// One algorithm: its name, how it is made from options, and how it is read back.
struct Algorithm {
    name: &'static str,
    /// What its rows are labelled with.
    label: Option<Label>,
    create: fn(&BTreeMap<String, String>, &Schema) -> Result<Task, OptionError>,
    restore: fn(&[u8]) -> Result<Task, SnapshotError>,
}

/// The learners, by name.
const LEARNERS: &[Algorithm] = &[
    Algorithm {
        name: gaussian::NAME,
        label: Some(Label::Class),
        create: |options, schema| {
            let config = gaussian::Config::from_options(options)?;
            Ok(Task::Classify(Box::new(GaussianNaiveBayes::new(config, schema)?)))
        },
        restore: |snapshot| Ok(Task::Classify(Box::new(GaussianNaiveBayes::restore(snapshot)?))),
    },
    Algorithm {
        name: streaming_kmeans::NAME,
        label: None,
        create: |options, _| {
            let config = streaming_kmeans::Config::from_options(options)?;
            Ok(Task::Cluster(Box::new(StreamingKMeans::new(config)?)))
        },
        restore: |snapshot| Ok(Task::Cluster(Box::new(StreamingKMeans::restore(snapshot)?))),
    },
];

/// The names that [`create`] knows for rows with such a label.
#[must_use]
pub fn algorithms(label: Option<Label>) -> Vec<&'static str> {
    LEARNERS.iter().filter(|algorithm| algorithm.label == label).map(|algorithm| algorithm.name).collect()
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
    let known =
        LEARNERS.iter().find(|known| known.name == name).ok_or_else(|| OptionError::UnknownAlgorithm {
            name: algorithm.to_owned(),
            known: algorithms(schema.label).join(", "),
        })?;
    let task = (known.create)(options, &schema)?;
    Ok(Model::new(schema, Vec::new(), task))
}

/// Reads back whichever learner wrote the snapshot.
pub(crate) fn restore_task(snapshot: &[u8]) -> Result<Task, SnapshotError> {
    let name = snapshot::algorithm(snapshot)?;
    match LEARNERS.iter().find(|known| known.name == name) {
        Some(known) => (known.restore)(snapshot),
        None => Err(SnapshotError::UnknownAlgorithm { name: name.to_owned() }),
    }
}

/// Reads back whichever transformer wrote the snapshot.
pub(crate) fn restore_step(snapshot: &[u8]) -> Result<Box<dyn Transformer>, SnapshotError> {
    let name = snapshot::algorithm(snapshot)?.to_owned();
    Err(SnapshotError::UnknownAlgorithm { name })
}

//! What any learner has to beat: answers that take no look at the columns.
//!
//! On a stream whose label seldom changes, repeating the last one is hard to beat, and a learner that reaches less has
//! learned nothing of use (Bifet, Read, Žliobaitė, Pfahringer and Holmes, *Pitfalls in benchmarking data stream
//! classification and how to avoid them*, 2013). Missing values do not matter to any of these.

mod majority_class;
mod no_change;
mod target_mean;

pub use majority_class::MajorityClass;
pub use no_change::{NoChange, NoChangeRegressor};
pub use target_mean::TargetMean;

use std::collections::BTreeMap;

use crate::options::{OptionError, Options};
use crate::registry::{Algorithm, algorithm};
use crate::schema::{Label, Schema};

/// The baselines. None has an option.
pub(crate) const ALGORITHMS: &[Algorithm] = &[
    algorithm!(no_change::NAME, Classify, Some(Label::Class), NoChange),
    algorithm!(no_change::REGRESSOR_NAME, Regress, Some(Label::Number), NoChangeRegressor),
    algorithm!(majority_class::NAME, Classify, Some(Label::Class), MajorityClass),
    algorithm!(target_mean::NAME, Regress, Some(Label::Number), TargetMean),
];

/// The most classes: a code beyond it can only be a mistake.
const CLASSES_MAX: u32 = 1 << 20;

/// Refuses all options, and rows with another label.
fn no_options(
    name: &'static str,
    label: Label,
    options: &BTreeMap<String, String>,
    schema: &Schema,
) -> Result<(), OptionError> {
    Options::new(name, &[], options)?;
    let needs = match label {
        Label::Class => "needs a label of classes",
        Label::Number => "needs a label of numbers",
    };
    if schema.label == Some(label) { Ok(()) } else { Err(OptionError::Schema { algorithm: name, needs }) }
}

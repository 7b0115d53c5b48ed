//! What prepares rows for a learner.
//!
//! The option `preprocess` lists the steps in the order in which a row goes through them, with their arguments in
//! brackets: `'impute(strategy=previous), standard_scaler'`.

pub mod by_column;
pub mod hashing;
pub mod impute;
pub mod max_abs_scaler;
pub mod min_max_scaler;
pub mod normalizer;
pub mod one_hot;
pub mod polynomial;
pub mod robust_scaler;
pub mod standard_scaler;
pub mod tf_idf;
pub mod variance_threshold;
pub mod words;

pub use hashing::Hashing;
pub use impute::Impute;
pub use max_abs_scaler::MaxAbsScaler;
pub use min_max_scaler::MinMaxScaler;
pub use normalizer::Normalizer;
pub use one_hot::OneHot;
pub use polynomial::Polynomial;
pub use robust_scaler::RobustScaler;
pub use standard_scaler::StandardScaler;
pub use tf_idf::TfIdf;
pub use variance_threshold::VarianceThreshold;
pub(crate) use words::Words;

use std::collections::BTreeMap;

use crate::learner::{Learner, Transformer};
use crate::options::{self, OptionError};
use crate::registry::{Step, step};
use crate::schema::{Kind, Schema};
use crate::snapshot;

/// Every step by its name.
pub(crate) const STEPS: &[Step] = &[
    step!(hashing::NAME, Hashing),
    step!(impute::NAME, Impute),
    step!("max_abs_scaler", MaxAbsScaler),
    step!(min_max_scaler::NAME, MinMaxScaler),
    step!(normalizer::NAME, Normalizer),
    step!(one_hot::NAME, OneHot),
    step!(polynomial::NAME, Polynomial),
    step!("robust_scaler", RobustScaler),
    step!(standard_scaler::NAME, StandardScaler),
    Step {
        name: tf_idf::NAME,
        create: |_, _| {
            let needs = "has to be the first step: later ones do not see the texts";
            Err(OptionError::Schema { algorithm: tf_idf::NAME, needs })
        },
        restore: |snapshot| Ok(Box::new(TfIdf::restore(snapshot)?)),
        import: |exported| Ok(Box::new(snapshot::import::<TfIdf>(exported)?)),
    },
    step!("variance_threshold", VarianceThreshold),
];

/// The columns of categories, in order: most steps leave them as they are.
pub(crate) fn nominal(schema: &Schema) -> Vec<usize> {
    let columns = 0..schema.columns.len();
    columns.filter(|&column| schema.kind(column) != Kind::Number).collect()
}

/// What comes before a learner, and what the rows are that it gives.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    pub(crate) words: Option<Words>,
    pub(crate) steps: Vec<Box<dyn Transformer>>,
    pub(crate) schema: Schema,
}

/// Takes the option `preprocess` out of `given` and makes its steps.
pub(crate) fn steps(given: &mut BTreeMap<String, String>, schema: &Schema) -> Result<Prepared, OptionError> {
    let mut prepared = Prepared { schema: schema.clone(), ..Prepared::default() };
    let key = given.keys().find(|key| key.eq_ignore_ascii_case("preprocess")).cloned();
    let Some(list) = key.and_then(|key| given.remove(&key)) else { return Ok(prepared) };
    let malformed = || invalid(&list, "steps as 'impute(strategy=previous), standard_scaler'".to_owned());
    for (place, (name, arguments)) in options::calls(&list).ok_or_else(malformed)?.into_iter().enumerate() {
        if let (0, Some(name)) = (place, words::NAMES.into_iter().find(|known| *known == name)) {
            let (words, weights) = Words::from_arguments(name, &arguments, schema)?;
            prepared.words = Some(words);
            prepared.steps.extend(weights.map(|weights| Box::new(weights) as Box<dyn Transformer>));
            prepared.schema = Schema::vector(schema.label);
            continue;
        }
        let Some(step) = STEPS.iter().find(|step| step.name == name) else {
            let known: Vec<_> = STEPS.iter().map(|step| step.name).collect();
            return Err(invalid(&list, format!("steps among {}, {}", words::NAMES[0], known.join(", "))));
        };
        let (made, given) = (step.create)(&arguments, &prepared.schema)?;
        prepared.steps.push(made);
        prepared.schema = given;
    }
    Ok(prepared)
}

fn invalid(list: &str, expected: String) -> OptionError {
    OptionError::Invalid { name: "preprocess", value: list.to_owned(), expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_step_is_answered_with_those_that_are_known() {
        let mut options = BTreeMap::from([("Preprocess".to_owned(), "magic".to_owned())]);
        let error = steps(&mut options, &Schema::vector(None)).unwrap_err().to_string();
        assert!(error.starts_with("option 'preprocess' is 'magic', expected steps among"), "{error}");
    }
}

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
pub mod variance_threshold;

pub use hashing::Hashing;
pub use impute::Impute;
pub use max_abs_scaler::MaxAbsScaler;
pub use min_max_scaler::MinMaxScaler;
pub use normalizer::Normalizer;
pub use one_hot::OneHot;
pub use polynomial::Polynomial;
pub use robust_scaler::RobustScaler;
pub use standard_scaler::StandardScaler;
pub use variance_threshold::VarianceThreshold;

use std::collections::BTreeMap;

use crate::learner::Transformer;
use crate::options::{self, OptionError};
use crate::registry::{Step, step};
use crate::schema::{Kind, Schema};

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
    step!("variance_threshold", VarianceThreshold),
];

/// The columns of categories, in order: most steps leave them as they are.
pub(crate) fn nominal(schema: &Schema) -> Vec<usize> {
    let columns = 0..schema.columns.len();
    columns.filter(|&column| schema.kind(column) != Kind::Number).collect()
}

/// The steps of a model, and what the rows are that they give.
type Prepared = (Vec<Box<dyn Transformer>>, Schema);

/// Takes the option `preprocess` out of `given` and makes its steps.
pub(crate) fn steps(given: &mut BTreeMap<String, String>, schema: &Schema) -> Result<Prepared, OptionError> {
    let (mut steps, mut schema) = (Vec::new(), schema.clone());
    let key = given.keys().find(|key| key.eq_ignore_ascii_case("preprocess")).cloned();
    let Some(list) = key.and_then(|key| given.remove(&key)) else { return Ok((steps, schema)) };
    let malformed = || invalid(&list, "steps as 'impute(strategy=previous), standard_scaler'".to_owned());
    for (name, arguments) in options::calls(&list).ok_or_else(malformed)? {
        let Some(step) = STEPS.iter().find(|step| step.name == name) else {
            let known: Vec<_> = STEPS.iter().map(|step| step.name).collect();
            return Err(invalid(&list, format!("steps among {}", known.join(", "))));
        };
        let (made, given) = (step.create)(&arguments, &schema)?;
        steps.push(made);
        schema = given;
    }
    Ok((steps, schema))
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

//! What prepares rows for a learner.
//!
//! The option `preprocess` lists the steps in the order in which a row goes through them, with their arguments in
//! brackets: `'impute(strategy=median), standard_scaler'`.

use std::collections::BTreeMap;

use crate::learner::Transformer;
use crate::options::OptionError;
use crate::registry::Step;
use crate::schema::Schema;

/// Every step by its name.
pub(crate) const STEPS: &[Step] = &[];

/// The steps of a model, and what the rows are that they give.
type Prepared = (Vec<Box<dyn Transformer>>, Schema);

/// Takes the option `preprocess` out of `options` and makes its steps.
pub(crate) fn steps(
    options: &mut BTreeMap<String, String>,
    schema: &Schema,
) -> Result<Prepared, OptionError> {
    let (mut steps, mut schema) = (Vec::new(), schema.clone());
    let key = options.keys().find(|key| key.eq_ignore_ascii_case("preprocess")).cloned();
    let Some(list) = key.and_then(|key| options.remove(&key)) else { return Ok((steps, schema)) };
    for (name, arguments) in parse(&list)? {
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

/// The name of a step, and its arguments.
type Named = (String, BTreeMap<String, String>);

/// The names of steps in lower case, with their arguments.
fn parse(list: &str) -> Result<Vec<Named>, OptionError> {
    let malformed = || invalid(list, "steps as 'impute(strategy=median), standard_scaler'".to_owned());
    let mut steps = Vec::new();
    let mut rest = list.trim();
    while !rest.is_empty() {
        let end = rest.find([',', '(']).unwrap_or(rest.len());
        let name = rest[..end].trim().to_ascii_lowercase();
        let mut arguments = BTreeMap::new();
        if rest[end..].starts_with('(') {
            let close = rest.find(')').ok_or_else(malformed)?;
            for argument in rest[end + 1..close].split(',').filter(|argument| !argument.trim().is_empty()) {
                let (key, value) = argument.split_once('=').ok_or_else(malformed)?;
                arguments.insert(key.trim().to_owned(), value.trim().to_owned());
            }
            rest = rest[close + 1..].trim_start();
        } else {
            rest = &rest[end..];
        }
        if name.is_empty() || !(rest.is_empty() || rest.starts_with(',')) {
            return Err(malformed());
        }
        rest = rest.trim_start_matches(',').trim_start();
        steps.push((name, arguments));
    }
    Ok(steps)
}

fn invalid(list: &str, expected: String) -> OptionError {
    OptionError::Invalid { name: "preprocess", value: list.to_owned(), expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_come_in_order_with_their_arguments() {
        let steps = parse(" Impute(strategy = median, x=1) , standard_scaler,one_hot() ").unwrap();
        let names: Vec<_> = steps.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["impute", "standard_scaler", "one_hot"]);
        assert_eq!(steps[0].1["strategy"], "median");
        assert_eq!((steps[0].1.len(), steps[1].1.len()), (2, 0));
        for bad in ["a(b", "a(b)", "a b(c=d) e", "(x=1)", ",a", "a(x=1)b"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_unknown_step_is_answered_with_those_that_are_known() {
        let mut options = BTreeMap::from([("Preprocess".to_owned(), "magic".to_owned())]);
        let error = steps(&mut options, &Schema::vector(None)).unwrap_err().to_string();
        assert!(error.starts_with("option 'preprocess' is 'magic', expected steps among"), "{error}");
    }
}

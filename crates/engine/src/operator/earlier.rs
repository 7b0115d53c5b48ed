//! What was answered to rows before their labels were known, as it comes back with them.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, MapArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::Result;
use ml::{Given, Label};

/// The answers of a batch. Classes are read in the type of the labels, so that both are spelled alike.
pub(crate) fn answers(label: Label, answers: &ArrayRef, labels: &DataType) -> Result<Vec<Given>> {
    if let Some(shares) = answers.as_map_opt() {
        return named(shares);
    }
    if label == Label::Number {
        let numbers = cast(answers, &DataType::Float64)?;
        let given = |number: Option<f64>| number.map_or(Given::Nothing, Given::Number);
        return Ok(numbers.as_primitive::<Float64Type>().iter().map(given).collect());
    }
    let words = cast(&cast(answers, labels)?, &DataType::Utf8)?;
    let given = |word: Option<&str>| word.map_or(Given::Nothing, |word| Given::Class(word.to_owned()));
    Ok(words.as_string::<i32>().iter().map(given).collect())
}

/// The shares that `predict_proba` gave; its classes are spelled as the model spells them.
fn named(shares: &MapArray) -> Result<Vec<Given>> {
    let classes = cast(shares.keys(), &DataType::Utf8)?;
    let parts = cast(shares.values(), &DataType::Float64)?;
    let (classes, parts) = (classes.as_string::<i32>(), parts.as_primitive::<Float64Type>());
    let row = |row: usize| {
        if shares.is_null(row) {
            return Given::Nothing;
        }
        let places = shares.value_offsets()[row]..shares.value_offsets()[row + 1];
        let places = places.filter_map(|place| usize::try_from(place).ok());
        let share = |place: usize| {
            let part = if parts.is_null(place) { f64::NAN } else { parts.value(place) };
            (classes.value(place).to_owned(), part)
        };
        Given::Named(places.map(share).collect())
    };
    Ok((0..shares.len()).map(row).collect())
}

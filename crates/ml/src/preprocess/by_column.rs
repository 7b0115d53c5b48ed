//! What steps have in common that look at each column of numbers by itself and leave those of categories as they are.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::learner::{Learner, RowBuffer, Transformer, kept_as_state};
use crate::onnx::Graph;
use crate::options::{OptionError, Options};
use crate::preprocess::nominal;
use crate::row::{Missing, Rejection, Row, VALUE_MAX};
use crate::schema::Schema;
use crate::snapshot::State;

/// What such a step keeps of a column.
pub trait Column: Clone + Debug + PartialEq + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// The name of the step.
    const NAME: &'static str;
    /// Its arguments.
    const ARGUMENTS: &'static [&'static str];

    /// What the arguments say.
    type Settings: Clone + Debug + PartialEq + Send + Sync + Serialize + DeserializeOwned;

    /// Reads the arguments, which are among [`Column::ARGUMENTS`].
    ///
    /// # Errors
    ///
    /// If one is out of range.
    fn settings(arguments: &BTreeMap<String, String>) -> Result<Self::Settings, OptionError>;

    /// A column without values.
    fn new(settings: &Self::Settings) -> Self;

    /// Takes in a value.
    fn add(&mut self, value: f64);

    /// What a value becomes; a missing one stays one.
    fn scale(&self, value: f64, settings: &Self::Settings) -> f64;

    /// The same as a line: what is taken off a value, and what the rest is divided by.
    fn line(&self, settings: &Self::Settings) -> (f64, f64);

    /// What it knows, for people.
    fn describe(&self) -> Value;

    /// Whether one that was read can be.
    fn is_sound(&self) -> bool;

    /// Whether settings that were read can be.
    fn good(settings: &Self::Settings) -> bool;
}

/// A step that looks at each column by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct ByColumn<C: Column> {
    settings: C::Settings,
    /// Columns that are left as they are, in order.
    nominal: Vec<usize>,
    dim: Option<usize>,
    rows_learned: u64,
    columns: Vec<C>,
}

impl<C: Column> ByColumn<C> {
    /// The step from its arguments, and what it gives.
    ///
    /// # Errors
    ///
    /// If an argument is not one of its own or out of range.
    pub fn from_arguments(
        arguments: &BTreeMap<String, String>,
        schema: &Schema,
    ) -> Result<(Self, Schema), OptionError> {
        Options::new(C::NAME, C::ARGUMENTS, arguments)?;
        let settings = C::settings(arguments)?;
        let columns = vec![C::new(&settings); schema.dim().unwrap_or(0)];
        let step =
            ByColumn { settings, nominal: nominal(schema), dim: schema.dim(), rows_learned: 0, columns };
        Ok((step, schema.clone()))
    }
    /// Learns from a row that was checked; `whole` if none of its values is missing.
    fn take_in(&mut self, row: Row<'_>, whole: Option<&[f64]>) {
        if self.dim.is_none() {
            self.dim = Some(row.dim());
            self.columns.resize(row.dim(), C::new(&self.settings));
        }
        self.rows_learned = self.rows_learned.saturating_add(1);
        let columns = &mut self.columns;
        match whole {
            Some(values) => columns.iter_mut().zip(values).for_each(|(column, &value)| column.add(value)),
            None => row.for_each(|column, value| columns[column].add(value)),
        }
    }

    /// Writes a row that was checked.
    fn write(&self, row: Row<'_>, out: &mut RowBuffer) {
        if let (Row::F64(values), true) = (row, self.nominal.is_empty()) {
            let scaled = values
                .iter()
                .zip(&self.columns)
                .map(|(&value, column)| column.scale(value, &self.settings).clamp(-VALUE_MAX, VALUE_MAX));
            out.dense().extend(scaled);
            return;
        }
        out.map(row, |column, value| {
            if !self.nominal.is_empty() && self.nominal.binary_search(&column).is_ok() {
                return value;
            }
            self.columns[column].scale(value, &self.settings).clamp(-VALUE_MAX, VALUE_MAX)
        });
    }
}

impl<C: Column> Transformer for ByColumn<C> {
    fn learn_one(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        let whole = row.checked(self.dim, Missing::Skipped)?;
        self.take_in(row, whole);
        Ok(())
    }

    fn transform_one(&self, row: Row<'_>, out: &mut RowBuffer) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Skipped)?;
        if self.dim.is_none() {
            return Err(Rejection::Empty);
        }
        self.write(row, out);
        Ok(())
    }

    fn learn_and_transform_one(&mut self, row: Row<'_>, out: &mut RowBuffer) -> Result<(), Rejection> {
        let whole = row.checked(self.dim, Missing::Skipped)?;
        self.take_in(row, whole);
        self.write(row, out);
        Ok(())
    }
}

impl<C: Column> Learner for ByColumn<C> {
    fn algorithm(&self) -> &'static str {
        C::NAME
    }

    kept_as_state!(dim);

    fn missing(&self) -> Missing {
        Missing::Skipped
    }

    fn describe(&self) -> Value {
        let columns: Vec<Value> = self.columns.iter().map(Column::describe).collect();
        let mut description =
            json!({ "step": C::NAME, "rows_learned": self.rows_learned, "columns": columns });
        let settings = json!(self.settings);
        if !settings.is_null() {
            description["settings"] = settings;
        }
        description
    }

    fn draw(&self, graph: &mut Graph, rows: &str) -> Option<String> {
        let lines = self.columns.iter().enumerate().map(|(at, column)| {
            let scaled = self.nominal.binary_search(&at).is_err();
            if scaled { column.line(&self.settings) } else { (0.0, 1.0) }
        });
        let (offsets, divisors): (Vec<f64>, Vec<f64>) = lines.unzip();
        Some(graph.affine(rows, &offsets, &divisors))
    }
}

impl<C: Column> State for ByColumn<C> {
    const NAME: &'static str = C::NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let rising = self.nominal.windows(2).all(|pair| pair[0] < pair[1]);
        let whole = rising && self.columns.len() == self.dim.unwrap_or(0) && C::good(&self.settings);
        if whole && self.columns.iter().all(C::is_sound) { Ok(()) } else { Err("its columns") }
    }
}

/// What the values of one column become, each learned first.
#[cfg(test)]
pub(crate) fn scaled<C: Column>(arguments: &[(&str, &str)], values: &[f64]) -> Vec<f64> {
    let arguments = arguments.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let (mut step, _) =
        ByColumn::<C>::from_arguments(&arguments, &Schema::vector(None)).expect("good arguments");
    let mut out = RowBuffer::default();
    let mut scale = |value: f64| {
        let row = [value];
        step.learn_one(Row::from(&row[..])).expect("a good row");
        step.transform_one(Row::from(&row[..]), &mut out).expect("a good row");
        out.row().dense(&mut Vec::new())[0]
    };
    values.iter().map(|&value| scale(value)).collect()
}

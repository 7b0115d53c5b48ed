//! `evaluate(actual, predicted)`: how good predictions are, over a group of rows.
//!
//! Labels that are strings, whole numbers or booleans are judged as classes, fractions as estimates. What comes out is
//! a `MAP<STRING, DOUBLE>` of figures by their names.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BinaryArray, Float64Builder, MapBuilder, StringBuilder};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::{Result, ScalarValue, internal_datafusion_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};
use ml::metric::{ClassCounts, Contingency, ErrorSums};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::operator::answer::map_type;

const EVALUATE: &str = "evaluate";

/// The most labels that are told apart.
const CLASSES_MAX: usize = 10_000;

pub(crate) fn function() -> AggregateUDF {
    AggregateUDF::from(Evaluate { signature: Signature::any(2, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Evaluate {
    signature: Signature,
}

impl AggregateUDFImpl for Evaluate {
    fn name(&self) -> &str {
        EVALUATE
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match arguments {
            [_, _] => Ok(map_type()),
            _ => plan_err!("evaluate takes the label and the prediction: evaluate(actual, predicted)"),
        }
    }

    fn accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let actual = arguments.expr_fields.first().map(|field| field.data_type().clone());
        let judged = match actual {
            Some(DataType::Float32 | DataType::Float64 | DataType::Decimal128(..)) => {
                Judged::Numbers(ErrorSums::default())
            }
            _ => Judged::Classes(Pairs::default()),
        };
        Ok(Box::new(judged))
    }

    fn state_fields(&self, _: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new("judged", DataType::Binary, true))])
    }
}

/// How often each pair of label and prediction occurred.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Pairs {
    /// By label, then by prediction; an empty string stands for none.
    counts: BTreeMap<String, BTreeMap<String, u64>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Judged {
    Classes(Pairs),
    Numbers(ErrorSums),
}

impl Judged {
    fn figures(&self) -> BTreeMap<String, f64> {
        let (json, mut more) = match self {
            Judged::Numbers(sums) => (serde_json::to_value(sums.figures()), BTreeMap::new()),
            Judged::Classes(pairs) => {
                let (counts, table) = pairs.tables();
                let mut more = BTreeMap::new();
                more.extend(table.purity().map(|value| ("purity".to_owned(), value)));
                more.extend(
                    table.adjusted_rand_index().map(|value| ("adjusted_rand_index".to_owned(), value)),
                );
                (serde_json::to_value(counts.figures()), more)
            }
        };
        if let Ok(Value::Object(figures)) = json {
            let known = figures.into_iter().filter_map(|(name, figure)| Some((name, figure.as_f64()?)));
            // Rows one after the other have no order here.
            more.extend(known.filter(|(name, _)| name != "no_change_accuracy" && name != "kappa_temporal"));
        }
        more
    }

    fn merge(&mut self, other: Judged) -> Result<()> {
        match (self, other) {
            (Judged::Classes(pairs), Judged::Classes(other)) => {
                for (actual, predictions) in other.counts {
                    for (predicted, count) in predictions {
                        pairs.add(&actual, &predicted, count)?;
                    }
                }
                Ok(())
            }
            (Judged::Numbers(sums), Judged::Numbers(other)) => {
                sums.merge(&other);
                Ok(())
            }
            _ => plan_err!("evaluate met labels of two types"),
        }
    }
}

impl Pairs {
    fn add(&mut self, actual: &str, predicted: &str, count: u64) -> Result<()> {
        if !self.counts.contains_key(actual) {
            if self.counts.len() == CLASSES_MAX {
                return plan_err!("evaluate met more than {CLASSES_MAX} labels; are they classes?");
            }
            self.counts.insert(actual.to_owned(), BTreeMap::new());
        }
        let predictions = self.counts.entry(actual.to_owned()).or_default();
        *predictions.entry(predicted.to_owned()).or_default() += count;
        Ok(())
    }

    fn tables(&self) -> (ClassCounts, Contingency) {
        let mut codes: BTreeMap<&str, u32> = BTreeMap::new();
        let names = self.counts.iter().flat_map(|(actual, row)| std::iter::once(actual).chain(row.keys()));
        for name in names.filter(|name| !name.is_empty()) {
            let next = u32::try_from(codes.len()).unwrap_or(u32::MAX);
            codes.entry(name).or_insert(next);
        }
        let (mut counts, mut table) = (ClassCounts::default(), Contingency::default());
        for (actual, row) in &self.counts {
            for (predicted, &count) in row {
                let predicted = codes.get(predicted.as_str()).copied();
                for _ in 0..count {
                    counts.add(codes[actual.as_str()], predicted, false);
                    predicted.iter().for_each(|cluster| table.add(*cluster, actual));
                }
            }
        }
        (counts, table)
    }
}

impl Accumulator for Judged {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [actual, predicted] = values else { return plan_err!("evaluate takes two arguments") };
        match self {
            Judged::Numbers(sums) => {
                let (actual, predicted) =
                    (cast(actual, &DataType::Float64)?, cast(predicted, &DataType::Float64)?);
                let pairs =
                    actual.as_primitive::<Float64Type>().iter().zip(predicted.as_primitive::<Float64Type>());
                pairs.for_each(|pair| {
                    if let (Some(actual), Some(predicted)) = pair {
                        sums.add(actual, predicted);
                    }
                });
            }
            Judged::Classes(pairs) => {
                let (actual, predicted) = (cast(actual, &DataType::Utf8)?, cast(predicted, &DataType::Utf8)?);
                for (actual, predicted) in actual.as_string::<i32>().iter().zip(predicted.as_string::<i32>())
                {
                    if let Some(actual) = actual {
                        pairs.add(actual, predicted.unwrap_or_default(), 1)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut map = MapBuilder::new(None, StringBuilder::new(), Float64Builder::new());
        for (name, figure) in self.figures() {
            map.keys().append_value(name);
            map.values().append_value(figure);
        }
        map.append(true)?;
        ScalarValue::try_from_array(&map.finish(), 0)
    }

    fn size(&self) -> usize {
        let pairs = match self {
            Judged::Classes(pairs) => pairs.counts.values().map(BTreeMap::len).sum(),
            Judged::Numbers(_) => 0,
        };
        size_of::<Self>() + pairs * 64
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let bytes = serde_json::to_vec(self).map_err(|error| internal_datafusion_err!("{error}"))?;
        Ok(vec![ScalarValue::Binary(Some(bytes))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let states: &BinaryArray = states[0].as_binary();
        for state in states.iter().flatten() {
            self.merge(serde_json::from_slice(state).map_err(|error| internal_datafusion_err!("{error}"))?)?;
        }
        Ok(())
    }
}

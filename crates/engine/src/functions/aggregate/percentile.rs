//! `percentile_approx(value, share or shares [, accuracy])`.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, Schema};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Accumulator, ColumnarValue};

use super::quantiles::Quantiles;
use super::{Begun, Own};
use crate::functions::own::{Kind, list_of, wrong};

/// Spark's accuracy, where the query names none.
const ACCURACY: i64 = 10_000;

pub(super) const FUNCTIONS: &[Own] = &[Own {
    name: "percentile_approx",
    aliases: &["approx_percentile"],
    takes: &[Kind::Any, Kind::Any, Kind::Long],
    optional: 1,
    gives,
    state: |_| vec![DataType::Binary],
    begin,
}];

fn gives(types: &[DataType]) -> Result<DataType> {
    let value = &types[0];
    if !(value.is_numeric() || value.is_temporal() || value.is_null()) {
        return wrong("percentile_approx takes numbers, dates or times");
    }
    Ok(if matches!(types[1], DataType::List(_)) { list_of(value.clone()) } else { value.clone() })
}

fn begin(begun: &Begun<'_>) -> Result<Box<dyn Accumulator>> {
    let shares = match constant(begun, 1)?.data_type() {
        DataType::List(_) => {
            let list = constant(begun, 1)?.to_array()?;
            cast(&list.as_list::<i32>().value(0), &DataType::Float64)?
        }
        _ => cast(&constant(begun, 1)?.to_array()?, &DataType::Float64)?,
    };
    let shares: Vec<f64> = shares.as_primitive::<Float64Type>().iter().flatten().collect();
    if shares.is_empty() || !shares.iter().all(|share| (0.0..=1.0).contains(share)) {
        return wrong("percentile_approx: the shares lie between 0.0 and 1.0");
    }
    let accuracy = match begun.types.get(2) {
        Some(_) => match constant(begun, 2)? {
            ScalarValue::Int64(Some(accuracy)) if accuracy > 0 => accuracy,
            _ => return wrong("percentile_approx: the accuracy is a positive number"),
        },
        None => ACCURACY,
    };
    let several = matches!(begun.types[1], DataType::List(_));
    let summary = Quantiles::new(1.0 / accuracy as f64);
    Ok(Box::new(Percentile { kind: begun.types[0].clone(), shares, several, summary }))
}

/// An argument that is the same for all rows.
pub(super) fn constant(begun: &Begun<'_>, argument: usize) -> Result<ScalarValue> {
    let none = RecordBatch::new_empty(std::sync::Arc::new(Schema::empty()));
    match begun.arguments.exprs[argument].evaluate(&none) {
        Ok(ColumnarValue::Scalar(value)) => Ok(value),
        _ => wrong(format!("{}: the shares and the accuracy are the same for all rows", begun.name)),
    }
}

#[derive(Debug)]
struct Percentile {
    kind: DataType,
    shares: Vec<f64>,
    several: bool,
    summary: Quantiles,
}

impl Percentile {
    /// The type of the values, if they cannot be taken for fractions at once.
    fn counted(&self) -> Option<DataType> {
        match self.kind {
            DataType::Date32 => Some(DataType::Int32),
            DataType::Timestamp(..) => Some(DataType::Int64),
            _ => None,
        }
    }

    fn back(&self, values: Vec<f64>) -> Result<ArrayRef> {
        let values: ArrayRef = if self.counted().is_some() || self.kind == DataType::Int64 {
            // What lies beyond the last BIGINT once it is a fraction is that BIGINT.
            std::sync::Arc::new(values.into_iter().map(|value| value as i64).collect::<Int64Array>())
        } else {
            std::sync::Arc::new(Float64Array::from(values))
        };
        let values = match self.counted() {
            Some(counted) => cast(&values, &counted)?,
            None => values,
        };
        Ok(cast(&values, &self.kind)?)
    }
}

impl Accumulator for Percentile {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let counted = match self.counted() {
            Some(counted) => cast(&values[0], &counted)?,
            None => std::sync::Arc::clone(&values[0]),
        };
        match counted.data_type() {
            DataType::Int32 => {
                let numbers = counted.as_primitive::<Int32Type>();
                numbers.iter().flatten().for_each(|value| self.summary.add(f64::from(value)));
            }
            DataType::Int64 => {
                let numbers = counted.as_primitive::<Int64Type>();
                numbers.iter().flatten().for_each(|value| self.summary.add(value as f64));
            }
            _ => {
                let numbers = cast(&counted, &DataType::Float64)?;
                let numbers = numbers.as_primitive::<Float64Type>();
                numbers.iter().flatten().for_each(|value| self.summary.add(value));
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for bytes in states[0].as_binary::<i32>().iter().flatten() {
            match Quantiles::read(bytes) {
                Some(other) => self.summary.merge(other),
                None => return wrong("percentile_approx: the stored summary cannot be read"),
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(Some(self.summary.bytes()))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let Some(values) = self.summary.at(&self.shares) else {
            let kind = if self.several { list_of(self.kind.clone()) } else { self.kind.clone() };
            return ScalarValue::try_from(&kind);
        };
        let values = self.back(values)?;
        if !self.several {
            return ScalarValue::try_from_array(&values, 0);
        }
        let items = (0..values.len()).map(|item| ScalarValue::try_from_array(&values, item));
        let items = items.collect::<Result<Vec<_>>>()?;
        Ok(ScalarValue::List(ScalarValue::new_list_nullable(&items, &self.kind)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.summary.size() + self.shares.len() * size_of::<f64>()
    }
}

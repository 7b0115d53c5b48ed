//! `product(value)`: PySpark's function; Spark's SQL has no word for it.

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::Own;
use crate::functions::own::Kind;

pub(super) const FUNCTIONS: &[Own] = &[Own {
    name: "product",
    aliases: &[],
    takes: &[Kind::Double],
    optional: 0,
    gives: |_| Ok(DataType::Float64),
    state: |_| vec![DataType::Float64],
    begin: |_| Ok(Box::new(Product::default())),
}];

/// The product of the values so far, `None` before the first.
#[derive(Debug, Default)]
struct Product(Option<f64>);

impl Accumulator for Product {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in values[0].as_primitive::<Float64Type>().iter().flatten() {
            self.0 = Some(self.0.unwrap_or(1.0) * value);
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Float64(self.0)])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.0))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

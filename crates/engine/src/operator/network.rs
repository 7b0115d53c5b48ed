//! A neural network as a function of a query: `f(ARRAY<FLOAT>) -> ARRAY<FLOAT>`.
//!
//! A row that the network cannot take becomes NULL and is reported; the others are answered.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float32Array, ListArray};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::{DataFusionError, Result, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use ml::{Missing, Row};

use crate::embed::Network;
use crate::operator::features::{FeatureColumn, coerced};
use crate::operator::scope::{Rows, Scope};

/// The network over one query's scope.
pub(crate) fn function(network: &Arc<Network>, scope: &Arc<Scope>) -> ScalarUDF {
    ScalarUDF::from(Embed {
        network: Arc::clone(network),
        scope: Arc::clone(scope),
        signature: Signature::user_defined(Volatility::Stable),
    })
}

#[derive(Debug)]
struct Embed {
    network: Arc<Network>,
    scope: Arc<Scope>,
    signature: Signature,
}

impl PartialEq for Embed {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.network, &other.network) && Arc::ptr_eq(&self.scope, &other.scope)
    }
}

impl Eq for Embed {}

impl Hash for Embed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.network).hash(state);
    }
}

fn output_type() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Float32, true)))
}

impl ScalarUDFImpl for Embed {
    fn name(&self) -> &str {
        &self.network.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(output_type())
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [input] => Ok(vec![coerced(self.name(), input)?]),
            [input, _] => Ok(vec![coerced(self.name(), input)?, DataType::Int64]),
            _ => plan_err!("{} takes one ARRAY of {} numbers", self.name(), self.network.input),
        }
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let column = FeatureColumn::new(&call.args[0].to_array(call.number_rows)?)?;
        let rows = Rows::new(call.args.get(1), call.number_rows)?;
        Ok(ColumnarValue::Array(self.embed(&column, &rows)?))
    }
}

impl Embed {
    fn embed(&self, column: &FeatureColumn, rows: &Rows) -> Result<ArrayRef> {
        let mut input = Vec::with_capacity(column.len() * self.network.input);
        let mut taken = Vec::with_capacity(column.len());
        for (row, values) in column.features()?.iter().enumerate() {
            let checked = values.check(Some(self.network.input), Missing::Refused);
            taken.push(checked.is_ok());
            match checked {
                Ok(()) => append(values, &mut input),
                Err(reason) => self.scope.refuse(rows.at(row), || match column.is_null(row) {
                    true => format!("{}: the argument is null", self.name()),
                    false => format!("{}: {reason}", self.name()),
                }),
            }
        }
        let output = self.network.run(input).map_err(|error| DataFusionError::External(Box::new(error)))?;
        let lengths = taken.iter().map(|taken| if *taken { self.network.output } else { 0 });
        Ok(Arc::new(ListArray::try_new(
            Arc::new(Field::new_list_field(DataType::Float32, true)),
            OffsetBuffer::from_lengths(lengths),
            Arc::new(Float32Array::from(output)),
            Some(NullBuffer::from(taken)),
        )?))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "networks compute in single precision")]
fn append(values: Row<'_>, input: &mut Vec<f32>) {
    match values {
        Row::F32(values) => input.extend_from_slice(values),
        Row::F64(values) => input.extend(values.iter().map(|value| *value as f32)),
        sparse @ Row::Sparse(_) => {
            input.extend(sparse.dense(&mut Vec::new()).iter().map(|value| *value as f32));
        }
    }
}

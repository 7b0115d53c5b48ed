//! `predict('m', features)` and `model_version('m')`: answers of the version that the batch has pinned.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int32Array, Int64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use ml::{Batch, Missing, Predictions, Row};

use crate::operator::features::{FeatureColumn, coerced};
use crate::operator::scope::{Rows, Scope};

/// The functions' names, for finding the models a query asks.
pub(crate) const PREDICT: &str = "predict";
pub(crate) const MODEL_VERSION: &str = "model_version";

/// The two functions over one query's scope.
pub(crate) fn functions(scope: &Arc<Scope>) -> [ScalarUDF; 2] {
    let signature = Signature::user_defined(Volatility::Volatile);
    [
        ScalarUDF::from(Predict { scope: Arc::clone(scope), signature: signature.clone() }),
        ScalarUDF::from(ModelVersion { scope: Arc::clone(scope), signature }),
    ]
}

#[derive(Debug)]
struct Predict {
    scope: Arc<Scope>,
    signature: Signature,
}

#[derive(Debug)]
struct ModelVersion {
    scope: Arc<Scope>,
    signature: Signature,
}

macro_rules! equal_within_a_query {
    ($function:ty) => {
        impl PartialEq for $function {
            fn eq(&self, other: &Self) -> bool {
                Arc::ptr_eq(&self.scope, &other.scope)
            }
        }
        impl Eq for $function {}
        impl Hash for $function {
            fn hash<H: Hasher>(&self, state: &mut H) {
                Arc::as_ptr(&self.scope).hash(state);
            }
        }
    };
}
equal_within_a_query!(Predict);
equal_within_a_query!(ModelVersion);

impl ScalarUDFImpl for Predict {
    fn name(&self) -> &str {
        PREDICT
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [_, features] => Ok(vec![DataType::Utf8, coerced(PREDICT, features)?]),
            [_, features, _] => Ok(vec![DataType::Utf8, coerced(PREDICT, features)?, DataType::Int64]),
            _ => plan_err!("predict takes a model's name and its features: predict('m', features)"),
        }
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let model = literal(PREDICT, &call.args[0])?;
        let column = FeatureColumn::new(&call.args[1].to_array(call.number_rows)?)?;
        let rows = Rows::new(call.args.get(2), call.number_rows)?;
        Ok(ColumnarValue::Array(self.predict(&model, &column, &rows)?))
    }
}

impl Predict {
    fn predict(&self, model: &str, column: &FeatureColumn, rows: &Rows) -> Result<ArrayRef> {
        let features = column.features()?;
        let version = self.scope.pinned(model);
        let check = |row: Row<'_>| match &version {
            Some(version) => version.model().check(row),
            None => row.check(None, Missing::Skipped),
        };
        for (row, values) in features.iter().enumerate() {
            if column.is_null(row) {
                self.scope.refuse(rows.at(row), || format!("predict('{model}'): the features are null"));
            } else if let Err(reason) = check(values) {
                self.scope.refuse(rows.at(row), || format!("predict('{model}'): {reason}"));
            }
        }
        let Some(version) = version else { return Ok(Arc::new(Int64Array::new_null(column.len()))) };
        let clusters: Int64Array = match version.model().predict(&Batch::vectors(features)) {
            Predictions::Clusters(clusters) => clusters.into_iter().map(|c| c.map(i64::from)).collect(),
            _ => return plan_err!("predict('{model}'): the model does not group rows"),
        };
        Ok(Arc::new(clusters))
    }
}

impl ScalarUDFImpl for ModelVersion {
    fn name(&self) -> &str {
        MODEL_VERSION
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int32)
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [_] => Ok(vec![DataType::Utf8]),
            [_, _] => Ok(vec![DataType::Utf8, DataType::Int64]),
            _ => plan_err!("model_version takes a model's name: model_version('m')"),
        }
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let model = literal(MODEL_VERSION, &call.args[0])?;
        let version =
            self.scope.pinned(&model).map(|version| i32::try_from(version.number).unwrap_or(i32::MAX));
        if call.args.len() == 1 {
            return Ok(ColumnarValue::Scalar(ScalarValue::Int32(version)));
        }
        let column: Int32Array = std::iter::repeat_n(version, call.number_rows).collect();
        Ok(ColumnarValue::Array(Arc::new(column)))
    }
}

/// The model's name, in lower case. Planning has already seen that it is a literal.
fn literal(function: &str, argument: &ColumnarValue) -> Result<String> {
    match argument {
        ColumnarValue::Scalar(scalar) => match scalar.try_as_str() {
            Some(Some(name)) => Ok(name.to_lowercase()),
            _ => plan_err!("the first argument of {function} is a model's name in quotes"),
        },
        ColumnarValue::Array(_) => plan_err!("the first argument of {function} is a model's name in quotes"),
    }
}

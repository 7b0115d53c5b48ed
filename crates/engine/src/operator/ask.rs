//! The functions that ask models: `predict('m', ...)` and its kin, answered by the version that the batch has pinned.
//!
//! What a function returns follows from the model it names, so the name has to be a literal: a classifier answers in
//! the type of its label, a regressor with a number. Arguments are the model's features in their order, one struct
//! that has them by name, or the one array of a model that learns from arrays.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int32Array, new_null_array};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DataFusionError, Result, ScalarValue, internal_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use ml::{Columns, Missing};

use crate::models::reference::Reference;
use crate::models::shape::{FeatureShape, Shape};
use crate::models::{Entry, Registry, Version};
use crate::operator::answer;
use crate::operator::learn::reason;
use crate::operator::rows::FeatureRows;
use crate::operator::scope::{ROW, Rows, Scope};

/// What is asked of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Question {
    /// Its answer to a row.
    Predict,
    /// The probability of each class.
    PredictProba,
    /// How strange a row is.
    Score,
    /// How much each feature spoke for the answer.
    ExplainFeatures,
    /// How well a row lies in its cluster.
    Silhouette,
    /// The next values of a series.
    Forecast,
    /// Which version answers.
    ModelVersion,
}

impl Question {
    pub(crate) const ALL: [Question; 7] = [
        Question::Predict,
        Question::PredictProba,
        Question::Score,
        Question::ExplainFeatures,
        Question::Silhouette,
        Question::Forecast,
        Question::ModelVersion,
    ];

    /// The function's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Question::Predict => "predict",
            Question::PredictProba => "predict_proba",
            Question::Score => "score",
            Question::ExplainFeatures => "explain_features",
            Question::Silhouette => "silhouette",
            Question::Forecast => "forecast",
            Question::ModelVersion => "model_version",
        }
    }

    /// Whether this is the name of such a function.
    pub(crate) fn is_one(name: &str) -> bool {
        Question::ALL.iter().any(|question| question.name() == name)
    }
}

/// The functions over one query's scope.
pub(crate) fn functions(scope: &Arc<Scope>, registry: &Arc<Registry>) -> [ScalarUDF; 7] {
    Question::ALL.map(|question| {
        ScalarUDF::from(Ask {
            question,
            scope: Arc::clone(scope),
            registry: Arc::clone(registry),
            signature: Signature::variadic_any(Volatility::Volatile),
        })
    })
}

#[derive(Debug)]
struct Ask {
    question: Question,
    scope: Arc<Scope>,
    registry: Arc<Registry>,
    signature: Signature,
}

impl PartialEq for Ask {
    fn eq(&self, other: &Self) -> bool {
        self.question == other.question && Arc::ptr_eq(&self.scope, &other.scope)
    }
}

impl Eq for Ask {}

impl Hash for Ask {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.question.hash(state);
        Arc::as_ptr(&self.scope).hash(state);
    }
}

impl ScalarUDFImpl for Ask {
    fn name(&self) -> &str {
        self.question.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        internal_err!("what {} returns follows from the model", self.name())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let Some(Some(Some(name))) =
            args.scalar_arguments.first().map(|name| name.map(|n| n.try_as_str().flatten()))
        else {
            return plan_err!("the first argument of {} is a model's name in quotes", self.name());
        };
        let entry = self.entry(name)?;
        let given = args.arg_fields.get(1..).unwrap_or_default();
        let given = without_row(given.len(), given).map_or(given, |len| &given[..len]);
        if self.question == Question::ModelVersion {
            if !given.is_empty() {
                return plan_err!("model_version takes a model's name: model_version('{}')", entry.name);
            }
        } else if self.question == Question::Forecast {
            horizon(args.scalar_arguments.get(1).copied().flatten())?;
            if given.len() != 1 {
                return plan_err!(
                    "forecast takes a model's name and a horizon: forecast('{}', 12)",
                    entry.name
                );
            }
        } else {
            self.check_arguments(&entry, given)?;
        }
        let answer = answer::data_type(self.question, &entry).map_err(DataFusionError::Plan)?;
        Ok(Arc::new(Field::new(self.name(), answer, true)))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let name = literal(self.name(), &call.args[0])?;
        let version = self.scope.pinned(&name);
        if self.question == Question::ModelVersion {
            let version = version.map(|version| i32::try_from(version.number).unwrap_or(i32::MAX));
            let column: Int32Array = std::iter::repeat_n(version, call.number_rows).collect();
            return Ok(ColumnarValue::Array(Arc::new(column)));
        }
        let entry = self.entry(&name)?;
        if self.question == Question::Forecast {
            let horizon = match &call.args[1] {
                ColumnarValue::Scalar(value) => horizon(Some(value))?,
                ColumnarValue::Array(_) => horizon(None)?,
            };
            let future = version.and_then(|version| version.model().forecast(horizon));
            return Ok(ColumnarValue::Array(answer::futures(future.as_deref(), call.number_rows)));
        }
        let fields = call.arg_fields.get(1..).unwrap_or_default();
        let numbered = without_row(fields.len(), fields);
        let arguments = &call.args[1..numbered.map_or(call.args.len(), |len| len + 1)];
        let arrays: Vec<ArrayRef> =
            arguments.iter().map(|argument| argument.to_array(call.number_rows)).collect::<Result<_>>()?;
        let arrays = by_name(&entry.shape, arrays)?;
        let features = FeatureRows::new(&entry.shape, &arrays, call.number_rows)?;
        let records = Rows::new(numbered.and_then(|_| call.args.last()), call.number_rows)?;
        self.refuse_bad_rows(&name, &entry.shape, version.as_deref(), &features, &records)?;
        let Some(version) = version else {
            return Ok(ColumnarValue::Array(new_null_array(call.return_type(), call.number_rows)));
        };
        let answers = features.with(|batch| answer::array(self.question, &entry, version.model(), &batch))?;
        Ok(ColumnarValue::Array(answers?))
    }
}

impl Ask {
    fn entry(&self, name: &str) -> Result<Arc<Entry>> {
        let known = Reference::parse(name).and_then(|reference| self.registry.known(&reference.model));
        known.map_err(|error| DataFusionError::Plan(error.to_string()))
    }

    /// Only whether the arguments are as many as the features, of kinds that can be made theirs.
    fn check_arguments(&self, entry: &Entry, given: &[FieldRef]) -> Result<()> {
        let wrong = || plan_err!("expected {}", entry.shape.call(self.name(), &entry.name));
        match (&entry.shape.features, given) {
            (FeatureShape::Vector, [array]) => {
                crate::operator::features::coerced(self.name(), array.data_type()).map(drop)
            }
            (FeatureShape::Columns(columns), [row]) if matches!(row.data_type(), DataType::Struct(_)) => {
                let DataType::Struct(fields) = row.data_type() else { return wrong() };
                let missing =
                    columns.iter().find(|c| !fields.iter().any(|f| f.name().eq_ignore_ascii_case(&c.name)));
                missing.map_or(Ok(()), |column| plan_err!("the struct has no field {}", column.name))
            }
            (FeatureShape::Columns(columns), given) if columns.len() == given.len() => Ok(()),
            _ => wrong(),
        }
    }

    /// A row that the model cannot take is answered with NULL and goes to the dead letters.
    fn refuse_bad_rows(
        &self,
        name: &str,
        shape: &Shape,
        version: Option<&Version>,
        features: &FeatureRows,
        records: &Rows,
    ) -> Result<()> {
        features.with(|batch| {
            let check = |row: usize| match (version, batch.columns) {
                (Some(version), _) => version.model().check_row(&batch, row),
                (None, Columns::Vectors(rows)) => rows.row(row).check(None, Missing::Skipped),
                (None, Columns::Table(_)) => Ok(()),
            };
            for row in 0..features.len() {
                let call = || format!("{}('{name}')", self.name());
                if features.is_null(row) {
                    self.scope.refuse(records.at(row), || format!("{}: the features are null", call()));
                } else if let Err(rejection) = check(row) {
                    self.scope
                        .refuse(records.at(row), || format!("{}: {}", call(), reason(shape, rejection)));
                }
            }
        })
    }
}

/// How many values of a series are asked for at a time.
const HORIZON_MAX: usize = 10_000;

fn horizon(argument: Option<&ScalarValue>) -> Result<usize> {
    let number = argument.and_then(|value| value.cast_to(&DataType::Int64).ok());
    match number {
        Some(ScalarValue::Int64(Some(number))) => match usize::try_from(number) {
            Ok(horizon) if (1..=HORIZON_MAX).contains(&horizon) => Ok(horizon),
            _ => plan_err!("a horizon is a number from 1 to {HORIZON_MAX}, not {number}"),
        },
        _ => plan_err!("the second argument of forecast is how many values, as a number: forecast('m', 12)"),
    }
}

/// How many arguments there are before the hidden one, if that is there.
fn without_row(len: usize, fields: &[FieldRef]) -> Option<usize> {
    fields.last().filter(|field| field.name() == ROW).map(|_| len - 1)
}

/// The fields of one struct as the arguments that they stand for.
fn by_name(shape: &Shape, arrays: Vec<ArrayRef>) -> Result<Vec<ArrayRef>> {
    let (FeatureShape::Columns(columns), [row]) = (&shape.features, arrays.as_slice()) else {
        return Ok(arrays);
    };
    let Some(row) = row.as_struct_opt() else { return Ok(arrays) };
    let field = |column: &ml::Column| {
        let at = row.fields().iter().position(|field| field.name().eq_ignore_ascii_case(&column.name));
        match at {
            Some(at) => Ok(Arc::clone(row.column(at))),
            None => plan_err!("the struct has no field {}", column.name),
        }
    };
    columns.iter().map(field).collect()
}

/// The model's reference, in lower case. Planning has already seen that it is a literal.
fn literal(function: &str, argument: &ColumnarValue) -> Result<String> {
    match argument {
        ColumnarValue::Scalar(ScalarValue::Utf8(Some(name)) | ScalarValue::Utf8View(Some(name))) => {
            Ok(name.to_lowercase())
        }
        _ => plan_err!("the first argument of {function} is a model's name in quotes"),
    }
}

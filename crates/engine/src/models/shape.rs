//! What a model's rows and answers are: settled when it is created, kept in the catalog.

use datafusion::arrow::datatypes::{DataType, Field, Schema as Columns};
use ml::{Column, Kind, Label, PredictionType, Schema};
use serde::{Deserialize, Serialize};

use crate::error::SqlError;
use crate::operator::features::coerced;

/// The column that holds a row as one array.
pub(crate) const FEATURES: &str = "features";

/// The column that holds the label, unless the options name another.
pub(crate) const LABEL: &str = "label";

/// What a model learns from and what it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shape {
    pub(crate) features: FeatureShape,
    pub(crate) label: Option<LabelShape>,
    pub(crate) task: Task,
    pub(crate) answer: AnswerType,
}

/// What kind of answers a model gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Task {
    /// The number of a cluster.
    Cluster,
    /// A class.
    Class,
    /// An estimate.
    Number,
    /// How strange a row is.
    Score,
}

/// How the features of a row come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FeatureShape {
    /// As one array of numbers.
    Vector,
    /// As one column each.
    Columns(Vec<Column>),
}

/// What rows are labelled with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LabelShape {
    pub(crate) column: String,
    pub(crate) label: Label,
}

/// The type of a prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AnswerType {
    Bigint,
    Double,
    String,
    Boolean,
}

impl Default for Shape {
    /// That of the models which were created before there were others.
    fn default() -> Self {
        Shape { features: FeatureShape::Vector, label: None, task: Task::Cluster, answer: AnswerType::Bigint }
    }
}

impl AnswerType {
    pub(crate) fn data_type(self) -> DataType {
        match self {
            AnswerType::Bigint => DataType::Int64,
            AnswerType::Double => DataType::Float64,
            AnswerType::String => DataType::Utf8,
            AnswerType::Boolean => DataType::Boolean,
        }
    }
}

impl Shape {
    /// Reads it off the columns of the query that teaches the model. `label` is what the algorithm learns from,
    /// `named` the label's column if the options say one.
    ///
    /// # Errors
    /// If there is no label where one is needed, or a column is nothing to learn from.
    pub(crate) fn of(columns: &Columns, label: Option<Label>, named: Option<&str>) -> Result<Self, SqlError> {
        let wanted = named.unwrap_or(LABEL);
        let position = columns.fields().iter().position(|field| field.name().eq_ignore_ascii_case(wanted));
        let label = match (label, position) {
            (None, _) if named.is_some() => {
                return Err(SqlError::invalid(
                    LABEL,
                    "the algorithm learns without one; leave the option out",
                ));
            }
            (None, _) => None,
            (Some(_), None) => {
                let names: Vec<&str> = columns.fields().iter().map(|field| field.name().as_str()).collect();
                let reason = format!(
                    "the algorithm learns from labelled rows, and the query has no column {wanted}; it has {}. \
                     Call one {LABEL}, or name it in OPTIONS (label '...')",
                    names.join(", ")
                );
                return Err(SqlError::invalid(LABEL, reason));
            }
            (Some(label), Some(at)) => Some((at, label)),
        };
        let place = label.map(|(at, _)| at);
        let features: Vec<&Field> = columns
            .fields()
            .iter()
            .enumerate()
            .filter(|(index, _)| Some(*index) != place)
            .map(|(_, field)| field.as_ref())
            .collect();
        let answer = label.map_or(AnswerType::Double, |(at, label)| answer(columns.field(at), label));
        let label = label.map(|(at, label)| labelled(columns.field(at), label)).transpose()?;
        Ok(Shape { features: feature_shape(&features)?, label, task: Task::Number, answer })
    }

    /// The same with the answers that the model turned out to give.
    pub(crate) fn answering(mut self, prediction: PredictionType) -> Self {
        (self.task, self.answer) = match prediction {
            PredictionType::Cluster => (Task::Cluster, AnswerType::Bigint),
            PredictionType::Class => (Task::Class, self.answer),
            PredictionType::Score => (Task::Score, AnswerType::Double),
            _ => (Task::Number, AnswerType::Double),
        };
        self
    }

    /// The same for the learner.
    pub(crate) fn schema(&self) -> Schema {
        let label = self.label.as_ref().map(|label| label.label);
        match &self.features {
            FeatureShape::Vector => Schema::vector(label),
            FeatureShape::Columns(columns) => Schema { columns: columns.clone(), label },
        }
    }

    /// The names of the features; `None` where a row is one array.
    pub(crate) fn feature_names(&self) -> Option<Vec<String>> {
        match &self.features {
            FeatureShape::Vector => None,
            FeatureShape::Columns(columns) => {
                Some(columns.iter().map(|column| column.name.clone()).collect())
            }
        }
    }

    /// How to ask for a prediction, for messages.
    pub(crate) fn call(&self, function: &str, model: &str) -> String {
        match &self.features {
            FeatureShape::Vector => format!("{function}('{model}', {FEATURES})"),
            FeatureShape::Columns(columns) => {
                let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
                format!("{function}('{model}', {})", names.join(", "))
            }
        }
    }
}

/// One array is a vector; anything else is a column of its own.
fn feature_shape(features: &[&Field]) -> Result<FeatureShape, SqlError> {
    let is_array = |field: &Field| {
        matches!(field.data_type(), DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..))
    };
    if let [field] = features
        && is_array(field)
    {
        coerced("a model", field.data_type())
            .map_err(|error| SqlError::invalid(field.name(), error.strip_backtrace()))?;
        return Ok(FeatureShape::Vector);
    }
    let columns = features.iter().map(|field| {
        let kind = match field.data_type() {
            numeric if numeric.is_numeric() || numeric.is_null() || *numeric == DataType::Boolean => {
                Kind::Number
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Category,
            _ if is_array(field) => {
                let reason = "an array is the whole row: leave the other features out, or name its elements";
                return Err(SqlError::invalid(field.name(), reason));
            }
            other => {
                let type_name = crate::sql::types::type_name(other);
                let reason =
                    format!("a model learns from numbers, strings and booleans, not from {type_name}");
                return Err(SqlError::invalid(field.name(), reason));
            }
        };
        Ok(Column { name: field.name().clone(), kind })
    });
    Ok(FeatureShape::Columns(columns.collect::<Result<_, _>>()?))
}

fn labelled(field: &Field, label: Label) -> Result<LabelShape, SqlError> {
    let data_type = field.data_type();
    let number = data_type.is_numeric() || data_type.is_null();
    let word = matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let fits = match label {
        Label::Number => number,
        Label::Class => number || word || *data_type == DataType::Boolean,
    };
    if fits {
        return Ok(LabelShape { column: field.name().clone(), label });
    }
    let type_name = crate::sql::types::type_name(data_type);
    let wanted = match label {
        Label::Number => "a number",
        Label::Class => "a string, a number or a boolean",
    };
    Err(SqlError::invalid(field.name(), format!("the label is {wanted}, not {type_name}")))
}

/// Classes are answered in the type of the label.
fn answer(field: &Field, label: Label) -> AnswerType {
    match (label, field.data_type()) {
        (Label::Number, _) => AnswerType::Double,
        (Label::Class, DataType::Boolean) => AnswerType::Boolean,
        (Label::Class, integer) if integer.is_integer() => AnswerType::Bigint,
        (Label::Class, number) if number.is_numeric() => AnswerType::Double,
        (Label::Class, _) => AnswerType::String,
    }
}

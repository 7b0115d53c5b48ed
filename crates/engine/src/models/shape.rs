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

/// The option that names the column which says how much a row counts.
pub(crate) const WEIGHT: &str = "weight";

/// The option that names the column which holds what was answered to a row before.
pub(crate) const PREDICTION: &str = "prediction";

/// What a model learns from and what it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shape {
    pub(crate) features: FeatureShape,
    pub(crate) label: Option<LabelShape>,
    pub(crate) task: Task,
    pub(crate) answer: AnswerType,
    #[serde(default, skip_serializing_if = "Beside::is_empty")]
    pub(crate) beside: Beside,
}

/// Columns that say something about a row without being features of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Beside {
    /// How much the row counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) weight: Option<String>,
    /// What was answered to the row when its label was not known yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prediction: Option<String>,
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
        Shape {
            features: FeatureShape::Vector,
            label: None,
            task: Task::Cluster,
            answer: AnswerType::Bigint,
            beside: Beside::default(),
        }
    }
}

impl Beside {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Beside::default()
    }

    fn has(&self, column: &str) -> bool {
        [&self.weight, &self.prediction].into_iter().flatten().any(|named| named == column)
    }

    /// The same with the columns as the query calls them.
    fn found(mut self, columns: &Columns, label: Option<&LabelShape>) -> Result<Self, SqlError> {
        for (option, named) in [(WEIGHT, &mut self.weight), (PREDICTION, &mut self.prediction)] {
            let Some(name) = named else { continue };
            let label =
                label.ok_or_else(|| SqlError::invalid(option, "is for algorithms that learn with labels"))?;
            let found = columns.fields().iter().find(|field| field.name().eq_ignore_ascii_case(name));
            let field = found.ok_or_else(|| {
                let names: Vec<&str> = columns.fields().iter().map(|field| field.name().as_str()).collect();
                let reason = format!("the query has no column {name}; it has {}", names.join(", "));
                SqlError::invalid(option, reason)
            })?;
            if field.name() == &label.column {
                return Err(SqlError::invalid(option, format!("{name} is the label")));
            }
            let fits = match (option, label.label) {
                (PREDICTION, Label::Class) => is_class(field.data_type()) || is_shares(field.data_type()),
                _ => is_number(field.data_type()),
            };
            if !fits {
                let type_name = crate::sql::types::type_name(field.data_type());
                let wanted = match (option, label.label) {
                    (PREDICTION, Label::Class) => "what predict or predict_proba answers",
                    _ => "a number",
                };
                return Err(SqlError::invalid(option, format!("{name} is {wanted}, not {type_name}")));
            }
            field.name().clone_into(name);
        }
        if self.weight.is_some() && self.weight == self.prediction {
            return Err(SqlError::invalid(PREDICTION, "is another column than the weight"));
        }
        Ok(self)
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
    /// `named` the label's column if the options say one, and `beside` what else is no feature.
    ///
    /// # Errors
    /// If there is no label where one is needed, or a column is nothing to learn from.
    pub(crate) fn of(
        columns: &Columns,
        label: Option<Label>,
        named: Option<&str>,
        beside: Beside,
    ) -> Result<Self, SqlError> {
        let label = label_place(columns, label, named)?;
        let answer = label.map_or(AnswerType::Double, |(at, label)| answer(columns.field(at), label));
        let place = label.map(|(at, _)| at);
        let label = label.map(|(at, label)| labelled(columns.field(at), label)).transpose()?;
        let beside = beside.found(columns, label.as_ref())?;
        let features: Vec<&Field> = columns
            .fields()
            .iter()
            .enumerate()
            .filter(|(index, field)| Some(*index) != place && !beside.has(field.name()))
            .map(|(_, field)| field.as_ref())
            .collect();
        Ok(Shape { features: feature_shape(&features)?, label, task: Task::Number, answer, beside })
    }

    /// Whether who asks the one can as well ask the other.
    pub(crate) fn asked_like(&self, other: &Shape) -> bool {
        (&self.features, &self.label, self.task, self.answer)
            == (&other.features, &other.label, other.task, other.answer)
    }

    /// Whether a column of the query that teaches the model is a feature.
    pub(crate) fn is_feature(&self, column: &str) -> bool {
        self.label.as_ref().is_none_or(|label| label.column != column) && !self.beside.has(column)
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

/// Where the label is, if the algorithm learns from one.
fn label_place(
    columns: &Columns,
    label: Option<Label>,
    named: Option<&str>,
) -> Result<Option<(usize, Label)>, SqlError> {
    let wanted = named.unwrap_or(LABEL);
    let position = columns.fields().iter().position(|field| field.name().eq_ignore_ascii_case(wanted));
    match (label, position) {
        (None, _) if named.is_some() => {
            Err(SqlError::invalid(LABEL, "the algorithm learns without one; leave the option out"))
        }
        (None, _) => Ok(None),
        (Some(_), None) => {
            let names: Vec<&str> = columns.fields().iter().map(|field| field.name().as_str()).collect();
            let reason = format!(
                "the algorithm learns from labelled rows, and the query has no column {wanted}; it has {}. \
                 Call one {LABEL}, or name it in OPTIONS (label '...')",
                names.join(", ")
            );
            Err(SqlError::invalid(LABEL, reason))
        }
        (Some(label), Some(at)) => Ok(Some((at, label))),
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
    let fits = match label {
        Label::Number => is_number(data_type),
        Label::Class => is_class(data_type),
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

fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric() || data_type.is_null()
}

fn is_class(data_type: &DataType) -> bool {
    let word = matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    word || is_number(data_type) || *data_type == DataType::Boolean
}

/// A share by the name of each class, as `predict_proba` gives it.
fn is_shares(data_type: &DataType) -> bool {
    let DataType::Map(entries, _) = data_type else { return false };
    let DataType::Struct(pair) = entries.data_type() else { return false };
    pair.len() == 2 && is_class(pair[0].data_type()) && is_number(pair[1].data_type())
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

//! Answers to single rows, past SQL: for the web service next door.

use ml::{Batch, ColumnValues, Columns, Features, Kind, Model, Predictions};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::error::SqlError;
use crate::models::shape::{AnswerType, FEATURES, FeatureShape, Shape};
use crate::models::{Entry, Version};
use crate::operator::answer::column_names;
use crate::operator::learn::reason;

/// What is wanted beside the predictions themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Detail {
    /// The probability of each class.
    pub probabilities: bool,
    /// How much each feature spoke for the prediction.
    pub explanation: bool,
}

/// The answers of one version to rows, in their order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Predicted {
    /// The model's name.
    pub model: String,
    /// The version that answered.
    pub version: u64,
    /// One for each row.
    pub predictions: Vec<PredictedRow>,
}

/// The answer to one row.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PredictedRow {
    /// A class in the type of its label, a number, or the number of a cluster; null without an answer.
    pub prediction: Value,
    /// By class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probabilities: Option<Value>,
    /// By feature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Value>,
    /// What is wrong with the row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Rows from JSON: objects with the features by name, or arrays for a model that learns from arrays.
struct Given {
    vectors: (Vec<f64>, Vec<i32>),
    numbers: Vec<Vec<f64>>,
    words: Vec<Vec<Option<String>>>,
    /// By row.
    errors: Vec<Option<String>>,
}

impl Entry {
    /// Answers rows with one version.
    pub(crate) fn answer(
        &self,
        version: &Version,
        rows: &[Value],
        detail: Detail,
    ) -> Result<Predicted, SqlError> {
        let given = Given::read(&self.shape, rows);
        let failed = |error: ml::FeaturesError| SqlError::failed("read the rows", error);
        let predictions = match &self.shape.features {
            FeatureShape::Vector => {
                let (values, offsets) = &given.vectors;
                let features = Features::ragged(values.as_slice(), offsets).map_err(failed)?;
                self.rows(version.model(), Columns::Vectors(features), &given.errors, detail)
            }
            FeatureShape::Columns(columns) => {
                let words: Vec<Vec<Option<&str>>> =
                    given.words.iter().map(|column| column.iter().map(Option::as_deref).collect()).collect();
                let values: Vec<ColumnValues<'_>> = columns
                    .iter()
                    .enumerate()
                    .map(|(at, column)| match column.kind {
                        Kind::Number => ColumnValues::Numbers(&given.numbers[at]),
                        _ => ColumnValues::Words(&words[at]),
                    })
                    .collect();
                self.rows(version.model(), Columns::Table(&values), &given.errors, detail)
            }
        };
        Ok(Predicted { model: self.name.clone(), version: version.number, predictions })
    }

    fn rows(
        &self,
        model: &Model,
        columns: Columns<'_>,
        errors: &[Option<String>],
        detail: Detail,
    ) -> Vec<PredictedRow> {
        let batch = Batch::new(columns, None);
        let answers = values(&model.predict(&batch), model, self.shape.answer);
        let shares = detail.probabilities.then(|| model.predict_proba(&batch)).flatten();
        let parts = detail.explanation.then(|| model.explain(&batch)).flatten();
        let names = parts.as_ref().map(|parts| column_names(&self.shape, parts)).unwrap_or_default();
        let row = |(index, prediction): (usize, Value)| {
            let bad = errors[index].clone();
            let bad = bad.or_else(|| model.check_row(&batch, index).err().map(|e| reason(&self.shape, e)));
            if bad.is_some() {
                return PredictedRow { error: bad, ..PredictedRow::default() };
            }
            let shares = shares.as_ref().and_then(|rows| rows[index].as_ref());
            let parts = parts.as_ref().and_then(|rows| rows[index].as_ref());
            PredictedRow {
                prediction,
                probabilities: shares.map(|shares| by_class(model, shares)),
                explanation: parts.map(|parts| {
                    let named =
                        parts.iter().filter_map(|(at, part)| Some((names.get(*at)?.clone(), json!(part))));
                    Value::Object(named.collect())
                }),
                error: None,
            }
        };
        answers.into_iter().enumerate().map(row).collect()
    }
}

fn by_class(model: &Model, shares: &[f64]) -> Value {
    let named = shares.iter().enumerate().filter_map(|(code, share)| {
        let class = model.class(u32::try_from(code).ok()?)?;
        Some((class.to_owned(), json!(share)))
    });
    Value::Object(named.collect::<Map<String, Value>>())
}

fn values(predictions: &Predictions, model: &Model, answer: AnswerType) -> Vec<Value> {
    let class = |class: &str| match answer {
        AnswerType::String => json!(class),
        AnswerType::Bigint => class.parse::<i64>().map_or(Value::Null, Value::from),
        AnswerType::Double => class.parse::<f64>().map_or(Value::Null, Value::from),
        AnswerType::Boolean => class.parse::<bool>().map_or(Value::Null, Value::from),
    };
    match predictions {
        Predictions::Clusters(clusters) => clusters.iter().map(|cluster| json!(cluster)).collect(),
        Predictions::Numbers(numbers) | Predictions::Scores(numbers) => {
            numbers.iter().map(|number| json!(number)).collect()
        }
        Predictions::Classes(codes) => codes
            .iter()
            .map(|code| code.and_then(|code| model.class(code)).map_or(Value::Null, class))
            .collect(),
    }
}

impl Given {
    fn read(shape: &Shape, rows: &[Value]) -> Self {
        let mut given = Given {
            vectors: (Vec::new(), vec![0]),
            numbers: Vec::new(),
            words: Vec::new(),
            errors: vec![None; rows.len()],
        };
        match &shape.features {
            FeatureShape::Vector => rows.iter().enumerate().for_each(|(at, row)| given.vector(at, row)),
            FeatureShape::Columns(columns) => {
                for (at, row) in rows.iter().enumerate() {
                    if !row.is_object() {
                        given.errors[at] = Some("expected an object with the features by name".to_owned());
                    }
                }
                for column in columns {
                    given.column(column, rows);
                }
            }
        }
        given
    }

    fn vector(&mut self, at: usize, row: &Value) {
        let values = row.as_array().or_else(|| row.get(FEATURES)?.as_array());
        let number = |value: &Value| if value.is_null() { Some(f64::NAN) } else { value.as_f64() };
        match values.map(|values| values.iter().map(number).collect::<Option<Vec<f64>>>()) {
            Some(Some(values)) => self.vectors.0.extend(values),
            _ => self.errors[at] = Some("expected an array of numbers".to_owned()),
        }
        let end = i32::try_from(self.vectors.0.len()).unwrap_or(i32::MAX);
        self.vectors.1.push(end);
    }

    fn column(&mut self, column: &ml::Column, rows: &[Value]) {
        let (mut numbers, mut words) = (Vec::new(), Vec::new());
        for (at, row) in rows.iter().enumerate() {
            let value = row.get(&column.name).unwrap_or(&Value::Null);
            let (mut number, mut word) = (f64::NAN, None);
            match (column.kind, value) {
                (_, Value::Null) => {}
                (Kind::Number, Value::Bool(value)) => number = f64::from(u8::from(*value)),
                (Kind::Number, value) if value.is_number() => number = value.as_f64().unwrap_or(f64::NAN),
                (Kind::Number, value) => {
                    let wrong = format!("{} is a number, not {value}", column.name);
                    self.errors[at].get_or_insert(wrong);
                }
                (_, Value::String(text)) => word = Some(text.clone()),
                (_, value @ (Value::Number(_) | Value::Bool(_))) => word = Some(value.to_string()),
                (_, value) => {
                    let wrong = format!("{} is a string, not {value}", column.name);
                    self.errors[at].get_or_insert(wrong);
                }
            }
            numbers.push(number);
            words.push(word);
        }
        self.numbers.push(numbers);
        self.words.push(words);
    }
}

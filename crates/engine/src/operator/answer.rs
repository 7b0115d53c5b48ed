//! A model's answers as Arrow arrays.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Float64Builder, Int64Array, ListBuilder, MapBuilder, StringArray,
    StringBuilder,
};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, plan_err};
use ml::{Batch, Contributions, Model, Predictions};

use crate::models::Entry;
use crate::models::shape::{AnswerType, FeatureShape, Shape, Task};
use crate::operator::ask::Question;

/// What a question to the model returns; or why the model cannot be asked it.
pub(crate) fn data_type(question: Question, entry: &Entry) -> std::result::Result<DataType, String> {
    let name = &entry.name;
    match (question, entry.shape.task) {
        (Question::Predict, _) => Ok(entry.shape.answer.data_type()),
        (Question::ModelVersion, _) => Ok(DataType::Int32),
        (Question::PredictProba, Task::Class) | (Question::ExplainFeatures, _) => Ok(map_type()),
        (Question::PredictProba, _) => {
            Err(format!("predict_proba('{name}'): the model does not name classes"))
        }
        (Question::Score, Task::Score) | (Question::Silhouette, Task::Cluster) => Ok(DataType::Float64),
        (Question::Silhouette, _) => Err(format!("silhouette('{name}'): the model does not group rows")),
        (Question::Forecast, Task::Number) => {
            Ok(DataType::List(Arc::new(Field::new_list_field(DataType::Float64, true))))
        }
        (Question::Forecast, _) => Err(format!("forecast('{name}'): the model does not tell a series")),
        (Question::Score, _) => Err(format!("score('{name}'): the model does not look for anomalies")),
    }
}

/// The answers to rows, as an array of [`data_type`].
pub(crate) fn array(question: Question, entry: &Entry, model: &Model, batch: &Batch<'_>) -> Result<ArrayRef> {
    match question {
        Question::Predict | Question::Score => {
            Ok(predictions(model.predict(batch), model, entry.shape.answer))
        }
        Question::PredictProba => {
            let Some(shares) = model.predict_proba(batch) else {
                return plan_err!("predict_proba('{}'): the model does not name classes", entry.name);
            };
            let class = |code: usize| u32::try_from(code).ok().and_then(|code| model.class(code));
            maps(&shares, |row| row.iter().enumerate().map(|(code, share)| (class(code), *share)))
        }
        Question::ExplainFeatures => {
            let Some(parts) = model.explain(batch) else {
                let algorithm = model.algorithm();
                return plan_err!("explain_features('{}'): {algorithm} cannot say", entry.name);
            };
            let names = column_names(&entry.shape, &parts);
            maps(&parts, |row| {
                row.iter().map(|(column, part)| (names.get(*column).map(String::as_str), *part))
            })
        }
        Question::Silhouette => {
            let Some(silhouettes) = model.silhouettes(batch) else {
                return plan_err!("silhouette('{}'): the model does not group rows", entry.name);
            };
            Ok(Arc::new(Float64Array::from(silhouettes)))
        }
        Question::Forecast | Question::ModelVersion => {
            plan_err!("{} is not asked of rows", question.name())
        }
    }
}

/// The same future in each row; NULL if the model cannot tell it.
pub(crate) fn futures(future: Option<&[f64]>, rows: usize) -> ArrayRef {
    let mut lists = ListBuilder::new(Float64Builder::new());
    for _ in 0..rows {
        if let Some(future) = future {
            lists.values().append_slice(future);
        }
        lists.append(future.is_some());
    }
    Arc::new(lists.finish())
}

/// Predictions in the type that the shape promises.
pub(crate) fn predictions(predictions: Predictions, model: &Model, answer: AnswerType) -> ArrayRef {
    let codes = match predictions {
        Predictions::Numbers(numbers) | Predictions::Scores(numbers) => {
            return Arc::new(Float64Array::from(numbers));
        }
        Predictions::Clusters(clusters) => {
            return Arc::new(clusters.into_iter().map(|c| c.map(i64::from)).collect::<Int64Array>());
        }
        Predictions::Classes(codes) => codes,
    };
    let classes = codes.iter().map(|code| code.and_then(|code| model.class(code)));
    match answer {
        AnswerType::String => Arc::new(classes.collect::<StringArray>()),
        AnswerType::Bigint => Arc::new(classes.map(|class| class?.parse().ok()).collect::<Int64Array>()),
        AnswerType::Double => Arc::new(classes.map(|class| class?.parse().ok()).collect::<Float64Array>()),
        AnswerType::Boolean => Arc::new(classes.map(|class| class?.parse().ok()).collect::<BooleanArray>()),
    }
}

/// The features' names; elements of an array are counted from 0.
pub(crate) fn column_names(shape: &Shape, parts: &[Option<Contributions>]) -> Vec<String> {
    match &shape.features {
        FeatureShape::Columns(columns) => columns.iter().map(|column| column.name.clone()).collect(),
        FeatureShape::Vector => {
            let width = parts.iter().flatten().flatten().map(|(column, _)| column + 1).max().unwrap_or(0);
            (0..width).map(|column| column.to_string()).collect()
        }
    }
}

/// `MAP<STRING, DOUBLE>`.
pub(crate) fn map_type() -> DataType {
    let entries = Fields::from(vec![
        Field::new("keys", DataType::Utf8, false),
        Field::new("values", DataType::Float64, true),
    ]);
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false)
}

/// One map per row; entries without a name are left out.
fn maps<'a, T: 'a, I>(rows: &'a [Option<T>], entries: impl Fn(&'a T) -> I) -> Result<ArrayRef>
where
    I: Iterator<Item = (Option<&'a str>, f64)>,
{
    let mut maps = MapBuilder::new(None, StringBuilder::new(), Float64Builder::new());
    for row in rows {
        for (name, value) in row.iter().flat_map(&entries) {
            let Some(name) = name else { continue };
            maps.keys().append_value(name);
            maps.values().append_value(value);
        }
        maps.append(row.is_some())?;
    }
    Ok(Arc::new(maps.finish()))
}

//! `spark.read.format("model")`: what the engine tells of its models, as frames.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{Field, Schema};
use engine::ModelStatus;
use serde_json::Value;

use crate::error::{Class, Result, SparkError};
use crate::plan::Planner;
use crate::plan::frame::Frame;
use crate::plan::read::unqualified;

impl Planner<'_> {
    /// All models without a name, else the versions of one, or its metrics if the option `show` says so.
    pub(super) fn models(&mut self, name: Option<&str>, show: Option<&str>) -> Result<Frame> {
        let models = self.session.engine.models();
        let Some(name) = name else { return self.every_model(&models) };
        let found = models.iter().find(|model| model.name.eq_ignore_ascii_case(name));
        let model = found.ok_or_else(|| {
            let known: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
            let text = format!("The model `{name}` cannot be found. There are: {}.", known.join(", "));
            SparkError::new(Class::Analysis, "TABLE_OR_VIEW_NOT_FOUND", "42P01", text)
        })?;
        match show {
            None | Some("versions") => self.versions(model),
            Some("metrics") => self.metrics(model),
            Some(other) => {
                let text = format!("The option show of a model is versions or metrics, not {other}.");
                Err(SparkError::argument(text))
            }
        }
    }

    fn every_model(&mut self, models: &[ModelStatus]) -> Result<Frame> {
        let texts = |of: fn(&ModelStatus) -> Option<String>| -> ArrayRef {
            Arc::new(models.iter().map(of).collect::<StringArray>())
        };
        let numbers = |of: fn(&ModelStatus) -> u64| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values(models.iter().map(|model| number(of(model)))))
        };
        self.told(vec![
            ("name", texts(|model| Some(model.name.clone()))),
            ("algorithm", texts(|model| Some(model.algorithm.clone()))),
            ("features", texts(|model| model.features.as_ref().map(|names| names.join(", ")))),
            ("label", texts(|model| model.label.clone())),
            ("version", numbers(|model| model.version)),
            ("rows_learned", numbers(|model| model.rows_learned)),
            ("updated", times(models.iter().map(|model| model.updated_ms))),
        ])
    }

    fn versions(&mut self, model: &ModelStatus) -> Result<Frame> {
        let versions = self.session.engine.model_history(&model.name);
        let answers = model.serving.unwrap_or(model.version);
        let numbers = |of: fn(&engine::ModelVersion) -> u64| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values(versions.iter().map(|version| number(of(version)))))
        };
        let recent: Float64Array = versions.iter().map(|version| version.recent).collect();
        let serves: Vec<bool> = versions.iter().map(|version| version.version == answers).collect();
        self.told(vec![
            ("version", numbers(|version| version.version)),
            ("committed", times(versions.iter().map(|version| Some(version.committed_ms)))),
            ("rows_learned", numbers(|version| version.rows_learned)),
            ("recent", Arc::new(recent)),
            ("answers", Arc::new(BooleanArray::from(serves))),
        ])
    }

    /// How well it answered before it learned: over everything, and over the last rows.
    fn metrics(&mut self, model: &ModelStatus) -> Result<Frame> {
        let mut rows: Vec<(&str, &str, f64)> = Vec::new();
        for over in ["overall", "window"] {
            let figures = model.evaluation.get(over).and_then(Value::as_object);
            for (name, value) in figures.into_iter().flatten() {
                rows.extend(value.as_f64().map(|value| (over, name.as_str(), value)));
            }
        }
        self.told(vec![
            ("over", Arc::new(rows.iter().map(|row| Some(row.0)).collect::<StringArray>())),
            ("metric", Arc::new(rows.iter().map(|row| Some(row.1)).collect::<StringArray>())),
            ("value", Arc::new(rows.iter().map(|row| Some(row.2)).collect::<Float64Array>())),
        ])
    }

    fn told(&mut self, columns: Vec<(&str, ArrayRef)>) -> Result<Frame> {
        let field = |(name, column): &(&str, ArrayRef)| Field::new(*name, column.data_type().clone(), true);
        let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        let columns = columns.into_iter().map(|(_, column)| column).collect();
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns)
            .map_err(|error| SparkError::internal(error.to_string()))?;
        Ok(unqualified(self.batches(&schema, vec![batch])?))
    }
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn times(ms: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    let micros: TimestampMicrosecondArray = ms.map(|ms| ms.map(|ms| ms.saturating_mul(1_000))).collect();
    Arc::new(micros.with_timezone("UTC"))
}

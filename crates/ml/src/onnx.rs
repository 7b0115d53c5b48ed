//! Models as ONNX graphs, for programs that run ONNX files: [`Model::onnx`].
//!
//! The graph takes `features`, rows of 64-bit numbers, and computes in 64 bits what the model answers: of classes the
//! `label` (a string) and `probabilities`, one column per class in the order of the graph's `classes`; of numbers the
//! `prediction`; of clusters the `cluster`. Learning stays behind: a graph answers as the model did when it was written.
//! Missing values are NaN, where the model takes them.
//!
//! What there is: the linear models, softmax, passive-aggressive ones and MLlib's; naive Bayes; small networks and
//! factorization machines; centres of clusters; the trees, their bagging, boosting and forests; and the steps `impute`, `standard_scaler`, `min_max_scaler`, `max_abs_scaler`, `robust_scaler` and `variance_threshold`.
//! Columns of names have codes that only the model knows, so a model with one has no graph.
//!
//! Only operators of the sets `ai.onnx` 17 and `ai.onnx.ml` 3 are used (`TreeEnsembleRegressor`, which finds the leaf of a
//! row; the leaf's 64-bit numbers are looked up by its place, since the operator itself would round them to 32).

mod graph;
mod tree;
mod wire;

pub use graph::Graph;
pub(crate) use graph::{Attribute, Data};
pub(crate) use tree::Branching;

use thiserror::Error;

use crate::learner::Learner;
use crate::model::{Model, Task};
use crate::schema::Kind;

/// Why a model has no graph.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OnnxError {
    /// It has learned nothing, so that its width is not known.
    #[error("the model has learned no rows yet")]
    Empty,
    /// A column of names.
    #[error("column '{name}' holds names, whose codes only the model knows; a graph takes numbers")]
    Names {
        /// The column.
        name: String,
    },
    /// A part that was not written for ONNX.
    #[error("'{part}' cannot be written as ONNX; a model can always be exported as JSON")]
    Unknown {
        /// The algorithm, or the step.
        part: &'static str,
    },
}

impl Model {
    /// The model as an ONNX file.
    ///
    /// # Errors
    ///
    /// If ONNX has no words for it, or it has learned nothing yet.
    pub fn onnx(&self) -> Result<Vec<u8>, OnnxError> {
        if let Some(column) = self.schema().columns.iter().find(|column| column.kind == Kind::Category) {
            return Err(OnnxError::Names { name: column.name.clone() });
        }
        let first = self.steps().first().map_or(self.dim(), |step| step.dim());
        let (Some(dim), true) = (first, self.rows_learned() > 0) else { return Err(OnnxError::Empty) };
        let mut graph = Graph::default();
        let mut rows = Graph::ROWS.to_owned();
        for step in self.steps() {
            rows = drawn(&mut graph, &**step, &rows)?;
        }
        let outputs = match self.task() {
            Task::Classify(learner) => {
                let shares = drawn(&mut graph, &**learner, &rows)?;
                let best = graph.op_with(
                    "ArgMax",
                    &[&shares],
                    &[("axis", Attribute::Int(1)), ("keepdims", Attribute::Int(0))],
                );
                let names: Vec<&str> = (0..).map_while(|code| self.class(code)).collect();
                let width = names.len();
                let names = graph.constant(&[width], Data::Texts(&names));
                graph.named("Gather", &[&names, &best], "label");
                graph.named("Identity", &[&shares], "probabilities");
                vec![("label", wire::STRING, None), ("probabilities", wire::DOUBLE, Some(width))]
            }
            Task::Regress(learner) => {
                let answer = drawn(&mut graph, &**learner, &rows)?;
                let axes = graph.constant(&[1], Data::Ints(&[1]));
                graph.named("Squeeze", &[&answer, &axes], "prediction");
                vec![("prediction", wire::DOUBLE, None)]
            }
            Task::Cluster(learner) => {
                let Some(centers) = learner.centers() else { return Err(OnnxError::Empty) };
                let centers: Vec<Vec<f64>> =
                    centers.iter().map(|row| row.dense(&mut Vec::new()).to_vec()).collect();
                graph.nearest(&rows, &centers, "cluster");
                vec![("cluster", wire::INT64, None)]
            }
            Task::Detect(learner) => return Err(unknown(&**learner)),
            Task::Forecast(learner) => return Err(unknown(&**learner)),
        };
        Ok(graph.finish(self.algorithm(), dim, &outputs))
    }
}

fn drawn<L: Learner + ?Sized>(graph: &mut Graph, part: &L, rows: &str) -> Result<String, OnnxError> {
    part.draw(graph, rows).ok_or_else(|| unknown(part))
}

fn unknown<L: Learner + ?Sized>(part: &L) -> OnnxError {
    OnnxError::Unknown { part: part.algorithm() }
}

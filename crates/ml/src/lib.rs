//! Online learning on plain numbers: learners, metrics, evaluation.
//!
//! A learner takes rows in micro-batches, answers questions between them, and can be written to bytes
//! and read back so that it goes on exactly where it was. This crate holds the learners themselves and
//! what they share: views of feature rows, snapshots, metrics, and the contract each learner passes.
//!
//! ```
//! use std::collections::BTreeMap;
//! use ml::{Batch, Features, Model, Predictions, Schema};
//!
//! let options = BTreeMap::from([
//!     ("k".to_owned(), "2".to_owned()),
//!     ("half_life".to_owned(), "5 batches".to_owned()),
//!     ("init_rows".to_owned(), "4".to_owned()),
//!     ("seed".to_owned(), "7".to_owned()),
//! ]);
//! let mut model = ml::create("streaming_kmeans", &options, Schema::vector(None))?;
//!
//! let batch = [0.0_f32, 0.1, 0.1, 0.0, 9.0, 9.1, 9.1, 9.0, f32::NAN, 1.0];
//! let report = model.learn(&Batch::vectors(Features::dense(&batch[..], 2)?));
//! assert_eq!(report.learned, 4);
//! assert_eq!(report.rejected[0].row, 4); // the row with the NaN, and why
//!
//! let twin = Model::restore(&model.snapshot())?; // same bytes, same future
//! let question = [0.05_f64, 0.05, 9.0, 9.0];
//! let answers = twin.predict(&Batch::vectors(Features::dense(&question[..], 2)?));
//! let Predictions::Clusters(clusters) = answers else { panic!("k-means answers with clusters") };
//! assert_ne!(clusters[0], clusters[1]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How to read it
//!
//! [`row`] is one row of features, dense or sparse, [`features`] many of them. [`learner`] has the traits, one per
//! task; [`anomaly`], [`cluster`], [`forecast`] and [`naive_bayes`] implement them, and [`drift`] notices when a stream
//! of numbers changes. [`model`] is what a caller holds when the task is known only
//! at run time: a learner, what prepares its rows, and the names of categories and classes; [`registry`] makes one by
//! its algorithm's name, [`batch`] is what it learns from, and [`schema`] says what the columns are. [`snapshot`] is
//! how a model leaves and returns, [`onnx`] how it leaves for other programs, [`metric`] how it is judged, [`check`] what
//! every learner must pass, and [`generator`] has streams to try learners on. [`bandit`] chooses instead of answering.
//!
//! # Promises
//!
//! - The same rows in the same batches with the same options give the same model, bit for bit: sums run
//!   in row order, and randomness is seeded by the options alone.
//! - Exponentials and logarithms come from `libm`, so that their bits do not depend on the machine's library.
//! - A row that cannot be learned (no label, a wrong length) is refused with its reason and leaves no trace.
//! - Memory is bounded by the options and the batch, never by the length of the stream.
//! - Predicting cannot change a model: it takes `&self`.
//!
//! # What it does not know
//!
//! Files, clocks, threads, topics, SQL. Large neural networks (those are run, not trained, elsewhere).

pub mod anomaly;
pub mod bandit;
pub mod baseline;
pub mod batch;
pub mod check;
pub mod cluster;
pub mod drift;
pub mod ensemble;
pub mod evaluation;
mod exponential;
pub mod features;
pub mod forecast;
pub mod generator;
pub mod learner;
pub mod linear;
pub mod metric;
pub mod model;
pub mod naive_bayes;
pub mod neighbors;
pub mod network;
pub mod onnx;
pub mod options;
pub mod preprocess;
pub mod random;
pub mod registry;
pub mod row;
pub mod schema;
mod scratch;
pub mod snapshot;
pub mod stats;
pub mod tree;
pub mod vocabulary;

pub use batch::{Batch, ColumnValues, Columns, Labels};
pub use evaluation::{Evaluation, Given, Monitor, OnDrift, Pending};
pub use features::{Features, FeaturesError};
pub use learner::{
    AnomalyDetector, Classifier, Clusterer, Contributions, Drift, DriftDetector, Forecaster, LearnReport,
    Learner, Regressor, RejectedRow, RowBuffer, Transformer,
};
pub use model::{Model, PredictionType, Predictions, Task};
pub use onnx::OnnxError;
pub use options::OptionError;
pub use registry::create;
pub use row::{Missing, Rejection, Row, SparseRow};
pub use schema::{Column, Kind, Label, Schema};
pub use snapshot::SnapshotError;

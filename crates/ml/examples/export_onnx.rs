//! Writes every kind of model that ONNX has words for as a graph, with rows and the model's own answers beside it.
//!
//! ```text
//! cargo run -p ml --example export_onnx -- DIRECTORY
//! ```
//!
//! `compat/onnx_graphs.py` runs the graphs in ONNX Runtime and compares.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use ml::random::Random;
use ml::{Batch, Features, Label, Labels, Model, Predictions, Schema, create};
use serde_json::{Value, json};

const DIM: usize = 5;
const ROWS: usize = 4_000;
const ASKED: usize = 500;

/// Name, algorithm, options as `name=value`.
type Cell = (&'static str, &'static str, &'static str);

/// Learners of numbers, of classes, and without a label.
const CELLS: [(Option<Label>, &[Cell]); 3] = [
    (
        Some(Label::Class),
        &[
            ("logistic", "logistic_regression", "preprocess=standard_scaler"),
            ("softmax", "softmax_regression", "preprocess=min_max_scaler;optimizer=adam"),
            ("perceptron", "perceptron", "preprocess=robust_scaler, variance_threshold"),
            ("passive", "pa_classifier", "preprocess=max_abs_scaler"),
            ("mllib_logistic", "streaming_logistic_regression", "preprocess=standard_scaler"),
            ("machine", "factorization_machine", "preprocess=standard_scaler"),
            ("network", "mlp_classifier", "preprocess=standard_scaler;hidden=8, 4;activation=tanh"),
            ("bag", "online_bagging", "n_models=3;leaf_prediction=mc;grace_period=50;tau=0.2"),
            ("tree", "hoeffding_tree", "leaf_prediction=mc;grace_period=50;tau=0.2"),
            ("tree_bayes", "hoeffding_tree", "grace_period=50;tau=0.2"),
            ("tree_adaptive", "hoeffding_adaptive_tree", "grace_period=50;tau=0.2"),
            ("tree_fast", "extremely_fast_decision_tree", "grace_period=50;tau=0.2"),
            ("forest", "adaptive_random_forest", "n_models=5"),
            ("patches", "srp", "n_models=3;leaf_prediction=nb"),
            ("boosted", "online_boosting", "n_models=3;grace_period=50;tau=0.2"),
            ("boosted_adwin", "adwin_boosting", "n_models=3;grace_period=50;tau=0.2"),
            ("boosted_bole", "bole", "n_models=3;grace_period=50;tau=0.2"),
            ("bag_leveraging", "leveraging_bagging", "n_models=3;grace_period=50;tau=0.2"),
            ("bayes", "naive_bayes", ""),
            ("bayes_plain", "naive_bayes", "curves=plain;preprocess=impute"),
            ("bayes_counts", "multinomial_naive_bayes", ""),
            ("bayes_without", "complement_naive_bayes", ""),
            ("bayes_yes_or_no", "bernoulli_naive_bayes", "true_threshold=2"),
        ],
    ),
    (
        Some(Label::Number),
        &[
            ("linear", "linear_regression", "preprocess=impute, standard_scaler"),
            ("poisson", "linear_regression", "preprocess=standard_scaler;loss=poisson;lr=0.0001"),
            ("passive_numbers", "pa_regressor", "preprocess=standard_scaler"),
            ("mllib_linear", "streaming_linear_regression", "preprocess=standard_scaler"),
            ("machine_numbers", "factorization_machine_regressor", "preprocess=standard_scaler"),
            ("network_numbers", "mlp_regressor", "preprocess=standard_scaler;activation=sigmoid"),
            ("tree_numbers", "hoeffding_tree_regressor", "grace_period=100"),
            ("tree_means", "hoeffding_tree_regressor", "grace_period=100;leaf_prediction=mean"),
            ("tree_numbers_adaptive", "hoeffding_adaptive_tree_regressor", "grace_period=100"),
            ("forest_numbers", "adaptive_random_forest_regressor", "n_models=5"),
        ],
    ),
    (None, &[("groups", "streaming_kmeans", "k=4;half_life=5 batches;seed=7;preprocess=standard_scaler")]),
];

fn main() -> Result<(), Box<dyn Error>> {
    let place = std::env::args().nth(1).ok_or("give a directory to write to")?;
    fs::create_dir_all(&place)?;
    for (label, cells) in CELLS {
        for &(name, algorithm, options) in cells {
            let (model, asked) = taught(algorithm, options, label)?;
            let path = Path::new(&place).join(name);
            fs::write(path.with_extension("onnx"), model.onnx()?)?;
            fs::write(path.with_extension("json"), answers(&model, &asked)?.to_string())?;
        }
    }
    Ok(())
}

/// A model that learned, and rows to ask it about.
fn taught(algorithm: &str, options: &str, label: Option<Label>) -> Result<(Model, Vec<f64>), Box<dyn Error>> {
    let pairs = options.split(';').filter_map(|pair| pair.split_once('='));
    let options: BTreeMap<_, _> = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let gaps = options.get("preprocess").is_none_or(|steps| steps.contains("impute")) && label.is_some();
    let mut model = create(algorithm, &options, Schema::vector(label))?;
    let mut random = Random::new(3);
    let mut draw = |rows: usize, gaps: bool| -> Vec<f64> {
        let mut value =
            |_| if gaps && random.uniform() < 0.02 { f64::NAN } else { 10.0 * random.uniform() - 3.0 };
        (0..rows * DIM).map(&mut value).collect()
    };
    let values = draw(ROWS, gaps);
    let sums = values.chunks(DIM).map(|row| row.iter().filter(|value| !value.is_nan()).sum::<f64>());
    let numbers: Vec<f64> =
        sums.zip(values.chunks(DIM)).map(|(sum, row)| (sum + (row[0].max(0.0)).sin() * 5.0).abs()).collect();
    let words: Vec<Option<&str>> = numbers
        .iter()
        .map(|number| Some(["few", "some", "many"][(*number / 6.0).min(2.0) as usize]))
        .collect();
    for start in (0..ROWS).step_by(100) {
        let rows = Features::dense(&values[start * DIM..(start + 100) * DIM], DIM)?;
        let batch = Batch::vectors(rows);
        model.learn(&match label {
            Some(Label::Class) => batch.with_labels(Labels::Classes(&words[start..start + 100])),
            Some(Label::Number) => batch.with_labels(Labels::Numbers(&numbers[start..start + 100])),
            None => batch,
        });
    }
    Ok((model, draw(ASKED, gaps)))
}

/// The rows, a missing value as null, and what the model answers.
fn answers(model: &Model, asked: &[f64]) -> Result<Value, Box<dyn Error>> {
    let batch = Batch::vectors(Features::dense(asked, DIM)?);
    let rows: Vec<&[f64]> = asked.chunks(DIM).collect();
    let answers = match model.predict(&batch) {
        Predictions::Classes(codes) => {
            let labels: Vec<_> = codes.into_iter().map(|code| model.class(code?)).collect();
            json!({ "label": labels, "probabilities": model.predict_proba(&batch) })
        }
        Predictions::Numbers(numbers) => json!({ "prediction": numbers }),
        Predictions::Clusters(clusters) => json!({ "cluster": clusters }),
        Predictions::Scores(_) => json!({}),
    };
    Ok(json!({ "rows": rows, "answers": answers }))
}

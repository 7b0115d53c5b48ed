//! Whoever writes a model by hand may mean harm: what is impossible is refused, and nothing panics.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ml::random::Random;
use ml::{Batch, Features, Label, Labels, Model, Schema, create};
use serde_json::{Value, json};

const DIM: usize = 3;
const ROWS: usize = 120;

/// Models that are small enough to forge each of them some hundred times.
const MODELS: &[(&str, Option<Label>, &str)] = &[
    ("logistic_regression", Some(Label::Class), "optimizer=adam;preprocess=standard_scaler"),
    ("logistic_regression", Some(Label::Class), "l1=0.1;preprocess=robust_scaler, polynomial"),
    ("softmax_regression", Some(Label::Class), "optimizer=ftrl;preprocess=min_max_scaler"),
    ("pa_classifier", Some(Label::Class), "preprocess=hashing(n_features=8)"),
    ("linear_regression", Some(Label::Number), "optimizer=nesterov;preprocess=impute, normalizer"),
    ("streaming_linear_regression", Some(Label::Number), "preprocess=max_abs_scaler"),
    ("streaming_logistic_regression", Some(Label::Class), "num_iterations=3"),
    ("naive_bayes", Some(Label::Class), ""),
    ("knn_classifier", Some(Label::Class), "window_size=20"),
    ("hoeffding_tree", Some(Label::Class), "grace_period=20;tau=1"),
    ("hoeffding_adaptive_tree", Some(Label::Class), "grace_period=20;tau=1"),
    ("extremely_fast_decision_tree", Some(Label::Class), "grace_period=20;tau=1"),
    ("leveraging_bagging", Some(Label::Class), "n_models=2;grace_period=20;tau=1"),
    ("adaptive_random_forest", Some(Label::Class), "n_models=2;grace_period=20;tau=1"),
    ("online_boosting", Some(Label::Class), "n_models=2;grace_period=20;tau=1"),
    ("bole", Some(Label::Class), "n_models=2;grace_period=20;tau=1"),
    ("hoeffding_tree_regressor", Some(Label::Number), "grace_period=20;tau=1;n_splits=4"),
    ("hoeffding_adaptive_tree_regressor", Some(Label::Number), "grace_period=20;tau=1;n_splits=4"),
    ("adaptive_random_forest_regressor", Some(Label::Number), "n_models=2;grace_period=20;tau=1;n_splits=4"),
    ("factorization_machine", Some(Label::Class), "n_factors=2"),
    ("mlp_regressor", Some(Label::Number), "hidden=3"),
    ("streaming_kmeans", None, "k=2"),
    ("gaussian_scorer", None, "window_size=20;grace_period=2"),
    ("one_class_svm", None, "n_components=4"),
    ("quantile_filter", None, "n_trees=2;height=3;window_size=20;grace_period=2"),
];

fn rows(random: &mut Random) -> (Vec<f64>, Vec<Option<&'static str>>, Vec<f64>) {
    let values: Vec<f64> = (0..ROWS * DIM).map(|_| random.uniform()).collect();
    let classes =
        values.chunks(DIM).map(|row| Some(["low", "mid", "high"][(row[0] * 3.0) as usize])).collect();
    let numbers = values.chunks(DIM).map(|row| row[0] + 2.0 * row[1]).collect();
    (values, classes, numbers)
}

fn learn(model: &mut Model, random: &mut Random) {
    let (values, classes, numbers) = rows(random);
    let batch = Batch::vectors(Features::dense(&values[..], DIM).expect("whole rows"));
    let batch = match model.schema().label {
        Some(Label::Class) => batch.with_labels(Labels::Classes(&classes)),
        Some(Label::Number) => batch.with_labels(Labels::Numbers(&numbers)),
        None => batch,
    };
    model.learn(&batch);
    let _ = (model.predict(&batch), model.predict_proba(&batch), model.describe(), model.onnx());
}

/// Where the numbers are.
fn numbers(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Number(_) => found.push(path.to_owned()),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| numbers(item, &format!("{path}/{at}"), found));
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| numbers(field, &format!("{path}/{name}"), found));
        }
        _ => {}
    }
}

#[test]
fn a_forged_number_is_refused_or_harmless() {
    let lies = [
        json!(0),
        json!(1),
        json!(-1),
        json!(u64::MAX),
        json!(u32::MAX),
        json!(1e300),
        json!(-1e300),
        json!(7),
    ];
    let mut harmful = Vec::new();
    for &(algorithm, label, options) in MODELS {
        let pairs = options.split(';').filter_map(|pair| pair.split_once('='));
        let options: BTreeMap<_, _> =
            pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut model = create(algorithm, &options, Schema::vector(label)).expect("good options");
        let mut random = Random::new(8);
        learn(&mut model, &mut random);
        let exported = model.export();
        let mut places = Vec::new();
        numbers(&exported, "", &mut places);
        // The rest is the same for all of them.
        places.retain(|place| place.starts_with("/learner") || place.starts_with("/steps"));
        random.shuffle(&mut places);
        for (place, lie) in places.iter().take(200).zip(lies.iter().cycle()) {
            let mut forged = exported.clone();
            *forged.pointer_mut(place).expect("a place of a number") = lie.clone();
            let tried = catch_unwind(AssertUnwindSafe(|| {
                if let Ok(mut model) = Model::import(forged) {
                    learn(&mut model, &mut Random::new(9));
                }
            }));
            if tried.is_err() {
                harmful.push(format!("{algorithm}: {lie} at {place}"));
            }
        }
    }
    assert!(harmful.is_empty(), "{harmful:#?}");
}

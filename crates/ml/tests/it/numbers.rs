//! Learners of numbers by trees and networks, and networks for classes: the contract, and how well they learn.

use std::collections::BTreeMap;

use ml::check::Contract;
use ml::{Batch, Features, Label, Labels, Schema, create};

use crate::elec;

type Options<'a> = &'a [(&'a str, &'a str)];

fn options(pairs: Options<'_>) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn keeps_the_contract(algorithm: &str, label: Label, variants: &[Options<'_>], snapshot_bytes_max: usize) {
    for variant in variants {
        let options = options(variant);
        let make = || create(algorithm, &options, Schema::vector(Some(label))).expect("good options");
        let contract = Contract { make: &make, dim: 3, snapshot_bytes_max };
        contract.check().unwrap_or_else(|violation| panic!("{algorithm} {variant:?}: {violation}"));
    }
}

#[test]
fn trees_for_numbers_keep_the_contract() {
    let quick: Options<'_> = &[("grace_period", "20"), ("delta", "0.01")];
    let small: Options<'_> = &[("grace_period", "20"), ("tau", "1"), ("max_size", "0.02")];
    let plain: Options<'_> = &[("grace_period", "20"), ("leaf_prediction", "mean"), ("max_depth", "2")];
    let lines: Options<'_> = &[("leaf_prediction", "model"), ("n_splits", "3")];
    keeps_the_contract("hoeffding_tree_regressor", Label::Number, &[&[], quick, plain, lines], 1_000_000);
    keeps_the_contract("hoeffding_tree_regressor", Label::Number, &[small], 50_000);
    let eager: Options<'_> =
        &[("grace_period", "20"), ("adwin_delta", "0.5"), ("drift_window_threshold", "40")];
    let adaptive = "hoeffding_adaptive_tree_regressor";
    keeps_the_contract(adaptive, Label::Number, &[quick, small, eager], 1_000_000);
    let few: Options<'_> = &[("n_models", "2"), ("max_size", "0.05")];
    let median: Options<'_> =
        &[("n_models", "2"), ("max_size", "0.05"), ("aggregation_method", "median"), ("max_features", "all")];
    keeps_the_contract("adaptive_random_forest_regressor", Label::Number, &[few, median], 1_000_000);
}

#[test]
fn networks_keep_the_contract() {
    let machines: &[Options<'_>] =
        &[&[], &[("n_factors", "2"), ("lr", "0.1"), ("l2", "0.01"), ("seed", "3")]];
    keeps_the_contract("factorization_machine", Label::Class, machines, 50_000);
    keeps_the_contract("factorization_machine_regressor", Label::Number, machines, 50_000);
    let networks: &[Options<'_>] = &[
        &[],
        &[("hidden", "5, 4"), ("activation", "tanh"), ("optimizer", "sgd"), ("l2", "0.001")],
        &[("hidden", "3"), ("activation", "sigmoid"), ("lr", "0.1"), ("seed", "9")],
    ];
    keeps_the_contract("mlp_classifier", Label::Class, networks, 50_000);
    keeps_the_contract("mlp_regressor", Label::Number, networks, 50_000);
}

/// What is left of the variance of Friedman's function after 10,000 rows, by the last 1,000.
fn unexplained(algorithm: &str, given: Options<'_>) -> f64 {
    let mut options = options(given);
    options.insert("evaluation_window".to_owned(), "1000".to_owned());
    let mut model = create(algorithm, &options, Schema::vector(Some(Label::Number))).expect("good options");
    let mut random = ml::random::Random::new(11);
    for _ in 0..100 {
        let values: Vec<f64> = (0..1_000).map(|_| random.uniform()).collect();
        let target = |x: &[f64]| {
            let wave = 10.0 * (std::f64::consts::PI * x[0] * x[1]).sin();
            wave + 20.0 * (x[2] - 0.5).powi(2) + 10.0 * x[3] + 5.0 * x[4]
        };
        let targets: Vec<f64> = values.chunks(10).map(target).collect();
        let rows = Features::dense(&values[..], 10).expect("whole rows");
        let report = model.learn(&Batch::vectors(rows).with_labels(Labels::Numbers(&targets)));
        assert_eq!(report.learned, 100);
    }
    1.0 - model.evaluation()["window"]["r2"].as_f64().expect("rows were judged")
}

#[test]
fn curves_are_learned_better_than_by_a_line() {
    let scaled = ("preprocess", "standard_scaler");
    let line = unexplained("linear_regression", &[scaled]);
    for (algorithm, options, most) in [
        ("hoeffding_tree_regressor", &[][..], 0.26),
        ("hoeffding_adaptive_tree_regressor", &[], 0.3),
        ("adaptive_random_forest_regressor", &[], 0.25),
        ("mlp_regressor", &[scaled], 0.08),
        ("factorization_machine_regressor", &[scaled], 0.3),
    ] {
        let left = unexplained(algorithm, options);
        assert!(left < most && left < line, "{algorithm}: {left}, a line {line}");
    }
}

#[test]
fn networks_name_classes_that_no_line_tells_apart() {
    // Whether two numbers have the same sign.
    let mut random = ml::random::Random::new(5);
    let values: Vec<f64> = (0..8_000).map(|_| 2.0 * random.uniform() - 1.0).collect();
    let same = |row: &[f64]| Some(if row[0] * row[1] > 0.0 { "same" } else { "other" });
    let classes: Vec<Option<&str>> = values.chunks(2).map(same).collect();
    let accuracy = |algorithm: &str| {
        let options = options(&[("preprocess", "standard_scaler"), ("evaluation_window", "1000")]);
        let mut model =
            create(algorithm, &options, Schema::vector(Some(Label::Class))).expect("good options");
        let rows = Features::dense(&values[..], 2).expect("whole rows");
        model.learn(&Batch::vectors(rows).with_labels(Labels::Classes(&classes)));
        model.evaluation()["window"]["accuracy"].as_f64().expect("rows were judged")
    };
    let line = accuracy("logistic_regression");
    for algorithm in ["factorization_machine", "mlp_classifier"] {
        let reached = accuracy(algorithm);
        assert!(reached > 0.9 && line < 0.7, "{algorithm}: {reached}, a line {line}");
    }
}

#[test]
fn a_network_is_no_worse_than_a_line_on_elec() {
    let scaled = ("preprocess", "standard_scaler");
    let line = elec::accuracy("logistic_regression", &[scaled]);
    let network = elec::accuracy("mlp_classifier", &[scaled]);
    assert!(network > line - 1.0, "{network}, a line {line}");
}

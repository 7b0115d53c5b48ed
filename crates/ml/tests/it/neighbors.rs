//! Nearest neighbours keep the contract, and answer as River's do.

use std::collections::BTreeMap;

use ml::check::Contract;
use ml::{Batch, Features, Label, Labels, Model, Predictions, Schema, create};

use crate::elec;

fn model(algorithm: &str, pairs: &[(&str, &str)], label: Label) -> Model {
    let options: BTreeMap<String, String> =
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    create(algorithm, &options, Schema::vector(Some(label))).expect("good options")
}

#[test]
fn nearest_neighbours_keep_the_contract() {
    type Variant<'a> = (&'a str, Label, &'a [(&'a str, &'a str)]);
    let variants: &[Variant<'_>] = &[
        ("knn_classifier", Label::Class, &[("window_size", "50")]),
        (
            "knn_classifier",
            Label::Class,
            &[("window_size", "7"), ("n_neighbors", "9"), ("weighted", "false")],
        ),
        ("knn_classifier", Label::Class, &[("window_size", "20"), ("scale", "window")]),
        ("knn_regressor", Label::Number, &[("window_size", "30"), ("scale", "window")]),
        ("knn_regressor", Label::Number, &[("window_size", "50")]),
        ("knn_regressor", Label::Number, &[("window_size", "30"), ("aggregation_method", "median")]),
        ("knn_regressor", Label::Number, &[("window_size", "30"), ("aggregation_method", "weighted_mean")]),
    ];
    for (algorithm, label, options) in variants {
        for dim in [1, 6] {
            let make = || model(algorithm, &[options, &[("evaluation_window", "0")][..]].concat(), *label);
            let contract = Contract { make: &make, dim, snapshot_bytes_max: 10_000 };
            contract.check().unwrap_or_else(|violation| panic!("{algorithm} {options:?} {dim}: {violation}"));
        }
    }
}

fn near(found: f64, expected: f64) -> bool {
    (found - expected).abs() < 1e-12
}

/// River 0.26.1's `KNNClassifier(5, engine=LazySearch(100), weighted=...)` after the first 300 rows: the share of
/// class 1 for five others.
#[test]
fn votes_are_those_of_river() {
    let (values, classes) = elec::rows();
    let classes: Vec<Option<&str>> = classes.into_iter().map(Some).collect();
    let weighted = [0.20719115341793146, 0.18047884033900718, 0.8275024097929333, 0.6168200181909019, 0.0];
    for (option, expected) in [("true", weighted), ("false", [0.2, 0.2, 0.8, 0.6, 0.0])] {
        let mut model =
            model("knn_classifier", &[("window_size", "100"), ("weighted", option)], Label::Class);
        let rows = Features::dense(&values[..300 * 6], 6).unwrap();
        model.learn(&Batch::vectors(rows).with_labels(Labels::Classes(&classes[..300])));
        let code = (0..2).find(|&code| model.class(code) == Some("1")).unwrap() as usize;
        for (row, expected) in [316, 333, 371, 1050, 1500].into_iter().zip(expected) {
            let question = Features::dense(&values[row * 6..(row + 1) * 6], 6).unwrap();
            let shares = model.predict_proba(&Batch::vectors(question)).unwrap().remove(0).unwrap();
            assert!(near(shares[code], expected), "row {row}: {shares:?}, not {expected}");
        }
    }
}

/// `KNNRegressor(5, engine=LazySearch(100), aggregation_method=...)`, which learned the third column from the first,
/// second and fourth of 300 rows.
#[test]
fn means_are_those_of_river() {
    let (values, _) = elec::rows();
    let rows: Vec<f64> = values.chunks(6).flat_map(|row| [row[0], row[1], row[3]]).collect();
    let targets: Vec<f64> = values.chunks(6).map(|row| row[2]).collect();
    let questions = Features::dense(&rows[300 * 3..305 * 3], 3).unwrap();
    for (method, expected) in [
        ("mean", [0.1281764, 0.1521274, 0.229872, 0.2747396, 0.3736984]),
        ("median", [0.120649, 0.149807, 0.214073, 0.286224, 0.385897]),
        (
            "weighted_mean",
            [
                0.12729224466677466,
                0.09384272279423629,
                0.23427552220402872,
                0.2833714855036314,
                0.3700493838607883,
            ],
        ),
    ] {
        let options = [("window_size", "100"), ("aggregation_method", method)];
        let mut model = model("knn_regressor", &options, Label::Number);
        let lessons = Features::dense(&rows[..300 * 3], 3).unwrap();
        model.learn(&Batch::vectors(lessons).with_labels(Labels::Numbers(&targets[..300])));
        let Predictions::Numbers(answers) = model.predict(&Batch::vectors(questions)) else {
            panic!("numbers")
        };
        let same = answers.iter().zip(expected).all(|(answer, expected)| near(answer.unwrap(), expected));
        assert!(same, "{method}: {answers:?}, not {expected:?}");
    }
}

/// River's `KNNClassifier(10, engine=LazySearch(1000))` names 1,573 of the 2,000 rows rightly.
#[test]
fn on_elec_they_reach_what_river_reaches() {
    let accuracy = elec::accuracy("knn_classifier", &[("n_neighbors", "10"), ("window_size", "1000")]);
    assert!((accuracy - 78.65).abs() < 0.051, "{accuracy}");
}

/// MOA's `lazy.kNN -w 1000` over the same rows, its classes listed in the order in which they come, since ties go to the
/// first: 81.65 % with 3 neighbours, 79.7 % with 10.
#[test]
fn scaled_by_the_window_they_reach_what_moa_reaches() {
    for (neighbors, moa) in [("3", 81.65), ("10", 79.7)] {
        let options =
            [("n_neighbors", neighbors), ("window_size", "1000"), ("weighted", "false"), ("scale", "window")];
        let accuracy = elec::accuracy("knn_classifier", &options);
        assert!((accuracy - moa).abs() < 0.16, "{neighbors}: {accuracy}, MOA {moa}");
    }
}

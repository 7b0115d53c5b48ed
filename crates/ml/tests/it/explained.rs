//! What each column had to do with an answer: the parts lead from what a tree says of all rows to what it says of one.

use std::collections::BTreeMap;

use ml::{Batch, Features, Label, Labels, Predictions, Schema, create};

use crate::elec;

/// How far apart numbers are that should all be equal.
fn spread(rests: &[f64]) -> f64 {
    let most = rests.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let least = rests.iter().copied().fold(f64::INFINITY, f64::min);
    most - least
}

#[test]
fn the_parts_of_trees_for_classes_add_up_to_the_share() {
    let (values, _) = elec::rows();
    let values = &values[..6 * 300];
    for (name, options) in [
        ("hoeffding_tree", &[("delta", "0.1"), ("grace_period", "50")][..]),
        ("hoeffding_tree", &[("delta", "0.1"), ("grace_period", "50"), ("leaf_prediction", "mc")]),
        ("hoeffding_adaptive_tree", &[("delta", "0.1"), ("grace_period", "50")]),
        ("extremely_fast_decision_tree", &[]),
        ("online_bagging", &[("n_models", "3"), ("delta", "0.1"), ("grace_period", "50")]),
        ("adaptive_random_forest", &[("n_models", "3")]),
        ("online_boosting", &[("n_models", "3"), ("delta", "0.1"), ("grace_period", "50")]),
        ("bole", &[("n_models", "3"), ("delta", "0.1"), ("grace_period", "50")]),
    ] {
        let model = elec::taught(name, options);
        let batch = Batch::vectors(Features::dense(values, 6).expect("whole rows"));
        let parts = model.explain(&batch).expect("trees can say");
        let shares = model.predict_proba(&batch).expect("classes");
        let mut rests = [Vec::new(), Vec::new()];
        let mut spoke = 0.0_f64;
        for (parts, shares) in parts.iter().zip(&shares) {
            let (parts, shares) = (parts.as_ref().expect("parts"), shares.as_ref().expect("shares"));
            let class = usize::from(shares[1] > shares[0]);
            rests[class].push(shares[class] - parts.iter().map(|(_, part)| part).sum::<f64>());
            spoke = parts.iter().map(|(_, part)| part.abs()).fold(spoke, f64::max);
        }
        for rests in rests.iter().filter(|rests| !rests.is_empty()) {
            assert!(spread(rests) < 1e-9, "{name} {options:?}: {}", spread(rests));
        }
        assert!(spoke > 0.01, "{name} {options:?}");
    }
}

#[test]
fn the_parts_of_trees_for_numbers_add_up_to_the_estimate() {
    let mut random = ml::random::Random::new(5);
    let values: Vec<f64> = (0..3 * 3_000).map(|_| random.uniform()).collect();
    let targets: Vec<f64> = values.chunks(3).map(|row| if row[1] > 0.5 { 10.0 } else { row[0] }).collect();
    let mean = ("leaf_prediction", "mean");
    for (name, options) in [
        ("hoeffding_tree_regressor", &[mean][..]),
        ("hoeffding_adaptive_tree_regressor", &[mean]),
        ("adaptive_random_forest_regressor", &[mean, ("n_models", "3"), ("max_features", "all")]),
    ] {
        let options: BTreeMap<String, String> =
            options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let mut model = create(name, &options, Schema::vector(Some(Label::Number))).expect("good options");
        let rows = Features::dense(&values[..], 3).expect("whole rows");
        model.learn(&Batch::vectors(rows).with_labels(Labels::Numbers(&targets)));
        let batch = Batch::vectors(rows);
        let Predictions::Numbers(answers) = model.predict(&batch) else { panic!("numbers") };
        let parts = model.explain(&batch).expect("trees can say");
        let mut rests = Vec::new();
        let mut sums = [0.0; 3];
        for (parts, answer) in parts.iter().zip(answers) {
            let parts = parts.as_ref().expect("parts");
            parts.iter().for_each(|(column, part)| sums[*column] += part.abs());
            rests.push(answer.expect("an answer") - parts.iter().map(|(_, part)| part).sum::<f64>());
        }
        assert!(spread(&rests) < 1e-9, "{name}: {}", spread(&rests));
        assert!(sums[1] > 10.0 * sums[0].max(sums[2]), "{name}: {sums:?}");
    }
}

#[test]
fn many_rows_are_answered_as_one_by_one() {
    let (values, _) = elec::rows();
    for name in ["hoeffding_tree", "adaptive_random_forest", "bole", "knn_classifier"] {
        let model =
            elec::taught(name, if name == "knn_classifier" { &[] } else { &[("grace_period", "50")] });
        let ask = |values: &[f64]| {
            let batch = Batch::vectors(Features::dense(values, 6).expect("whole rows"));
            let Predictions::Classes(answers) = model.predict(&batch) else { panic!("classes") };
            answers
        };
        let mut values = values[..6 * 1_500].to_vec();
        values[13] = f64::NAN;
        let one_by_one: Vec<Option<u32>> = values.chunks(6).flat_map(ask).collect();
        assert_eq!(ask(&values), one_by_one, "{name}");
        assert!(one_by_one.contains(&Some(0)) && one_by_one.contains(&Some(1)), "{name}");
    }
}

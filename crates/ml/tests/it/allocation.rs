//! A learner that has met its rows needs no more memory for the next ones: neither to answer them nor to learn them.

use std::collections::BTreeMap;

use ml::{Batch, Features, Label, Labels, Row, Schema, Task, create, registry};

const COLUMNS: usize = 8;
const WARM: usize = 2_000;
const ROWS: usize = 1_000;

/// Learners whose answers need some.
const ASKED: [&str; 7] = [
    "factorization_machine",
    "factorization_machine_regressor",
    "mlp_classifier",
    "mlp_regressor",
    "one_class_svm",
    "snarimax",
    "streaming_kmeans",
];

/// Learners whose lessons need some: trees when they try to split, clusters when they begin one, detectors with their
/// histograms and reservoirs, and those that learn a batch as one.
const TAUGHT: [&str; 22] = [
    "adaptive_random_forest",
    "adaptive_random_forest_regressor",
    "adwin_bagging",
    "adwin_boosting",
    "birch",
    "bole",
    "clustream",
    "denstream",
    "extremely_fast_decision_tree",
    "hoeffding_adaptive_tree",
    "hoeffding_adaptive_tree_regressor",
    "hoeffding_tree",
    "hoeffding_tree_regressor",
    "leveraging_bagging",
    "loda",
    "mini_batch_kmeans",
    "online_bagging",
    "online_boosting",
    "random_cut_forest",
    "srp",
    "streaming_linear_regression",
    "streaming_logistic_regression",
];

/// A learner that has met some rows, with more of them.
fn met(algorithm: &str, label: Option<Label>) -> (Task, Vec<f64>) {
    let mut random = ml::random::Random::new(1);
    let values: Vec<f64> = (0..COLUMNS * (WARM + ROWS)).map(|_| random.uniform()).collect();
    let threshold = ("threshold".to_owned(), "0.5".to_owned());
    let options = BTreeMap::from_iter((algorithm == "threshold_filter").then_some(threshold));
    let mut model = create(algorithm, &options, Schema::vector(label)).expect("no other option is needed");
    let met = &values[..COLUMNS * WARM];
    let rows = Features::dense(met, COLUMNS).expect("whole rows");
    let numbers: Vec<f64> = met.chunks(COLUMNS).map(|row| row[0] + row[1] * row[2]).collect();
    let classes: Vec<Option<&str>> =
        numbers.iter().map(|number| Some(if *number > 0.7 { "high" } else { "low" })).collect();
    let batch = Batch::vectors(rows);
    model.learn(&match label {
        Some(Label::Class) => batch.with_labels(Labels::Classes(&classes)),
        Some(Label::Number) => batch.with_labels(Labels::Numbers(&numbers)),
        None => batch,
    });
    (model.task().clone(), values[COLUMNS * WARM..].to_vec())
}

/// Allocations per row of answering, and of learning.
fn allocations(task: &mut Task, values: &[f64]) -> (f64, f64) {
    let rows = || values.chunks(COLUMNS).map(|row| (Row::F64(row), row[0] + row[1] * row[2]));
    let mut shares = Vec::with_capacity(8);
    let asked = allocation_counter::measure(|| {
        for (row, _) in rows() {
            match task {
                Task::Classify(learner) => drop(learner.predict_proba_one(row, &mut shares)),
                Task::Regress(learner) => drop(learner.predict_one(row)),
                Task::Forecast(learner) => drop(learner.predict_one(row)),
                Task::Detect(learner) => drop(learner.score_one(row)),
                Task::Cluster(learner) => drop(learner.predict_one(row)),
            }
        }
    });
    let taught = allocation_counter::measure(|| {
        for (row, number) in rows() {
            let taken = match task {
                Task::Classify(learner) => learner.learn_one(row, u32::from(number <= 0.7), 1.0),
                Task::Regress(learner) => learner.learn_one(row, number, 1.0),
                Task::Forecast(learner) => learner.learn_one(row, number),
                Task::Detect(learner) => learner.learn_one(row),
                Task::Cluster(learner) => learner.learn_one(row),
            };
            taken.expect("a good row");
        }
    });
    let per_row = |count: u64| count as f64 / ROWS as f64;
    (per_row(asked.count_total), per_row(taught.count_total))
}

fn may_be_taught(algorithm: &str) -> bool {
    ASKED.contains(&algorithm) || TAUGHT.contains(&algorithm)
}

#[test]
fn rows_need_no_memory_of_their_own() {
    let mut wrong = Vec::new();
    for label in [Some(Label::Class), Some(Label::Number), None] {
        for algorithm in registry::algorithms(label) {
            let (mut task, values) = met(algorithm, label);
            let (asked, taught) = allocations(&mut task, &values);
            let beyond =
                [asked > 0.0 && !ASKED.contains(&algorithm), taught > 0.0 && !may_be_taught(algorithm)];
            if beyond.contains(&true) {
                wrong.push(format!("{algorithm}: {asked} per answer, {taught} per lesson"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

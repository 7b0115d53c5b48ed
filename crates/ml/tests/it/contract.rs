//! Every learner passes `check`, and `check` notices one that does not.

use std::collections::BTreeMap;

use ml::check::check;
use ml::{
    Clusterer, Features, LearnReport, Learner, Model, PredictionType, Predictions, SnapshotError, create,
};
use serde_json::Value;

fn options(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn streaming_k_means_keeps_the_contract() {
    let variants: &[&[(&str, &str)]] = &[
        &[],
        &[("k", "5"), ("half_life", "100 points"), ("seed", "3")],
        &[("k", "5"), ("half_life", "3 batches")],
        &[("k", "3"), ("decay_factor", "0")],
        &[("k", "7"), ("init", "random"), ("seed", "11")],
        &[("k", "7"), ("init", "random"), ("dim", "4"), ("initial_weights", "2.5")],
        &[("initial_centers", "[[0,0,0,0],[1,1,1,1]]"), ("decay_factor", "0.9"), ("time_unit", "points")],
        &[("k", "1"), ("init_rows", "1")],
    ];
    for variant in variants {
        let make = || create("streaming_kmeans", &options(variant)).unwrap();
        check(&make, 4).unwrap_or_else(|violation| panic!("{variant:?}: {violation}"));
    }
    for dim in [1, 2, 16, 65] {
        let make =
            || create("streaming_kmeans", &options(&[("k", "4"), ("half_life", "50 points")])).unwrap();
        check(&make, dim).unwrap_or_else(|violation| panic!("dim {dim}: {violation}"));
    }
}

/// A clusterer with one defect of choice.
#[derive(Debug)]
struct Faulty {
    inner: Box<dyn Model>,
    defect: Defect,
    learned: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Defect {
    Silent,
    SkipsRows,
    ForgetsReports,
    Talkative,
}

impl Learner for Faulty {
    fn algorithm(&self) -> &'static str {
        "streaming_kmeans"
    }
    fn rows_learned(&self) -> u64 {
        self.learned
    }
    fn dim(&self) -> Option<usize> {
        self.inner.dim()
    }
    fn snapshot(&self) -> Vec<u8> {
        self.inner.snapshot()
    }
    fn describe(&self) -> Value {
        self.inner.describe()
    }
    fn restore(_: &[u8]) -> Result<Self, SnapshotError> {
        Err(SnapshotError::NotASnapshot)
    }
}

impl Model for Faulty {
    fn learn(&mut self, rows: Features<'_>) -> LearnReport {
        if self.defect != Defect::SkipsRows {
            self.learned += rows.len() as u64;
        }
        let report = self.inner.learn(rows);
        if self.defect == Defect::ForgetsReports { LearnReport::default() } else { report }
    }
    fn predict(&self, rows: Features<'_>) -> Predictions {
        match self.defect {
            Defect::Silent => Predictions::Clusters(vec![None; rows.len()]),
            Defect::Talkative => Predictions::Clusters(vec![Some(0); rows.len()]),
            _ => self.inner.predict(rows),
        }
    }
    fn prediction_type(&self) -> PredictionType {
        self.inner.prediction_type()
    }
    fn fork(&self) -> Box<dyn Model> {
        self.inner.fork()
    }
    fn as_clusterer(&self) -> Option<&dyn Clusterer> {
        None
    }
}

#[test]
fn the_contract_notices_defects() {
    for (defect, rule) in [
        (Defect::Silent, "durable"),
        (Defect::SkipsRows, "repeatable"),
        (Defect::ForgetsReports, "durable"),
        (Defect::Talkative, "durable"),
    ] {
        let make = || -> Box<dyn Model> {
            let inner = create("streaming_kmeans", &BTreeMap::new()).unwrap();
            Box::new(Faulty { inner, defect, learned: 0 })
        };
        assert_eq!(check(&make, 3).unwrap_err().rule, rule, "{defect:?}");
    }
}

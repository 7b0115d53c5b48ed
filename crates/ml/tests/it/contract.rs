//! Every learner passes `check`, and `check` notices one that does not.

use std::collections::BTreeMap;

use ml::check::Contract;
use ml::cluster::StreamingKMeans;
use ml::cluster::streaming_kmeans::Config;
use ml::{
    Clusterer, Features, LearnReport, Learner, Model, Rejection, Row, Schema, SnapshotError, Task, create,
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
        let make = || create("streaming_kmeans", &options(variant), Schema::vector(None)).unwrap();
        let contract = Contract { make: &make, dim: 4, snapshot_bytes_max: 10_000 };
        contract.check().unwrap_or_else(|violation| panic!("{variant:?}: {violation}"));
    }
    for dim in [1, 2, 16, 65] {
        let options = options(&[("k", "4"), ("half_life", "50 points")]);
        let make = || create("streaming_kmeans", &options, Schema::vector(None)).unwrap();
        let contract = Contract { make: &make, dim, snapshot_bytes_max: 100_000 };
        contract.check().unwrap_or_else(|violation| panic!("dim {dim}: {violation}"));
    }
}

/// A clusterer with one defect of choice.
#[derive(Clone, Debug)]
struct Faulty {
    inner: StreamingKMeans,
    defect: Defect,
    learned: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Defect {
    Silent,
    SkipsRows,
    ForgetsReports,
    Talkative,
    Grows,
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
    fn export(&self) -> Value {
        self.inner.export()
    }
    fn describe(&self) -> Value {
        self.inner.describe()
    }
    fn restore(_: &[u8]) -> Result<Self, SnapshotError> {
        Err(SnapshotError::NotASnapshot)
    }
}

impl Clusterer for Faulty {
    fn learn_one(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        self.inner.learn_one(row)
    }
    fn learn_many(&mut self, rows: Features<'_>) -> LearnReport {
        if self.defect != Defect::SkipsRows {
            self.learned += rows.len() as u64;
        }
        let report = self.inner.learn_many(rows);
        if self.defect == Defect::ForgetsReports { LearnReport::default() } else { report }
    }
    fn predict_one(&self, row: Row<'_>) -> Option<u32> {
        match self.defect {
            Defect::Silent => None,
            Defect::Talkative => Some(0),
            _ => self.inner.predict_one(row),
        }
    }
    fn centers(&self) -> Option<Features<'_>> {
        self.inner.centers()
    }
    fn weights(&self) -> &[f64] {
        self.inner.weights()
    }
}

#[test]
fn the_contract_notices_defects() {
    for (defect, rule, limit) in [
        (Defect::Silent, "durable", 10_000),
        (Defect::SkipsRows, "repeatable", 10_000),
        (Defect::ForgetsReports, "durable", 10_000),
        (Defect::Talkative, "durable", 10_000),
        (Defect::Grows, "bounded", 10),
    ] {
        let make = || {
            let inner = StreamingKMeans::new(Config::default()).unwrap();
            let faulty = Faulty { inner, defect, learned: 0 };
            Model::new(Schema::vector(None), Vec::new(), Task::Cluster(Box::new(faulty)))
        };
        let contract = Contract { make: &make, dim: 3, snapshot_bytes_max: limit };
        assert_eq!(contract.check().unwrap_err().rule, rule, "{defect:?}");
    }
}

//! Baselines keep the contract, and reach what others reach with them.

use std::collections::BTreeMap;

use ml::check::Contract;
use ml::{Batch, Features, Label, Labels, Predictions, Schema, create};

use crate::elec;

#[test]
fn baselines_keep_the_contract() {
    for (algorithm, label) in [
        ("no_change", Label::Class),
        ("majority_class", Label::Class),
        ("no_change_regressor", Label::Number),
        ("target_mean", Label::Number),
    ] {
        for dim in [1, 5] {
            let schema = Schema::vector(Some(label));
            let make = || create(algorithm, &BTreeMap::new(), schema.clone()).expect("no options");
            let contract = Contract { make: &make, dim, snapshot_bytes_max: 60_000 };
            contract.check().unwrap_or_else(|violation| panic!("{algorithm}, {dim}: {violation}"));
        }
    }
}

/// CapyMOA 0.15.1 reaches 85.95 and 60.2 with its `NoChange` and `MajorityClass` on the same rows. The second counts the
/// first row as right and answers ties with class 0, where this one gives no answer and takes the class that came first.
#[test]
fn on_elec_they_reach_what_capymoa_reaches() {
    assert!((elec::accuracy("no_change", &[]) - 85.95).abs() < 1e-9);
    assert!((elec::accuracy("majority_class", &[]) - 60.1).abs() < 1e-9);
}

#[test]
fn numbers_are_answered_with_the_last_or_with_their_mean() {
    for (algorithm, expected) in [("no_change_regressor", 6.0), ("target_mean", 3.0)] {
        let schema = Schema::vector(Some(Label::Number));
        let mut model = create(algorithm, &BTreeMap::new(), schema).unwrap();
        let rows = Batch::vectors(Features::dense(&[0.0, 0.0, 0.0][..], 1).unwrap());
        model.learn(&rows.with_labels(Labels::Numbers(&[1.0, 2.0, 6.0])));
        assert_eq!(model.predict(&rows), Predictions::Numbers(vec![Some(expected); 3]));
    }
}

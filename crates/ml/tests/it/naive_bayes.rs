//! Naive Bayes of every kind keeps the contract, and finds what there is to find.

use std::collections::BTreeMap;

use ml::check::Contract;
use ml::{Label, Schema, create};

use crate::elec;

#[test]
fn naive_bayes_of_every_kind_keeps_the_contract() {
    let variants: &[(&str, &[(&str, &str)])] = &[
        ("naive_bayes", &[]),
        ("naive_bayes", &[("curves", "plain")]),
        ("multinomial_naive_bayes", &[]),
        ("multinomial_naive_bayes", &[("alpha", "0")]),
        ("bernoulli_naive_bayes", &[("true_threshold", "2.5")]),
        ("complement_naive_bayes", &[]),
    ];
    for (algorithm, options) in variants {
        // Judging is not what is held to the contract here, and takes time.
        let options = options.iter().chain(&[("evaluation_window", "0")]);
        let options: BTreeMap<String, String> =
            options.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        for dim in [1, 5] {
            let schema = Schema::vector(Some(Label::Class));
            let make = || create(algorithm, &options, schema.clone()).expect("good options");
            let contract = Contract { make: &make, dim, snapshot_bytes_max: 60_000 };
            contract.check().unwrap_or_else(|violation| panic!("{algorithm} {options:?} {dim}: {violation}"));
        }
    }
}

/// CapyMOA 0.15.1's `NaiveBayes` reaches 84.0 on the same rows.
#[test]
fn on_elec_plain_curves_reach_what_capymoa_reaches() {
    let plain = elec::accuracy("naive_bayes", &[("curves", "plain")]);
    assert!((plain - 84.0).abs() < 0.3, "{plain}");
    let smoothed = elec::accuracy("naive_bayes", &[]);
    assert!(smoothed > 80.0, "{smoothed}");
}

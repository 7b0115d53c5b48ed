//! Detectors of what is unusual keep the contract.

use std::collections::BTreeMap;

use ml::check::Contract;
use ml::{Schema, create};

fn options(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn detectors_keep_the_contract() {
    let variants: &[(&str, &[(&str, &str)])] = &[
        ("gaussian_scorer", &[]),
        ("gaussian_scorer", &[("window_size", "100"), ("grace_period", "0")]),
        ("half_space_trees", &[("n_trees", "3"), ("height", "4")]),
        (
            "half_space_trees",
            &[("n_trees", "2"), ("height", "3"), ("window_size", "64"), ("limits", "-1, 40")],
        ),
        ("one_class_svm", &[("n_components", "20")]),
        ("one_class_svm", &[("n_components", "0"), ("nu", "0.5"), ("lr", "1")]),
        ("one_class_svm", &[("n_components", "3"), ("gamma", "100"), ("seed", "7"), ("intercept_lr", "0.5")]),
        ("quantile_filter", &[("n_trees", "3"), ("height", "4")]),
        ("quantile_filter", &[("detector", "gaussian_scorer"), ("q", "0.5"), ("answer", "flag")]),
        ("threshold_filter", &[("detector", "loda"), ("threshold", "5"), ("protect", "false")]),
        ("threshold_filter", &[("detector", "gaussian_scorer"), ("threshold", "0.7")]),
    ];
    for (algorithm, variant) in variants {
        let options = options(variant);
        for dim in [1, 4] {
            let make = || create(algorithm, &options, Schema::vector(None)).unwrap();
            let contract = Contract { make: &make, dim, snapshot_bytes_max: 40_000 };
            contract.check().unwrap_or_else(|violation| panic!("{algorithm} {variant:?} {dim}: {violation}"));
        }
    }
}

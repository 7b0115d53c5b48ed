//! Clusterers keep the contract and find groups.

use std::collections::BTreeMap;

use ml::check::Contract;
use ml::{Schema, create};

/// Rows of 4 and of other widths, for each set of options.
fn keeps(algorithm: &str, variants: &[&[(&str, &str)]], snapshot_bytes_max: usize) {
    for variant in variants {
        let options: BTreeMap<String, String> =
            variant.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        for dim in [1, 4, 9] {
            if dim != 4 && options.contains_key("initial_centers") {
                continue;
            }
            let make = || create(algorithm, &options, Schema::vector(None)).unwrap();
            let contract = Contract { make: &make, dim, snapshot_bytes_max };
            contract.check().unwrap_or_else(|violation| panic!("{variant:?}, dim {dim}: {violation}"));
        }
    }
}

#[test]
fn mini_batch_k_means_keeps_the_contract() {
    let variants: &[&[(&str, &str)]] = &[
        &[],
        &[("k", "5"), ("seed", "3"), ("reassignment_ratio", "0.5")],
        &[("k", "1"), ("init_rows", "1")],
        &[("initial_centers", "[[0,0,0,0],[1,1,1,1]]")],
    ];
    keeps("mini_batch_kmeans", variants, 10_000);
}

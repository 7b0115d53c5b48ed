//! Clusterers keep the contract and find groups.

use std::collections::BTreeMap;

use ml::check::Contract;
use ml::{Schema, create};

/// Rows of 4 and of other widths, for each set of options.
fn keeps(algorithm: &str, variants: &[&[(&str, &str)]], snapshot_bytes_max: usize) {
    for variant in variants {
        let options: BTreeMap<String, String> =
            variant.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        for dim in if options.is_empty() { &[1, 4, 9][..] } else { &[4] } {
            let dim = *dim;
            let make = || create(algorithm, &options, Schema::vector(None)).expect("good options");
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

#[test]
fn clustream_keeps_the_contract() {
    let variants: &[&[(&str, &str)]] = &[
        &[],
        &[("max_micro_clusters", "2"), ("n_macro_clusters", "4"), ("time_gap", "7")],
        &[("max_micro_clusters", "20"), ("time_window", "64"), ("time_gap", "10"), ("seed", "3")],
        &[("micro_cluster_r_factor", "0"), ("max_micro_clusters", "30")],
    ];
    keeps("clustream", variants, 20_000);
}

#[test]
fn denstream_keeps_the_contract() {
    let variants: &[&[(&str, &str)]] = &[
        &[("epsilon", "2")],
        &[("epsilon", "2"), ("mu", "1"), ("decaying_factor", "0.01"), ("max_micro_clusters", "20")],
        &[("epsilon", "1e99"), ("stream_speed", "1"), ("decaying_factor", "0.5")],
    ];
    keeps("denstream", variants, 50_000);
}

#[test]
fn birch_keeps_the_contract() {
    let variants: &[&[(&str, &str)]] = &[
        &[],
        &[("branching_factor", "2"), ("max_subclusters", "15"), ("time_gap", "7")],
        &[("threshold", "1e-50"), ("branching_factor", "4"), ("max_subclusters", "1")],
    ];
    keeps("birch", variants, 250_000);
}

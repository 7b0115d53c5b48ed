//! Agreement between clusters and labels, against scikit-learn 1.9's figures.

use ml::metric::{Accuracy, Contingency};
use proptest::prelude::*;

fn table(clusters: &[u32], labels: &[u32]) -> Contingency {
    let mut table = Contingency::default();
    for (&cluster, label) in clusters.iter().zip(labels) {
        table.add(cluster, &label.to_string());
    }
    table
}

/// Clusters, labels, purity, adjusted Rand index (`sklearn.metrics.adjusted_rand_score`).
const GOLDEN: &[(&[u32], &[u32], f64, f64)] = &[
    (&[0, 0, 1, 1], &[0, 0, 1, 1], 1.0, 1.0),
    (&[0, 0, 1, 1], &[0, 0, 1, 2], 0.75, 0.5714285714285714),
    (&[0, 0, 0, 0], &[0, 1, 2, 3], 0.25, 0.0),
    (&[0, 1, 2, 3], &[0, 0, 0, 0], 1.0, 0.0),
    (&[0, 1, 0, 1], &[0, 0, 1, 1], 0.5, -0.5),
    (&[3], &[1], 1.0, 1.0),
    (&[3, 3, 3], &[1, 1, 1], 1.0, 1.0),
    (&[0, 1, 2], &[2, 0, 1], 1.0, 1.0),
    (
        &[3, 4, 0, 1, 2, 3, 1, 2, 0, 1, 0, 2, 3, 1, 1, 1, 0, 1, 2, 0, 1, 3, 0, 1],
        &[2, 3, 0, 3, 1, 2, 2, 1, 3, 0, 1, 1, 2, 1, 0, 0, 0, 0, 0, 3, 0, 2, 3, 0],
        0.7083333333333334,
        0.2616534740545295,
    ),
    (
        &[3, 1, 2, 4, 0, 1, 2, 0, 0, 2, 0, 2, 3, 3, 2, 4, 3, 4, 2, 1, 1, 4, 1, 3],
        &[3, 0, 1, 3, 3, 0, 3, 3, 1, 1, 3, 3, 2, 1, 0, 3, 1, 2, 2, 0, 1, 2, 0, 2],
        0.5416666666666666,
        0.0964890743923398,
    ),
    (
        &[1, 0, 1, 1, 3, 2, 2, 1, 0, 0, 0, 4, 3, 1, 2, 3, 0, 2, 3, 3, 0, 3, 3, 1],
        &[3, 3, 0, 0, 2, 1, 1, 0, 0, 3, 3, 3, 2, 0, 1, 2, 3, 1, 2, 1, 2, 2, 2, 0],
        0.8333333333333334,
        0.5258842820332631,
    ),
];

#[test]
fn purity_and_ari_are_those_of_scikit_learn() {
    for (clusters, labels, purity, ari) in GOLDEN {
        let table = table(clusters, labels);
        assert!((table.purity().unwrap() - purity).abs() < 1e-15, "{table:?}");
        assert!((table.adjusted_rand_index().unwrap() - ari).abs() < 1e-12, "{table:?}");
    }
}

#[test]
fn an_empty_table_has_no_figures() {
    let table = Contingency::default();
    assert_eq!((table.purity(), table.adjusted_rand_index(), table.total()), (None, None, 0));
}

#[test]
fn majorities_name_the_label_of_each_cluster() {
    let table = table(&[0, 0, 0, 1, 1, 4], &[7, 7, 2, 3, 1, 9]);
    let majorities: Vec<_> = table.majorities().collect();
    assert_eq!(majorities, [(0, "7", 2, 3), (1, "1", 1, 2), (4, "9", 1, 1)]);
    assert_eq!(table.labels(0).collect::<Vec<_>>(), [("2", 1), ("7", 2)]);
}

proptest! {
    #[test]
    fn figures_stay_in_range_and_ignore_names(pairs in prop::collection::vec((0..6_u32, 0..5_u32), 1..200)) {
        let (clusters, labels): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
        let plain = table(&clusters, &labels);
        let renamed: Vec<u32> = clusters.iter().map(|cluster| 100 - cluster).collect();
        let renamed = table(&renamed, &labels);
        let swapped = table(&labels, &clusters);
        let (purity, ari) = (plain.purity().unwrap(), plain.adjusted_rand_index().unwrap());
        prop_assert!(purity > 0.0 && purity <= 1.0 && (-1.0..=1.0).contains(&ari));
        prop_assert_eq!(renamed.purity(), plain.purity());
        prop_assert!((renamed.adjusted_rand_index().unwrap() - ari).abs() < 1e-12);
        prop_assert!((swapped.adjusted_rand_index().unwrap() - ari).abs() < 1e-12);
    }

    #[test]
    fn what_is_removed_was_never_there(
        kept in prop::collection::vec((0..4_u32, 0..4_u32), 0..60),
        gone in prop::collection::vec((0..4_u32, 0..4_u32), 0..60),
    ) {
        let mut window = Contingency::default();
        for (cluster, label) in gone.iter().chain(&kept) {
            window.add(*cluster, &label.to_string());
        }
        for (cluster, label) in &gone {
            prop_assert!(window.remove(*cluster, &label.to_string()));
        }
        let (clusters, labels): (Vec<_>, Vec<_>) = kept.into_iter().unzip();
        prop_assert_eq!(&window, &table(&clusters, &labels));
        prop_assert!(!window.remove(99, "0"));
    }
}

#[test]
fn accuracy_counts_silence_as_wrong() {
    let mut accuracy = Accuracy::default();
    assert_eq!(accuracy.value(), None);
    for (predicted, actual) in [(Some(1), 1), (Some(2), 1), (None, 1), (Some(0), 0)] {
        accuracy.add(predicted, actual);
    }
    assert_eq!((accuracy.value(), accuracy.total()), (Some(0.5), 4));
}

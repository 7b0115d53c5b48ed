//! Predicted clusters against true labels.

use std::collections::BTreeMap;

use serde::Serialize;

/// Counts of each pair of cluster and label, from which agreement is computed at any time.
///
/// ```
/// use ml::metric::Contingency;
/// let mut table = Contingency::default();
/// for (cluster, label) in [(0, "a"), (0, "a"), (1, "b"), (1, "a")] {
///     table.add(cluster, label);
/// }
/// assert_eq!(table.purity(), Some(0.75));
/// ```
///
/// Its memory is one counter per pair that occurred: bounded if clusters and labels are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Contingency {
    pairs: BTreeMap<u32, BTreeMap<String, u64>>,
    total: u64,
}

impl Contingency {
    /// Counts one row.
    pub fn add(&mut self, cluster: u32, label: &str) {
        let labels = self.pairs.entry(cluster).or_default();
        match labels.get_mut(label) {
            Some(count) => *count += 1,
            None => {
                labels.insert(label.to_owned(), 1);
            }
        }
        self.total += 1;
    }

    /// Takes back one row that was counted, so that a sliding window can be kept. Says whether it was.
    pub fn remove(&mut self, cluster: u32, label: &str) -> bool {
        let Some(labels) = self.pairs.get_mut(&cluster) else { return false };
        let Some(count) = labels.get_mut(label) else { return false };
        *count -= 1;
        if *count == 0 {
            labels.remove(label);
        }
        if labels.is_empty() {
            self.pairs.remove(&cluster);
        }
        self.total -= 1;
        true
    }

    /// Rows counted.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How often each label occurred in a cluster, by label.
    pub fn labels(&self, cluster: u32) -> impl Iterator<Item = (&str, u64)> {
        self.pairs.get(&cluster).into_iter().flatten().map(|(label, &count)| (label.as_str(), count))
    }

    /// Each cluster's most frequent label (of equals the first by name), its count and the cluster's size.
    pub fn majorities(&self) -> impl Iterator<Item = (u32, &str, u64, u64)> {
        self.pairs.iter().map(|(&cluster, labels)| {
            let size = labels.values().sum();
            let top = labels.iter().rev().max_by_key(|(_, count)| **count).expect("no cluster is kept empty");
            (cluster, top.0.as_str(), *top.1, size)
        })
    }

    /// The share of rows that carry the most frequent label of their cluster; `None` without rows.
    pub fn purity(&self) -> Option<f64> {
        if self.total == 0 {
            return None;
        }
        let agreeing: u64 = self.majorities().map(|(_, _, count, _)| count).sum();
        Some(agreeing as f64 / self.total as f64)
    }

    /// The adjusted Rand index (Hubert and Arabie, 1985): agreement on which rows belong together, 1 if
    /// perfect, 0 on average for chance; `None` without rows.
    pub fn adjusted_rand_index(&self) -> Option<f64> {
        if self.total == 0 {
            return None;
        }
        let mut by_label: BTreeMap<&str, u64> = BTreeMap::new();
        let (mut together, mut in_cluster) = (0, 0);
        for labels in self.pairs.values() {
            in_cluster += pairs_of(labels.values().sum());
            for (label, &count) in labels {
                together += pairs_of(count);
                *by_label.entry(label).or_default() += count;
            }
        }
        let in_label: u128 = by_label.values().map(|&count| pairs_of(count)).sum();
        let possible = pairs_of(self.total);
        if (in_cluster == in_label && together == in_cluster) || possible == 0 {
            return Some(1.0);
        }
        let expected = in_cluster as f64 * in_label as f64 / possible as f64;
        let highest = (in_cluster as f64 + in_label as f64) / 2.0;
        Some((together as f64 - expected) / (highest - expected))
    }
}

/// How many unordered pairs so many rows form.
fn pairs_of(count: u64) -> u128 {
    let count = u128::from(count);
    count * count.saturating_sub(1) / 2
}

//! How good the answers were.

use ml::metric::Contingency;
use serde_json::{Map, Value, json};

/// Counts answers of any kind against the truth.
#[derive(Debug, Default)]
pub(crate) struct Score {
    classes: Option<Classes>,
    numbers: Option<Numbers>,
    clusters: Option<Contingency>,
    /// Scores, and whether the row was of the stranger class.
    scores: Vec<(f64, bool)>,
}

/// Classes: a table of answers and truths, and what "the same as the row before" would have answered.
#[derive(Debug, Default)]
struct Classes {
    rows: u64,
    right: u64,
    unchanged: u64,
    /// The class of the last row.
    last: Option<u32>,
    answered: Vec<u64>,
    actual: Vec<u64>,
}

/// Numbers: sums of errors, and the spread of the truth.
#[derive(Debug, Default)]
struct Numbers {
    rows: f64,
    absolute: f64,
    squared: f64,
    mean: f64,
    deviations: f64,
}

impl Score {
    /// An answer that names a class. None is a wrong one.
    pub(crate) fn class(&mut self, answer: Option<u32>, class: u32) {
        let counts = self.classes.get_or_insert_default();
        counts.rows += 1;
        counts.right += u64::from(answer == Some(class));
        counts.unchanged += u64::from(counts.last == Some(class));
        counts.last = Some(class);
        count(&mut counts.actual, class);
        if let Some(answer) = answer {
            count(&mut counts.answered, answer);
        }
    }

    /// An answer that is a number.
    pub(crate) fn number(&mut self, answer: Option<f64>, target: f64) {
        let sums = self.numbers.get_or_insert_default();
        let error = answer.unwrap_or(0.0) - target;
        sums.rows += 1.0;
        sums.absolute += error.abs();
        sums.squared += error * error;
        let difference = target - sums.mean;
        sums.mean += difference / sums.rows;
        sums.deviations += difference * (target - sums.mean);
    }

    /// An answer that is a cluster.
    pub(crate) fn cluster(&mut self, answer: Option<u32>, name: &str) {
        let table = self.clusters.get_or_insert_default();
        if let Some(cluster) = answer {
            table.add(cluster, name);
        }
    }

    /// An answer that says how strange a row is.
    pub(crate) fn strangeness(&mut self, answer: Option<f64>, strange: bool) {
        self.scores.extend(answer.map(|score| (score, strange)));
    }

    /// What came of it, by the names that are usual.
    pub(crate) fn figures(&self) -> Map<String, Value> {
        let mut figures = Map::new();
        let mut put = |name: &str, value: f64| figures.insert(name.to_owned(), json!(value));
        if let Some(counts) = &self.classes {
            let rows = counts.rows as f64;
            let (right, unchanged) = (counts.right as f64 / rows, counts.unchanged as f64 / rows);
            let most = counts.actual.iter().copied().max().unwrap_or(0) as f64 / rows;
            let pairs = counts.answered.iter().zip(&counts.actual);
            let chance: f64 = pairs.map(|(&a, &b)| (a as f64 / rows) * (b as f64 / rows)).sum();
            put("accuracy", right);
            put("kappa", beyond(right, chance));
            put("kappa_temporal", beyond(right, unchanged));
            put("kappa_majority", beyond(right, most));
            put("no_change", unchanged);
        }
        if let Some(sums) = &self.numbers {
            put("mae", sums.absolute / sums.rows);
            put("rmse", (sums.squared / sums.rows).sqrt());
            put("r2", 1.0 - sums.squared / sums.deviations);
        }
        if let Some(table) = &self.clusters {
            put("answered", table.total() as f64);
            put("purity", table.purity().unwrap_or(0.0));
            put("ari", table.adjusted_rand_index().unwrap_or(0.0));
        }
        if !self.scores.is_empty() {
            put("roc_auc", area(&self.scores));
        }
        figures
    }
}

fn count(counts: &mut Vec<u64>, class: u32) {
    let class = class as usize;
    if class >= counts.len() {
        counts.resize(class + 1, 0);
    }
    counts[class] += 1;
}

/// What part of the way from `base` to all right was made.
fn beyond(right: f64, base: f64) -> f64 {
    if base < 1.0 { (right - base) / (1.0 - base) } else { 0.0 }
}

/// The area under the ROC curve: how often a strange row has the higher score, half for equals (Mann and Whitney).
fn area(scores: &[(f64, bool)]) -> f64 {
    let mut sorted = scores.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut won) = (0.0, 0.0);
    for equals in sorted.chunk_by(|a, b| a.0 == b.0) {
        let strange = equals.iter().filter(|(_, strange)| *strange).count() as f64;
        let usual = equals.len() as f64 - strange;
        won += strange * (below + usual / 2.0);
        below += usual;
    }
    let strange = sorted.len() as f64 - below;
    if strange > 0.0 && below > 0.0 { won / (strange * below) } else { 0.5 }
}

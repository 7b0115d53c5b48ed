//! CluStream (Aggarwal, Han, Wang and Yu, *A framework for clustering evolving data streams*, 2003).
//!
//! Many micro-clusters summarise the rows, each by their number, mean and spread, and by the mean and spread of their
//! times. A row joins the nearest one if it lies within `micro_cluster_r_factor` times the root of that one's mean
//! squared distance (for a single row: within half the way to the next micro-cluster). Otherwise it founds one; room
//! is made by dropping the one that is out of date, or else by joining the two that are nearest to each other. Out of
//! date is whose newest rows, about the last `m` of them if times are normal, are older than `time_window`:
//!
//! ```text
//! n < 2 m:  mean time                otherwise:  mean time + deviation * z(1 - m / 2n)
//! ```
//!
//! Every `time_gap` rows the few clusters that are asked for come from k-means over the micro-clusters by weight; a row
//! is answered with the nearest of these.
//!
//! Options by River's names and with its defaults: `n_macro_clusters` (5), `max_micro_clusters` (100),
//! `micro_cluster_r_factor` (2), `time_window` (1000), `time_gap` (100), `seed` (0). Differences: a first row is no
//! micro-cluster of radius 0 but has half the way to its neighbour (the paper leaves the choice, and the whole way
//! swallows what lies between two groups); the micro-clusters begin with the first rows instead of k-means over a
//! stored sample, as River's do; and there are answers from the first `time_gap` rows on. `m` is a tenth of the
//! rows that one micro-cluster has on average in a window, at least 1. Snapshots of the past at pyramidal times, with
//! which the paper answers about earlier windows, are the business of whoever keeps a model's versions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::centers::squared_distance;
use super::feature::{Feature, nearest};
use super::macro_clusters::MacroClusters;
use crate::features::Features;
use crate::learner::{Clusterer, Learner, kept_as_state};
use crate::options::{OptionError, Options};
use crate::random::Random;
use crate::row::{Missing, Rejection, Row};
use crate::schema::Schema;
use crate::scratch::Lent;
use crate::snapshot::State;

/// The name for `create`.
pub const NAME: &str = "clustream";

const MICRO_MAX: usize = 10_000;
const MACRO_MAX: usize = 1_000;
/// Numbers a model may keep.
const VALUES_MAX: usize = 4 << 20;

/// The choices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Config {
    n_macro_clusters: usize,
    max_micro_clusters: usize,
    micro_cluster_r_factor: f64,
    time_window: u64,
    time_gap: u64,
    seed: u64,
}

/// Rows that lie together, and when they came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct MicroCluster {
    feature: Feature,
    mean_time: f64,
    /// Squared deviations of times from their mean.
    time_deviations: f64,
}

/// CluStream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CluStream {
    config: Config,
    dim: Option<usize>,
    rows_learned: u64,
    micro: Vec<MicroCluster>,
    clusters: MacroClusters,
    random: Random,
}

impl MicroCluster {
    /// One row, in the room of one that is gone, if there is any.
    fn of(point: &[f64], time: f64, gone: Option<MicroCluster>) -> Self {
        let mut mean = gone.map_or(Vec::new(), |gone| gone.feature.mean);
        mean.clear();
        mean.extend_from_slice(point);
        let feature = Feature { weight: 1.0, mean, deviations: 0.0 };
        MicroCluster { feature, mean_time: time, time_deviations: 0.0 }
    }

    fn add(&mut self, point: &[f64], time: f64) {
        self.note_times(1.0, time, 0.0);
        self.feature.add(point);
    }

    fn join(&mut self, other: &MicroCluster) {
        self.note_times(other.feature.weight, other.mean_time, other.time_deviations);
        self.feature.join(&other.feature);
    }

    /// Before the feature takes in the rows, whose weight it has.
    fn note_times(&mut self, weight: f64, mean: f64, deviations: f64) {
        let share = weight / (self.feature.weight + weight);
        let apart = mean - self.mean_time;
        self.time_deviations += deviations + apart * apart * self.feature.weight * share;
        self.mean_time += apart * share;
    }

    /// When about the last `m` of its rows came.
    fn relevance(&self, m: f64) -> f64 {
        let weight = self.feature.weight;
        if weight < 2.0 * m {
            return self.mean_time;
        }
        let deviation = (self.time_deviations / weight).sqrt();
        self.mean_time + deviation * normal_quantile(1.0 - m / (2.0 * weight))
    }
}

/// Which number a standard normal one is below with the chance `share`, from 0.5 on (Abramowitz and Stegun, 1964,
/// 26.2.23: to 4.5e-4, which is plenty to tell new from old).
fn normal_quantile(share: f64) -> f64 {
    let t = (-2.0 * libm::log(1.0 - share)).max(0.0).sqrt();
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    (t - above / below).max(0.0)
}

impl CluStream {
    /// A model from the options of `CREATE MODEL`, for rows of any schema without a label.
    ///
    /// # Errors
    ///
    /// If an option is unknown, malformed or out of range.
    pub fn from_options(options: &BTreeMap<String, String>, _: &Schema) -> Result<Self, OptionError> {
        let known = &[
            "n_macro_clusters",
            "max_micro_clusters",
            "micro_cluster_r_factor",
            "time_window",
            "time_gap",
            "seed",
        ];
        let options = Options::new(NAME, known, options)?;
        let config = Config {
            n_macro_clusters: options.number("n_macro_clusters", 1..=MACRO_MAX)?.unwrap_or(5),
            max_micro_clusters: options.number("max_micro_clusters", 2..=MICRO_MAX)?.unwrap_or(100),
            micro_cluster_r_factor: options.number("micro_cluster_r_factor", 0.0..=1e6)?.unwrap_or(2.0),
            time_window: options.number("time_window", 1..=1_000_000_000_000)?.unwrap_or(1000),
            time_gap: options.number("time_gap", 1..=1_000_000_000)?.unwrap_or(100),
            seed: options.number("seed", 0..=u64::MAX)?.unwrap_or(0),
        };
        Ok(CluStream {
            random: Random::new(config.seed),
            config,
            dim: None,
            rows_learned: 0,
            micro: Vec::new(),
            clusters: MacroClusters::default(),
        })
    }

    /// How many micro-clusters there are.
    #[must_use]
    pub fn micro_clusters(&self) -> usize {
        self.micro.len()
    }

    fn absorb(&mut self, point: &[f64]) {
        let time = self.rows_learned as f64;
        self.rows_learned = self.rows_learned.saturating_add(1);
        let found = nearest(self.micro.iter().map(|micro| &micro.feature), point);
        match found {
            Some((place, distance)) if distance.sqrt() < self.reach(place) => {
                self.micro[place].add(point, time);
            }
            _ => {
                let full = self.micro.len() >= self.config.max_micro_clusters;
                let gone = if full { Some(self.make_room(time)) } else { None };
                self.micro.push(MicroCluster::of(point, time, gone));
            }
        }
        if self.rows_learned.is_multiple_of(self.config.time_gap) {
            self.group();
        }
    }

    /// How far from its middle a micro-cluster takes rows in.
    fn reach(&self, place: usize) -> f64 {
        let feature = &self.micro[place].feature;
        if feature.weight > 1.0 {
            return self.config.micro_cluster_r_factor * feature.radius();
        }
        let others = self.micro.iter().enumerate().filter(|(other, _)| *other != place);
        let distances = others.map(|(_, other)| squared_distance(&other.feature.mean, &feature.mean));
        distances.reduce(f64::min).map_or(0.0, |distance| 0.5 * distance.sqrt())
    }

    /// Lets one go, or one become part of another; what it took can be used again.
    fn make_room(&mut self, time: f64) -> MicroCluster {
        let window = self.config.time_window as f64;
        let m = (0.1 * window / self.config.max_micro_clusters as f64).max(1.0);
        let ages = self.micro.iter().map(|micro| micro.relevance(m)).enumerate();
        let oldest = ages.reduce(|least, other| if other.1 < least.1 { other } else { least });
        if let Some((place, relevance)) = oldest
            && relevance < time - window
        {
            return self.micro.swap_remove(place);
        }
        let (one, other) = self.closest();
        let gone = self.micro.swap_remove(other);
        self.micro[one].join(&gone);
        gone
    }

    /// The two micro-clusters nearest to each other, the first before the second.
    fn closest(&self) -> (usize, usize) {
        let mut best = (0, 1, f64::INFINITY);
        for (one, micro) in self.micro.iter().enumerate() {
            for (other, twin) in self.micro.iter().enumerate().skip(one + 1) {
                let distance = squared_distance(&micro.feature.mean, &twin.feature.mean);
                if distance < best.2 {
                    best = (one, other, distance);
                }
            }
        }
        (best.0, best.1)
    }

    /// Forms the clusters that are asked for.
    fn group(&mut self) {
        let points: Vec<f64> =
            self.micro.iter().flat_map(|micro| micro.feature.mean.iter().copied()).collect();
        let weights: Vec<f64> = self.micro.iter().map(|micro| micro.feature.weight).collect();
        let k = self.config.n_macro_clusters;
        self.clusters = MacroClusters::of(&points, &weights, k, &self.clusters, &mut self.random);
    }
}

impl Clusterer for CluStream {
    fn learn_one(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Refused)?;
        let limit = VALUES_MAX / (self.config.max_micro_clusters + self.config.n_macro_clusters);
        if row.dim() > limit {
            return Err(Rejection::TooWide { limit, found: row.dim() });
        }
        self.dim = Some(row.dim());
        self.absorb(row.dense(&mut Lent::new()));
        Ok(())
    }

    fn predict_one(&self, row: Row<'_>) -> Option<u32> {
        row.check(self.dim, Missing::Refused).ok()?;
        self.clusters.nearest(row.dense(&mut Lent::new()))
    }

    fn centers(&self) -> Option<Features<'_>> {
        let centers = &self.clusters.centers;
        if centers.is_empty() { None } else { Features::dense(&centers[..], self.dim?).ok() }
    }

    fn weights(&self) -> &[f64] {
        &self.clusters.weights
    }
}

impl Learner for CluStream {
    fn algorithm(&self) -> &'static str {
        NAME
    }

    kept_as_state!(dim);

    fn describe(&self) -> Value {
        let dim = self.dim.unwrap_or(1);
        json!({
            "algorithm": NAME,
            "options": self.config,
            "dim": self.dim,
            "rows_learned": self.rows_learned,
            "micro_clusters": self.micro.len(),
            "centers": self.clusters.centers.chunks_exact(dim).collect::<Vec<_>>(),
            "weights": self.clusters.weights,
        })
    }
}

impl State for CluStream {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let config = &self.config;
        let options = (1..=MACRO_MAX).contains(&config.n_macro_clusters)
            && (2..=MICRO_MAX).contains(&config.max_micro_clusters)
            && config.micro_cluster_r_factor >= 0.0
            && config.time_gap > 0;
        if !options {
            return Err("its options");
        }
        let dim = self.dim.unwrap_or(0);
        let empty = self.micro.is_empty() && self.clusters.weights.is_empty();
        let sizes = self.micro.len() <= config.max_micro_clusters && (dim > 0 || empty);
        let sound = |micro: &MicroCluster| {
            micro.feature.is_sound(dim) && micro.mean_time.is_finite() && micro.time_deviations >= 0.0
        };
        let whole = sizes && self.micro.iter().all(sound) && self.clusters.is_sound(dim);
        if whole { Ok(()) } else { Err("its clusters") }
    }
}

#[cfg(test)]
mod tests;

//! DenStream (Cao, Ester, Qian and Zhou, *Density-based clustering over an evolving data stream with noise*, 2006).
//!
//! Rows are gathered in micro-clusters whose weight fades: after `t` units of time `2^(-decaying_factor t)` of it is
//! left, and `stream_speed` rows are one unit. A row joins the nearest potential micro-cluster if the radius (the root
//! of the mean squared distance from the middle) stays within `epsilon`, else the nearest outlier one under the same
//! condition, else it founds an outlier one. An outlier micro-cluster whose weight exceeds `beta mu` becomes a potential
//! one. Every `T` units those that have faded are dropped: potential ones below `beta mu`, outliers below `xi`, which
//! rises with their age `a`:
//!
//! ```text
//! T = ceil(log2(beta mu / (beta mu - 1)) / decaying_factor)     or 1, where beta mu is at most 1
//! xi = (2^(-decaying_factor (a + T)) - 1) / (2^(-decaying_factor T) - 1)
//! ```
//!
//! A cluster is what hangs together: potential micro-clusters of at least the weight `mu` whose middles are within
//! `offline_multiplier epsilon` of each other, with the lighter ones that are as near to such a one. A row is answered with the cluster
//! of its nearest potential micro-cluster; one that hangs together with none is a cluster of its own.
//!
//! Options by River's names and with its defaults: `decaying_factor` (0.25), `beta` (0.75), `mu` (2), `epsilon` (0.02),
//! `stream_speed` (100); the `offline_multiplier` (2, the paper's; rows spread evenly along a line fill micro-clusters that
//! lie up to 3.5 `epsilon` apart, and hang together from there on); and `max_micro_clusters` (1000) of each kind, beyond which the lightest goes. Differences:
//! there is no first phase over stored rows (River's `n_samples_init`), because the rule above does the same with the
//! first rows as with all others; the radius is the paper's, from numbers that keep their digits; and clusters are
//! formed anew whenever micro-clusters are looked through, and when one becomes potential.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::centers::squared_distance;
use super::feature::{Feature, nearest};
use crate::features::Features;
use crate::learner::{Clusterer, Learner, kept_as_state};
use crate::options::{OptionError, Options};
use crate::row::{Missing, Rejection, Row};
use crate::schema::Schema;
use crate::scratch::Lent;
use crate::snapshot::State;

/// The name for `create`.
pub const NAME: &str = "denstream";

const MICRO_MAX: usize = 10_000;
/// Numbers a model may keep.
const VALUES_MAX: usize = 4 << 20;

/// The choices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Config {
    decaying_factor: f64,
    beta: f64,
    mu: f64,
    epsilon: f64,
    stream_speed: u64,
    offline_multiplier: f64,
    max_micro_clusters: usize,
}

/// Rows that lie together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct MicroCluster {
    /// Its weight is that of the row number `faded`.
    feature: Feature,
    created: u64,
    faded: u64,
}

/// DenStream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DenStream {
    config: Config,
    dim: Option<usize>,
    rows_learned: u64,
    potential: Vec<MicroCluster>,
    outliers: Vec<MicroCluster>,
    /// The cluster of each potential micro-cluster.
    labels: Vec<u32>,
    /// The middles of the clusters, row-major, and their weights.
    centers: Vec<f64>,
    weights: Vec<f64>,
}

impl Config {
    fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let known = &[
            "decaying_factor",
            "beta",
            "mu",
            "epsilon",
            "stream_speed",
            "offline_multiplier",
            "max_micro_clusters",
        ];
        let options = Options::new(NAME, known, options)?;
        Ok(Config {
            decaying_factor: options.number("decaying_factor", 1e-9..=1e3)?.unwrap_or(0.25),
            beta: options.number("beta", 1e-6..=1.0)?.unwrap_or(0.75),
            mu: options.number("mu", 1e-6..=1e12)?.unwrap_or(2.0),
            epsilon: options.number("epsilon", 1e-100..=1e100)?.unwrap_or(0.02),
            stream_speed: options.number("stream_speed", 1..=1_000_000_000)?.unwrap_or(100),
            offline_multiplier: options.number("offline_multiplier", 0.0..=1e6)?.unwrap_or(2.0),
            max_micro_clusters: options.number("max_micro_clusters", 1..=MICRO_MAX)?.unwrap_or(1000),
        })
    }

    /// What is left of a weight after so many rows.
    fn left(&self, rows: f64) -> f64 {
        libm::exp2(-self.decaying_factor * rows / self.stream_speed as f64)
    }

    /// How many rows lie between two looks through the micro-clusters.
    fn period(&self) -> u64 {
        let least = self.beta * self.mu;
        let units = if least > 1.0 {
            (libm::log2(least / (least - 1.0)) / self.decaying_factor).ceil().max(1.0)
        } else {
            1.0
        };
        (units as u64).clamp(1, 1_000_000).saturating_mul(self.stream_speed)
    }

    /// What an outlier that is `age` rows old has to weigh.
    fn outlier_weight(&self, age: u64) -> f64 {
        let period = self.period() as f64;
        (self.left(age as f64 + period) - 1.0) / (self.left(period) - 1.0)
    }

    /// Whether a micro-cluster stays small enough with the row.
    fn takes(&self, feature: &Feature, point: &[f64]) -> bool {
        feature.squared_radius_with(1.0, point, 0.0) <= self.epsilon * self.epsilon
    }
}

impl MicroCluster {
    /// Its weight is made that of now.
    fn fade(&mut self, now: u64, config: &Config) {
        let factor = config.left((now - self.faded) as f64);
        // What fades for ever would end as 0, of which there is no mean.
        self.feature.fade(factor.max(1e-100 / self.feature.weight).min(1.0));
        self.faded = now;
    }
}

impl DenStream {
    /// A model from the options of `CREATE MODEL`, for rows of any schema without a label.
    ///
    /// # Errors
    ///
    /// If an option is unknown, malformed or out of range.
    pub fn from_options(options: &BTreeMap<String, String>, _: &Schema) -> Result<Self, OptionError> {
        Ok(DenStream {
            config: Config::from_options(options)?,
            dim: None,
            rows_learned: 0,
            potential: Vec::new(),
            outliers: Vec::new(),
            labels: Vec::new(),
            centers: Vec::new(),
            weights: Vec::new(),
        })
    }

    /// How many potential micro-clusters there are, and how many outlier ones.
    #[must_use]
    pub fn micro_clusters(&self) -> (usize, usize) {
        (self.potential.len(), self.outliers.len())
    }

    fn absorb(&mut self, point: &[f64]) {
        self.rows_learned = self.rows_learned.saturating_add(1);
        let now = self.rows_learned;
        if !self.joins_potential(point, now) && !self.joins_outlier(point, now) {
            self.found(point, now);
        }
        if now.is_multiple_of(self.config.period()) {
            self.look_through(now);
        }
    }

    fn joins_potential(&mut self, point: &[f64], now: u64) -> bool {
        let found = nearest(self.potential.iter().map(|micro| &micro.feature), point);
        let Some((place, _)) = found else { return false };
        let micro = &mut self.potential[place];
        micro.fade(now, &self.config);
        let takes = self.config.takes(&micro.feature, point);
        if takes {
            micro.feature.add(point);
        }
        takes
    }

    fn joins_outlier(&mut self, point: &[f64], now: u64) -> bool {
        let found = nearest(self.outliers.iter().map(|micro| &micro.feature), point);
        let Some((place, _)) = found else { return false };
        let micro = &mut self.outliers[place];
        micro.fade(now, &self.config);
        if !self.config.takes(&micro.feature, point) {
            return false;
        }
        micro.feature.add(point);
        if micro.feature.weight > self.config.beta * self.config.mu {
            let promoted = self.outliers.swap_remove(place);
            make_room(&mut self.potential, &self.config, now);
            self.potential.push(promoted);
            self.group(now);
        }
        true
    }

    fn found(&mut self, point: &[f64], now: u64) {
        make_room(&mut self.outliers, &self.config, now);
        self.outliers.push(MicroCluster { feature: Feature::of(point), created: now, faded: now });
    }

    fn look_through(&mut self, now: u64) {
        let config = &self.config;
        let micros = self.potential.iter_mut().chain(&mut self.outliers);
        micros.for_each(|micro| micro.fade(now, config));
        self.potential.retain(|micro| micro.feature.weight >= config.beta * config.mu);
        self.outliers.retain(|micro| micro.feature.weight >= config.outlier_weight(now - micro.created));
        self.group(now);
    }

    /// Says which potential micro-clusters hang together, and where the clusters have their middles.
    fn group(&mut self, now: u64) {
        self.potential.iter_mut().for_each(|micro| micro.fade(now, &self.config));
        // Older clusters have the smaller numbers, and so keep them.
        self.potential.sort_by_key(|micro| micro.created);
        let reach = self.config.offline_multiplier * self.config.epsilon;
        let near = |one: &MicroCluster, other: &MicroCluster| {
            squared_distance(&one.feature.mean, &other.feature.mean).sqrt() <= reach
        };
        let mut labels: Vec<Option<u32>> = vec![None; self.potential.len()];
        let mut clusters = 0;
        // Cores first, so that a light micro-cluster between two clusters joins one and does not bind them.
        for cores in [true, false] {
            for start in 0..labels.len() {
                let core = self.potential[start].feature.weight >= self.config.mu;
                if labels[start].is_some() || core != cores {
                    continue;
                }
                labels[start] = Some(clusters);
                let mut open = if core { vec![start] } else { Vec::new() };
                while let Some(place) = open.pop() {
                    for (other, label) in labels.iter_mut().enumerate() {
                        if label.is_none() && near(&self.potential[place], &self.potential[other]) {
                            *label = Some(clusters);
                            if self.potential[other].feature.weight >= self.config.mu {
                                open.push(other);
                            }
                        }
                    }
                }
                clusters += 1;
            }
        }
        self.labels = labels.into_iter().map(Option::unwrap_or_default).collect();
        self.find_middles(clusters as usize);
    }

    fn find_middles(&mut self, clusters: usize) {
        let mut middles: Vec<Option<Feature>> = vec![None; clusters];
        for (micro, &label) in self.potential.iter().zip(&self.labels) {
            match &mut middles[label as usize] {
                Some(middle) => middle.join(&micro.feature),
                none => *none = Some(micro.feature.clone()),
            }
        }
        self.weights = middles.iter().flatten().map(|middle| middle.weight).collect();
        self.centers = middles.into_iter().flatten().flat_map(|middle| middle.mean).collect();
    }
}

/// Drops the lightest where there are as many as there may be.
fn make_room(micros: &mut Vec<MicroCluster>, config: &Config, now: u64) {
    if micros.len() < config.max_micro_clusters {
        return;
    }
    micros.iter_mut().for_each(|micro| micro.fade(now, config));
    let weights = micros.iter().map(|micro| micro.feature.weight).enumerate();
    if let Some((lightest, _)) = weights.reduce(|least, other| if other.1 < least.1 { other } else { least })
    {
        micros.swap_remove(lightest);
    }
}

impl Clusterer for DenStream {
    fn learn_one(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Refused)?;
        let limit = VALUES_MAX / (3 * self.config.max_micro_clusters);
        if row.dim() > limit {
            return Err(Rejection::TooWide { limit, found: row.dim() });
        }
        self.dim = Some(row.dim());
        self.absorb(row.dense(&mut Lent::new()));
        Ok(())
    }

    fn predict_one(&self, row: Row<'_>) -> Option<u32> {
        row.check(self.dim, Missing::Refused).ok()?;
        let mut scratch = Lent::new();
        let features = self.potential.iter().map(|micro| &micro.feature);
        let (place, _) = nearest(features, row.dense(&mut scratch))?;
        Some(self.labels[place])
    }

    fn centers(&self) -> Option<Features<'_>> {
        if self.centers.is_empty() { None } else { Features::dense(&self.centers[..], self.dim?).ok() }
    }

    fn weights(&self) -> &[f64] {
        &self.weights
    }
}

impl Learner for DenStream {
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
            "potential_micro_clusters": self.potential.len(),
            "outlier_micro_clusters": self.outliers.len(),
            "centers": self.centers.chunks_exact(dim).collect::<Vec<_>>(),
            "weights": self.weights,
        })
    }
}

impl State for DenStream {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let config = &self.config;
        let options = config.decaying_factor > 0.0
            && config.beta > 0.0
            && config.mu > 0.0
            && config.epsilon > 0.0
            && config.stream_speed > 0
            && config.offline_multiplier >= 0.0
            && (1..=MICRO_MAX).contains(&config.max_micro_clusters);
        if !options {
            return Err("its options");
        }
        let dim = self.dim.unwrap_or(0);
        let all = || self.potential.iter().chain(&self.outliers);
        let most = self.potential.len().max(self.outliers.len());
        let sizes = most <= config.max_micro_clusters
            && (dim > 0 || all().next().is_none())
            && self.labels.len() == self.potential.len()
            && self.labels.iter().all(|label| (*label as usize) < self.weights.len())
            && self.centers.len() == self.weights.len().saturating_mul(dim);
        let times = |micro: &MicroCluster| {
            micro.created <= micro.faded && micro.faded <= self.rows_learned && micro.feature.is_sound(dim)
        };
        if sizes && all().all(times) { Ok(()) } else { Err("its clusters") }
    }
}

#[cfg(test)]
mod tests;

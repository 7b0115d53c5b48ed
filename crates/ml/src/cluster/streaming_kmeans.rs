//! k-means over a stream, by the rule of Spark MLlib's `StreamingKMeans`.
//!
//! Each micro-batch ages what is known by a decay factor, then moves each centre towards the mean of the
//! rows that fell to it. With factor `a` (or `a` to the power of the batch's rows, when the unit is
//! points), old weight `n`, and `m` new rows of mean `x`:
//!
//! ```text
//! n' = n a + m        c' = (c n a + x m) / (n a + m)
//! ```
//!
//! `a = 1` weighs all rows alike, `a = 0` knows only the last batch. A half-life says the same in
//! friendlier words. Once per batch the lightest cluster, if its weight is below 1e-8 of the heaviest's,
//! is dead: it takes half of the heaviest and stands next to it.
//!
//! Where it differs from MLlib: a batch without a single acceptable row is no batch and ages nothing;
//! the decay factor is at most 1; and the usual start is k-means++ over the first rows, during which
//! there are no predictions. The random start draws other numbers than Spark would from the same seed.

mod config;
mod rule;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use config::{Config, Decay, INIT_ROWS_MIN, Init, K_MAX, TimeUnit};

use self::rule::Clusters;
use super::seeding;
use crate::features::Features;
use crate::learner::{Clusterer, LearnReport, Learner};
use crate::options::OptionError;
use crate::row::{Missing, Rejection, Row};
use crate::schema::Schema;
use crate::scratch::Lent;
use crate::snapshot::SnapshotError;

/// The name for `create`.
pub const NAME: &str = "streaming_kmeans";

/// Streaming k-means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StreamingKMeans {
    config: Config,
    dim: Option<usize>,
    rows_learned: u64,
    phase: Phase,
}

/// Whether there are centres yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Phase {
    /// Rows are kept until there are enough of them to choose centres from.
    Waiting { rows: Vec<f64> },
    /// Rows move centres and are forgotten.
    Running(Clusters),
}

impl StreamingKMeans {
    /// A model that knows nothing yet.
    ///
    /// # Errors
    ///
    /// If the configuration is out of range.
    pub fn new(config: Config) -> Result<Self, OptionError> {
        config.validate()?;
        let mut model = StreamingKMeans {
            dim: None,
            rows_learned: 0,
            phase: Phase::Waiting { rows: Vec::new() },
            config,
        };
        if let Init::Given { centers, weights } = &model.config.init {
            let clusters = Clusters::new(centers.concat(), weights.clone());
            model.dim = Some(clusters.dim());
            model.phase = Phase::Running(clusters);
        } else if let Some(dim) = model.config.dim {
            model.fix_dim(dim);
        }
        Ok(model)
    }

    /// The same from the options of `CREATE MODEL`, for rows of any schema without a label.
    ///
    /// # Errors
    ///
    /// If an option is unknown, malformed or out of range.
    pub fn from_options(options: &BTreeMap<String, String>, _: &Schema) -> Result<Self, OptionError> {
        Self::new(Config::from_options(options)?)
    }

    /// The model that [`Learner::export`] gave.
    ///
    /// # Errors
    ///
    /// If it is not of that form, or contradicts itself.
    pub fn import(exported: Value) -> Result<Self, SnapshotError> {
        state::import(exported)
    }

    /// The configuration it was made with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Whether it has centres, and so predicts.
    pub fn is_initialised(&self) -> bool {
        matches!(self.phase, Phase::Running(_))
    }

    /// Rows kept until there are enough to choose centres from; they are learned then, once.
    pub fn rows_waiting(&self) -> usize {
        match &self.phase {
            Phase::Waiting { rows } => rows.len() / self.dim.unwrap_or(1),
            Phase::Running(_) => 0,
        }
    }

    /// The nearest centre and the distance to it, in the unit of the features.
    pub fn nearest(&self, row: Row<'_>) -> Option<(u32, f64)> {
        let Phase::Running(clusters) = &self.phase else { return None };
        row.check(self.dim, Missing::Refused).ok()?;
        let (cluster, squared) = clusters.nearest(row.dense(&mut Lent::new()));
        Some((u32::try_from(cluster).expect("k is limited"), squared.sqrt()))
    }

    /// Settles how wide rows are; random centres can be drawn from then on.
    fn fix_dim(&mut self, dim: usize) {
        self.dim = Some(dim);
        if let Init::Random { weight } = self.config.init {
            let centers = seeding::random_centers(dim, self.config.k, self.config.seed);
            self.phase = Phase::Running(Clusters::new(centers, vec![weight; self.config.k]));
        }
    }

    /// Says whether the row can be taken in and, if it is the first of all, takes its width as the model's.
    fn admit(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Refused)?;
        if self.dim.is_none() {
            let limit = self.config.dim_max();
            if row.dim() > limit {
                return Err(Rejection::TooWide { limit, found: row.dim() });
            }
            self.fix_dim(row.dim());
        }
        Ok(())
    }

    /// Takes in a batch of checked rows.
    fn absorb(&mut self, batch: &[f64]) {
        let Some(dim) = self.dim.filter(|_| !batch.is_empty()) else { return };
        let points = (batch.len() / dim) as u64;
        self.rows_learned = self.rows_learned.saturating_add(points);
        match &mut self.phase {
            Phase::Running(clusters) => clusters.learn(batch, self.config.decay.discount(points)),
            Phase::Waiting { rows } => {
                rows.extend_from_slice(batch);
                let rows = std::mem::take(rows);
                self.phase = self.begin(rows, dim);
            }
        }
    }

    /// Chooses centres once there are enough rows, from exactly the first so many, and learns all rows
    /// that waited as one batch. The centres bring no weight of their own: what they know of the rows
    /// counts only through that batch.
    fn begin(&self, rows: Vec<f64>, dim: usize) -> Phase {
        let needed = self.config.init_rows() * dim;
        if rows.len() < needed {
            return Phase::Waiting { rows };
        }
        let centers = seeding::k_means_plus_plus(&rows[..needed], dim, self.config.k, self.config.seed);
        let mut clusters = Clusters::new(centers, vec![0.0; self.config.k]);
        clusters.learn(&rows, 0.0);
        Phase::Running(clusters)
    }
}

impl Clusterer for StreamingKMeans {
    fn learn_one(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        self.admit(row)?;
        self.absorb(row.dense(&mut Lent::new()));
        Ok(())
    }

    fn learn_many(&mut self, rows: Features<'_>) -> LearnReport {
        let mut report = LearnReport::default();
        let mut batch = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            let admitted = self.admit(row);
            if admitted.is_ok() {
                row.append_to(&mut batch);
            }
            report.note(index, admitted);
        }
        self.absorb(&batch);
        report
    }

    fn predict_one(&self, row: Row<'_>) -> Option<u32> {
        Some(self.nearest(row)?.0)
    }

    fn centers(&self) -> Option<Features<'_>> {
        let Phase::Running(clusters) = &self.phase else { return None };
        Some(Features::dense(clusters.centers(), clusters.dim()).expect("centres are whole rows"))
    }

    fn weights(&self) -> &[f64] {
        match &self.phase {
            Phase::Waiting { .. } => &[],
            Phase::Running(clusters) => clusters.weights(),
        }
    }
}

impl Learner for StreamingKMeans {
    fn algorithm(&self) -> &'static str {
        NAME
    }

    fn rows_learned(&self) -> u64 {
        self.rows_learned
    }

    fn dim(&self) -> Option<usize> {
        self.dim
    }

    fn by_batch(&self) -> bool {
        true
    }

    fn snapshot(&self) -> Vec<u8> {
        state::write(self)
    }

    fn export(&self) -> Value {
        state::export(self)
    }

    fn describe(&self) -> Value {
        let centers = match &self.phase {
            Phase::Waiting { .. } => Vec::new(),
            Phase::Running(clusters) => clusters.centers().chunks_exact(clusters.dim()).collect(),
        };
        json!({
            "algorithm": NAME,
            "k": self.config.k,
            "dim": self.dim,
            "decay_factor": self.config.decay.factor,
            "time_unit": self.config.decay.unit.name(),
            "init": self.config.init.name(),
            "init_rows": self.config.init_rows(),
            "seed": self.config.seed,
            "initialised": self.is_initialised(),
            "rows_learned": self.rows_learned,
            "rows_waiting": self.rows_waiting(),
            "centers": centers,
            "weights": self.weights(),
        })
    }

    fn restore(snapshot: &[u8]) -> Result<Self, SnapshotError> {
        state::read(snapshot)
    }
}

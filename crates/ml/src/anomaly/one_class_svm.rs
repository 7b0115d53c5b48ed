//! A boundary around what is usual: the one-class support vector machine (Schölkopf et al., *Estimating the support of
//! a high-dimensional distribution*, 2001), by gradient descent row by row, as River's `OneClassSVM`.
//!
//! A row `x` becomes `phi(x)`, waves in random directions whose products are those of a bell-shaped kernel of width
//! `gamma` (Rahimi and Recht, *Random features for large-scale kernel machines*, 2007): without them a boundary would be
//! a plane, which has no inside. Where `w . phi(x) + b < 1`, weights and `b` follow the row (`lr`, `intercept_lr`);
//! `nu` draws the boundary tighter: it is about the share of rows that end outside. The score is
//! `1 - b - w . phi(x)`: above 0 outside, below 0 inside. (River's score is `w . phi(x)` alone, and grows the other way.)
//!
//! Options: `nu` (0.1), `lr` (0.01), `intercept_lr` (0.01), `n_components` (100, the number of waves; 0 for the row as it
//! is), `gamma` (1 / columns), `seed` (42). Values count up to a magnitude of 1,000, so scale rows before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CELLS_MAX, anomaly_detector};
use crate::learner::AnomalyDetector;
use crate::options::{OptionError, Options};
use crate::random::Random;
use crate::row::{DIM_MAX, Missing, Rejection, Row};
use crate::schema::{Kind, Schema};
use crate::scratch::Lent;
use crate::snapshot::State;

/// The name for `create`.
pub const NAME: &str = "one_class_svm";

const COMPONENTS_MAX: usize = 10_000;

/// The largest magnitude of a value that counts, and of a weight.
const VALUE_MAX: f64 = 1e3;
const WEIGHT_MAX: f64 = 1e9;

/// How it learns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// About the share of rows outside.
    pub nu: f64,
    /// How far weights follow a row.
    pub lr: f64,
    /// How far the boundary's distance does.
    pub intercept_lr: f64,
    /// Waves; 0 for a plane.
    pub n_components: usize,
    /// How narrow the kernel is; `None` is 1 / columns.
    pub gamma: Option<f64>,
    /// Where the waves come from.
    pub seed: u64,
}

impl Config {
    /// Reads the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If an option is unknown, malformed or out of range.
    pub fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let known = ["nu", "lr", "intercept_lr", "n_components", "gamma", "seed"];
        let options = Options::new(NAME, &known, options)?;
        Ok(Config {
            nu: options.number("nu", 0.0..=1.0)?.unwrap_or(0.1),
            lr: options.number("lr", 0.0..=1.0)?.unwrap_or(0.01),
            intercept_lr: options.number("intercept_lr", 0.0..=1.0)?.unwrap_or(0.01),
            n_components: options.number("n_components", 0..=COMPONENTS_MAX)?.unwrap_or(100),
            gamma: options.number("gamma", 1e-9..=1e9)?,
            seed: options.number("seed", 0..=u64::MAX)?.unwrap_or(42),
        })
    }

    fn describe(&self) -> Value {
        let mut described = json!(self);
        if self.gamma.is_none() {
            described["gamma"] = json!("1 / columns");
        }
        described
    }

    fn is_sound(&self) -> bool {
        let shares = [self.nu, self.lr, self.intercept_lr];
        shares.iter().all(|share| (0.0..=1.0).contains(share))
            && self.n_components <= COMPONENTS_MAX
            && self.gamma.is_none_or(|gamma| (1e-9..=1e9).contains(&gamma))
    }
}

/// The machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OneClassSvm {
    config: Config,
    rows_learned: u64,
    dim: Option<usize>,
    /// Per wave its direction, then where it begins; empty before the first row.
    waves: Vec<f64>,
    weights: Vec<f64>,
    intercept: f64,
}

impl OneClassSvm {
    /// A machine that knows nothing yet.
    ///
    /// # Errors
    ///
    /// If an option cannot be used, or a column holds names.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        if schema.columns.iter().any(|column| column.kind == Kind::Category) {
            let needs = "learns from numbers; write names as numbers first (preprocess 'one_hot')";
            return Err(OptionError::Schema { algorithm: NAME, needs });
        }
        Ok(OneClassSvm {
            config: Config::from_options(options)?,
            rows_learned: 0,
            dim: schema.dim(),
            waves: Vec::new(),
            weights: Vec::new(),
            intercept: 1.0,
        })
    }

    /// Makes room for rows so wide.
    fn begin(&mut self, dim: usize) {
        let Config { n_components, gamma, seed, .. } = self.config;
        let spread = (2.0 * gamma.unwrap_or(1.0 / dim as f64)).sqrt();
        let mut random = Random::new(seed);
        for _ in 0..n_components {
            self.waves.extend((0..dim).map(|_| spread * random.normal()));
            self.waves.push(std::f64::consts::TAU * random.uniform());
        }
        self.weights = vec![0.0; if n_components == 0 { dim } else { n_components }];
        self.dim = Some(dim);
    }

    /// The row as the boundary sees it.
    fn image(&self, row: Row<'_>) -> Lent {
        let mut values = Lent::new();
        row.append_to(&mut values);
        values.iter_mut().for_each(|value| *value = value.clamp(-VALUE_MAX, VALUE_MAX));
        if self.config.n_components == 0 {
            return values;
        }
        let height = (2.0 / self.config.n_components as f64).sqrt();
        let wave = |wave: &[f64]| {
            let along: f64 = wave.iter().zip(&*values).map(|(direction, value)| direction * value).sum();
            height * libm::cos(along + wave[values.len()])
        };
        Lent::of(self.waves.chunks_exact(values.len() + 1).map(wave))
    }

    fn product(&self, image: &[f64]) -> f64 {
        self.weights.iter().zip(image).map(|(weight, value)| weight * value).sum()
    }

    fn describe(&self) -> Value {
        json!({ "intercept": self.intercept, "offset": 1.0 - self.intercept })
    }
}

impl AnomalyDetector for OneClassSvm {
    fn learn_one(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Refused)?;
        let limit = (CELLS_MAX / self.config.n_components.max(1)).min(DIM_MAX);
        if row.dim() > limit {
            return Err(Rejection::TooWide { limit, found: row.dim() });
        }
        if self.weights.is_empty() {
            self.begin(row.dim());
        }
        self.rows_learned = self.rows_learned.saturating_add(1);
        let image = self.image(row);
        let Config { nu, lr, intercept_lr, .. } = self.config;
        let slope = if self.product(&image) + self.intercept <= 1.0 { -1.0 } else { 0.0 };
        self.intercept -= intercept_lr * slope + intercept_lr * nu;
        self.intercept = self.intercept.clamp(-WEIGHT_MAX, WEIGHT_MAX);
        for (weight, value) in self.weights.iter_mut().zip(&*image) {
            let gradient = slope * value + nu / 2.0 * *weight;
            *weight = (*weight - lr * gradient).clamp(-WEIGHT_MAX, WEIGHT_MAX);
        }
        Ok(())
    }

    fn score_one(&self, row: Row<'_>) -> Option<f64> {
        row.check(self.dim, Missing::Refused).ok()?;
        if self.weights.is_empty() {
            return None;
        }
        Some(1.0 - self.intercept - self.product(&self.image(row)))
    }
}

anomaly_detector!(OneClassSvm, NAME, Refused);

impl State for OneClassSvm {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        if !self.config.is_sound() || self.dim.is_some_and(|dim| dim > DIM_MAX) {
            return Err("its options");
        }
        let (dim, components) = (self.dim.unwrap_or(0), self.config.n_components);
        let (weights, waves) = match (self.weights.is_empty(), components) {
            (true, _) => (0, 0),
            (false, 0) => (dim, 0),
            (false, _) => (components, components * (dim + 1)),
        };
        if self.weights.len() != weights || self.waves.len() != waves || !self.weights.is_empty() && dim == 0
        {
            return Err("its sizes");
        }
        let mut numbers = self.weights.iter().chain(&self.waves).chain([&self.intercept]);
        if numbers.all(|number| number.abs() <= WEIGHT_MAX) { Ok(()) } else { Err("its numbers") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(pairs: &[(&str, &str)]) -> OneClassSvm {
        let options = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        OneClassSvm::from_options(&options, &Schema::vector(None)).expect("good options")
    }

    #[test]
    fn without_waves_the_weights_are_rivers() {
        let mut plane = machine(&[("nu", "0.2"), ("n_components", "0")]);
        for at in 0..300_u32 {
            let row = [f64::from(at * 37 % 101) / 50.0 - 1.0, f64::from((at * at * 7 + 3) % 89) / 40.0 - 1.0];
            plane.learn_one(Row::from(&row[..])).expect("good rows");
        }
        // River 0.26.1: OneClassSVM(nu=0.2) over the same rows.
        for (found, river) in
            plane.weights.iter().zip([-0.000_358_800_661_671_392_75, 0.001_858_955_846_113_249_2])
        {
            assert!((found - river).abs() < 1e-12, "{found} {river}");
        }
        assert!((plane.intercept - 1.0).abs() < 1e-12, "{}", plane.intercept);
    }

    #[test]
    fn what_lies_in_the_middle_of_a_ring_is_outside() {
        let mut ring = machine(&[("gamma", "2"), ("nu", "0.05")]);
        let mut random = Random::new(1);
        let on = |angle: f64| [libm::cos(angle), libm::sin(angle)];
        for _ in 0..5_000 {
            let row = on(std::f64::consts::TAU * random.uniform());
            ring.learn_one(Row::from(&row[..])).expect("good rows");
        }
        let score = |row: [f64; 2]| ring.score_one(Row::from(&row[..])).expect("a score");
        let usual = (0..20).map(|at| score(on(f64::from(at)))).fold(f64::NEG_INFINITY, f64::max);
        for strange in [[0.0, 0.0], [3.0, 0.0], [-2.0, 2.0]] {
            assert!(score(strange) > usual + 0.1, "{strange:?}: {}, on the ring {usual}", score(strange));
        }
    }
}

//! What can be chosen about a streaming k-means model.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::NAME;
use crate::options::{OptionError, Options};
use crate::row::{DIM_MAX, VALUE_MAX};

/// The most clusters a model may have.
pub const K_MAX: usize = 1024;
/// The fewest rows that k-means++ chooses from unless told otherwise.
pub const INIT_ROWS_MIN: usize = 50;
/// Rows per cluster that k-means++ chooses from unless told otherwise.
const INIT_ROWS_PER_CLUSTER: usize = 10;
const INIT_ROWS_MAX: usize = 100_000;
/// Numbers a model may keep in its centres, and as many again for each row that waits: 32 MB.
const VALUES_MAX: usize = 4 * 1024 * 1024;

const OPTIONS: &[&str] = &[
    "k",
    "half_life",
    "decay_factor",
    "time_unit",
    "seed",
    "init",
    "init_rows",
    "initial_centers",
    "initial_weights",
    "dim",
];

/// The choices, each with MLlib's default where MLlib has one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Number of clusters; 2.
    pub k: usize,
    /// How the past fades; not at all.
    pub decay: Decay,
    /// Decides every random choice; 0.
    pub seed: u64,
    /// Where the first centres come from; k-means++.
    pub init: Init,
    /// The width of rows. If not given, that of the first acceptable row, whatever it is: say it where
    /// rows of a wrong width may come first.
    pub dim: Option<usize>,
}

/// How the past fades.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decay {
    /// What remains of a weight after one unit of time, from 0 to 1.
    pub factor: f64,
    /// What one unit of time is.
    pub unit: TimeUnit,
}

/// The unit of a stream's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimeUnit {
    /// Each micro-batch ages the past once, however many rows it has.
    Batches,
    /// Each row ages the past.
    Points,
}

/// Where the first centres come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Init {
    /// Chosen from the first rows: `rows` of them, or 10 per cluster and at least 50.
    KMeansPlusPlus {
        /// How many rows to wait for.
        rows: Option<usize>,
    },
    /// Drawn around the origin, as MLlib's `setRandomCenters`.
    Random {
        /// The weight each starts with; 0 lets the first row replace it.
        weight: f64,
    },
    /// Given, as MLlib's `setInitialCenters`.
    Given {
        /// One row per cluster.
        centers: Vec<Vec<f64>>,
        /// One weight per cluster.
        weights: Vec<f64>,
    },
}

impl Default for Config {
    fn default() -> Self {
        Config { k: 2, decay: Decay::NONE, seed: 0, init: Init::KMeansPlusPlus { rows: None }, dim: None }
    }
}

impl Decay {
    /// All rows weigh alike, for ever.
    pub const NONE: Decay = Decay { factor: 1.0, unit: TimeUnit::Batches };

    /// Weights halve every `half_life` units.
    pub fn half_life(half_life: f64, unit: TimeUnit) -> Self {
        Decay { factor: (0.5_f64.ln() / half_life).exp(), unit }
    }

    /// What remains of a weight after a batch of so many rows.
    pub(super) fn discount(&self, points: u64) -> f64 {
        match self.unit {
            TimeUnit::Batches => self.factor,
            TimeUnit::Points => power(self.factor, points),
        }
    }
}

/// `base` to the power of `exponent`, by multiplications in a fixed order: the system's `pow` may round
/// differently from machine to machine.
fn power(mut base: f64, mut exponent: u64) -> f64 {
    let mut result = 1.0;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result *= base;
        }
        base *= base;
        exponent >>= 1;
    }
    result
}

impl TimeUnit {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            TimeUnit::Batches => "batches",
            TimeUnit::Points => "points",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "batch" | "batches" => Some(TimeUnit::Batches),
            "point" | "points" => Some(TimeUnit::Points),
            _ => None,
        }
    }
}

impl Init {
    /// The word for it.
    pub fn name(&self) -> &'static str {
        match self {
            Init::KMeansPlusPlus { .. } => "k-means++",
            Init::Random { .. } => "random",
            Init::Given { .. } => "given",
        }
    }
}

impl Config {
    /// Reads options as written in SQL:
    ///
    /// | option | value | default |
    /// |---|---|---|
    /// | `k` | number of clusters | 2 |
    /// | `half_life` | `'500 points'` or `'5 batches'` | none: nothing fades |
    /// | `decay_factor` | 0 to 1, instead of a half-life | 1 |
    /// | `time_unit` | `'points'` or `'batches'`, with `decay_factor` | `'batches'` |
    /// | `seed` | a whole number | 0 |
    /// | `init` | `'k-means++'` or `'random'` | `'k-means++'` |
    /// | `init_rows` | rows that k-means++ waits for | 10 per cluster, at least 50 |
    /// | `initial_centers` | `'[[0, 0], [1, 1]]'`, instead of `init` | |
    /// | `initial_weights` | `'[1, 1]'`, with `initial_centers`; or one number, with `init 'random'` | 0 |
    /// | `dim` | width of rows | that of the first row |
    ///
    /// # Errors
    ///
    /// If an option is unknown, malformed, out of range or contradicts another.
    pub fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let options = Options::new(NAME, OPTIONS, options)?;
        let init = parse_init(&options)?;
        let k = match (&init, options.number("k", 1..=K_MAX)?) {
            (Init::Given { centers, .. }, Some(k)) if k != centers.len() => {
                return Err(options.invalid("k", format!("{}, the number of initial centres", centers.len())));
            }
            (Init::Given { centers, .. }, _) => centers.len(),
            (_, k) => k.unwrap_or(Config::default().k),
        };
        let config = Config {
            k,
            decay: parse_decay(&options)?,
            seed: options.number("seed", 0..=u64::MAX)?.unwrap_or(0),
            init,
            dim: options.number("dim", 1..=DIM_MAX)?,
        };
        config.validate()?;
        Ok(config)
    }

    /// The widest rows that so many clusters may have.
    pub(super) fn dim_max(&self) -> usize {
        DIM_MAX.min(VALUES_MAX / self.k.max(self.init_rows()))
    }

    /// How many rows have to be there before centres are chosen from them.
    pub(super) fn init_rows(&self) -> usize {
        match self.init {
            Init::KMeansPlusPlus { rows: Some(rows) } => rows,
            Init::KMeansPlusPlus { rows: None } => (self.k * INIT_ROWS_PER_CLUSTER).max(INIT_ROWS_MIN),
            Init::Random { .. } | Init::Given { .. } => 0,
        }
    }

    /// # Errors
    ///
    /// The first choice that is out of range.
    pub(super) fn validate(&self) -> Result<(), OptionError> {
        if !(1..=K_MAX).contains(&self.k) {
            return Err(invalid("k", &self.k, format!("a number from 1 to {K_MAX}")));
        }
        if !(0.0..=1.0).contains(&self.decay.factor) {
            return Err(invalid("decay_factor", &self.decay.factor, "a number from 0 to 1"));
        }
        match &self.init {
            Init::KMeansPlusPlus { rows: Some(rows) } if !(self.k..=INIT_ROWS_MAX).contains(rows) => {
                let expected = format!("a number from k ({}) to {INIT_ROWS_MAX}", self.k);
                return Err(invalid("init_rows", &rows, expected));
            }
            Init::KMeansPlusPlus { .. } => {}
            Init::Random { weight } => check_weight(*weight)?,
            Init::Given { centers, weights } => self.check_given(centers, weights)?,
        }
        match self.dim {
            Some(dim) if !(1..=self.dim_max()).contains(&dim) => {
                let expected = format!("a number from 1 to {} with these k and init_rows", self.dim_max());
                Err(invalid("dim", &dim, expected))
            }
            _ => Ok(()),
        }
    }

    fn check_given(&self, centers: &[Vec<f64>], weights: &[f64]) -> Result<(), OptionError> {
        let dim = centers.first().map_or(0, Vec::len);
        let usable = |value: &f64| value.abs() <= VALUE_MAX;
        let whole = centers.iter().all(|center| center.len() == dim && center.iter().all(usable));
        if !whole || centers.len() != self.k || !(1..=self.dim_max()).contains(&dim) {
            let expected = format!("{} rows of finite numbers, all of one width", self.k);
            return Err(invalid("initial_centers", &format!("{centers:?}"), expected));
        }
        if let Some(stated) = self.dim.filter(|&stated| stated != dim) {
            return Err(invalid("dim", &stated, format!("{dim}, the width of the initial centres")));
        }
        if weights.len() != self.k {
            let expected = format!("{} numbers, one per centre", self.k);
            return Err(invalid("initial_weights", &format!("{weights:?}"), expected));
        }
        weights.iter().try_for_each(|&weight| check_weight(weight))
    }
}

fn check_weight(weight: f64) -> Result<(), OptionError> {
    if (0.0..=VALUE_MAX).contains(&weight) {
        return Ok(());
    }
    Err(invalid("initial_weights", &weight, "numbers from 0 to 1e100"))
}

fn invalid(name: &'static str, value: &dyn ToString, expected: impl Into<String>) -> OptionError {
    OptionError::Invalid { name, value: value.to_string(), expected: expected.into() }
}

fn parse_decay(options: &Options) -> Result<Decay, OptionError> {
    let unit = match options.get("time_unit") {
        Some(word) => {
            TimeUnit::parse(word).ok_or_else(|| options.invalid("time_unit", "'points' or 'batches'"))?
        }
        None => TimeUnit::Batches,
    };
    let factor = options.number("decay_factor", 0.0..=1.0)?;
    let Some(half_life) = options.get("half_life") else {
        if factor.is_none() && options.get("time_unit").is_some() {
            return Err(OptionError::Unused { name: "time_unit", with: "'decay_factor'" });
        }
        return Ok(Decay { factor: factor.unwrap_or(1.0), unit });
    };
    for other in ["decay_factor", "time_unit"] {
        if options.get(other).is_some() {
            return Err(OptionError::Conflict { one: "half_life", other });
        }
    }
    parse_half_life(half_life).ok_or_else(|| {
        options.invalid("half_life", "a positive number and its unit, as '500 points' or '5 batches'")
    })
}

fn parse_half_life(text: &str) -> Option<Decay> {
    let (number, unit) = text.split_once(char::is_whitespace)?;
    let half_life: f64 = number.parse().ok().filter(|number| (1e-6..=1e15).contains(number))?;
    Some(Decay::half_life(half_life, TimeUnit::parse(unit.trim())?))
}

fn parse_init(options: &Options) -> Result<Init, OptionError> {
    if options.get("initial_centers").is_some() {
        for other in ["init", "init_rows"] {
            if options.get(other).is_some() {
                return Err(OptionError::Conflict { one: "initial_centers", other });
            }
        }
        return parse_given(options);
    }
    let rows = options.number("init_rows", 1..=INIT_ROWS_MAX)?;
    let weight = options.number("initial_weights", 0.0..=VALUE_MAX)?;
    match options.get("init").unwrap_or("k-means++").to_ascii_lowercase().as_str() {
        "k-means++" if weight.is_some() => {
            Err(OptionError::Unused { name: "initial_weights", with: "'initial_centers' or init 'random'" })
        }
        "k-means++" => Ok(Init::KMeansPlusPlus { rows }),
        "random" if rows.is_some() => {
            Err(OptionError::Unused { name: "init_rows", with: "init 'k-means++'" })
        }
        "random" => Ok(Init::Random { weight: weight.unwrap_or(0.0) }),
        _ => Err(options.invalid("init", "'k-means++' or 'random' (or give 'initial_centers')")),
    }
}

fn parse_given(options: &Options) -> Result<Init, OptionError> {
    let centers: Vec<Vec<f64>> = options
        .get("initial_centers")
        .and_then(|text| serde_json::from_str(text).ok())
        .filter(|centers: &Vec<Vec<f64>>| (1..=K_MAX).contains(&centers.len()))
        .ok_or_else(|| options.invalid("initial_centers", "rows of numbers, as '[[0, 0], [1, 1]]'"))?;
    let weights = match options.get("initial_weights") {
        Some(text) => serde_json::from_str(text)
            .map_err(|_| options.invalid("initial_weights", "numbers, as '[1, 1]'"))?,
        None => vec![0.0; centers.len()],
    };
    Ok(Init::Given { centers, weights })
}

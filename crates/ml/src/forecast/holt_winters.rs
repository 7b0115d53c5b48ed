//! Holt-Winters: a level, a trend and a season, each faded at its own speed (Holt, 1957; Winters, 1960), as River's.
//!
//! With the level `l`, the trend `b` and a season of `m` values `s`, a new value `y` gives, additively,
//!
//! ```text
//! l' = alpha (y - s[-m]) + (1 - alpha)(l + b)
//! b' = beta (l' - l) + (1 - beta) b
//! s' = gamma (y - l - b) + (1 - gamma) s[-m]
//! ```
//!
//! and the value `h` steps ahead is `l + h b + s`, with the `s` of that place in the season. With `multiplicative`, the
//! season is a factor: `y / s[-m]` in the first line, `y / (l + b)` in the third, and `(l + h b) · s`. Without `beta`
//! there is no trend, without `seasonality` no season. The first `max(2, m)` values only set the start: the level is
//! their mean, the trend their mean step, and the season each value divided by the level; River does so for additive
//! seasons too, and so do we, since a faded start is soon forgotten and equal numbers can be compared. `gamma` needs
//! `beta`, and a season needs `gamma`. `alpha` has no default, in River neither; here it is 0.3.
//!
//! Where a quotient has no finite value (a level of 0), that part of the state stays as it was.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{SEASONALITY_MAX, Width, bounded, forecaster};
use crate::features::Features;
use crate::learner::Forecaster;
use crate::options::{OptionError, Options};
use crate::row::{Rejection, Row, VALUE_MAX};
use crate::schema::{Label, Schema};
use crate::snapshot::State;

/// The name for `create`.
pub const NAME: &str = "holt_winters";

/// How fast it forgets.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// The weight of a new value in the level.
    pub alpha: f64,
    /// That of a new step in the trend, if there is one.
    pub beta: Option<f64>,
    /// That of a new value in the season.
    pub gamma: Option<f64>,
    /// Values in a season; 0 is none.
    pub seasonality: u32,
    /// Whether the season is a factor.
    pub multiplicative: bool,
}

impl Config {
    /// Reads the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If an option is unknown, malformed or out of range, or needs another that is missing.
    pub fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let known = ["alpha", "beta", "gamma", "seasonality", "multiplicative"];
        let options = Options::new(NAME, &known, options)?;
        let share = 0.0..=1.0;
        let config = Config {
            alpha: options.number("alpha", share.clone())?.unwrap_or(0.3),
            beta: options.number("beta", share.clone())?.filter(|&beta| beta > 0.0),
            gamma: options.number("gamma", share)?,
            seasonality: options.number("seasonality", 0..=SEASONALITY_MAX)?.unwrap_or(0),
            multiplicative: options.flag("multiplicative")?.unwrap_or(false),
        };
        if config.gamma.is_some() && config.beta.is_none() {
            return Err(OptionError::Unused { name: "gamma", with: "beta" });
        }
        if config.seasonality > 0 && config.gamma.is_none() {
            return Err(OptionError::Unused { name: "seasonality", with: "gamma" });
        }
        Ok(config)
    }

    /// Values that set the start.
    fn start(&self) -> usize {
        self.seasonality.max(2) as usize
    }

    fn good(&self) -> bool {
        let share = |number: f64| (0.0..=1.0).contains(&number);
        share(self.alpha)
            && self.beta.is_none_or(share)
            && self.gamma.is_none_or(share)
            && self.seasonality <= SEASONALITY_MAX
            && (self.seasonality == 0 || self.gamma.is_some())
    }

    fn describe(&self) -> Value {
        let mut options = json!({
            "alpha": self.alpha,
            "seasonality": self.seasonality,
            "multiplicative": self.multiplicative,
        });
        for (name, value) in [("beta", self.beta), ("gamma", self.gamma)] {
            if let Some(value) = value {
                options[name] = json!(value);
            }
        }
        options
    }
}

/// The forecaster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HoltWinters {
    config: Config,
    rows_learned: u64,
    width: Width,
    /// The values that set the start, until there are enough.
    first: Vec<f64>,
    level: Option<f64>,
    trend: f64,
    /// The last season, the oldest first.
    season: VecDeque<f64>,
}

impl HoltWinters {
    /// The forecaster of a series that has not begun.
    ///
    /// # Errors
    ///
    /// If rows are not labelled with numbers, or an option cannot be used.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        if schema.label != Some(Label::Number) {
            return Err(OptionError::Schema { algorithm: NAME, needs: "needs a label of numbers" });
        }
        Ok(HoltWinters {
            config: Config::from_options(options)?,
            rows_learned: 0,
            width: Width(schema.dim()),
            first: Vec::new(),
            level: None,
            trend: 0.0,
            season: VecDeque::new(),
        })
    }

    /// Takes in one of the values that set the start.
    fn begin(&mut self, value: f64) {
        self.first.push(value);
        let count = self.first.len();
        if count < self.config.start() {
            return;
        }
        let mean = self.first.iter().sum::<f64>() / count as f64;
        self.level = Some(mean);
        if self.config.beta.is_some() {
            let steps = self.first.windows(2).map(|pair| pair[1] - pair[0]);
            self.trend = bounded(steps.sum::<f64>() / (count - 1) as f64);
        }
        if self.config.seasonality > 0 {
            let place = |value: &f64| quotient(*value, mean).unwrap_or(1.0);
            self.season.extend(self.first.iter().map(place));
        }
        self.first = Vec::new();
    }

    fn follow(&mut self, level: f64, value: f64) {
        let Config { alpha, beta, gamma, multiplicative, .. } = self.config;
        let expected = level + self.trend;
        let place = self.season.front().copied();
        let bare = match place {
            None => Some(value),
            Some(place) if multiplicative => quotient(value, place),
            Some(place) => Some(value - place),
        };
        let now = bare.map_or(level, |bare| bounded(alpha * bare + (1.0 - alpha) * expected));
        if let (Some(place), Some(gamma)) = (place, gamma) {
            let seen = if multiplicative { quotient(value, expected) } else { Some(value - expected) };
            self.season.pop_front();
            self.season.push_back(seen.map_or(place, |seen| bounded(gamma * seen + (1.0 - gamma) * place)));
        }
        if let Some(beta) = beta {
            self.trend = bounded(beta * (now - level) + (1.0 - beta) * self.trend);
        }
        self.level = Some(now);
    }

    /// The value so many steps after the next.
    fn ahead(&self, step: usize) -> Option<f64> {
        let base = self.level? + (step + 1) as f64 * self.trend;
        Some(bounded(match self.season.get(step % self.season.len().max(1)) {
            None => base,
            Some(place) if self.config.multiplicative => base * place,
            Some(place) => base + place,
        }))
    }

    fn describe(&self) -> Value {
        json!({ "level": self.level.unwrap_or(0.0), "trend": self.trend, "season": self.season })
    }
}

/// A quotient that can be gone on with.
fn quotient(one: f64, other: f64) -> Option<f64> {
    Some(one / other).filter(|quotient| quotient.abs() <= VALUE_MAX)
}

impl Forecaster for HoltWinters {
    fn learn_one(&mut self, row: Row<'_>, value: f64) -> Result<(), Rejection> {
        self.width.admit(row, value)?;
        self.rows_learned = self.rows_learned.saturating_add(1);
        match self.level {
            None => self.begin(value),
            Some(level) => self.follow(level, value),
        }
        Ok(())
    }

    fn predict_one(&self, row: Row<'_>) -> Option<f64> {
        self.width.check(row).ok().and_then(|()| self.ahead(0))
    }

    fn forecast(&self, horizon: usize, _rows: Option<Features<'_>>) -> Vec<f64> {
        (0..horizon).map_while(|step| self.ahead(step)).collect()
    }
}

forecaster!(HoltWinters, NAME);

impl State for HoltWinters {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        if !self.config.good() || !self.width.good() {
            return Err("its options");
        }
        let sizes = match self.level {
            None => self.first.len() < self.config.start() && self.season.is_empty(),
            Some(_) => self.first.is_empty() && self.season.len() == self.config.seasonality as usize,
        };
        let mut numbers = self.first.iter().chain(&self.season).chain(&self.level).chain([&self.trend]);
        let finite = numbers.all(|number| number.abs() <= VALUE_MAX);
        if sizes && finite { Ok(()) } else { Err("its level, trend or season") }
    }
}

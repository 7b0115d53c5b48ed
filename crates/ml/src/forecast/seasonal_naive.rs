//! The simplest forecast: as it was a season ago. With a season of 1, as it was last. Whatever is to be believed has to
//! be better than this.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{SEASONALITY_MAX, Width, forecaster};
use crate::features::Features;
use crate::learner::Forecaster;
use crate::options::{OptionError, Options};
use crate::row::{Rejection, Row};
use crate::schema::{Label, Schema};
use crate::snapshot::State;

/// The name for `create`.
pub const NAME: &str = "seasonal_naive";

/// What it looks back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// Values in a season.
    pub seasonality: u32,
}

impl Config {
    /// Reads the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If an option is unknown, malformed or out of range.
    pub fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let options = Options::new(NAME, &["seasonality"], options)?;
        Ok(Config { seasonality: options.number("seasonality", 1..=SEASONALITY_MAX)?.unwrap_or(1) })
    }

    fn describe(&self) -> Value {
        json!(self)
    }
}

/// The forecaster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeasonalNaive {
    config: Config,
    rows_learned: u64,
    width: Width,
    /// The last season, the oldest value first.
    season: VecDeque<f64>,
}

impl SeasonalNaive {
    /// The forecaster of a series that has not begun.
    ///
    /// # Errors
    ///
    /// If rows are not labelled with numbers, or an option cannot be used.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        if schema.label != Some(Label::Number) {
            return Err(OptionError::Schema { algorithm: NAME, needs: "needs a label of numbers" });
        }
        let config = Config::from_options(options)?;
        Ok(SeasonalNaive { config, rows_learned: 0, width: Width(schema.dim()), season: VecDeque::new() })
    }

    fn describe(&self) -> Value {
        json!({ "season": self.season })
    }

    fn ahead(&self, step: usize) -> Option<f64> {
        // Before a whole season was seen, the values there are repeat.
        self.season.get(step % self.season.len().max(1)).copied()
    }
}

impl Forecaster for SeasonalNaive {
    fn learn_one(&mut self, row: Row<'_>, value: f64) -> Result<(), Rejection> {
        self.width.admit(row, value)?;
        self.rows_learned = self.rows_learned.saturating_add(1);
        if self.season.len() == self.config.seasonality as usize {
            self.season.pop_front();
        }
        self.season.push_back(value);
        Ok(())
    }

    fn predict_one(&self, row: Row<'_>) -> Option<f64> {
        self.width.check(row).ok().and_then(|()| self.ahead(0))
    }

    fn forecast(&self, horizon: usize, _rows: Option<Features<'_>>) -> Vec<f64> {
        (0..horizon).map_while(|step| self.ahead(step)).collect()
    }
}

forecaster!(SeasonalNaive, NAME);

impl State for SeasonalNaive {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let season = (1..=SEASONALITY_MAX).contains(&self.config.seasonality)
            && self.season.len() <= self.config.seasonality as usize;
        if season && self.width.good() && self.season.iter().all(|value| value.is_finite()) {
            Ok(())
        } else {
            Err("its season")
        }
    }
}

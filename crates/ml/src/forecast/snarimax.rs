//! SNARIMAX: a regression on the last values, the last errors, and those a season ago, as River's.
//!
//! The series is differenced `d` times and `sd` times over a season of `m` values: what is learned is
//! `(1 - B)^d (1 - B^m)^sd y`, where `B y` is the value before `y`. Its regressors are the columns of the row if there
//! are any, the last `p` differenced values, every `m`th of the last `m·sp`, the last `q` errors (what was expected
//! less what came), and every `m`th of the last `m·sq`. Lags that reach back before the series are left out, as are
//! missing values. A forecast goes step by step: each is the next one's last value, with an error of 0.
//!
//! The regression is linear, on columns scaled to mean 0 and variance 1, learned by stochastic gradient descent
//! (`learning_rate` 0.01, `intercept_lr` 0.01): River's default regressor. River asks for `p`, `d` and `q`; here they
//! default to 1, 0 and 0; and `m` 1, `sp`, `sd`, `sq` 0 as there.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::regression::Regression;
use super::{SEASONALITY_MAX, Width, bounded, forecaster};
use crate::features::Features;
use crate::learner::Forecaster;
use crate::options::{OptionError, Options};
use crate::row::{DIM_MAX, Rejection, Row, VALUE_MAX};
use crate::schema::{Kind, Label, Schema};
use crate::snapshot::State;

/// The name for `create`.
pub const NAME: &str = "snarimax";

/// The most lags of a kind, and the most times a series is differenced.
const ORDER_MAX: u32 = 1_000;
const DIFFERENCES_MAX: u32 = 8;

/// The most lags that a difference of differences has, that of 0 among them.
const TERMS_MAX: usize = (DIFFERENCES_MAX as usize + 1) * (DIFFERENCES_MAX as usize + 1);

/// What it looks back to, in River's names.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Last values.
    pub p: u32,
    /// How often the series is differenced.
    pub d: u32,
    /// Last errors.
    pub q: u32,
    /// Values in a season.
    pub m: u32,
    /// Values of seasons ago.
    pub sp: u32,
    /// How often the series is differenced over a season.
    pub sd: u32,
    /// Errors of seasons ago.
    pub sq: u32,
    /// The step of the gradient descent.
    pub learning_rate: f64,
    /// That of the intercept.
    pub intercept_lr: f64,
}

impl Default for Config {
    fn default() -> Self {
        Config { p: 1, d: 0, q: 0, m: 1, sp: 0, sd: 0, sq: 0, learning_rate: 0.01, intercept_lr: 0.01 }
    }
}

impl Config {
    /// Reads the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If an option is unknown, malformed or out of range, or it would look back too far.
    pub fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let known = ["p", "d", "q", "m", "sp", "sd", "sq", "learning_rate", "intercept_lr"];
        let options = Options::new(NAME, &known, options)?;
        let default = Config::default();
        let config = Config {
            p: options.number("p", 0..=ORDER_MAX)?.unwrap_or(default.p),
            d: options.number("d", 0..=DIFFERENCES_MAX)?.unwrap_or(default.d),
            q: options.number("q", 0..=ORDER_MAX)?.unwrap_or(default.q),
            m: options.number("m", 1..=SEASONALITY_MAX)?.unwrap_or(default.m),
            sp: options.number("sp", 0..=ORDER_MAX)?.unwrap_or(default.sp),
            sd: options.number("sd", 0..=DIFFERENCES_MAX)?.unwrap_or(default.sd),
            sq: options.number("sq", 0..=ORDER_MAX)?.unwrap_or(default.sq),
            learning_rate: options.number("learning_rate", 0.0..=1e3)?.unwrap_or(default.learning_rate),
            intercept_lr: options.number("intercept_lr", 0.0..=1e3)?.unwrap_or(default.intercept_lr),
        };
        if !config.good() {
            return Err(
                options.invalid("m", "a season of which no more than 100000 values are looked back to")
            );
        }
        Ok(config)
    }

    fn good(&self) -> bool {
        let rate = |rate: f64| (0.0..=1e3).contains(&rate);
        let reach = u64::from(self.m) * u64::from(self.sp.max(self.sq).max(self.sd));
        (1..=SEASONALITY_MAX).contains(&self.m)
            && [self.p, self.q, self.sp, self.sq].iter().all(|&order| order <= ORDER_MAX)
            && self.d <= DIFFERENCES_MAX
            && self.sd <= DIFFERENCES_MAX
            && reach <= 100_000
            && rate(self.learning_rate)
            && rate(self.intercept_lr)
    }

    /// How many last values, differenced values and errors are kept.
    fn kept(&self) -> [usize; 3] {
        let [p, d, q, m] = [self.p, self.d, self.q, self.m].map(|order| order as usize);
        let [sp, sd, sq] = [self.sp, self.sd, self.sq].map(|order| m * order as usize);
        [d + sd, p.max(sp), q.max(sq)]
    }

    /// Columns that it adds to those of a row.
    fn lags(&self) -> usize {
        [self.p, self.sp, self.q, self.sq].iter().map(|&order| order as usize).sum()
    }

    /// How much each value, this one and those before it, counts in a difference: the lag, and the factor.
    fn differences(&self) -> Polynomial {
        let mut polynomial = Polynomial { terms: [(0, 0.0); TERMS_MAX], count: 0 };
        polynomial.add(0, 1.0);
        let steps = std::iter::repeat_n(1, self.d as usize);
        for lag in steps.chain(std::iter::repeat_n(self.m as usize, self.sd as usize)) {
            let before = polynomial;
            before.terms().iter().for_each(|&(at, factor)| polynomial.add(at + lag, -factor));
        }
        polynomial
    }

    fn describe(&self) -> Value {
        json!(self)
    }
}

/// Factors by lags, which rise.
#[derive(Clone, Copy)]
struct Polynomial {
    terms: [(usize, f64); TERMS_MAX],
    count: usize,
}

impl Polynomial {
    fn terms(&self) -> &[(usize, f64)] {
        &self.terms[..self.count]
    }

    fn add(&mut self, lag: usize, factor: f64) {
        match self.terms().binary_search_by_key(&lag, |(lag, _)| *lag) {
            Ok(place) => self.terms[place].1 += factor,
            Err(place) => {
                self.count += 1;
                self.terms[place..self.count].rotate_right(1);
                self.terms[place] = (lag, factor);
            }
        }
    }
}

/// What the next value is told from; the newest of each first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Past {
    values: VecDeque<f64>,
    differenced: VecDeque<f64>,
    errors: VecDeque<f64>,
}

impl Past {
    fn push(&mut self, kept: [usize; 3], value: f64, differenced: Option<f64>, error: f64) {
        let push = |values: &mut VecDeque<f64>, limit: usize, value: f64| {
            values.push_front(value);
            values.truncate(limit);
        };
        push(&mut self.values, kept[0], value);
        if let Some(differenced) = differenced {
            push(&mut self.differenced, kept[1], differenced);
            push(&mut self.errors, kept[2], error);
        }
    }

    /// What the past adds to the difference of the next value.
    fn offset(&self, differences: &Polynomial) -> f64 {
        let past = differences.terms().iter().filter(|(lag, factor)| *lag > 0 && *factor != 0.0);
        past.filter_map(|&(lag, factor)| Some(factor * self.values.get(lag - 1)?)).sum()
    }
}

/// The regressors of the next value.
pub(super) struct Regressors<'a> {
    row: Row<'a>,
    past: &'a Past,
    config: &'a Config,
    width: Width,
}

impl Regressors<'_> {
    /// Calls `visit` with each that is known, and its place among all columns.
    pub(super) fn each(&self, mut visit: impl FnMut(usize, f64)) {
        let Regressors { row, past, width, .. } = self;
        let Config { p, q, m, sp, sq, .. } = *self.config;
        row.for_each(&mut visit);
        let mut first = width.0.unwrap_or(0);
        let lags = [
            (&past.differenced, p, 1),
            (&past.differenced, sp, m),
            (&past.errors, q, 1),
            (&past.errors, sq, m),
        ];
        for (values, count, step) in lags {
            let (count, step) = (count as usize, step as usize);
            let known = (0..count).map_while(|place| Some((place, *values.get((place + 1) * step - 1)?)));
            known.for_each(|(place, value)| visit(first + place, value));
            first += count;
        }
    }
}

/// The forecaster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snarimax {
    config: Config,
    rows_learned: u64,
    width: Width,
    past: Past,
    regression: Regression,
}

impl Snarimax {
    /// The forecaster of a series that has not begun.
    ///
    /// # Errors
    ///
    /// If rows are not labelled with numbers or hold names, or an option cannot be used.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        if schema.label != Some(Label::Number) {
            return Err(OptionError::Schema { algorithm: NAME, needs: "needs a label of numbers" });
        }
        if (0..schema.columns.len()).any(|column| schema.kind(column) != Kind::Number) {
            return Err(OptionError::Schema { algorithm: NAME, needs: "takes columns of numbers only" });
        }
        Ok(Snarimax {
            config: Config::from_options(options)?,
            rows_learned: 0,
            width: Width(schema.dim()),
            past: Past::default(),
            regression: Regression::default(),
        })
    }

    /// What is expected after a past.
    fn expected(&self, row: Row<'_>, past: &Past, differences: &Polynomial) -> (f64, f64) {
        let Snarimax { config, width, regression, .. } = self;
        let differenced = regression.predict(&Regressors { row, past, config, width: *width });
        (differenced, bounded(differenced - past.offset(differences)))
    }

    fn describe(&self) -> Value {
        json!({ "weights": self.regression.weights(), "intercept": self.regression.intercept() })
    }
}

impl Forecaster for Snarimax {
    fn learn_one(&mut self, row: Row<'_>, value: f64) -> Result<(), Rejection> {
        self.width.admit(row, value)?;
        self.rows_learned = self.rows_learned.saturating_add(1);
        let kept = self.config.kept();
        if self.past.values.len() < kept[0] {
            self.past.push(kept, value, None, 0.0);
            return Ok(());
        }
        let Snarimax { config, width, past, regression, .. } = self;
        let differenced = bounded(value + past.offset(&config.differences()));
        let regressors = Regressors { row, past, config, width: *width };
        let error = bounded(differenced - regression.predict(&regressors));
        regression.learn(&regressors, differenced, config.learning_rate, config.intercept_lr);
        past.push(kept, value, Some(differenced), error);
        Ok(())
    }

    fn predict_one(&self, row: Row<'_>) -> Option<f64> {
        self.width.check(row).ok()?;
        let ready = self.rows_learned > 0 && self.past.values.len() == self.config.kept()[0];
        ready.then(|| self.expected(row, &self.past, &self.config.differences()).1)
    }

    fn forecast(&self, horizon: usize, rows: Option<Features<'_>>) -> Vec<f64> {
        let kept = self.config.kept();
        if self.rows_learned == 0 || self.past.values.len() < kept[0] {
            return Vec::new();
        }
        let differences = self.config.differences();
        let mut past = self.past.clone();
        let step = |step: usize| {
            let row = match rows {
                Some(rows) if step < rows.len() => rows.row(step),
                Some(_) => return None,
                None => Row::F64(&[]),
            };
            if rows.is_some() {
                self.width.check(row).ok()?;
            }
            let (differenced, value) = self.expected(row, &past, &differences);
            past.push(kept, value, Some(differenced), 0.0);
            Some(value)
        };
        (0..horizon).map_while(step).collect()
    }
}

forecaster!(Snarimax, NAME);

impl State for Snarimax {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        if !self.config.good() || !self.width.good() {
            return Err("its options");
        }
        let past = [&self.past.values, &self.past.differenced, &self.past.errors];
        let sizes = past.iter().zip(self.config.kept()).all(|(values, kept)| values.len() <= kept);
        let finite = past.iter().all(|values| values.iter().all(|value| value.abs() <= VALUE_MAX));
        let columns = self.width.0.unwrap_or(DIM_MAX) + self.config.lags();
        if sizes && finite && self.regression.good(columns) { Ok(()) } else { Err("its past") }
    }
}

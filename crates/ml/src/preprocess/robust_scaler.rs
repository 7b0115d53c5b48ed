//! Scales columns by their median and the distance of two quantiles, as River's `RobustScaler`: outliers move neither.
//!
//! A value becomes `(x - median) / (q_sup - q_inf)`, with the quantiles `q_inf` (0.25) and `q_sup` (0.75), each
//! estimated by [`Quantile`]. While the quantiles are equal, it is only centered. Without
//! `with_centering` or `with_scaling` that part is left out. Missing values are neither counted nor filled.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::by_column::{ByColumn, Column};
use crate::options::{OptionError, Options};
use crate::stats::Quantile;

/// Scales columns by median and quantiles.
pub type RobustScaler = ByColumn<Robust>;

/// The quantiles of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Robust {
    low: Quantile,
    median: Quantile,
    high: Quantile,
}

/// What [`Robust`] does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    centering: bool,
    scaling: bool,
    q_inf: f64,
    q_sup: f64,
}

impl Robust {
    fn spread(&self) -> f64 {
        self.high.get().unwrap_or(0.0) - self.low.get().unwrap_or(0.0)
    }
}

impl Column for Robust {
    const NAME: &'static str = "robust_scaler";
    const ARGUMENTS: &'static [&'static str] = &["with_centering", "with_scaling", "q_inf", "q_sup"];
    type Settings = Settings;

    fn settings(arguments: &BTreeMap<String, String>) -> Result<Settings, OptionError> {
        let options = Options::new(Self::NAME, Self::ARGUMENTS, arguments)?;
        let q_inf = options.number("q_inf", 0.0..=1.0)?.unwrap_or(0.25);
        let q_sup = options.number("q_sup", 0.0..=1.0)?.unwrap_or(0.75);
        if q_inf >= q_sup {
            return Err(OptionError::Invalid {
                name: "q_inf",
                value: q_inf.to_string(),
                expected: format!("a number below q_sup, {q_sup}"),
            });
        }
        let centering = options.flag("with_centering")?.unwrap_or(true);
        let scaling = options.flag("with_scaling")?.unwrap_or(true);
        Ok(Settings { centering, scaling, q_inf, q_sup })
    }

    fn new(settings: &Settings) -> Self {
        Robust {
            low: Quantile::new(settings.q_inf),
            median: Quantile::new(0.5),
            high: Quantile::new(settings.q_sup),
        }
    }

    fn add(&mut self, value: f64) {
        self.low.add(value);
        self.median.add(value);
        self.high.add(value);
    }

    fn scale(&self, value: f64, settings: &Settings) -> f64 {
        let centered = if settings.centering { value - self.median.get().unwrap_or(0.0) } else { value };
        let spread = self.spread();
        if settings.scaling && spread > 0.0 { centered / spread } else { centered }
    }

    fn line(&self, settings: &Settings) -> (f64, f64) {
        let middle = if settings.centering { self.median.get().unwrap_or(0.0) } else { 0.0 };
        let spread = self.spread();
        (middle, if settings.scaling && spread > 0.0 { spread } else { 1.0 })
    }

    fn describe(&self) -> Value {
        json!({ "median": self.median.get().unwrap_or(0.0), "spread": self.spread() })
    }

    fn is_sound(&self) -> bool {
        self.low.is_sound() && self.median.is_sound() && self.high.is_sound()
    }

    fn good(settings: &Settings) -> bool {
        0.0 <= settings.q_inf && settings.q_inf < settings.q_sup && settings.q_sup <= 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::by_column::scaled;
    use super::*;

    #[test]
    fn an_outlier_moves_neither_middle_nor_scale() {
        let mut values: Vec<f64> = (0..100).map(|at| f64::from(at * 37 % 101)).collect();
        values.extend([1e9, 50.0]);
        let found = scaled::<Robust>(&[], &values);
        assert!(found[101].abs() < 0.2, "{}", found[101]);
        assert!(found[100] > 1e6, "{}", found[100]);
        let plain = scaled::<Robust>(&[("with_scaling", "false"), ("with_centering", "false")], &values);
        assert_eq!(plain, values);
        let upside_down = BTreeMap::from([("q_inf".to_owned(), "0.9".to_owned())]);
        assert!(Robust::settings(&upside_down).is_err());
    }
}

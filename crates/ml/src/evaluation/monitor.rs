//! Watching the errors of a model.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::drift::{self, Detector};
use crate::learner::{Drift, DriftDetector, Learner};
use crate::options::{self, OptionError};

/// What happens when the errors change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnDrift {
    /// It is counted.
    #[default]
    Warn,
    /// It is counted, and the learner begins anew.
    Reset,
}

/// A drift detector over the errors of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Monitor {
    detector: Detector,
    on_drift: OnDrift,
    rows: u64,
    drifts: u64,
    warnings: u64,
    last_drift: Option<u64>,
}

impl Monitor {
    /// Takes `drift` and `on_drift` out of the options of a model. A detector is written as `'adwin'` or, with options
    /// of its own, `'adwin(delta=0.01)'`.
    pub(crate) fn from_options(given: &mut BTreeMap<String, String>) -> Result<Option<Self>, OptionError> {
        let on_drift = match given.remove("on_drift").map(|value| value.to_ascii_lowercase()) {
            None => None,
            Some(value) if value == "warn" => Some(OnDrift::Warn),
            Some(value) if value == "reset" => Some(OnDrift::Reset),
            Some(value) => {
                let expected = "'warn' or 'reset'".to_owned();
                return Err(OptionError::Invalid { name: "on_drift", value, expected });
            }
        };
        let Some(detector) = given.remove("drift") else {
            return match on_drift {
                Some(_) => Err(OptionError::Unused { name: "on_drift", with: "drift" }),
                None => Ok(None),
            };
        };
        let expected = || format!("one of {}", drift::NAMES.join(", "));
        let invalid =
            || OptionError::Invalid { name: "drift", value: detector.clone(), expected: expected() };
        let calls = options::calls(&detector).ok_or_else(invalid)?;
        let [(name, arguments)] = calls.as_slice() else { return Err(invalid()) };
        if !drift::NAMES.contains(&name.as_str()) {
            return Err(invalid());
        }
        let detector = drift::create(name, arguments)?;
        let on_drift = on_drift.unwrap_or_default();
        Ok(Some(Monitor { detector, on_drift, rows: 0, drifts: 0, warnings: 0, last_drift: None }))
    }

    /// Takes the error of one more row. True if the learner is to begin anew.
    pub(crate) fn watch(&mut self, error: f64) -> bool {
        self.rows += 1;
        match self.detector.update(error) {
            Ok(Drift::Detected) => {
                self.drifts += 1;
                self.last_drift = Some(self.rows);
                self.on_drift == OnDrift::Reset
            }
            Ok(Drift::Warning) => {
                self.warnings += 1;
                false
            }
            // An error beyond all measure says nothing about drift.
            Ok(Drift::None) | Err(_) => false,
        }
    }

    pub(crate) fn validate(&self) -> Result<(), &'static str> {
        self.detector.validate()
    }

    /// What it saw.
    #[must_use]
    pub fn describe(&self) -> Value {
        json!({
            "detector": self.detector.algorithm(),
            "on_drift": match self.on_drift {
                OnDrift::Warn => "warn",
                OnDrift::Reset => "reset",
            },
            "rows": self.rows,
            "drifts": self.drifts,
            "warnings": self.warnings,
            "last_drift_row": self.last_drift,
        })
    }
}

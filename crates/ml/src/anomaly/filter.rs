//! Keeps what is strange away from a detector, and says yes or no: River's `QuantileFilter` and `ThresholdFilter`.
//!
//! Around any detector (`detector`, `half_space_trees` unless said otherwise, with its own options beside the filter's):
//! a row is strange if its score is at least `threshold` (`threshold_filter`), or at least the quantile `q` (0.99) of the
//! scores so far (`quantile_filter`; none is strange before there are `grace_period` (100) scores). With `protect` (true)
//! the detector does not learn a strange row, so that it does not get used to it. The answer is the detector's score, or
//! with `answer` `'flag'` 1 for a strange row and 0 for another.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::learner::{AnomalyDetector, Learner};
use crate::model::Task;
use crate::options::OptionError;
use crate::registry;
use crate::row::{Missing, Rejection, Row};
use crate::schema::Schema;
use crate::snapshot::{self, SnapshotError, State};
use crate::stats::Quantile;

/// A filter at a quantile of the scores.
pub type QuantileFilter = Filter<QUANTILE>;

/// A filter at a score.
pub type ThresholdFilter = Filter<THRESHOLD>;

const QUANTILE: u8 = 0;
const THRESHOLD: u8 = 1;

/// The names for `create`, by kind.
const NAMES: [&str; 2] = ["quantile_filter", "threshold_filter"];

/// The options of its own, by kind.
const OPTIONS: [&[&str]; 2] = [
    &["detector", "q", "grace_period", "protect", "answer"],
    &["detector", "threshold", "protect", "answer"],
];

/// A detector behind a filter.
#[derive(Clone, Debug)]
pub struct Filter<const KIND: u8> {
    rules: Rules,
    detector: Box<dyn AnomalyDetector>,
}

/// Where the filter lies, and what passed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Rules {
    threshold: f64,
    quantile: Quantile,
    grace_period: u64,
    protect: bool,
    flag: bool,
    rows_learned: u64,
    scores: u64,
    strange: u64,
}

impl<const KIND: u8> Filter<KIND> {
    /// A filter around a detector that knows nothing yet.
    ///
    /// # Errors
    ///
    /// If an option cannot be used, or there is no such detector.
    pub fn from_options(given: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        let (name, known) = (NAMES[usize::from(KIND)], OPTIONS[usize::from(KIND)]);
        let (own, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
            given.clone().into_iter().partition(|(key, _)| known.contains(&key.as_str()));
        let own = crate::options::Options::new(name, known, &own)?;
        let detector = detector(own.get("detector").unwrap_or("half_space_trees"), &others, schema)
            .map_err(|error| with_own(error, known))?;
        let threshold = own.number("threshold", f64::MIN..=f64::MAX)?;
        if KIND == THRESHOLD && threshold.is_none() {
            return Err(own.invalid("threshold", "a number: the score from which on a row is strange"));
        }
        let answers = [("score", false), ("flag", true)];
        let rules = Rules {
            threshold: threshold.unwrap_or(0.0),
            quantile: Quantile::new(own.number("q", 0.0..=1.0)?.unwrap_or(0.99)),
            grace_period: own.number("grace_period", 1..=u64::MAX)?.unwrap_or(100),
            protect: own.flag("protect")?.unwrap_or(true),
            flag: own.choice("answer", &answers)?.unwrap_or(false),
            rows_learned: 0,
            scores: 0,
            strange: 0,
        };
        Ok(Filter { rules, detector })
    }

    /// Whether a row with this score is strange.
    fn is_strange(&self, score: f64) -> bool {
        self.limit().is_some_and(|limit| score >= limit)
    }

    /// The score from which on a row is strange.
    fn limit(&self) -> Option<f64> {
        if KIND == THRESHOLD {
            return Some(self.rules.threshold);
        }
        self.rules.quantile.get().filter(|_| self.rules.scores >= self.rules.grace_period)
    }

    /// A filter from exported JSON.
    pub(crate) fn import(exported: Value) -> Result<Self, SnapshotError> {
        let name = NAMES[usize::from(KIND)];
        let not = |reason: String| SnapshotError::NotTheState { name, reason };
        let exported: Exported = serde_json::from_value(exported).map_err(|error| not(error.to_string()))?;
        refuse_filters(&exported.algorithm)?;
        let Task::Detect(detector) = registry::import_task(&exported.algorithm, exported.state)? else {
            return Err(not(format!("'{}' detects nothing", exported.algorithm)));
        };
        exported.rules.validate().map_err(|what| SnapshotError::Invalid { what })?;
        Ok(Filter { rules: exported.rules, detector })
    }
}

/// Makes the detector within.
fn detector(
    name: &str,
    options: &BTreeMap<String, String>,
    schema: &Schema,
) -> Result<Box<dyn AnomalyDetector>, OptionError> {
    let known: Vec<_> = super::ALGORITHMS.iter().filter(|known| !NAMES.contains(&known.name)).collect();
    let found = known.iter().find(|known| known.name == name.to_ascii_lowercase());
    match found.map(|known| (known.create)(options, schema)).transpose()? {
        Some(Task::Detect(detector)) => Ok(detector),
        _ => {
            let names: Vec<_> = known.iter().map(|known| known.name).collect();
            let expected = format!("one of {}", names.join(", "));
            Err(OptionError::Invalid { name: "detector", value: name.to_owned(), expected })
        }
    }
}

/// An unknown option may have been meant for the filter.
fn with_own(error: OptionError, own: &[&str]) -> OptionError {
    match error {
        OptionError::UnknownOption { algorithm, name, known } => {
            OptionError::UnknownOption { algorithm, name, known: format!("{}, {known}", own.join(", ")) }
        }
        other => other,
    }
}

/// No filter is around another: bytes that say so could nest without an end.
fn refuse_filters(name: &str) -> Result<(), SnapshotError> {
    if NAMES.contains(&name) { Err(SnapshotError::Invalid { what: "its detector" }) } else { Ok(()) }
}

impl<const KIND: u8> AnomalyDetector for Filter<KIND> {
    fn learn_one(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        let score = self.detector.score_one(row);
        let strange = score.is_some_and(|score| self.is_strange(score));
        if strange && self.rules.protect {
            row.check(self.detector.dim(), self.detector.missing())?;
        } else {
            self.detector.learn_one(row)?;
        }
        self.rules.rows_learned = self.rules.rows_learned.saturating_add(1);
        self.rules.strange += u64::from(strange);
        if let Some(score) = score {
            self.rules.scores += 1;
            self.rules.quantile.add(score);
        }
        Ok(())
    }

    fn score_one(&self, row: Row<'_>) -> Option<f64> {
        let score = self.detector.score_one(row)?;
        Some(if self.rules.flag { f64::from(u8::from(self.is_strange(score))) } else { score })
    }
}

impl<const KIND: u8> Learner for Filter<KIND> {
    fn algorithm(&self) -> &'static str {
        NAMES[usize::from(KIND)]
    }

    fn rows_learned(&self) -> u64 {
        self.rules.rows_learned
    }

    fn dim(&self) -> Option<usize> {
        self.detector.dim()
    }

    fn missing(&self) -> Missing {
        self.detector.missing()
    }

    fn by_batch(&self) -> bool {
        self.detector.by_batch()
    }

    fn snapshot(&self) -> Vec<u8> {
        let detector = self.detector.snapshot();
        snapshot::write(&Saved::<KIND> { rules: self.rules.clone(), detector })
    }

    fn export(&self) -> Value {
        json!({
            "rules": self.rules,
            "algorithm": self.detector.algorithm(),
            "state": self.detector.export(),
        })
    }

    fn describe(&self) -> Value {
        let mut description = json!({
            "algorithm": self.algorithm(),
            "dim": self.dim().unwrap_or(0),
            "rows_learned": self.rules.rows_learned,
            "strange_rows": self.rules.strange,
            "detector": self.detector.describe(),
        });
        if let Some(limit) = self.limit() {
            description["threshold"] = json!(limit);
        }
        description
    }

    fn restore(snapshot: &[u8]) -> Result<Self, SnapshotError> {
        let Saved { rules, detector } = snapshot::read::<Saved<KIND>>(snapshot)?;
        refuse_filters(snapshot::algorithm(&detector)?)?;
        match registry::restore_task(&detector)? {
            Task::Detect(detector) => Ok(Filter { rules, detector }),
            _ => Err(SnapshotError::Invalid { what: "its detector" }),
        }
    }
}

/// A filter on its way to bytes and back.
#[derive(Serialize, Deserialize)]
struct Saved<const KIND: u8> {
    rules: Rules,
    detector: Vec<u8>,
}

/// A filter on its way from JSON.
#[derive(Deserialize)]
struct Exported {
    rules: Rules,
    algorithm: String,
    state: Value,
}

impl Rules {
    fn validate(&self) -> Result<(), &'static str> {
        let good = self.threshold.is_finite() && self.quantile.is_sound() && self.strange <= self.scores;
        if good { Ok(()) } else { Err("its filter") }
    }
}

impl<const KIND: u8> State for Saved<KIND> {
    const NAME: &'static str = NAMES[KIND as usize];
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        self.rules.validate()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter<const KIND: u8>(pairs: &[(&str, &str)]) -> Result<Filter<KIND>, OptionError> {
        let options = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Filter::from_options(&options, &Schema::vector(None))
    }

    fn taught<const KIND: u8>(pairs: &[(&str, &str)]) -> Filter<KIND> {
        let mut filter = filter::<KIND>(pairs).expect("good options");
        for at in 0..1_000_u32 {
            let usual = f64::from(at * 37 % 101) / 100.0;
            let value = if at % 100 == 99 { 50.0 } else { usual };
            filter.learn_one(Row::from(&[value][..])).expect("good rows");
        }
        filter
    }

    #[test]
    fn a_strange_row_is_named_and_not_learned() {
        let bells = [("detector", "gaussian_scorer"), ("answer", "flag")];
        let options = [&bells[..], &[("threshold", "0.999")]].concat();
        let protected = taught::<THRESHOLD>(&options);
        assert_eq!((protected.rows_learned(), protected.detector.rows_learned()), (1_000, 991));
        assert_eq!(protected.score_one(Row::from(&[50.0][..])), Some(1.0));
        assert_eq!(protected.score_one(Row::from(&[0.5][..])), Some(0.0));
        let all = taught::<THRESHOLD>(&[&options[..], &[("protect", "false")]].concat());
        assert_eq!(all.detector.rows_learned(), 1_000);
        let quantile = taught::<QUANTILE>(&[&bells[..], &[("q", "0.98")]].concat());
        assert_eq!(quantile.score_one(Row::from(&[50.0][..])), Some(1.0));
        assert!(quantile.rules.strange < 40, "{:?}", quantile.rules);
    }

    #[test]
    fn options_of_both_are_told() {
        let refusal = |pairs: &[(&str, &str)]| filter::<QUANTILE>(pairs).unwrap_err().to_string();
        let unknown = refusal(&[("magic", "1")]);
        assert!(unknown.contains("protect") && unknown.contains("n_trees"), "{unknown}");
        assert!(refusal(&[("detector", "quantile_filter")]).contains("expected one of"));
        assert!(filter::<THRESHOLD>(&[]).unwrap_err().to_string().contains("threshold"));
    }
}

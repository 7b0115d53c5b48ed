//! A stream whose concept changes: one generator after the other (Bifet, Holmes, Pfahringer, Kirkby and Gavaldà, *New
//! ensemble methods for evolving data streams*, 2009).
//!
//! Around row `p` of a change, row `t` comes from the new concept with the chance `1 / (1 + exp(-4 (t - p) / w))`.
//! `drift_every` is the distance between changes in rows, and `drift_width` is `w`: 1 unless it is said, which is an
//! abrupt drift; thousands make it gradual. After the last concept there is no other.

use std::collections::BTreeMap;

use super::{Generator, rows};
use crate::options::{OptionError, Options};
use crate::random::Random;
use crate::schema::Schema;

const NAME: &str = "drift";
/// So that drifts draw other numbers than the generators they mix.
const SEED: u64 = 0x0064_7269_6674;

/// The stream.
#[derive(Debug)]
pub struct Drift {
    parts: Vec<Box<dyn Generator>>,
    every: f64,
    width: f64,
    /// Rows so far.
    time: f64,
    random: Random,
}

impl Drift {
    /// A stream that begins with the first of `parts` and ends with the last.
    ///
    /// # Errors
    ///
    /// If an option is wrong, or not all parts have the same columns and labels.
    pub fn new(
        parts: Vec<Box<dyn Generator>>,
        options: &BTreeMap<String, String>,
    ) -> Result<Self, OptionError> {
        let options = Options::new(NAME, &["drift_every", "drift_width"], options)?;
        if parts.windows(2).any(|pair| pair[0].schema() != pair[1].schema()) {
            return Err(OptionError::Schema { algorithm: NAME, needs: "needs generators of equal columns" });
        }
        let every = options.number("drift_every", 1.0..=1e15)?;
        Ok(Drift {
            parts,
            every: every.ok_or(OptionError::Unused { name: "generator", with: "drift_every" })?,
            width: options.number("drift_width", 1e-9..=1e15)?.unwrap_or(1.0),
            time: 0.0,
            random: rows(SEED),
        })
    }

    /// Which part the next row comes from.
    fn draw(&mut self) -> usize {
        for part in 1..self.parts.len() {
            let past = self.time - self.every * part as f64;
            let chance = 1.0 / (1.0 + libm::exp(-4.0 * past / self.width));
            if self.random.uniform() >= chance {
                return part - 1;
            }
        }
        self.parts.len() - 1
    }
}

impl Generator for Drift {
    fn schema(&self) -> Schema {
        self.parts[0].schema()
    }

    fn next_row(&mut self, row: &mut Vec<f64>) -> f64 {
        let part = self.draw();
        self.time += 1.0;
        self.parts[part].next_row(row)
    }
}

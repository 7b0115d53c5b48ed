//! Hashes columns and categories into a settled number of columns, as River's `FeatureHasher`: rows of any number of
//! categories become sparse ones of one width, without a list of the categories.
//!
//! A number goes to the column that its column's place hashes to; a category goes as 1 (or -1) to the one that its
//! column's place and its code hash to. What meets there is added up, with a sign from the hash, so that strangers cancel
//! out on average. `n_features` (4,096) is the number of columns, `seed` (42) chooses the hash. Missing values are left
//! out, as 0.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::learner::{RowBuffer, Transformer, learner_of_state};
use crate::options::{OptionError, Options};
use crate::preprocess::nominal;
use crate::row::{Missing, Rejection, Row, SPARSE_DIM_MAX, VALUE_MAX};
use crate::schema::{Kind, Schema};
use crate::snapshot::State;

/// The name of the step.
pub const NAME: &str = "hashing";

/// Hashes columns into a settled number of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hashing {
    n_features: usize,
    seed: u64,
    nominal: Vec<usize>,
    dim: Option<usize>,
    rows_learned: u64,
}

impl Hashing {
    /// The step from its arguments, and what it gives.
    ///
    /// # Errors
    ///
    /// If an argument is not one of its own or out of range.
    pub fn from_arguments(
        arguments: &BTreeMap<String, String>,
        schema: &Schema,
    ) -> Result<(Self, Schema), OptionError> {
        let options = Options::new(NAME, &["n_features", "seed"], arguments)?;
        let step = Hashing {
            n_features: options.number("n_features", 2..=SPARSE_DIM_MAX)?.unwrap_or(4_096),
            seed: options.number("seed", 0..=u64::MAX)?.unwrap_or(42),
            nominal: nominal(schema),
            dim: schema.dim(),
            rows_learned: 0,
        };
        Ok((step, Schema::vector(schema.label)))
    }

    /// The column and the sign for a column, or for a category in it.
    fn place(&self, column: usize, code: Option<f64>) -> (u32, f64) {
        let bits = mixed(self.seed ^ mixed(column as u64 ^ code.map_or(0, |code| mixed(code.to_bits()))));
        let sign = if bits >> 63 == 0 { 1.0 } else { -1.0 };
        let column = (bits & 0x7fff_ffff) % self.n_features as u64;
        (u32::try_from(column).unwrap_or(0), sign)
    }

    fn summary(&self) -> Value {
        json!({ "n_features": self.n_features, "seed": self.seed })
    }
}

/// Steele, Lea and Flood's finalizer of 64 bits (SplitMix64, 2014).
pub(crate) fn mixed(bits: u64) -> u64 {
    let bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

impl Transformer for Hashing {
    fn fills(&self, _: Kind) -> bool {
        true
    }

    fn learn_one(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Skipped)?;
        self.dim = Some(row.dim());
        self.rows_learned = self.rows_learned.saturating_add(1);
        Ok(())
    }

    fn transform_one(&self, row: Row<'_>, out: &mut RowBuffer) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Skipped)?;
        // Fewer than 2^24 values of at most this much add up to no more than the largest value.
        let most = VALUE_MAX / SPARSE_DIM_MAX as f64;
        let mut entries = Vec::new();
        row.for_each(|column, value| {
            let category = self.nominal.binary_search(&column).is_ok();
            let (place, sign) = self.place(column, category.then_some(value));
            let value = if category { 1.0 } else { value.clamp(-most, most) };
            if value != 0.0 {
                entries.push((place, sign * value));
            }
        });
        out.sparse(self.n_features, &mut entries);
        Ok(())
    }
}

learner_of_state!(Hashing, Missing::Skipped);

impl State for Hashing {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let rising = self.nominal.windows(2).all(|pair| pair[0] < pair[1]);
        if rising && (2..=SPARSE_DIM_MAX).contains(&self.n_features) { Ok(()) } else { Err("its columns") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Column;

    #[test]
    fn a_category_has_one_column_and_a_number_another() {
        let column = |name: &str, kind| Column { name: name.to_owned(), kind };
        let columns = vec![column("size", Kind::Number), column("colour", Kind::Category)];
        let (step, given) =
            Hashing::from_arguments(&BTreeMap::new(), &Schema { columns, label: None }).unwrap();
        assert_eq!(given.dim(), None);
        let hashed = |row: [f64; 2]| {
            let mut out = RowBuffer::default();
            step.transform_one(Row::from(&row[..]), &mut out).unwrap();
            let mut found = Vec::new();
            out.row().for_each(|column, value| found.push((column, value)));
            assert_eq!(out.row().dim(), 4_096);
            found
        };
        let (red, blue) = (hashed([0.0, 0.0]), hashed([0.0, 1.0]));
        assert_eq!((red.len(), red[0].1.abs()), (1, 1.0));
        assert_ne!(red[0].0, blue[0].0);
        assert_eq!(hashed([2.5, 0.0]).len(), 2);
        assert_eq!(hashed([f64::NAN, f64::NAN]), []);
    }
}

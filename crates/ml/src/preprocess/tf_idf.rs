//! Weighs words by how rare they are, as River's `TFIDF`; see [`words`](crate::preprocess::words) for its arguments.
//!
//! A word's count becomes its share of the row's words times `ln((1 + n) / (1 + d)) + 1`, with `n` rows so far, `d` of
//! which had the word; the weights of a row then get length 1, unless `normalize` is false.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::learner::{RowBuffer, Transformer, learner_of_state};
use crate::row::{Missing, Rejection, Row, SPARSE_DIM_MAX};
use crate::schema::Kind;
use crate::snapshot::State;

/// The name of the step.
pub const NAME: &str = "tf_idf";

/// Weighs words by how rare they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TfIdf {
    /// The columns of words come first.
    words: usize,
    normalize: bool,
    dim: Option<usize>,
    rows_learned: u64,
    /// In how many rows each column was counted; empty before the first.
    rows_with: Vec<u64>,
}

impl TfIdf {
    /// For rows whose first columns are words.
    pub(crate) fn new(words: usize, normalize: bool) -> Self {
        TfIdf { words, normalize, dim: None, rows_learned: 0, rows_with: Vec::new() }
    }

    fn rarity(&self, column: usize) -> f64 {
        let with = self.rows_with.get(column).copied().unwrap_or(0);
        libm::log((1 + self.rows_learned) as f64 / (1 + with) as f64) + 1.0
    }

    fn summary(&self) -> Value {
        json!({ "words": self.words, "normalize": self.normalize })
    }
}

impl Transformer for TfIdf {
    fn fills(&self, _: Kind) -> bool {
        true
    }

    fn learn_one(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Skipped)?;
        self.dim = Some(row.dim());
        self.rows_learned = self.rows_learned.saturating_add(1);
        let TfIdf { words, rows_with, .. } = self;
        rows_with.resize(*words, 0);
        row.for_each(|column, value| {
            if let Some(rows) = rows_with.get_mut(column).filter(|_| value > 0.0) {
                *rows += 1;
            }
        });
        Ok(())
    }

    fn transform_one(&self, row: Row<'_>, out: &mut RowBuffer) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Skipped)?;
        let mut counted = 0.0;
        row.for_each(|column, value| counted += if column < self.words { value } else { 0.0 });
        let (mut entries, mut squares) = (Vec::new(), 0.0);
        row.for_each(|column, value| {
            let words = column < self.words && counted > 0.0;
            let value = if words { value / counted * self.rarity(column) } else { value };
            squares += if words { value * value } else { 0.0 };
            entries.push((u32::try_from(column).unwrap_or(u32::MAX), value));
        });
        if self.normalize && squares > 0.0 {
            let length = squares.sqrt();
            let words = entries.iter_mut().filter(|(column, _)| (*column as usize) < self.words);
            words.for_each(|(_, value)| *value /= length);
        }
        out.sparse(row.dim(), &mut entries);
        Ok(())
    }
}

learner_of_state!(TfIdf, Missing::Skipped);

impl State for TfIdf {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let sizes = (2..=SPARSE_DIM_MAX).contains(&self.words)
            && (self.rows_with.is_empty() || self.rows_with.len() == self.words);
        if sizes && self.rows_with.iter().all(|&rows| rows <= self.rows_learned) {
            Ok(())
        } else {
            Err("its counts")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::SparseRow;

    #[test]
    fn rare_words_weigh_more() {
        let mut step = TfIdf::new(8, true);
        // this is the first document / this document is the second document, as
        // this 0, is 1, the 2, first 3, document 4, second 5; the row's number is column 8.
        let rows: [(&[u32], &[f64]); 2] = [
            (&[0, 1, 2, 3, 4, 8], &[1.0, 1.0, 1.0, 1.0, 1.0, 7.0]),
            (&[0, 1, 2, 4, 5], &[1.0, 1.0, 1.0, 2.0, 1.0]),
        ];
        let mut out = RowBuffer::default();
        for (columns, counts) in rows {
            let row = Row::from(SparseRow::new(9, columns, counts).expect("a good row"));
            step.learn_one(row).expect("a good row");
            step.transform_one(row, &mut out).expect("a good row");
            let mut found = Vec::new();
            out.row().for_each(|_, value| found.push(value));
            // River 0.26.1: TFIDF().learn_one(text) and .transform_one(text), text by text.
            let river = if columns.len() == 6 {
                [&[0.447_213_595_499_957_9; 5][..], &[7.0]].concat()
            } else {
                let (usual, twice, rare) =
                    (0.333_791_086_194_001_05, 0.667_582_172_388_002_1, 0.469_131_725_043_193_34);
                vec![usual, usual, usual, twice, rare]
            };
            assert_eq!(found.len(), river.len());
            for (found, river) in found.iter().zip(river) {
                assert!((found - river).abs() < 1e-12, "{found} {river}");
            }
        }
    }
}

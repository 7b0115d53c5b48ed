//! Texts as counts of their words, in a settled number of sparse columns: River's `BagOfWords` and `TFIDF` over hashed
//! words, so that no list of words is kept.
//!
//! `bag_of_words` and `tf_idf` can only be the first step, since later ones see numbers. A word is letters, digits, `_`
//! and `-` in a row, at least two of them, in lower case; it counts in the column that its letters and its text's column
//! hash to. `n_features` (4,096) columns are for words; the row's numbers follow them, a missing one as 0. All columns
//! of strings are texts, or only the `column` that is named; the others then count as one word each.
//!
//! Arguments: `n_features` (4096), `column`, `lowercase` (true), `ngrams` (1; with 2, pairs of words count as well),
//! `seed` (42), and of `tf_idf` `normalize` (true).

use std::collections::BTreeMap;

use super::hashing::mixed;
use super::tf_idf::TfIdf;
use crate::batch::ColumnValues;
use crate::learner::RowBuffer;
use crate::options::{OptionError, Options};
use crate::row::{Rejection, SPARSE_DIM_MAX, VALUE_MAX};
use crate::schema::{Kind, Schema};

/// The names of the steps; the second weighs the words as well.
pub(crate) const NAMES: [&str; 2] = ["bag_of_words", super::tf_idf::NAME];

/// Turns texts into columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    n_features: usize,
    lowercase: bool,
    ngrams: usize,
    seed: u64,
    /// By column of the schema.
    kinds: Vec<Text>,
}

/// What a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    Number,
    /// One word, whatever is in it.
    Name,
    Words,
}

impl Words {
    /// The step `name` from its arguments, with the one that weighs the words.
    pub(crate) fn from_arguments(
        name: &'static str,
        arguments: &BTreeMap<String, String>,
        schema: &Schema,
    ) -> Result<(Self, Option<TfIdf>), OptionError> {
        let weighs = name == super::tf_idf::NAME;
        let known = ["n_features", "column", "lowercase", "ngrams", "seed", "normalize"];
        let options = Options::new(name, &known[..known.len() - usize::from(!weighs)], arguments)?;
        let only = options.get("column");
        let kinds: Vec<Text> = schema
            .columns
            .iter()
            .map(|column| match column.kind {
                Kind::Number => Text::Number,
                Kind::Category if only.is_none_or(|only| only.eq_ignore_ascii_case(&column.name)) => {
                    Text::Words
                }
                Kind::Category => Text::Name,
            })
            .collect();
        if !kinds.contains(&Text::Words) {
            return Err(match only {
                Some(_) => options.invalid("column", "the name of a column of strings"),
                None => OptionError::Schema { algorithm: name, needs: "needs a column of strings" },
            });
        }
        let most = SPARSE_DIM_MAX - kinds.len().min(SPARSE_DIM_MAX / 2);
        let n_features = options.number("n_features", 2..=most)?.unwrap_or(4_096);
        let words = Words {
            n_features,
            lowercase: options.flag("lowercase")?.unwrap_or(true),
            ngrams: options.number("ngrams", 1..=5)?.unwrap_or(1),
            seed: options.number("seed", 0..=u64::MAX)?.unwrap_or(42),
            kinds,
        };
        let normalize = options.flag("normalize")?.unwrap_or(true);
        Ok((words, weighs.then(|| TfIdf::new(n_features, normalize))))
    }

    /// Writes row `index` as counts.
    pub(crate) fn write(
        &self,
        columns: &[ColumnValues<'_>],
        index: usize,
        row: &mut RowBuffer,
    ) -> Result<(), Rejection> {
        let expected = self.kinds.len();
        if columns.len() != expected {
            return Err(Rejection::Dimension { expected, found: columns.len() });
        }
        let (mut entries, mut numbers) = (Vec::new(), 0);
        for (column, (values, kind)) in columns.iter().zip(&self.kinds).enumerate() {
            match (values, kind) {
                (ColumnValues::Numbers(values), Text::Number) => {
                    entries.extend(self.number(values[index], column, numbers)?);
                    numbers += 1;
                }
                (ColumnValues::Words(texts), Text::Name) => {
                    entries.extend(texts[index].map(|name| (self.place(column, &[name]), 1.0)));
                }
                (ColumnValues::Words(texts), Text::Words) => {
                    if let Some(text) = texts[index] {
                        self.count(column, text, &mut entries);
                    }
                }
                _ => return Err(Rejection::WrongKind { column }),
            }
        }
        row.sparse(self.n_features + numbers, &mut entries);
        Ok(())
    }

    /// The entry for a number, if it is one.
    fn number(&self, value: f64, column: usize, place: usize) -> Result<Option<(u32, f64)>, Rejection> {
        if value.is_infinite() {
            return Err(Rejection::NotFinite { column });
        }
        if value.abs() > VALUE_MAX {
            return Err(Rejection::TooLarge { column });
        }
        let place = u32::try_from(self.n_features + place).unwrap_or(u32::MAX);
        Ok((value != 0.0 && !value.is_nan()).then_some((place, value)))
    }

    /// Adds an entry for each word, and each row of words up to `ngrams`.
    fn count(&self, column: usize, text: &str, entries: &mut Vec<(u32, f64)>) {
        let lower = if self.lowercase { text.to_lowercase() } else { text.to_owned() };
        let words: Vec<&str> = tokens(&lower).collect();
        for length in 1..=self.ngrams {
            entries.extend(words.windows(length).map(|words| (self.place(column, words), 1.0)));
        }
    }

    /// The column for words that follow each other.
    fn place(&self, column: usize, words: &[&str]) -> u32 {
        // Fowler, Noll and Vo's hash (1a), which is made for texts; its last bits alone are not well mixed.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ mixed(self.seed ^ column as u64);
        let mut add = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        for word in words {
            word.bytes().for_each(&mut add);
            // No byte of a text.
            add(0xff);
        }
        u32::try_from(mixed(hash) % self.n_features as u64).unwrap_or(0)
    }
}

/// The words of a text.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let inside = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '-';
    let words = text.split(move |letter| !inside(letter)).map(|word| word.trim_matches('-'));
    words.filter(|word| word.chars().nth(1).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Column;

    fn words(pairs: &[(&str, &str)]) -> Result<Words, OptionError> {
        let arguments = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let column = |name: &str, kind| Column { name: name.to_owned(), kind };
        let columns = vec![
            column("subject", Kind::Category),
            column("size", Kind::Number),
            column("from", Kind::Category),
        ];
        Words::from_arguments("bag_of_words", &arguments, &Schema { columns, label: None }).map(|made| made.0)
    }

    fn row(words: &Words, subject: &str, size: f64, from: &str) -> Vec<(usize, f64)> {
        let (subject, size, from) = ([Some(subject)], [size], [Some(from)]);
        let columns =
            [ColumnValues::Words(&subject), ColumnValues::Numbers(&size), ColumnValues::Words(&from)];
        let mut out = RowBuffer::default();
        words.write(&columns, 0, &mut out).expect("a good row");
        let mut found = Vec::new();
        out.row().for_each(|column, value| found.push((column, value)));
        found
    }

    #[test]
    fn words_are_rivers() {
        // River 0.26.1: the words of BagOfWords().process_text(...).
        let found: Vec<&str> = tokens("it's a well-known -fact- that x2 = 4_000, ünïcode!").collect();
        assert_eq!(found, ["it", "well-known", "fact", "that", "x2", "4_000", "ünïcode"]);
    }

    #[test]
    fn each_word_counts_in_its_column() {
        let bag = words(&[]).expect("good arguments");
        let found = row(&bag, "Red apples, red PEARS", 7.5, "Anna Smith");
        assert_eq!(found.last(), Some(&(4_096, 7.5)));
        assert_eq!(found.iter().map(|(_, count)| count).sum::<f64>(), 4.0 + 7.5 + 2.0);
        assert!(found.iter().any(|(_, count)| *count == 2.0), "red came twice");
        assert_eq!(row(&bag, "", f64::NAN, ""), []);
        let one = words(&[("column", "SUBJECT"), ("ngrams", "2")]).expect("good arguments");
        assert_eq!(row(&one, "red apples", 0.0, "Anna Smith").len(), 4, "two words, a pair, and a name");
        assert_ne!(row(&one, "", 0.0, "Anna Smith"), row(&one, "", 0.0, "anna smith"));
        assert!(words(&[("column", "size")]).is_err());
        assert!(words(&[("normalize", "true")]).is_err(), "that is tf_idf's");
    }
}

//! Names and the small numbers that stand for them.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// The most names that one vocabulary keeps apart.
pub const WORDS_MAX: usize = 65_536;

/// Names in the order in which they first came; the place of a name is its code.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct Vocabulary {
    words: Vec<String>,
    codes: HashMap<String, u32>,
}

impl Vocabulary {
    /// The code of a name, new or not; `None` when there is no room for a new one.
    pub fn learn(&mut self, word: &str) -> Option<u32> {
        if let Some(code) = self.code(word) {
            return Some(code);
        }
        let code = u32::try_from(self.words.len()).ok().filter(|_| self.words.len() < WORDS_MAX)?;
        self.words.push(word.to_owned());
        self.codes.insert(word.to_owned(), code);
        Some(code)
    }

    /// The code of a name that came before.
    #[must_use]
    pub fn code(&self, word: &str) -> Option<u32> {
        self.codes.get(word).copied()
    }

    /// The name that a code stands for.
    #[must_use]
    pub fn word(&self, code: u32) -> Option<&str> {
        self.words.get(code as usize).map(String::as_str)
    }

    /// All names, by code.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.words
    }
}

impl From<Vec<String>> for Vocabulary {
    fn from(words: Vec<String>) -> Self {
        let codes = words.iter().zip(0..).map(|(word, code)| (word.clone(), code)).collect();
        Vocabulary { words, codes }
    }
}

impl From<Vocabulary> for Vec<String> {
    fn from(vocabulary: Vocabulary) -> Self {
        vocabulary.words
    }
}

impl PartialEq for Vocabulary {
    fn eq(&self, other: &Self) -> bool {
        self.words == other.words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_for_ever() {
        let mut colours = Vocabulary::default();
        assert_eq!(["red", "blue", "red"].map(|word| colours.learn(word)), [Some(0), Some(1), Some(0)]);
        let again = Vocabulary::from(Vec::from(colours.clone()));
        assert_eq!((again.code("blue"), again.code("green"), again.word(0)), (Some(1), None, Some("red")));
        assert_eq!(again, colours);
    }

    #[test]
    fn there_is_an_end_to_new_names() {
        let words: Vec<String> = (0..WORDS_MAX).map(|word| word.to_string()).collect();
        let mut full = Vocabulary::from(words);
        assert_eq!((full.learn("one more"), full.learn("7")), (None, Some(7)));
    }
}

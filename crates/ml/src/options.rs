//! Reading a model's options, all of them strings as SQL hands them over.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use thiserror::Error;

/// What is wrong with the options of a model.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OptionError {
    /// No algorithm of this name.
    #[error("unknown algorithm '{name}'; known algorithms: {known}")]
    UnknownAlgorithm {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The algorithm has no such option.
    #[error("unknown option '{name}' of {algorithm}; known options: {known}")]
    UnknownOption {
        /// The algorithm.
        algorithm: &'static str,
        /// The option asked for.
        name: String,
        /// The options there are.
        known: String,
    },
    /// The same option, written twice in different case.
    #[error("option '{name}' is given twice")]
    Twice {
        /// The option.
        name: String,
    },
    /// A value that cannot be used.
    #[error("option '{name}' is '{value}', expected {expected}")]
    Invalid {
        /// The option.
        name: &'static str,
        /// What was given.
        value: String,
        /// What would be accepted.
        expected: String,
    },
    /// An option that cannot be changed once the model is there.
    #[error("option '{name}' of {algorithm} cannot be changed")]
    Fixed {
        /// The algorithm.
        algorithm: &'static str,
        /// The option.
        name: String,
    },
    /// The rows or the label are not what the algorithm learns from.
    #[error("{algorithm} {needs}")]
    Schema {
        /// The algorithm.
        algorithm: &'static str,
        /// What it needs, to follow its name in a sentence.
        needs: &'static str,
    },
    /// Two options that say the same or contradict each other.
    #[error("options '{one}' and '{other}' cannot be given together")]
    Conflict {
        /// The one.
        one: &'static str,
        /// The other.
        other: &'static str,
    },
    /// An option that needs another one.
    #[error("option '{name}' is only used with {with}")]
    Unused {
        /// The option.
        name: &'static str,
        /// What would use it.
        with: &'static str,
    },
}

/// The given options of one algorithm, checked to be known ones.
#[derive(Debug)]
pub(crate) struct Options {
    given: BTreeMap<String, String>,
}

impl Options {
    /// Takes the options over, keys in lower case.
    pub(crate) fn new(
        algorithm: &'static str,
        known: &[&str],
        options: &BTreeMap<String, String>,
    ) -> Result<Self, OptionError> {
        let mut given = BTreeMap::new();
        for (key, value) in options {
            let name = key.to_ascii_lowercase();
            if !known.contains(&name.as_str()) {
                return Err(OptionError::UnknownOption {
                    algorithm,
                    name: key.clone(),
                    known: known.join(", "),
                });
            }
            if given.insert(name.clone(), value.trim().to_owned()).is_some() {
                return Err(OptionError::Twice { name });
            }
        }
        Ok(Options { given })
    }

    /// The same but for one.
    pub(crate) fn without(&self, name: &str) -> Self {
        let given = self.given.iter().filter(|(key, _)| key.as_str() != name);
        Options { given: given.map(|(key, value)| (key.clone(), value.clone())).collect() }
    }

    /// The raw value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(String::as_str)
    }

    /// A number within a range.
    pub(crate) fn number<T>(
        &self,
        name: &'static str,
        range: RangeInclusive<T>,
    ) -> Result<Option<T>, OptionError>
    where
        T: FromStr + PartialOrd + Display,
    {
        let Some(text) = self.get(name) else { return Ok(None) };
        match text.parse::<T>() {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            _ => {
                let expected = format!("a number from {} to {}", range.start(), range.end());
                Err(self.invalid(name, expected))
            }
        }
    }

    /// Replaces `place` by a number within a range, if one is given.
    pub(crate) fn set<T>(
        &self,
        name: &'static str,
        range: RangeInclusive<T>,
        place: &mut T,
    ) -> Result<(), OptionError>
    where
        T: FromStr + PartialOrd + Display,
    {
        if let Some(number) = self.number(name, range)? {
            *place = number;
        }
        Ok(())
    }

    /// Yes or no.
    pub(crate) fn flag(&self, name: &'static str) -> Result<Option<bool>, OptionError> {
        match self.get(name).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(self.invalid(name, "true or false")),
        }
    }

    /// One of several words, as what it stands for; regardless of case.
    pub(crate) fn choice<T: Copy>(
        &self,
        name: &'static str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, OptionError> {
        let Some(given) = self.get(name) else { return Ok(None) };
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(given));
        let known = || words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        found
            .map(|&(_, choice)| Some(choice))
            .ok_or_else(|| self.invalid(name, format!("one of {}", known())))
    }

    /// An error about the value of `name`.
    pub(crate) fn invalid(&self, name: &'static str, expected: impl Into<String>) -> OptionError {
        let value = self.get(name).unwrap_or_default().to_owned();
        OptionError::Invalid { name, value, expected: expected.into() }
    }
}

/// A name in lower case, and arguments by theirs.
pub(crate) type Call = (String, BTreeMap<String, String>);

/// Reads a list such as `'impute(strategy=median), standard_scaler'`; `None` if it is malformed.
pub(crate) fn calls(list: &str) -> Option<Vec<Call>> {
    let mut calls = Vec::new();
    let mut rest = list.trim();
    while !rest.is_empty() {
        let end = rest.find([',', '(']).unwrap_or(rest.len());
        let name = rest[..end].trim().to_ascii_lowercase();
        let mut arguments = BTreeMap::new();
        if rest[end..].starts_with('(') {
            let close = rest.find(')')?;
            for argument in rest[end + 1..close].split(',').filter(|argument| !argument.trim().is_empty()) {
                let (key, value) = argument.split_once('=')?;
                arguments.insert(key.trim().to_owned(), value.trim().to_owned());
            }
            rest = rest[close + 1..].trim_start();
        } else {
            rest = &rest[end..];
        }
        if name.is_empty() || !(rest.is_empty() || rest.starts_with(',')) {
            return None;
        }
        rest = rest.trim_start_matches(',').trim_start();
        calls.push((name, arguments));
    }
    Some(calls)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_come_in_order_with_their_arguments() {
        let found = calls(" Impute(strategy = median, x=1) , standard_scaler,one_hot() ").unwrap();
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["impute", "standard_scaler", "one_hot"]);
        assert_eq!(found[0].1["strategy"], "median");
        assert_eq!((found[0].1.len(), found[1].1.len()), (2, 0));
        for bad in ["a(b", "a(b)", "a b(c=d) e", "(x=1)", ",a", "a(x=1)b"] {
            assert!(calls(bad).is_none(), "{bad}");
        }
    }
}

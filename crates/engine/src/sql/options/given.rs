//! Options, taken one by one by name; what is left over is not known.

use std::collections::BTreeMap;

use crate::error::{Position, SqlError};
use crate::sql::statement::{OptionValue, Options};

/// The options of one statement.
#[derive(Debug)]
pub(crate) struct Given<'a> {
    position: Position,
    /// By their names in lower case.
    left: BTreeMap<String, (&'a str, &'a OptionValue)>,
    known: Vec<&'static str>,
}

impl<'a> Given<'a> {
    pub(crate) fn new(options: &'a Options) -> Self {
        let given = options.given.iter();
        let left = given.map(|(name, value)| (name.to_lowercase(), (name.as_str(), value))).collect();
        Given { position: options.position, left, known: Vec::new() }
    }

    /// The option, if it is given.
    pub(crate) fn take(&mut self, name: &'static str) -> Option<&'a OptionValue> {
        self.known.push(name);
        self.also(name)
    }

    /// As `take`, of a name that is understood and not advertised.
    pub(crate) fn also(&mut self, name: &str) -> Option<&'a OptionValue> {
        self.left.remove(&name.to_lowercase()).map(|(_, value)| value)
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        self.take(name).map(|value| value.text.clone())
    }

    pub(crate) fn number(&mut self, name: &'static str, min: u64, max: u64) -> Result<Option<u64>, SqlError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        match value.text.parse::<u64>() {
            Ok(number) if (min..=max).contains(&number) => Ok(Some(number)),
            _ => {
                let reason = format!("{name} is a whole number from {min} to {max}, not '{}'", value.text);
                Err(wrong(value, reason))
            }
        }
    }

    pub(crate) fn boolean(&mut self, name: &'static str, default: bool) -> Result<bool, SqlError> {
        let Some(value) = self.take(name) else { return Ok(default) };
        match value.text.to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(wrong(value, format!("{name} is true or false, not '{other}'"))),
        }
    }

    /// A duration as Spark writes it, in milliseconds: `15m`, `500ms`, `1h`, `7d`, `2 minutes`.
    pub(crate) fn duration_ms(&mut self, name: &'static str) -> Result<Option<u64>, SqlError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let text = value.text.trim();
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let unit = match text[digits..].trim().to_ascii_lowercase().as_str() {
            "ms" | "millisecond" | "milliseconds" => Some(1),
            "s" | "second" | "seconds" => Some(1_000),
            "m" | "min" | "minute" | "minutes" => Some(60_000),
            "h" | "hour" | "hours" => Some(3_600_000),
            "d" | "day" | "days" => Some(86_400_000),
            _ => None,
        };
        let duration = text[..digits].parse::<u64>().ok().zip(unit).and_then(|(n, unit)| n.checked_mul(unit));
        let reason = || format!("{name} is a duration such as '15m' or '500ms', not '{text}'");
        duration.map(Some).ok_or_else(|| wrong(value, reason()))
    }

    /// A duration, or a plain number of seconds.
    pub(crate) fn seconds(&mut self, name: &'static str) -> Result<Option<u64>, SqlError> {
        let plain = self.left.get(&name.to_lowercase()).and_then(|(_, value)| value.text.parse::<u64>().ok());
        match plain {
            Some(seconds) => {
                self.take(name);
                Ok(Some(seconds))
            }
            None => Ok(self.duration_ms(name)?.map(|ms| ms / 1_000)),
        }
    }

    /// One byte.
    pub(crate) fn character(&mut self, name: &'static str, default: u8) -> Result<u8, SqlError> {
        let Some(value) = self.take(name) else { return Ok(default) };
        match value.text.as_bytes() {
            [byte] => Ok(*byte),
            b"\\t" => Ok(b'\t'),
            _ => Err(wrong(value, format!("{name} is one ASCII character, not '{}'", value.text))),
        }
    }

    /// All options whose names begin so, with the rest of their names.
    pub(crate) fn prefixed(&mut self, prefix: &str) -> BTreeMap<String, String> {
        let names: Vec<String> = self.left.keys().filter(|name| name.starts_with(prefix)).cloned().collect();
        names
            .iter()
            .filter_map(|name| Some((name[prefix.len()..].to_owned(), self.also(name)?.text.clone())))
            .collect()
    }

    /// An error where the options stand.
    pub(crate) fn missing(&self, reason: &str) -> SqlError {
        SqlError::Syntax { position: self.position, reason: reason.to_owned() }
    }

    /// # Errors
    /// An option is left that nobody has taken.
    pub(crate) fn finish(self) -> Result<(), SqlError> {
        let Some((name, value)) = self.left.into_values().next() else { return Ok(()) };
        let known = self.known.join(", ");
        Err(wrong(value, format!("option {name} is not known; known are {known}")))
    }
}

/// An error where the value stands.
pub(crate) fn wrong(value: &OptionValue, reason: impl Into<String>) -> SqlError {
    SqlError::Syntax { position: value.position, reason: reason.into() }
}

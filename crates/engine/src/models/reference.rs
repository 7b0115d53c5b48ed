//! How a query names a model: `m`, `m@7`, `m@2026-05-04T10:00:00Z`.

use datafusion::arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;

use crate::error::SqlError;

/// A model, and which of its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// In lower case.
    pub(crate) model: String,
    pub(crate) at: At,
}

/// Which version of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    /// The latest, or the one that the model is pinned to.
    Current,
    /// That one.
    Version(u64),
    /// The one that was the latest then, in Unix milliseconds.
    Time(i64),
}

impl Reference {
    /// # Errors
    /// If what follows the `@` is neither a version nor a time.
    pub(crate) fn parse(text: &str) -> Result<Self, SqlError> {
        let Some((model, at)) = text.split_once('@') else {
            return Ok(Reference { model: text.to_lowercase(), at: At::Current });
        };
        let at = match at.parse() {
            Ok(version) => At::Version(version),
            Err(_) => At::Time(time(at).ok_or_else(|| {
                let reason =
                    "after the @ stands a version, such as 7, or a time, such as 2026-05-04T10:00:00Z";
                SqlError::invalid(format!("'{text}'"), reason)
            })?),
        };
        Ok(Reference { model: model.to_lowercase(), at })
    }
}

/// A time in Unix milliseconds; in UTC unless it says otherwise.
fn time(text: &str) -> Option<i64> {
    string_to_timestamp_nanos(text).ok().map(|nanos| nanos.div_euclid(1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_named_with_or_without_its_version() {
        let parsed = |text| Reference::parse(text).map(|reference| (reference.model, reference.at));
        assert_eq!(parsed("Segments").unwrap(), ("segments".to_owned(), At::Current));
        assert_eq!(parsed("m@12").unwrap(), ("m".to_owned(), At::Version(12)));
        assert_eq!(parsed("m@1970-01-01T00:00:01.5Z").unwrap(), ("m".to_owned(), At::Time(1_500)));
        assert_eq!(parsed("m@1970-01-01 01:00:00+01:00").unwrap(), ("m".to_owned(), At::Time(0)));
        assert!(parsed("m@yesterday").unwrap_err().to_string().contains("a version, such as 7"));
    }
}

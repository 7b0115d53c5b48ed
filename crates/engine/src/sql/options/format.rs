//! The options that say what bytes mean.

use crate::error::SqlError;
use crate::source::format::Format;
use crate::source::format::csv::Csv;
use crate::sql::options::given::{Given, wrong};

/// Of records in a topic. Without the option, a table that names columns means JSON, and one that names none the
/// record itself.
pub(super) fn of_records(given: &mut Given<'_>, columns: bool) -> Result<Format, SqlError> {
    let Some(value) = given.take("format").or_else(|| given.also("value.format")) else {
        return Ok(if columns { Format::Json } else { Format::Record });
    };
    match value.text.to_ascii_lowercase().as_str() {
        "raw" => Ok(Format::Raw),
        "kafka" => Ok(Format::Record),
        word => lines(given, word)?.ok_or_else(|| {
            let known = "known are 'json', 'csv', 'text' and 'raw'";
            wrong(value, format!("format '{}' is not known; {known}", value.text))
        }),
    }
}

/// Of one line of text.
pub(super) fn lines(given: &mut Given<'_>, word: &str) -> Result<Option<Format>, SqlError> {
    Ok(match word {
        "json" => Some(Format::Json),
        "text" => Some(Format::Text),
        "csv" => Some(Format::Csv(csv(given)?)),
        _ => None,
    })
}

fn csv(given: &mut Given<'_>) -> Result<Csv, SqlError> {
    let default = Csv::default();
    let separator = given.character("sep", default.separator)?;
    Ok(Csv {
        separator: given.character("delimiter", separator)?,
        quote: given.character("quote", default.quote)?,
        escape: given.character("escape", default.escape)?,
        null: given.text("nullValue").filter(|null| !null.is_empty()),
        header: given.boolean("header", false)?,
    })
}

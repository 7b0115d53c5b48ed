//! The types of columns of separated values, from what their cells say.

use datafusion::arrow::datatypes::{DataType, TimeUnit};

use super::records::Csv;
use crate::functions::time;
use crate::sql::types::UTC;

/// Digits of the largest decimal.
const DIGITS_MAX: usize = 38;

/// A type that has room for the cells so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guess {
    /// There was no cell.
    Nothing,
    Int,
    Long,
    /// Whole numbers of so many digits.
    Decimal(usize),
    Double,
    Date,
    Timestamp,
    Boolean,
    Text,
}

impl Guess {
    /// With one more cell.
    pub(super) fn with(self, cell: &str, csv: &Csv) -> Guess {
        if self == Guess::Text { self } else { self.and(of(cell, csv)) }
    }

    fn and(self, other: Guess) -> Guess {
        use Guess::{Date, Decimal, Double, Int, Long, Nothing, Text, Timestamp};
        match (self, other) {
            (Nothing, known) | (known, Nothing) => known,
            (one, other) if one == other => one,
            (Int, Long) | (Long, Int) => Long,
            (Decimal(one), Decimal(other)) => Decimal(one.max(other)),
            (Int | Long, Decimal(digits)) | (Decimal(digits), Int | Long) => Decimal(digits.max(20)),
            (Int | Long | Decimal(_), Double) | (Double, Int | Long | Decimal(_)) => Double,
            (Date, Timestamp) | (Timestamp, Date) => Timestamp,
            _ => Text,
        }
    }

    pub(super) fn data_type(self) -> DataType {
        match self {
            Guess::Nothing | Guess::Text => DataType::Utf8,
            Guess::Int => DataType::Int32,
            Guess::Long => DataType::Int64,
            Guess::Decimal(digits) => DataType::Decimal128(u8::try_from(digits).unwrap_or(38), 0),
            Guess::Double => DataType::Float64,
            Guess::Date => DataType::Date32,
            Guess::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
            Guess::Boolean => DataType::Boolean,
        }
    }
}

fn of(cell: &str, csv: &Csv) -> Guess {
    if cell.parse::<i32>().is_ok() {
        return Guess::Int;
    }
    if cell.parse::<i64>().is_ok() {
        return Guess::Long;
    }
    let digits = cell.strip_prefix(['-', '+']).unwrap_or(cell);
    if digits.len() <= DIGITS_MAX && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Guess::Decimal(digits.len());
    }
    if csv.is_fraction(cell) {
        return Guess::Double;
    }
    if is_date(cell, csv) {
        return Guess::Date;
    }
    if time::read_instant(cell, csv.times.as_ref(), csv.zone).is_some() {
        return Guess::Timestamp;
    }
    match cell.to_lowercase().as_str() {
        "true" | "false" => Guess::Boolean,
        _ => Guess::Text,
    }
}

/// Without a pattern a date is year, month and day, and nothing else.
fn is_date(cell: &str, csv: &Csv) -> bool {
    let plain = || {
        let parts: Vec<&str> = cell.trim().split('-').collect();
        let digits = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        parts.len() == 3 && parts[0].len() >= 4 && parts.iter().all(digits)
    };
    (csv.dates.is_some() || plain()) && time::read_date(cell, csv.dates.as_ref()).is_some()
}

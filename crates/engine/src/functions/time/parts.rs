//! Parts of dates and times, and counting in them.

use chrono::{Datelike as _, NaiveDate};
use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{Int32Type, Int64Type, TimestampMicrosecondType};
use datafusion::common::Result;

use super::civil::{Civil, DAY, SECOND, add_months, date_of};
use super::{day_of, instant_of, instants};
use crate::functions::own::{Call, wrong};

/// What a date is asked for.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Year,
    Quarter,
    Month,
    Day,
    /// Sunday is 1.
    DayOfWeek,
    DayOfYear,
    /// ISO 8601.
    Week,
}

pub(super) fn part(call: &Call, part: Part) -> Result<ArrayRef> {
    let call = instants(call, 0)?;
    call.numbers::<Int32Type>(|row| {
        Ok(day_of(instant_of(row, 0)?).and_then(date_of).map(|date| of(date, part)))
    })
}

fn of(date: NaiveDate, part: Part) -> i32 {
    let number = match part {
        Part::Year => return date.year(),
        Part::Quarter => date.month0() / 3 + 1,
        Part::Month => date.month(),
        Part::Day => date.day(),
        Part::DayOfWeek => date.weekday().num_days_from_sunday() + 1,
        Part::DayOfYear => date.ordinal(),
        Part::Week => date.iso_week().week(),
    };
    number.cast_signed()
}

/// A unit: so many months, or so many microseconds.
enum Unit {
    Months(i64),
    Micros(i64),
}

fn unit(name: &str) -> Result<Unit> {
    Ok(match name.to_uppercase().as_str() {
        "YEAR" => Unit::Months(12),
        "QUARTER" => Unit::Months(3),
        "MONTH" => Unit::Months(1),
        "WEEK" => Unit::Micros(7 * DAY),
        "DAY" | "DAYOFYEAR" => Unit::Micros(DAY),
        "HOUR" => Unit::Micros(3_600 * SECOND),
        "MINUTE" => Unit::Micros(60 * SECOND),
        "SECOND" => Unit::Micros(SECOND),
        "MILLISECOND" => Unit::Micros(1_000),
        "MICROSECOND" => Unit::Micros(1),
        other => return wrong(format!("{other} is no unit of time; HOUR is one")),
    })
}

/// `timestampadd(HOUR, 5, t)`
pub(super) fn add(call: &Call) -> Result<ArrayRef> {
    let call = instants(call, 2)?;
    call.numbers::<TimestampMicrosecondType>(|row| {
        let (count, instant) = (i64::from(row.int(1)), instant_of(row, 2)?);
        Ok(match unit(row.text(0))? {
            Unit::Micros(micros) => count.checked_mul(micros).and_then(|ahead| instant.checked_add(ahead)),
            Unit::Months(months) => Civil::of(instant).and_then(|time| {
                let date = add_months(time.date, i32::try_from(count * months).ok()?)?;
                Civil { date, ..time }.instant()
            }),
        })
    })
}

/// Whole units from the second argument to the third.
pub(super) fn difference(call: &Call) -> Result<ArrayRef> {
    let call = instants(&instants(call, 1)?, 2)?;
    call.numbers::<Int64Type>(|row| {
        let (from, to) = (instant_of(row, 1)?, instant_of(row, 2)?);
        Ok(match unit(row.text(0))? {
            Unit::Micros(micros) => Some((to - from) / micros),
            Unit::Months(months) => {
                let (Some(start), Some(end)) = (Civil::of(from), Civil::of(to)) else { return Ok(None) };
                let count = |time: Civil| i64::from(time.date.year()) * 12 + i64::from(time.date.month());
                let within = |time: Civil| i64::from(time.date.day()) * DAY + time.micros;
                let mut whole = count(end) - count(start);
                // A month that has begun and not ended is none.
                if to >= from && within(end) < within(start) {
                    whole -= 1;
                } else if to < from && within(end) > within(start) {
                    whole += 1;
                }
                Some(whole / months)
            }
        })
    })
}

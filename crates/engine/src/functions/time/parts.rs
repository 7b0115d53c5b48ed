//! Parts of dates and times, and counting in them.

use chrono::{Datelike as _, NaiveDate};
use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use datafusion::common::Result;

use super::civil::{Civil, DAY, SECOND, add_months};
use super::zone::Zone;
use super::{day_of, instant_of, instants, no_zone};
use crate::functions::cast::changed;
use crate::functions::own::{Call, Planned, refused, wrong};

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
    /// The year that the week belongs to.
    YearOfWeek,
    /// Monday is 1.
    DayOfWeekIso,
    Hour,
    Minute,
}

/// What `extract` names; `None` for seconds, which have a fraction.
fn named(name: &str) -> Result<Option<Part>> {
    Ok(Some(match name.to_uppercase().as_str() {
        "YEAR" | "Y" | "YEARS" | "YR" | "YRS" => Part::Year,
        "YEAROFWEEK" => Part::YearOfWeek,
        "QUARTER" | "QTR" => Part::Quarter,
        "MONTH" | "MON" | "MONS" | "MONTHS" => Part::Month,
        "WEEK" | "W" | "WEEKS" => Part::Week,
        "DAY" | "D" | "DAYS" => Part::Day,
        "DAYOFWEEK" | "DOW" => Part::DayOfWeek,
        "DAYOFWEEK_ISO" | "DOW_ISO" => Part::DayOfWeekIso,
        "DOY" => Part::DayOfYear,
        "HOUR" | "H" | "HOURS" | "HR" | "HRS" => Part::Hour,
        "MINUTE" | "M" | "MIN" | "MINS" | "MINUTES" => Part::Minute,
        "SECOND" | "S" | "SEC" | "SECONDS" | "SECS" => return Ok(None),
        other => return refused("INVALID_EXTRACT_FIELD", &format!("{other} is no part of a time")),
    }))
}

/// `extract(SECOND FROM t)` has six digits behind the point.
const SECONDS: DataType = DataType::Decimal128(8, 6);

pub(super) fn date_part_gives(planned: &Planned<'_>) -> Result<DataType> {
    let constant = planned.constants.first().copied().flatten();
    match constant.and_then(|constant| constant.try_as_str().flatten()) {
        Some(name) => Ok(named(name)?.map_or(SECONDS, |_| DataType::Int32)),
        None => wrong("date_part: the part is a text in quotes, such as 'MONTH'"),
    }
}

/// `date_part('MONTH', t)`
pub(super) fn date_part(call: &Call) -> Result<ArrayRef> {
    let call = instants(call, 1)?;
    if call.gives == SECONDS {
        return call.numbers::<Decimal128Type>(|row| {
            Ok(Some(i128::from(instant_of(row, 1)?.rem_euclid(60 * SECOND))))
        });
    }
    call.numbers::<Int32Type>(|row| {
        let part = named(row.text(0))?;
        Ok(Civil::of(instant_of(row, 1)?).zip(part).map(|(time, part)| of(time, part)))
    })
}

/// `make_timestamp(year, month, day, hour, minute, second [, zone])`
pub(super) fn make_timestamp(call: &Call) -> Result<ArrayRef> {
    call.numbers::<TimestampMicrosecondType>(|row| {
        let beyond = || refused("DATETIME_FIELD_OUT_OF_BOUNDS", "make_timestamp: there is no such time");
        let whole = |argument: usize| u32::try_from(row.int(argument)).ok();
        let date =
            whole(1).zip(whole(2)).and_then(|(month, day)| NaiveDate::from_ymd_opt(row.int(0), month, day));
        let (hour, minute) = (i64::from(row.int(3)), i64::from(row.int(4)));
        let micros = (row.double(5) * 1e6).round() as i64;
        let within = (0..24).contains(&hour) && (0..60).contains(&minute);
        // A minute may end with its 60th second.
        let Some(date) = date.filter(|_| within && (0..=60 * SECOND).contains(&micros)) else {
            return beyond();
        };
        let time = Civil { date, micros: (hour * 3_600 + minute * 60) * SECOND + micros };
        let Some(local) = time.instant() else { return beyond() };
        if row.count() < 7 {
            return Ok(Some(local));
        }
        let Some(zone) = Zone::parse(row.text(6)) else { return no_zone(row.text(6)) };
        Ok(local.checked_sub(zone.offset_when(local.div_euclid(SECOND)) * SECOND))
    })
}

/// `convert_timezone([from,] to, local time)`
pub(super) fn convert_timezone(call: &Call) -> Result<ArrayRef> {
    let last = call.arguments.len() - 1;
    let mut arguments = call.arguments.clone();
    arguments[last] = changed(&arguments[last], &call.gives, false)?;
    Call { arguments, ..call.with_gives(call.gives.clone()) }.numbers::<TimestampMicrosecondType>(|row| {
        let zone = |argument: usize| {
            let name = if last == 2 { row.text(argument) } else { ["UTC", row.text(0)][argument] };
            Zone::parse(name).map_or_else(|| no_zone(name), Ok)
        };
        let local = row.instant(last);
        let instant = local - zone(0)?.offset_when(local.div_euclid(SECOND)) * SECOND;
        Ok(instant.checked_add(zone(1)?.offset_at(instant.div_euclid(SECOND)) * SECOND))
    })
}

/// A clock's time, without a zone.
pub(super) fn local(_: &Planned<'_>) -> Result<DataType> {
    Ok(DataType::Timestamp(TimeUnit::Microsecond, None))
}

/// Days later; beyond the calendar is an error.
pub(super) fn date_add(call: &Call) -> Result<ArrayRef> {
    let call = instants(call, 0)?;
    let back = call.name == "date_sub";
    call.numbers::<Date32Type>(|row| {
        let Some(day) = day_of(instant_of(row, 0)?) else { return Ok(None) };
        let count = row.int(1);
        let moved = if back { day.checked_sub(count) } else { day.checked_add(count) };
        match moved {
            None => refused("ARITHMETIC_OVERFLOW", "the date lies beyond the calendar"),
            moved => Ok(moved),
        }
    })
}

pub(super) fn part(call: &Call, part: Part) -> Result<ArrayRef> {
    let call = instants(call, 0)?;
    call.numbers::<Int32Type>(|row| Ok(Civil::of(instant_of(row, 0)?).map(|time| of(time, part))))
}

fn of(time: Civil, part: Part) -> i32 {
    let date = time.date;
    let number = match part {
        Part::Year => return date.year(),
        Part::Quarter => date.month0() / 3 + 1,
        Part::Month => date.month(),
        Part::Day => date.day(),
        Part::DayOfWeek => date.weekday().num_days_from_sunday() + 1,
        Part::DayOfYear => date.ordinal(),
        Part::Week => date.iso_week().week(),
        Part::YearOfWeek => return date.iso_week().year(),
        Part::DayOfWeekIso => date.weekday().number_from_monday(),
        Part::Hour => return i32::try_from(time.hour()).unwrap_or(0),
        Part::Minute => return i32::try_from(time.minute()).unwrap_or(0),
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

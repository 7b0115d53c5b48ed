//! Parts of dates and times, and counting in them.

use std::sync::Arc;

use chrono::{Datelike as _, NaiveDate};
use datafusion::arrow::array::{ArrayRef, AsArray as _, PrimitiveArray};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Int32Type, TimeUnit, TimestampMicrosecondType,
};
use datafusion::common::Result;

use super::civil::{Civil, DAY, SECOND};
use super::zone::Zone;
use super::{day_of, local_of, locals, no_zone};
use crate::functions::cast::{Manner, changed};
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
    /// Monday is 0.
    Weekday,
    Hour,
    Minute,
    Second,
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
    let call = locals(call, 1)?;
    if call.gives == SECONDS {
        return call.numbers::<Decimal128Type>(|row| {
            Ok(Some(i128::from(local_of(row, 1)?.rem_euclid(60 * SECOND))))
        });
    }
    call.numbers::<Int32Type>(|row| {
        let part = named(row.text(0))?;
        let local = local_of(row, 1)?;
        Ok(part.and_then(|part| of(local, part)))
    })
}

/// `make_timestamp(year, month, day, hour, minute, second [, zone])`
pub(super) fn make_timestamp(call: &Call) -> Result<ArrayRef> {
    let without = matches!(call.gives, DataType::Timestamp(_, None));
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
        let zone = match row.count() {
            7 => Zone::parse(row.text(6)).map_or_else(|| no_zone(row.text(6)), Ok)?,
            _ if without => Zone::UTC,
            _ => row.zone(),
        };
        Ok(zone.instant(local))
    })
}

/// `convert_timezone([from,] to, local time)`
pub(super) fn convert_timezone(call: &Call) -> Result<ArrayRef> {
    let last = call.arguments.len() - 1;
    let mut arguments = call.arguments.clone();
    arguments[last] = changed(&arguments[last], &call.gives, Manner { forgiving: false, zone: call.zone })?;
    Call { arguments, ..call.with_gives(call.gives.clone()) }.numbers::<TimestampMicrosecondType>(|row| {
        let zone = |argument: usize| {
            let name = row.text(argument);
            Zone::parse(name).map_or_else(|| no_zone(name), Ok)
        };
        let from = if last == 2 { zone(0)? } else { row.zone() };
        let to = zone(last - 1)?;
        Ok(from.instant(row.instant(last)).map(|instant| to.local(instant)))
    })
}

/// A clock's time, without a zone.
pub(super) fn local(_: &Planned<'_>) -> Result<DataType> {
    Ok(DataType::Timestamp(TimeUnit::Microsecond, None))
}

/// Days later; beyond the calendar is an error.
pub(super) fn date_add(call: &Call) -> Result<ArrayRef> {
    let call = locals(call, 0)?;
    let back = call.name == "date_sub";
    call.numbers::<Date32Type>(|row| {
        let Some(day) = day_of(local_of(row, 0)?) else { return Ok(None) };
        let count = row.int(1);
        let moved = if back { day.checked_sub(count) } else { day.checked_add(count) };
        match moved {
            None => refused("ARITHMETIC_OVERFLOW", "the date lies beyond the calendar"),
            moved => Ok(moved),
        }
    })
}

pub(super) fn part(call: &Call, part: Part) -> Result<ArrayRef> {
    let call = locals(call, 0)?;
    if let Some(locals) = call.arguments[0].as_primitive_opt::<TimestampMicrosecondType>() {
        let parts: PrimitiveArray<Int32Type> = locals.unary_opt(|local| of(local, part));
        return Ok(Arc::new(parts));
    }
    call.numbers::<Int32Type>(|row| Ok(of(local_of(row, 0)?, part)))
}

/// `None` beyond the calendar.
fn of(local: i64, part: Part) -> Option<i32> {
    let of_day = local.rem_euclid(DAY) / SECOND;
    let clock = match part {
        Part::Hour => Some(of_day / 3_600),
        Part::Minute => Some(of_day / 60 % 60),
        Part::Second => Some(of_day % 60),
        _ => None,
    };
    if clock.is_some() {
        return clock.and_then(|number| i32::try_from(number).ok());
    }
    let date = Civil::of(local)?.date;
    let number = match part {
        Part::Year => return Some(date.year()),
        Part::YearOfWeek => return Some(date.iso_week().year()),
        Part::Quarter => date.month0() / 3 + 1,
        Part::Month => date.month(),
        Part::Day => date.day(),
        Part::DayOfWeek => date.weekday().num_days_from_sunday() + 1,
        Part::DayOfYear => date.ordinal(),
        Part::Week => date.iso_week().week(),
        Part::DayOfWeekIso => date.weekday().number_from_monday(),
        _ => date.weekday().num_days_from_monday(),
    };
    Some(number.cast_signed())
}

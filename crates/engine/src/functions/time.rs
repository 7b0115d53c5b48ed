//! Dates, times and zones.

use std::sync::Arc;

use chrono::{Datelike as _, Weekday};
use datafusion::arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use datafusion::common::Result;

use crate::functions::own::{
    Call, Kind, Own, Planned, Row, date, double, instant, int, is_text, long, refused, text, timestamp, wrong,
};

mod civil;
mod count;
pub(super) mod now;
mod parts;
pub(super) mod pattern;
mod read;
mod zone;

use civil::{Civil, DAY, SECOND, date_of, days_of};
pub(crate) use count::shift;
use pattern::Pattern;
pub use zone::Zone;

const TEXT: Kind = Kind::Text;

/// Year, month, day, hour, minute, second and zone.
const TIMES: &[Kind] = &[Kind::Int, Kind::Int, Kind::Int, Kind::Int, Kind::Int, Kind::Double, Kind::Text];

pub(super) const FUNCTIONS: &[Own] = &[
    Own::new("to_timestamp", &[Kind::Any, TEXT], timestamp, to_timestamp)
        .optional(1)
        .also(&["to_timestamp_ltz"]),
    Own::new("try_to_timestamp", &[Kind::Any, TEXT], timestamp, to_timestamp).optional(1),
    Own::new("to_date", &[Kind::Any, TEXT], date, to_date).optional(1),
    Own::new("unix_timestamp", &[Kind::Any, TEXT], long, unix_timestamp)
        .optional(1)
        .also(&["to_unix_timestamp"]),
    Own::new("from_unixtime", &[Kind::Long, TEXT], text, from_unixtime).optional(1),
    Own::new("date_format", &[Kind::Any, TEXT], text, date_format),
    Own::new("from_utc_timestamp", &[Kind::Any, TEXT], timestamp, from_utc),
    Own::new("to_utc_timestamp", &[Kind::Any, TEXT], timestamp, to_utc),
    Own::new("timestamp_seconds", &[Kind::Any], timestamp, timestamp_seconds),
    Own::new("timestamp_millis", &[Kind::Long], timestamp, |call| scaled(call, 1_000)),
    Own::new("timestamp_micros", &[Kind::Long], timestamp, |call| scaled(call, 1)),
    Own::new("date_trunc", &[TEXT, Kind::Any], timestamp, date_trunc),
    Own::new("trunc", &[Kind::Any, TEXT], trunc_gives, trunc),
    Own::new("months_between", &[Kind::Any, Kind::Any, Kind::Boolean], double, months_between).optional(1),
    Own::new("next_day", &[Kind::Any, TEXT], date, next_day),
    Own::new("last_day", &[Kind::Any], date, last_day),
    Own::new("dayname", &[Kind::Any], text, |call| call_dates(call, "EEE")),
    Own::new("monthname", &[Kind::Any], text, |call| call_dates(call, "MMM")),
    Own::new("add_months", &[Kind::Any, Kind::Int], date, add_months),
    Own::new("date_add", &[Kind::Any, Kind::Int], date, parts::date_add).also(&["dateadd"]),
    Own::new("date_sub", &[Kind::Any, Kind::Int], date, parts::date_add),
    Own::new("date_part", &[TEXT, Kind::Any], parts::date_part_gives, parts::date_part).also(&["datepart"]),
    Own::new("convert_timezone", &[TEXT, Kind::Any, Kind::Any], parts::local, parts::convert_timezone)
        .optional(1),
    Own::new("make_timestamp", TIMES, timestamp, parts::make_timestamp)
        .optional(1)
        .also(&["make_timestamp_ltz"]),
    Own::new("make_timestamp_ntz", TIMES, parts::local, parts::make_timestamp).optional(1),
    Own::new("year", &[Kind::Any], int, |call| parts::part(call, parts::Part::Year)),
    Own::new("quarter", &[Kind::Any], int, |call| parts::part(call, parts::Part::Quarter)),
    Own::new("month", &[Kind::Any], int, |call| parts::part(call, parts::Part::Month)),
    Own::new("day", &[Kind::Any], int, |call| parts::part(call, parts::Part::Day)).also(&["dayofmonth"]),
    Own::new("dayofweek", &[Kind::Any], int, |call| parts::part(call, parts::Part::DayOfWeek)),
    Own::new("dayofyear", &[Kind::Any], int, |call| parts::part(call, parts::Part::DayOfYear)),
    Own::new("weekofyear", &[Kind::Any], int, |call| parts::part(call, parts::Part::Week)),
    Own::new("weekday", &[Kind::Any], int, |call| parts::part(call, parts::Part::Weekday)),
    Own::new("hour", &[Kind::Any], int, |call| parts::part(call, parts::Part::Hour)),
    Own::new("minute", &[Kind::Any], int, |call| parts::part(call, parts::Part::Minute)),
    Own::new("second", &[Kind::Any], int, |call| parts::part(call, parts::Part::Second)),
    Own::new("timestampadd", &[TEXT, Kind::Int, Kind::Any], count::add_gives, count::add),
    Own::new("timestampdiff", &[TEXT, Kind::Any, Kind::Any], long, count::difference),
];

/// A timestamp and an interval, in the session's calendar; queries do not name it.
pub(crate) const SHIFT: &str = "__shift";

/// The function.
pub(super) const SHIFTED: Own = Own::new(SHIFT, &[Kind::Any, Kind::Any], timestamp, count::shifted);

/// A string as a date, in the pattern or as Spark's casts read it.
pub(super) fn read_date(text: &str, pattern: Option<&Pattern>) -> Option<i32> {
    pattern.map_or_else(|| read::date(text), |pattern| pattern.date(text))
}

/// A string as an instant, in the pattern or as Spark's casts read it; of the zone if it names none.
pub(super) fn read_instant(text: &str, pattern: Option<&Pattern>, zone: Zone) -> Option<i64> {
    pattern.map_or_else(|| read::instant(text, zone), |pattern| pattern.instant(text, zone))
}

/// Instants of dates, of clocks' times and of timestamps.
///
/// # Errors
/// The values are of another type.
pub(super) fn to_instants(given: &ArrayRef, zone: Zone) -> Result<ArrayRef> {
    if zone.is_utc() || matches!(given.data_type(), DataType::Timestamp(_, Some(_)) | DataType::Null) {
        return in_micros(given, instant());
    }
    let local = cast(given, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
    let local = local.as_primitive::<TimestampMicrosecondType>();
    let instants: PrimitiveArray<TimestampMicrosecondType> = local.unary_opt(|local| zone.instant(local));
    Ok(Arc::new(instants.with_data_type(instant())))
}

/// The same numbers under another type, where they are of a timestamp.
fn in_micros(given: &ArrayRef, to: DataType) -> Result<ArrayRef> {
    match given.as_primitive_opt::<TimestampMicrosecondType>() {
        Some(_) if *given.data_type() == to => Ok(Arc::clone(given)),
        Some(micros) => Ok(Arc::new(micros.clone().with_data_type(to))),
        None => Ok(cast(given, &to)?),
    }
}

/// What clocks of the zone show: of dates, of clocks' times and of timestamps.
///
/// # Errors
/// The values are of another type.
pub(super) fn to_local(given: &ArrayRef, zone: Zone) -> Result<ArrayRef> {
    let local = DataType::Timestamp(TimeUnit::Microsecond, None);
    if zone.is_utc() || !matches!(given.data_type(), DataType::Timestamp(_, Some(_))) {
        return in_micros(given, local);
    }
    let instants = cast(given, &instant())?;
    let instants = instants.as_primitive::<TimestampMicrosecondType>();
    let shown: PrimitiveArray<TimestampMicrosecondType> = instants.unary(|instant| zone.local(instant));
    Ok(Arc::new(shown.with_data_type(local)))
}

/// The pattern that a column holds, taken apart once for as long as it stays the same.
#[derive(Default)]
struct Patterns {
    known: Option<(String, Pattern)>,
}

impl Patterns {
    fn get(&mut self, text: &str) -> Result<&Pattern> {
        if self.known.as_ref().is_none_or(|(known, _)| known != text) {
            self.known = Some((text.to_owned(), Pattern::parse(text)?));
        }
        self.known.as_ref().map_or_else(|| wrong("no pattern"), |(_, pattern)| Ok(pattern))
    }
}

/// The call with argument `index` as instants, unless it is text.
fn instants(call: &Call, index: usize) -> Result<Call> {
    times(call, index, to_instants)
}

/// The call with argument `index` as what clocks of the session show, unless it is text.
fn locals(call: &Call, index: usize) -> Result<Call> {
    times(call, index, to_local)
}

fn times(call: &Call, index: usize, into: fn(&ArrayRef, Zone) -> Result<ArrayRef>) -> Result<Call> {
    let mut arguments = call.arguments.clone();
    let given = arguments[index].data_type();
    if !is_text(given) {
        let fits = given.is_temporal() || given.is_null();
        if !fits {
            return wrong(format!("{} takes a date, a time or a string here", call.name));
        }
        arguments[index] = into(&arguments[index], call.zone)?;
    }
    Ok(Call { arguments, ..call.with_gives(call.gives.clone()) })
}

/// The instant of an argument of [`instants`]; an error if a string is none.
fn instant_of(row: Row<'_>, argument: usize) -> Result<i64> {
    if *row.array(argument).data_type() == DataType::Utf8 {
        let text = row.text(argument);
        let found = read::instant(text, row.zone());
        return found.map_or_else(|| unreadable("CAST_INVALID_INPUT", text, "TIMESTAMP"), Ok);
    }
    Ok(row.instant(argument))
}

/// What clocks show, of an argument of [`locals`]; an error if a string says no time.
fn local_of(row: Row<'_>, argument: usize) -> Result<i64> {
    if *row.array(argument).data_type() == DataType::Utf8 {
        return Ok(row.zone().local(instant_of(row, argument)?));
    }
    Ok(row.instant(argument))
}

/// Spark's condition: with a pattern it parses, without one it casts.
fn condition(row: Row<'_>) -> &'static str {
    if row.count() > 1 { "CANNOT_PARSE_TIMESTAMP" } else { "CAST_INVALID_INPUT" }
}

fn unreadable<T>(condition: &str, text: &str, what: &str) -> Result<T> {
    let reason = format!("'{text}' is no {what}; try_cast and the try_ functions answer NULL instead");
    refused(condition, &reason)
}

fn to_timestamp(call: &Call) -> Result<ArrayRef> {
    let forgiving = call.name.starts_with("try_");
    let call = instants(call, 0)?;
    let mut patterns = Patterns::default();
    call.numbers::<TimestampMicrosecondType>(|row| {
        if *row.array(0).data_type() != DataType::Utf8 {
            return Ok(Some(row.instant(0)));
        }
        let pattern = if row.count() > 1 { Some(patterns.get(row.text(1))?) } else { None };
        match read_instant(row.text(0), pattern, row.zone()) {
            None if !forgiving => unreadable(condition(row), row.text(0), "TIMESTAMP"),
            found => Ok(found),
        }
    })
}

fn to_date(call: &Call) -> Result<ArrayRef> {
    let call = locals(call, 0)?;
    let mut patterns = Patterns::default();
    call.numbers::<Date32Type>(|row| {
        if *row.array(0).data_type() != DataType::Utf8 {
            return Ok(day_of(row.instant(0)));
        }
        let found = if row.count() > 1 {
            let instant = patterns.get(row.text(1))?.instant(row.text(0), row.zone());
            instant.and_then(|instant| day_of(row.zone().local(instant)))
        } else {
            read::date(row.text(0))
        };
        match found {
            None => unreadable(condition(row), row.text(0), "DATE"),
            found => Ok(found),
        }
    })
}

fn day_of(instant: i64) -> Option<i32> {
    i32::try_from(instant.div_euclid(DAY)).ok()
}

fn unix_timestamp(call: &Call) -> Result<ArrayRef> {
    let call = instants(call, 0)?;
    let mut patterns = Patterns::default();
    call.numbers::<Int64Type>(|row| {
        if *row.array(0).data_type() != DataType::Utf8 {
            return Ok(Some(row.instant(0).div_euclid(SECOND)));
        }
        let written = if row.count() > 1 { row.text(1) } else { "yyyy-MM-dd HH:mm:ss" };
        match patterns.get(written)?.instant(row.text(0), row.zone()) {
            None => unreadable("CANNOT_PARSE_TIMESTAMP", row.text(0), "TIMESTAMP"),
            Some(instant) => Ok(Some(instant.div_euclid(SECOND))),
        }
    })
}

fn from_unixtime(call: &Call) -> Result<ArrayRef> {
    let mut patterns = Patterns::default();
    call.texts(|row| {
        let written = if row.count() > 1 { row.text(1) } else { "yyyy-MM-dd HH:mm:ss" };
        let pattern = patterns.get(written)?;
        Ok(row.long(0).checked_mul(SECOND).and_then(|instant| pattern.format(instant, row.zone())))
    })
}

pub(super) fn date_format(call: &Call) -> Result<ArrayRef> {
    let call = instants(call, 0)?;
    let mut patterns = Patterns::default();
    call.texts(|row| {
        let instant = instant_of(row, 0)?;
        Ok(patterns.get(row.text(1))?.format(instant, row.zone()))
    })
}

fn call_dates(call: &Call, pattern: &str) -> Result<ArrayRef> {
    let (call, pattern) = (locals(call, 0)?, Pattern::parse(pattern)?);
    call.texts(|row| Ok(pattern.format(local_of(row, 0)?, Zone::UTC)))
}

fn from_utc(call: &Call) -> Result<ArrayRef> {
    shifted(call, |zone, instant| zone.offset_at(instant.div_euclid(SECOND)))
}

fn to_utc(call: &Call) -> Result<ArrayRef> {
    shifted(call, |zone, instant| -zone.offset_when(instant.div_euclid(SECOND)))
}

fn shifted(call: &Call, seconds: fn(Zone, i64) -> i64) -> Result<ArrayRef> {
    let call = instants(call, 0)?;
    let mut known: Option<(String, Zone)> = None;
    call.numbers::<TimestampMicrosecondType>(|row| {
        let name = row.text(1);
        let zone = match &known {
            Some((text, zone)) if text == name => *zone,
            _ => {
                let Some(zone) = Zone::parse(name) else { return no_zone(name) };
                known = Some((name.to_owned(), zone));
                zone
            }
        };
        let instant = instant_of(row, 0)?;
        Ok(instant.checked_add(seconds(zone, instant) * SECOND))
    })
}

/// # Errors
/// Always: there is no such zone.
pub(in crate::functions) fn no_zone<T>(name: &str) -> Result<T> {
    refused("INVALID_TIMEZONE", &format!("'{name}' is no time zone; one is 'Europe/Berlin' or '+02:00'"))
}

fn timestamp_seconds(call: &Call) -> Result<ArrayRef> {
    if call.arguments[0].data_type().is_integer() {
        let arguments = vec![cast(&call.arguments[0], &DataType::Int64)?];
        let call = Call { arguments, ..call.with_gives(call.gives.clone()) };
        return scaled(&call, SECOND);
    }
    let arguments = vec![cast(&call.arguments[0], &DataType::Float64)?];
    let call = Call { arguments, ..call.with_gives(call.gives.clone()) };
    call.numbers::<TimestampMicrosecondType>(|row| {
        let micros = row.double(0) * 1e6;
        Ok((micros.abs() < 9.2e18).then_some(micros as i64))
    })
}

fn scaled(call: &Call, by: i64) -> Result<ArrayRef> {
    call.numbers::<TimestampMicrosecondType>(|row| match row.long(0).checked_mul(by) {
        None => wrong(format!("{}: {} lies beyond the calendar", call.name, row.long(0))),
        instant => Ok(instant),
    })
}

fn date_trunc(call: &Call) -> Result<ArrayRef> {
    let call = instants(call, 1)?;
    let zone = call.zone;
    call.numbers::<TimestampMicrosecondType>(|row| {
        let instant = instant_of(row, 1)?;
        let local = zone.local(instant);
        // Where clocks show a time twice, it stays the one that it was.
        let by = |unit: i64| zone.instant_near(local - local.rem_euclid(unit), instant);
        let day = |day: i32| zone.instant(i64::from(day) * DAY);
        Ok(match row.text(0).to_uppercase().as_str() {
            "MICROSECOND" => Some(instant),
            "MILLISECOND" => Some(instant - instant.rem_euclid(1_000)),
            "SECOND" => Some(instant - instant.rem_euclid(SECOND)),
            "MINUTE" => by(60 * SECOND),
            "HOUR" => by(3_600 * SECOND),
            "DAY" | "DD" => by(DAY),
            unit => day_of(local).and_then(|day| first_day(day, unit)).and_then(day),
        })
    })
}

fn trunc_gives(_: &Planned<'_>) -> Result<DataType> {
    Ok(DataType::Date32)
}

fn trunc(call: &Call) -> Result<ArrayRef> {
    let call = locals(call, 0)?;
    call.numbers::<Date32Type>(|row| {
        let unit = row.text(1).to_uppercase();
        Ok(day_of(local_of(row, 0)?).and_then(|day| first_day(day, &unit)))
    })
}

/// The first day of the week, month, quarter or year.
fn first_day(day: i32, unit: &str) -> Option<i32> {
    let date = date_of(day)?;
    let month = date.month();
    let first = |month: u32| chrono::NaiveDate::from_ymd_opt(date.year(), month, 1).map(days_of);
    match unit {
        "WEEK" => Some(day - date.weekday().num_days_from_monday().cast_signed()),
        "MONTH" | "MON" | "MM" => first(month),
        "QUARTER" => first((month - 1) / 3 * 3 + 1),
        "YEAR" | "YYYY" | "YY" => first(1),
        _ => None,
    }
}

fn months_between(call: &Call) -> Result<ArrayRef> {
    let call = instants(&instants(call, 0)?, 1)?;
    call.numbers::<Float64Type>(|row| {
        let zone = row.zone();
        let instants = [instant_of(row, 0)?, instant_of(row, 1)?];
        let [Some(later), Some(earlier)] = instants.map(|instant| Civil::of(zone.local(instant))) else {
            return Ok(None);
        };
        let count = |time: Civil| f64::from(time.date.year() * 12 + time.date.month().cast_signed());
        let months = count(later) - count(earlier);
        let last = |time: Civil| time.date.day() == u32::from(civil::days_in_month(time.date));
        if later.date.day() == earlier.date.day() || (last(later) && last(earlier)) {
            return Ok(Some(months));
        }
        let seconds = |time: Civil, instant: i64| {
            let midnight = zone.instant(i64::from(days_of(time.date)) * DAY).unwrap_or(instant);
            f64::from(time.date.day()) * 86_400.0 + ((instant - midnight) / SECOND) as f64
        };
        let exact =
            months + (seconds(later, instants[0]) - seconds(earlier, instants[1])) / (31.0 * 86_400.0);
        let rounded = row.count() < 3 || row.boolean(2);
        Ok(Some(if rounded { (exact * 1e8).round() / 1e8 } else { exact }))
    })
}

fn next_day(call: &Call) -> Result<ArrayRef> {
    let call = locals(call, 0)?;
    call.numbers::<Date32Type>(|row| {
        let name = row.text(1).trim().to_lowercase();
        let wanted = match name.as_str() {
            "mo" | "mon" | "monday" => Weekday::Mon,
            "tu" | "tue" | "tuesday" => Weekday::Tue,
            "we" | "wed" | "wednesday" => Weekday::Wed,
            "th" | "thu" | "thursday" => Weekday::Thu,
            "fr" | "fri" | "friday" => Weekday::Fri,
            "sa" | "sat" | "saturday" => Weekday::Sat,
            "su" | "sun" | "sunday" => Weekday::Sun,
            _ => return refused("ILLEGAL_DAY_OF_WEEK", &format!("'{name}' is no day of the week")),
        };
        let Some(day) = day_of(local_of(row, 0)?) else { return Ok(None) };
        let Some(today) = date_of(day) else { return Ok(None) };
        let ahead = (wanted.num_days_from_monday() + 6 - today.weekday().num_days_from_monday()) % 7 + 1;
        Ok(day.checked_add(ahead.cast_signed()))
    })
}

fn last_day(call: &Call) -> Result<ArrayRef> {
    let call = locals(call, 0)?;
    call.numbers::<Date32Type>(|row| {
        let date = day_of(local_of(row, 0)?).and_then(date_of);
        Ok(date.and_then(|date| date.with_day(civil::days_in_month(date).into())).map(days_of))
    })
}

fn add_months(call: &Call) -> Result<ArrayRef> {
    let call = locals(call, 0)?;
    call.numbers::<Date32Type>(|row| {
        let day = day_of(local_of(row, 0)?).and_then(date_of);
        Ok(day.and_then(|date| civil::add_months(date, row.int(1))).map(days_of))
    })
}

/// What clocks show, as a string says it; without zones.
pub(super) fn read_local(text: &str) -> Option<i64> {
    read::local(text).map(|(local, _)| local)
}

/// What clocks show as Spark's casts write it: no more digits than it has.
pub(super) fn shown(local: i64) -> Option<String> {
    let time = Civil::of(local)?;
    let mut text = format!("{} {:02}:{:02}:{:02}", time.date, time.hour(), time.minute(), time.second());
    let fraction = time.micros % SECOND;
    if fraction > 0 {
        text.push('.');
        text.push_str(format!("{fraction:06}").trim_end_matches('0'));
    }
    Some(text)
}

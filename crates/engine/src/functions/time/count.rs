//! Counting in the calendar: months and days are those of the session's zone, and so are longer than others, or
//! shorter, where clocks change.

use chrono::Datelike as _;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, DurationMicrosecondType, Int64Type, IntervalMonthDayNanoType, IntervalUnit, TimeUnit,
    TimestampMicrosecondType,
};
use datafusion::common::Result;

use super::civil::{Civil, DAY, SECOND, add_months};
use super::zone::Zone;
use super::{instant_of, instants, local_of, locals};
use crate::functions::own::{Call, Planned, instant, wrong};

/// The instant so many months, and then so many microseconds, later. Whole days of these are days of the calendar: as
/// in Spark, 24 hours are one too. `None` beyond the end of time.
pub(crate) fn shift(zone: Zone, instant: i64, months: i32, micros: i64) -> Option<i64> {
    let mut moved = instant;
    if months != 0 {
        let time = Civil::of(zone.local(instant))?;
        let date = add_months(time.date, months)?;
        moved = zone.instant_near(Civil { date, ..time }.instant()?, instant)?;
    }
    if zone.is_utc() {
        return moved.checked_add(micros);
    }
    let (days, rest) = (micros / DAY, micros % DAY);
    if days != 0 {
        moved = zone.instant_near(zone.local(moved).checked_add(days * DAY)?, moved)?;
    }
    moved.checked_add(rest)
}

/// Timestamps and intervals.
pub(super) fn shifted(call: &Call) -> Result<ArrayRef> {
    let given = cast(&call.arguments[0], &instant())?;
    let given = given.as_primitive::<TimestampMicrosecondType>();
    let steps = &call.arguments[1];
    let zone = call.zone;
    if matches!(steps.data_type(), DataType::Duration(_)) {
        let steps = cast(steps, &DataType::Duration(TimeUnit::Microsecond))?;
        let steps = steps.as_primitive::<DurationMicrosecondType>();
        let moved = given.iter().zip(steps).map(|(from, by)| shift(zone, from?, 0, by?));
        return Ok(std::sync::Arc::new(
            moved.collect::<PrimitiveArray<TimestampMicrosecondType>>().with_data_type(instant()),
        ));
    }
    let steps = cast(steps, &DataType::Interval(IntervalUnit::MonthDayNano))?;
    let steps = steps.as_primitive::<IntervalMonthDayNanoType>();
    let moved = given.iter().zip(steps).map(|(from, by)| {
        let by = by?;
        shift(zone, from?, by.months, i64::from(by.days) * DAY + by.nanoseconds / 1_000)
    });
    let moved: PrimitiveArray<TimestampMicrosecondType> = moved.collect();
    Ok(std::sync::Arc::new(moved.with_data_type(instant())))
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

/// A clock's time stays one.
pub(super) fn add_gives(planned: &Planned<'_>) -> Result<DataType> {
    Ok(match planned.types.get(2) {
        Some(local @ DataType::Timestamp(TimeUnit::Microsecond, None)) => local.clone(),
        _ => instant(),
    })
}

/// `timestampadd(HOUR, 5, t)`
pub(super) fn add(call: &Call) -> Result<ArrayRef> {
    let local = matches!(call.gives, DataType::Timestamp(_, None));
    let zone = if local { Zone::UTC } else { call.zone };
    let call = if local { locals(call, 2)? } else { instants(call, 2)? };
    call.numbers::<TimestampMicrosecondType>(|row| {
        let (count, instant) = (i64::from(row.int(1)), instant_of(row, 2)?);
        Ok(match unit(row.text(0))? {
            Unit::Micros(micros) if micros < DAY => {
                count.checked_mul(micros).and_then(|by| instant.checked_add(by))
            }
            Unit::Micros(micros) => count.checked_mul(micros).and_then(|by| shift(zone, instant, 0, by)),
            Unit::Months(months) => {
                i32::try_from(count * months).ok().and_then(|months| shift(zone, instant, months, 0))
            }
        })
    })
}

/// Whole units from the second argument to the third, as clocks show them.
pub(super) fn difference(call: &Call) -> Result<ArrayRef> {
    let call = locals(&locals(call, 1)?, 2)?;
    call.numbers::<Int64Type>(|row| {
        let (from, to) = (local_of(row, 1)?, local_of(row, 2)?);
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

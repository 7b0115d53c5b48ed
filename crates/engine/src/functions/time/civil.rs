//! The calendar: days and microseconds since 1970 to what people write, and back.

use chrono::{Datelike as _, NaiveDate};

pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const DAY: i64 = 86_400 * SECOND;

/// A local date and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) date: NaiveDate,
    /// Microseconds since midnight.
    pub(super) micros: i64,
}

impl Civil {
    pub(super) fn of(instant: i64) -> Option<Civil> {
        Some(Civil {
            date: date_of(i32::try_from(instant.div_euclid(DAY)).ok()?)?,
            micros: instant.rem_euclid(DAY),
        })
    }

    pub(super) fn instant(self) -> Option<i64> {
        i64::from(days_of(self.date)).checked_mul(DAY)?.checked_add(self.micros)
    }

    pub(super) fn hour(self) -> i64 {
        self.micros / (3_600 * SECOND)
    }

    pub(super) fn minute(self) -> i64 {
        self.micros / (60 * SECOND) % 60
    }

    pub(super) fn second(self) -> i64 {
        self.micros / SECOND % 60
    }
}

pub(super) fn date_of(days: i32) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(days.checked_add(719_163)?)
}

pub(super) fn days_of(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - 719_163
}

/// Some months later; the last day of a shorter month.
pub(super) fn add_months(date: NaiveDate, months: i32) -> Option<NaiveDate> {
    let count = date.year().checked_mul(12)?.checked_add(date.month0().cast_signed())?.checked_add(months)?;
    let (year, month) = (count.div_euclid(12), count.rem_euclid(12).cast_unsigned() + 1);
    let first = NaiveDate::from_ymd_opt(year, month, 1)?;
    first.with_day(date.day().min(u32::from(days_in_month(first))))
}

pub(super) fn days_in_month(date: NaiveDate) -> u8 {
    date.num_days_in_month()
}

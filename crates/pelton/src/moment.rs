//! Moments and durations as people write them at a prompt.

use anyhow::{Context, anyhow, ensure};

const DAY_MS: i64 = 86_400_000;

/// A moment in unix milliseconds, from `1700000000000`, `2026-11-21`, `2026-11-21T05:30`,
/// `2026-11-21 05:30:00.250+01:00`, ... Without a zone it is UTC, as Kafka's tools take it.
pub(crate) fn parse_moment(text: &str) -> anyhow::Result<i64> {
    let text = text.trim();
    if let Ok(ms) = text.parse() {
        return Ok(ms);
    }
    moment(text).with_context(|| {
        format!("{text} is no moment; it is unix milliseconds or 2026-11-21T05:30:00.000, with Z or +01:00 behind it")
    })
}

fn moment(text: &str) -> Option<i64> {
    let (date, rest) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, ""),
    };
    let mut parts = date.split('-');
    let year: i64 = digits(parts.next()?, 4)?;
    let month = digits(parts.next()?, 2).filter(|month| (1..=12).contains(month))?;
    let day = digits(parts.next()?, 2).filter(|day| (1..=days_of(year, month)).contains(day))?;
    if parts.next().is_some() {
        return None;
    }
    let (time, offset_ms) = zone(rest)?;
    Some(days_since_epoch(year, month, day) * DAY_MS + time_of_day(time)? - offset_ms)
}

/// Splits a time from its zone.
fn zone(text: &str) -> Option<(&str, i64)> {
    if let Some(time) = text.strip_suffix(['Z', 'z']) {
        return Some((time, 0));
    }
    let Some(at) = text.rfind(['+', '-']) else { return Some((text, 0)) };
    let (time, zone) = text.split_at(at);
    let (hours, minutes) = match zone[1..].split_once(':') {
        Some(split) => split,
        None if zone.len() == 5 => (zone.get(1..3)?, zone.get(3..)?),
        None => (&zone[1..], "00"),
    };
    let minutes = digits(hours, 2)? * 60 + digits(minutes, 2)?;
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    Some((time, sign * minutes * 60_000))
}

fn time_of_day(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let mut parts = whole.split(':');
    let hour = digits(parts.next()?, 2).filter(|hour| *hour < 24)?;
    let minute = digits(parts.next()?, 2).filter(|minute| *minute < 60)?;
    let second = parts.next().map_or(Some(0), |second| digits(second, 2).filter(|second| *second < 60))?;
    if parts.next().is_some() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let ms: i64 = format!("{fraction:0<3}")[..3].parse().ok()?;
    Some(((hour * 60 + minute) * 60 + second) * 1000 + ms)
}

fn digits(text: &str, count: usize) -> Option<i64> {
    let all = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if all { text.parse().ok() } else { None }
}

/// A moment as `2026-11-21T05:30:00.250Z`.
pub(crate) fn show_moment(ms: i64) -> String {
    let (days, rest) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS));
    let (year, month, day) = date_of(days);
    let (second, ms) = (rest / 1000, rest % 1000);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// Milliseconds of `90m`, `1h30m`, `7d`, `250ms` or, as Kafka's tools write it, `PT1H30M`, `P7D`.
pub(crate) fn parse_duration(text: &str) -> anyhow::Result<i64> {
    let unknown = || anyhow!("{text} is no duration; it is 90m, 1h30m, 7d, 250ms or PT1H30M");
    let lower = text.trim().to_ascii_lowercase();
    let bare: String = lower.strip_prefix('p').unwrap_or(&lower).chars().filter(|c| *c != 't').collect();
    let mut rest = bare.as_str();
    ensure!(!rest.is_empty(), unknown());
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(unknown)?;
        let number: i64 = rest[..number_end].parse().map_err(|_| unknown())?;
        rest = &rest[number_end..];
        let unit_end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let unit = match &rest[..unit_end] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => DAY_MS,
            "w" => 7 * DAY_MS,
            _ => return Err(unknown()),
        };
        total = number.checked_mul(unit).and_then(|part| total.checked_add(part)).ok_or_else(unknown)?;
        rest = &rest[unit_end..];
    }
    Ok(total)
}

/// Days from 1970-01-01 to a date, after Howard Hinnant's `days_from_civil`: years begin in March, so that the
/// leap day is a year's last.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The way back: Hinnant's `civil_from_days`.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

fn days_of(year: i64, month: i64) -> i64 {
    let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days_since_epoch(next.0, next.1, 1) - days_since_epoch(year, month, 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn moments_as_people_write_them() {
        for (text, ms) in [
            ("1700000000000", 1_700_000_000_000),
            ("1970-01-01", 0),
            ("1970-01-01T00:00:01", 1_000),
            ("1970-01-01 00:01", 60_000),
            ("1970-01-01T01:00:00+01:00", 0),
            ("1970-01-01T01:00:00.5+0100", 500),
            ("1969-12-31T23:00:00-01", 0),
            ("2000-02-29T00:00:00Z", 951_782_400_000),
            ("2026-11-21T05:30:00.250Z", 1_795_239_000_250),
        ] {
            assert_eq!(parse_moment(text).unwrap(), ms, "{text}");
        }
        for text in ["", "yesterday", "2026-13-01", "2026-02-29", "2026-1-1", "2026-11-21T25:00", "12:00"] {
            assert!(parse_moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_as_people_write_them() {
        for (text, ms) in [
            ("250ms", 250),
            ("90m", 5_400_000),
            ("1h30m", 5_400_000),
            ("PT1H30M", 5_400_000),
            ("P7D", 604_800_000),
            ("P1DT1S", 86_401_000),
        ] {
            assert_eq!(parse_duration(text).unwrap(), ms, "{text}");
        }
        for text in ["", "P", "5", "h", "1x", "99999999999999d", "-1h"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_parsed(ms in -62_000_000_000_000_i64..250_000_000_000_000) {
            prop_assert_eq!(parse_moment(&show_moment(ms)).unwrap(), ms);
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = parse_moment(&text);
            let _ = parse_duration(&text);
        }
    }
}

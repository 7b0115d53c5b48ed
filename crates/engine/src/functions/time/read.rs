//! Dates and times without a pattern, as Spark's casts read them.

use chrono::NaiveDate;

use super::civil::{Civil, DAY, SECOND, days_of};
use super::zone::Zone;

/// `2024`, `2024-2`, `2024-02-29`, and whatever follows a space or a `T`.
pub(super) fn date(text: &str) -> Option<i32> {
    let text = text.trim();
    let (head, _) = text.split_once([' ', 'T']).unwrap_or((text, ""));
    calendar(head).map(days_of)
}

/// A date, then a time, then a zone; `usual` if none is named.
pub(super) fn instant(text: &str, usual: Zone) -> Option<i64> {
    let (local, zone) = local(text)?;
    zone.unwrap_or(usual).instant(local)
}

/// What clocks show, and where, if that is said.
pub(super) fn local(text: &str) -> Option<(i64, Option<Zone>)> {
    let text = text.trim();
    let Some((head, tail)) = text.split_once([' ', 'T']) else {
        return Some((i64::from(days_of(calendar(text)?)) * DAY, None));
    };
    let date = calendar(head)?;
    if tail.is_empty() {
        return Some((i64::from(days_of(date)) * DAY, None));
    }
    let (micros, zone) = clock(tail)?;
    Some((Civil { date, micros }.instant()?, zone))
}

fn calendar(text: &str) -> Option<NaiveDate> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut parts = digits.split('-');
    let year = parts.next().filter(|year| (4..=6).contains(&year.len()))?;
    let month = parts.next().map_or(Some(1), |part| number(part, 2))?;
    let day = parts.next().map_or(Some(1), |part| number(part, 2))?;
    if parts.next().is_some() {
        return None;
    }
    let year = i32::try_from(number(year, 6)?).ok()?;
    NaiveDate::from_ymd_opt(sign * year, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
}

fn number(text: &str, width: usize) -> Option<i64> {
    let fits = !text.is_empty() && text.len() <= width && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

/// `12`, `12:34`, `12:34:56.789`, each with a zone behind it.
fn clock(text: &str) -> Option<(i64, Option<Zone>)> {
    let end = text.find(|c: char| !matches!(c, '0'..='9' | ':' | '.')).unwrap_or(text.len());
    let (time, zone) = text.split_at(end);
    let zone = match zone.trim() {
        "" => None,
        name => Some(Zone::parse(name)?),
    };
    let mut parts = time.split(':');
    let hour = number(parts.next()?, 2).filter(|hour| *hour < 24)?;
    let minute = parts.next().map_or(Some(0), |part| number(part, 2))?;
    let (mut second, mut micros) = (0, 0);
    if let Some(part) = parts.next() {
        let (whole, fraction) = part.split_once('.').unwrap_or((part, ""));
        second = number(whole, 2)?;
        if !fraction.is_empty() {
            let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
            micros = number(&digits, 6)?;
        }
    }
    let fits = parts.next().is_none() && minute < 60 && second < 60;
    fits.then_some((((hour * 60 + minute) * 60 + second) * SECOND + micros, zone))
}

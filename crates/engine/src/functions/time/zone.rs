//! Time zones by the names that Spark knows.

use chrono::{DateTime, FixedOffset, LocalResult, NaiveDateTime, Offset as _, TimeZone as _};
use chrono_tz::Tz;

/// A zone: an offset, or a place whose offset changes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Zone {
    Fixed(FixedOffset),
    Place(Tz),
}

impl Zone {
    /// `UTC`, `Z`, `+02:00`, `GMT+2`, `Europe/Berlin`.
    pub(super) fn parse(name: &str) -> Option<Zone> {
        let name = name.trim();
        let bare =
            name.strip_prefix("UTC").or_else(|| name.strip_prefix("GMT")).or_else(|| name.strip_prefix("UT"));
        match bare.unwrap_or(name) {
            "" | "Z" | "z" if !name.is_empty() => return Some(Zone::Fixed(FixedOffset::east_opt(0)?)),
            offset if offset.starts_with(['+', '-']) => return offset_of(offset).map(Zone::Fixed),
            _ => {}
        }
        let short = [
            ("CET", "Europe/Paris"),
            ("PST", "America/Los_Angeles"),
            ("EST", "-05:00"),
            ("MST", "-07:00"),
            ("HST", "-10:00"),
            ("CST", "America/Chicago"),
            ("JST", "Asia/Tokyo"),
            ("IST", "Asia/Kolkata"),
        ];
        if let Some((_, meant)) = short.iter().find(|(known, _)| *known == name) {
            return match offset_of(meant) {
                Some(offset) => Some(Zone::Fixed(offset)),
                None => meant.parse().ok().map(Zone::Place),
            };
        }
        name.parse().ok().map(Zone::Place)
    }

    /// Seconds east of Greenwich at an instant.
    pub(super) fn offset_at(self, seconds: i64) -> i64 {
        match self {
            Zone::Fixed(offset) => i64::from(offset.local_minus_utc()),
            Zone::Place(place) => {
                let time = DateTime::from_timestamp(seconds, 0).unwrap_or_default().naive_utc();
                i64::from(place.offset_from_utc_datetime(&time).fix().local_minus_utc())
            }
        }
    }

    /// Seconds east of Greenwich when clocks there show this; as Java does, the earlier of two, and the time
    /// that clocks leap over is as long after the leap.
    pub(super) fn offset_when(self, local: i64) -> i64 {
        let Zone::Place(place) = self else { return self.offset_at(local) };
        let Some(time) = DateTime::from_timestamp(local, 0) else { return 0 };
        let time: NaiveDateTime = time.naive_utc();
        match place.offset_from_local_datetime(&time) {
            LocalResult::Single(offset) | LocalResult::Ambiguous(offset, _) => {
                i64::from(offset.fix().local_minus_utc())
            }
            LocalResult::None => self.offset_at(local - self.offset_at(local) - 3_600),
        }
    }
}

/// `+2`, `+02`, `+0200`, `+02:00`, `+02:00:30`.
pub(super) fn offset_of(text: &str) -> Option<FixedOffset> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let parts: Vec<&str> = if digits.contains(':') {
        digits.split(':').collect()
    } else if digits.len() > 2 && digits.is_ascii() {
        let (hours, minutes) = digits.split_at(digits.len() - 2);
        vec![hours, minutes]
    } else {
        vec![digits]
    };
    let mut seconds = 0;
    for (part, worth) in parts.iter().zip([3_600, 60, 1]) {
        let within = (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        let number: i32 = if within { part.parse().ok()? } else { return None };
        if worth < 3_600 && number > 59 {
            return None;
        }
        seconds += number * worth;
    }
    (parts.len() <= 3 && seconds <= 18 * 3_600).then(|| FixedOffset::east_opt(sign * seconds)).flatten()
}

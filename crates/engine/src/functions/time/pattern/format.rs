//! Times as text.

use std::fmt::Write as _;

use chrono::Datelike as _;

use super::{DAYS, Item, MONTHS, Pattern, names};
use crate::functions::time::civil::{Civil, SECOND};
use crate::functions::time::zone::Zone;

impl Pattern {
    /// The time that clocks of the zone show, as text; `None` beyond the calendar.
    pub(in crate::functions) fn format(&self, instant: i64, zone: Zone) -> Option<String> {
        let mut out = String::new();
        let time = Civil::of(zone.local(instant))?;
        write_all(&self.items, Shown { time, instant, zone }, &mut out);
        Some(out)
    }
}

/// What is written.
#[derive(Clone, Copy)]
struct Shown {
    /// What clocks show.
    time: Civil,
    /// In microseconds since 1970.
    instant: i64,
    zone: Zone,
}

fn write_all(items: &[Item], shown: Shown, out: &mut String) {
    for item in items {
        match item {
            Item::Literal(text) => out.push_str(text),
            Item::Optional(items) => write_all(items, shown, out),
            Item::Field(letter @ ('V' | 'z' | 'O' | 'X' | 'x' | 'Z'), count) => {
                zone(*letter, *count, shown, out);
            }
            Item::Field(letter, count) => field(*letter, *count, shown.time, out),
        }
    }
}

/// The zone by its name, or how far its clocks are ahead.
fn zone(letter: char, count: usize, shown: Shown, out: &mut String) {
    let seconds = shown.zone.offset_at(shown.instant.div_euclid(SECOND));
    match (letter, count) {
        ('V', _) => out.push_str(&shown.zone.name()),
        ('z', _) => out.push_str(&names::name(shown.zone, shown.instant, count == 4)),
        ('O', 4) | ('Z', 4) if seconds == 0 => out.push_str("GMT"),
        ('O', 1) => {
            out.push_str("GMT");
            let (hours, rest) = (seconds / 3_600, seconds.abs() % 3_600);
            if seconds != 0 {
                let _ = write!(out, "{}{}", if seconds < 0 { '-' } else { '+' }, hours.abs());
            }
            if rest != 0 {
                let _ = write!(out, ":{:02}", rest / 60);
            }
            if rest % 60 != 0 {
                let _ = write!(out, ":{:02}", rest % 60);
            }
        }
        ('O', _) | ('Z', 4) => {
            out.push_str("GMT");
            out.push_str(&offset(seconds, true));
        }
        ('X', _) | ('Z', 5) if seconds == 0 => out.push('Z'),
        ('X' | 'x', 1) if seconds % 3_600 == 0 => out.push_str(&offset(seconds, false)[..3]),
        ('X' | 'x', 1 | 2) => out.push_str(&offset(seconds / 60 * 60, false)),
        ('X' | 'x', 3) => out.push_str(&offset(seconds / 60 * 60, true)),
        ('X' | 'x', 4) => out.push_str(&offset(seconds, false)),
        ('Z', 1..=3) => out.push_str(&offset(seconds / 60 * 60, false)),
        _ => out.push_str(&offset(seconds, true)),
    }
}

/// `+01:00`, or `-07:52:58`; without colons if they are not wanted.
pub(in crate::functions::time) fn offset(seconds: i64, colons: bool) -> String {
    let (sign, ahead) = (if seconds < 0 { '-' } else { '+' }, seconds.abs());
    let colon = if colons { ":" } else { "" };
    let mut text = format!("{sign}{:02}{colon}{:02}", ahead / 3_600, ahead / 60 % 60);
    if ahead % 60 != 0 {
        let _ = write!(text, "{colon}{:02}", ahead % 60);
    }
    text
}

fn field(letter: char, count: usize, time: Civil, out: &mut String) {
    let date = time.date;
    let hour = time.hour();
    match letter {
        'G' => out.push_str(match (date.year() > 0, count) {
            (true, 4) => "Anno Domini",
            (true, _) => "AD",
            (false, 4) => "Before Christ",
            (false, _) => "BC",
        }),
        'y' if count == 2 => padded(i64::from(date.year().rem_euclid(100)), 2, out),
        'y' => padded(i64::from(date.year()), count, out),
        'M' | 'L' if count >= 3 => named(MONTHS[date.month0() as usize], count, out),
        'M' | 'L' => padded(i64::from(date.month()), count, out),
        'd' => padded(i64::from(date.day()), count, out),
        'D' => padded(i64::from(date.ordinal()), count, out),
        'E' => named(DAYS[date.weekday().num_days_from_monday() as usize], count, out),
        'F' => padded(i64::from((date.day() - 1) % 7 + 1), count, out),
        'Q' | 'q' => quarter(i64::from(date.month0() / 3 + 1), count, out),
        'a' => out.push_str(if hour < 12 { "AM" } else { "PM" }),
        'h' => padded((hour + 11) % 12 + 1, count, out),
        'K' => padded(hour % 12, count, out),
        'k' => padded((hour + 23) % 24 + 1, count, out),
        'H' => padded(hour, count, out),
        'm' => padded(time.minute(), count, out),
        's' => padded(time.second(), count, out),
        'S' => {
            let digits = format!("{:06}000", time.micros % 1_000_000);
            out.push_str(&digits[..count]);
        }
        _ => {}
    }
}

fn padded(number: i64, width: usize, out: &mut String) {
    let sign = if number < 0 { "-" } else { "" };
    // A String takes every write.
    let _ = write!(out, "{sign}{:0width$}", number.abs());
}

fn named(name: &str, count: usize, out: &mut String) {
    out.push_str(if count <= 3 { &name[..3] } else { name });
}

fn quarter(number: i64, count: usize, out: &mut String) {
    match count {
        1 | 2 => padded(number, count, out),
        3 => {
            let _ = write!(out, "Q{number}");
        }
        _ => {
            let suffix = ["st", "nd", "rd", "th"][usize::try_from(number - 1).unwrap_or(3)];
            let _ = write!(out, "{number}{suffix} quarter");
        }
    }
}

//! Times as text.

use std::fmt::Write as _;

use chrono::Datelike as _;

use super::{DAYS, Item, MONTHS, Pattern};
use crate::functions::time::civil::Civil;

impl Pattern {
    /// The time in UTC as text; `None` beyond the calendar.
    pub(in crate::functions) fn format(&self, instant: i64) -> Option<String> {
        let mut out = String::new();
        write_all(&self.items, Civil::of(instant)?, &mut out);
        Some(out)
    }
}

fn write_all(items: &[Item], time: Civil, out: &mut String) {
    for item in items {
        match item {
            Item::Literal(text) => out.push_str(text),
            Item::Optional(items) => write_all(items, time, out),
            Item::Field(letter, count) => field(*letter, *count, time, out),
        }
    }
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
        'V' => out.push_str("UTC"),
        'z' if count < 4 => out.push_str("UTC"),
        'z' => out.push_str("Coordinated Universal Time"),
        'O' => out.push_str("GMT"),
        'X' => out.push('Z'),
        'x' => out.push_str(match count {
            1 => "+00",
            2 | 4 => "+0000",
            _ => "+00:00",
        }),
        _ => out.push_str(match count {
            1..=3 => "+0000",
            4 => "GMT",
            _ => "Z",
        }),
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

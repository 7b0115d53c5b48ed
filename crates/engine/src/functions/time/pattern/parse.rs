//! Text to times.

use chrono::NaiveDate;

use super::{DAYS, Item, MONTHS, Pattern};
use crate::functions::time::civil::{Civil, SECOND, days_of};
use crate::functions::time::zone::Zone;

/// What has been read so far.
#[derive(Debug, Clone, Copy, Default)]
struct Found {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    hour: Option<i64>,
    /// Of twelve hours.
    half_hour: Option<i64>,
    afternoon: Option<bool>,
    minute: i64,
    second: i64,
    micros: i64,
    zone: Option<Zone>,
}

impl Pattern {
    /// The instant that the text says, in the `usual` zone if it names none; all of it must fit.
    pub(in crate::functions) fn instant(&self, text: &str, usual: Zone) -> Option<i64> {
        let mut found = Found::default();
        let rest = read_all(&self.items, text, &mut found)?;
        if !rest.is_empty() {
            return None;
        }
        let local = found.civil()?.instant()?;
        found.zone.unwrap_or(usual).instant(local)
    }

    /// The date that the text says.
    pub(in crate::functions) fn date(&self, text: &str) -> Option<i32> {
        let mut found = Found::default();
        let rest = read_all(&self.items, text, &mut found)?;
        if rest.is_empty() { found.civil().map(|civil| days_of(civil.date)) } else { None }
    }
}

impl Found {
    fn civil(self) -> Option<Civil> {
        let year = i32::try_from(self.year.unwrap_or(1970)).ok()?;
        let date = match (self.day_of_year, self.month) {
            (Some(day), None) => NaiveDate::from_yo_opt(year, u32::try_from(day).ok()?)?,
            (_, month) => {
                let (month, day) = (month.unwrap_or(1), self.day.unwrap_or(1));
                NaiveDate::from_ymd_opt(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?)?
            }
        };
        let half = self.half_hour.map(|hour| hour + if self.afternoon == Some(true) { 12 } else { 0 });
        let hour = self.hour.or(half).unwrap_or(0);
        let fits = (0..24).contains(&hour) && self.minute < 60 && self.second < 60;
        let micros = ((hour * 60 + self.minute) * 60 + self.second) * SECOND + self.micros;
        fits.then_some(Civil { date, micros })
    }
}

fn read_all<'t>(items: &[Item], mut text: &'t str, found: &mut Found) -> Option<&'t str> {
    for (index, item) in items.iter().enumerate() {
        text = match item {
            Item::Literal(literal) => text.strip_prefix(literal.as_str())?,
            Item::Optional(inside) => {
                let mut tried = *found;
                match read_all(inside, text, &mut tried) {
                    Some(rest) => {
                        *found = tried;
                        rest
                    }
                    None => text,
                }
            }
            Item::Field(letter, count) => {
                // Digits that belong to the fixed numbers right behind are left to them.
                let behind = items[index + 1..].iter().map_while(fixed).sum();
                field(*letter, *count, behind, text, found)?
            }
        };
    }
    Some(text)
}

/// How many digits a number of fixed width takes.
fn fixed(item: &Item) -> Option<usize> {
    match item {
        Item::Field('M' | 'L' | 'd' | 'H' | 'h' | 'K' | 'k' | 'm' | 's' | 'y', 2) => Some(2),
        Item::Field('D', 3) => Some(3),
        Item::Field('S', count) => Some(*count),
        _ => None,
    }
}

fn field<'t>(letter: char, count: usize, behind: usize, text: &'t str, found: &mut Found) -> Option<&'t str> {
    let number = |width: usize| digits(text, count, width, behind);
    match letter {
        'y' if count == 2 => {
            let (year, rest) = number(2)?;
            found.year = Some(2000 + year);
            return Some(rest);
        }
        'M' | 'L' if count >= 3 => {
            let (month, rest) = name(text, &MONTHS, count)?;
            found.month = Some(month + 1);
            return Some(rest);
        }
        'E' => return name(text, &DAYS, count).map(|(_, rest)| rest),
        'a' => {
            let (half, rest) = (text.get(..2)?, text.get(2..)?);
            found.afternoon = Some(half.eq_ignore_ascii_case("PM"));
            return (half.eq_ignore_ascii_case("AM") || found.afternoon == Some(true)).then_some(rest);
        }
        'S' => {
            let length = text.bytes().take(count).take_while(u8::is_ascii_digit).count();
            let written: String = text[..length].chars().chain("000000".chars()).take(6).collect();
            found.micros = written.parse().ok()?;
            return (length > 0).then(|| &text[length..]);
        }
        'G' => return text.strip_prefix("AD"),
        'V' | 'z' | 'O' | 'X' | 'x' | 'Z' => return zone(text, found),
        _ => {}
    }
    let width = match (letter, count) {
        ('y', _) => 19,
        (_, 1) => 2 + usize::from(letter == 'D'),
        (_, count) => count,
    };
    let (value, rest) = number(width)?;
    match letter {
        'y' => found.year = Some(value),
        'M' | 'L' => found.month = Some(value),
        'd' => found.day = Some(value),
        'D' => found.day_of_year = Some(value),
        'H' => found.hour = Some(value),
        'k' => found.hour = Some(value % 24),
        'h' => found.half_hour = (1..=12).contains(&value).then_some(value % 12),
        'K' => found.half_hour = Some(value),
        'm' => found.minute = value,
        's' => found.second = value,
        _ => {}
    }
    Some(rest)
}

/// A number of `least` to `most` digits that leaves `behind` digits to those that follow.
fn digits(text: &str, least: usize, most: usize, behind: usize) -> Option<(i64, &str)> {
    let run = text.bytes().take_while(u8::is_ascii_digit).count();
    let length = if most > least { run.saturating_sub(behind).min(most) } else { run.min(most) };
    if length < least {
        return None;
    }
    Some((text[..length].parse().ok()?, &text[length..]))
}

fn name<'t>(text: &'t str, names: &[&str], count: usize) -> Option<(i64, &'t str)> {
    for (number, name) in names.iter().enumerate() {
        let name = if count <= 3 { &name[..3] } else { name };
        if text.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name)) {
            return Some((i64::try_from(number).ok()?, &text[name.len()..]));
        }
    }
    None
}

fn zone<'t>(text: &'t str, found: &mut Found) -> Option<&'t str> {
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | ':' | '/' | '_')))
        .unwrap_or(text.len());
    found.zone = Some(Zone::parse(&text[..end])?);
    Some(&text[end..])
}

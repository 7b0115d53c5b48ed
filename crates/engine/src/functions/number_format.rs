//! `to_number`, `try_to_number` and `to_char`: numbers by a pattern such as `S99,990.00`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Decimal128Type};
use datafusion::common::Result;

use crate::functions::own::{Call, Kind, Own, Planned, is_bytes, refused, text};

const DIGITS_MAX: usize = 38;

pub(super) const FUNCTIONS: &[Own] = &[
    Own::new("to_number", &[Kind::Text, Kind::Text], number_gives, to_number),
    Own::new("try_to_number", &[Kind::Text, Kind::Text], number_gives, to_number),
    Own::new("to_char", &[Kind::Any, Kind::Text], text, to_char).also(&["to_varchar"]),
];

/// Where a sign stands, and what it looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    None,
    /// `+` or `-`.
    Plain,
    /// `-`, or nothing.
    Minus,
}

/// A pattern, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    before: Sign,
    behind: Sign,
    /// `<1>` is below zero.
    brackets: bool,
    dollar: bool,
    /// Before the point: `0`, `9` and `,`.
    whole: Vec<u8>,
    /// Behind it.
    fraction: Vec<u8>,
}

fn invalid<T>(pattern: &str, why: &str) -> Result<T> {
    refused("INVALID_FORMAT", &format!("the format is invalid: '{pattern}': {why}"))
}

impl Pattern {
    fn read(text: &str) -> Result<Self> {
        let upper = text.to_ascii_uppercase();
        let mut rest = upper.as_str();
        let sign = |rest: &mut &str, at_end: bool| {
            for (mark, sign) in [("S", Sign::Plain), ("MI", Sign::Minus)] {
                let cut = if at_end { rest.strip_suffix(mark) } else { rest.strip_prefix(mark) };
                if let Some(cut) = cut {
                    *rest = cut;
                    return sign;
                }
            }
            Sign::None
        };
        let brackets = rest.ends_with("PR");
        if brackets {
            rest = &rest[..rest.len() - 2];
        }
        let before = sign(&mut rest, false);
        let behind = if before == Sign::None && !brackets { sign(&mut rest, true) } else { Sign::None };
        let dollar = rest.starts_with('$');
        rest = rest.strip_prefix('$').unwrap_or(rest);
        let (whole, fraction) = match rest.find(['.', 'D']) {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None => (rest, ""),
        };
        let whole: Vec<u8> = whole.bytes().map(|byte| if byte == b'G' { b',' } else { byte }).collect();
        let fraction = fraction.as_bytes().to_vec();
        let digit = |byte: &u8| matches!(byte, b'0' | b'9');
        if !whole.iter().all(|byte| digit(byte) || *byte == b',') || !fraction.iter().all(digit) {
            return invalid(text, "it has a character that no number format has, or one out of its place");
        }
        let digits = whole.iter().chain(&fraction).filter(|byte| digit(byte)).count();
        if digits == 0 || digits > DIGITS_MAX {
            return invalid(text, "it has no digit, or more than 38");
        }
        if whole.first() == Some(&b',') || whole.last() == Some(&b',') {
            return invalid(text, "thousands separators stand between digits");
        }
        Ok(Pattern { before, behind, brackets, dollar, whole, fraction })
    }

    fn scale(&self) -> usize {
        self.fraction.len()
    }

    fn precision(&self) -> usize {
        self.whole.iter().filter(|byte| **byte != b',').count() + self.scale()
    }

    /// The number that a text says, in units of its last digit; `None` if it does not fit.
    fn parse(&self, text: &str) -> Option<i128> {
        let mut rest = text.trim();
        let mut negative = false;
        if self.brackets && rest.starts_with('<') {
            rest = rest.strip_prefix('<')?.strip_suffix('>')?;
            negative = true;
        }
        let mut signed = |sign: Sign, found: Option<char>| match (sign, found) {
            (Sign::Plain | Sign::Minus, Some('-')) => {
                negative = true;
                true
            }
            (Sign::Plain, Some('+')) => true,
            _ => false,
        };
        if signed(self.before, rest.chars().next()) {
            rest = &rest[1..];
        }
        if signed(self.behind, rest.chars().next_back()) {
            rest = &rest[..rest.len() - 1];
        }
        if self.dollar {
            rest = rest.strip_prefix('$')?;
        }
        let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(fraction) || fraction.len() > self.scale() || (whole.is_empty() && fraction.is_empty()) {
            return None;
        }
        if self.fraction.first() == Some(&b'0') && fraction.len() != self.scale() {
            return None;
        }
        self.whole_fits(whole)?;
        let whole = whole.replace(',', "");
        let text = format!("{whole}{fraction:0<scale$}", scale = self.scale());
        let number: i128 = text.parse().ok()?;
        Some(if negative { -number } else { number })
    }

    /// Groups between separators are as long as those of the pattern; the first may be shorter, if it is of nines.
    fn whole_fits(&self, whole: &str) -> Option<()> {
        let wanted: Vec<&[u8]> = self.whole.split(|byte| *byte == b',').collect();
        let given: Vec<&str> = if whole.is_empty() { Vec::new() } else { whole.split(',').collect() };
        if given.iter().any(|group| !group.bytes().all(|byte| byte.is_ascii_digit())) {
            return None;
        }
        let missing = wanted.len().checked_sub(given.len())?;
        if wanted[..missing].iter().any(|group| group.first() == Some(&b'0')) {
            return None;
        }
        for (place, (group, wanted)) in given.iter().zip(&wanted[missing..]).enumerate() {
            let exact = place > 0 || wanted.first() == Some(&b'0');
            let fits = if exact { group.len() == wanted.len() } else { group.len() <= wanted.len() };
            if !fits || group.is_empty() {
                return None;
            }
        }
        Some(())
    }

    /// A number of units of the last digit of `scale`, as the pattern shows it.
    fn show(&self, value: i128, scale: usize) -> String {
        let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let whole = whole.trim_start_matches('0');
        let room = self.precision() - self.scale();
        let fraction = fraction.trim_end_matches('0');
        let fits = whole.len() <= room && fraction.len() <= self.scale();
        let negative = value < 0;
        let mut body = if fits { self.filled(whole, room) } else { self.whole_hashes() };
        if !self.fraction.is_empty() {
            body.push('.');
            let end = if fits {
                format!("{fraction:0<width$}", width = self.scale())
            } else {
                "#".repeat(self.scale())
            };
            body.push_str(&end);
        }
        // A mark before the digits stands next to them, behind the blanks.
        let blanks = body.len() - body.trim_start_matches(' ').len();
        let (pad, number) = body.split_at(blanks);
        let sign = |sign: Sign| match (sign, negative) {
            (Sign::Plain, true) | (Sign::Minus, true) => "-",
            (Sign::Plain, false) => "+",
            (Sign::Minus, false) => " ",
            (Sign::None, _) => "",
        };
        let dollar = if self.dollar { "$" } else { "" };
        match (self.brackets, negative) {
            (true, true) => format!("{pad}<{dollar}{number}>"),
            (true, false) => format!("{pad}{dollar}{number}  "),
            // Without a place for it, a sign is not shown.
            (false, _) => format!("{pad}{}{dollar}{number}{}", sign(self.before), sign(self.behind)),
        }
    }

    /// The digits in their places, with blanks before them where the pattern has nines.
    fn filled(&self, digits: &str, room: usize) -> String {
        let lead = room - digits.len();
        let (mut out, mut place, mut begun) = (String::with_capacity(self.whole.len()), 0, false);
        let mut rest = digits.chars();
        for byte in &self.whole {
            if *byte == b',' {
                out.push(if begun { ',' } else { ' ' });
                continue;
            }
            if place >= lead {
                begun = true;
                out.extend(rest.next());
            } else if begun || *byte == b'0' {
                begun = true;
                out.push('0');
            } else {
                out.push(' ');
            }
            place += 1;
        }
        // Nothing before the point is a zero.
        if !begun && let Some(last) = out.pop() {
            out.push(if last == ' ' { '0' } else { last });
        }
        out
    }

    fn whole_hashes(&self) -> String {
        self.whole.iter().map(|byte| if *byte == b',' { ',' } else { '#' }).collect()
    }
}

/// The pattern, if it is the same for all rows.
fn constant(planned: &Planned<'_>) -> Option<String> {
    match planned.constants.get(1) {
        Some(Some(value)) => value.try_as_str().flatten().map(str::to_owned),
        _ => None,
    }
}

fn number_gives(planned: &Planned<'_>) -> Result<DataType> {
    let Some(pattern) = constant(planned) else {
        return refused("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "the format is the same for all rows");
    };
    let pattern = Pattern::read(&pattern)?;
    let (precision, scale) = (pattern.precision(), pattern.scale());
    Ok(DataType::Decimal128(u8::try_from(precision).unwrap_or(38), i8::try_from(scale).unwrap_or(0)))
}

fn to_number(call: &Call) -> Result<ArrayRef> {
    let lenient = call.name == "try_to_number";
    call.numbers::<Decimal128Type>(|row| {
        let pattern = Pattern::read(row.text(1))?;
        match pattern.parse(row.text(0)) {
            Some(number) => Ok(Some(number)),
            None if lenient => Ok(None),
            None => refused(
                "INVALID_FORMAT.MISMATCH_INPUT",
                &format!(
                    "the input \"STRING\" '{}' does not match the format: '{}'",
                    row.text(0),
                    row.text(1)
                ),
            ),
        }
    })
}

/// Numbers by a pattern, bytes in one of three notations; times are shown by `date_format`.
fn to_char(call: &Call) -> Result<ArrayRef> {
    let given = call.arguments[0].data_type().clone();
    if given.is_temporal() {
        return super::time::date_format(call);
    }
    if is_bytes(&given) {
        return call.texts(|row| match row.text(1).to_ascii_lowercase().as_str() {
            "hex" => Ok(Some(row.bytes(0).iter().map(|byte| format!("{byte:02X}")).collect())),
            "base64" => Ok(Some(STANDARD.encode(row.bytes(0)))),
            "utf-8" | "utf8" => Ok(Some(String::from_utf8_lossy(row.bytes(0)).into_owned())),
            other => invalid(other, "bytes are shown as base64, hex or utf-8"),
        });
    }
    let decimal = match &given {
        DataType::Decimal128(precision, scale) => (*precision, *scale),
        other if other.is_integer() => (20, 0),
        _ => (30, 15),
    };
    let values = cast(&call.arguments[0], &DataType::Decimal128(decimal.0, decimal.1))?;
    let scale = usize::try_from(decimal.1).unwrap_or(0);
    call.texts(|row| {
        let pattern = Pattern::read(row.text(1))?;
        Ok(Some(pattern.show(values.as_primitive::<Decimal128Type>().value(row.index()), scale)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_numbers() {
        let read = |text: &str, pattern: &str| Pattern::read(pattern).unwrap().parse(text);
        assert_eq!(read("454", "999"), Some(454));
        assert_eq!(read("454.2", "000.0"), Some(4542));
        assert_eq!(read("12,454.8-", "00,000.9MI"), Some(-124_548));
        assert_eq!(read("<00,454.8>", "00,000.9PR"), Some(-4548));
        assert_eq!(read("$78.12", "$00.00"), Some(7812));
        assert_eq!(read("+454", "S000"), Some(454));
        assert_eq!(read("34,50", "999,99"), Some(3450));
        assert_eq!(read(".01-", "99.99S"), Some(-1));
        assert_eq!(read("123456", "999G999"), None);
        assert_eq!(read("-34", "99"), None);
        assert!(Pattern::read("999G").is_err() && Pattern::read("9X").is_err());
    }

    #[test]
    fn numbers_become_texts() {
        let show =
            |value: i128, scale: usize, pattern: &str| Pattern::read(pattern).unwrap().show(value, scale);
        assert_eq!(show(454, 0, "999"), "454");
        assert_eq!(show(454, 0, "9999"), " 454");
        assert_eq!(show(454, 0, "0999"), "0454");
        assert_eq!(show(12454, 0, "99G999D9"), "12,454.0");
        assert_eq!(show(7812, 2, "$99.99"), "$78.12");
        assert_eq!(show(-124_548, 1, "99,999.9S"), "12,454.8-");
        assert_eq!(show(1234, 0, "999"), "###");
        assert_eq!(show(0, 0, "MI99.9"), "  0.0");
    }
}

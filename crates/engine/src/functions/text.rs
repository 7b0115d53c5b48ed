//! Strings.

use std::sync::Arc;

use datafusion::arrow::array::builder::StringBuilder;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
use datafusion::common::Result;

use crate::functions::cast::shown;
use crate::functions::collection::{joined, reversed};
use crate::functions::own::{Call, Kind, Own, Planned, boolean, bytes, int, is_bytes, refused, text, wrong};

const TEXT: Kind = Kind::Text;
const INT: Kind = Kind::Int;

pub(super) const FUNCTIONS: &[Own] = &[
    Own::new("elt", &[INT, TEXT], text, elt).variadic(),
    Own::new("substring", &[Kind::Any, INT, INT], part_gives, substring).optional(1).also(&["substr"]),
    Own::new("left", &[TEXT, INT], text, left),
    Own::new("right", &[TEXT, INT], text, right),
    Own::new("locate", &[TEXT, TEXT, INT], int, locate).optional(1).also(&["position"]),
    Own::new("instr", &[TEXT, TEXT], int, instr),
    Own::new("concat", &[Kind::Any], concat_gives, concat).variadic(),
    Own::new("concat_ws", &[TEXT, Kind::Any], text, concat_ws).optional(1).variadic(),
    Own::new("initcap", &[TEXT], text, initcap),
    Own::new("reverse", &[Kind::Any], reverse_gives, reverse),
    Own::new("replace", &[TEXT, TEXT, TEXT], text, replace).optional(1),
    Own::new("startswith", &[TEXT, TEXT], boolean, |call| {
        call.booleans(|row| Ok(Some(row.text(0).starts_with(row.text(1)))))
    }),
    Own::new("endswith", &[TEXT, TEXT], boolean, |call| {
        call.booleans(|row| Ok(Some(row.text(0).ends_with(row.text(1)))))
    }),
    Own::new("chr", &[Kind::Long], text, chr).also(&["char"]),
    Own::new("encode", &[TEXT, TEXT], bytes, encode),
    Own::new("decode", &[Kind::Any, Kind::Any], decode_gives, decode).variadic(),
    Own::new("format_number", &[Kind::Any, INT], text, format_number),
    Own::new("validate_utf8", &[TEXT], text, itself).also(&["try_validate_utf8"]),
    Own::new("mask", &[TEXT, TEXT, TEXT, TEXT, TEXT], text, mask).optional(4),
    Own::new("levenshtein", &[TEXT, TEXT], int, levenshtein),
];

fn part_gives(planned: &Planned<'_>) -> Result<DataType> {
    Ok(if is_bytes(&planned.types[0]) { DataType::Binary } else { DataType::Utf8 })
}

/// Where a part begins and ends among `length` characters: positions count from 1, or from the end below 0.
fn bounds(length: i64, position: i32, count: Option<i32>) -> (usize, usize) {
    let position = i64::from(position);
    let start = match position {
        0 => 0,
        1.. => position - 1,
        _ => length + position,
    };
    let end = count.map_or(i64::MAX, |count| start.saturating_add(i64::from(count)));
    let within = |place: i64| usize::try_from(place.clamp(0, length)).unwrap_or(0);
    (within(start), within(end).max(within(start)))
}

fn substring(call: &Call) -> Result<ArrayRef> {
    let count = |row: super::own::Row<'_>| (row.count() > 2).then(|| row.int(2));
    if call.gives == DataType::Binary {
        return call.bytes(|row| {
            let given = row.bytes(0);
            let (start, end) = bounds(i64::try_from(given.len()).unwrap_or(i64::MAX), row.int(1), count(row));
            Ok(Some(given[start..end].to_vec()))
        });
    }
    let arguments = std::iter::once(shown(&call.arguments[0], call.zone))
        .chain(call.arguments[1..].iter().cloned().map(Ok));
    let call = Call { arguments: arguments.collect::<Result<_>>()?, ..call.with_gives(DataType::Utf8) };
    call.texts(|row| Ok(Some(cut(row.text(0), row.int(1), count(row)))))
}

fn cut(given: &str, position: i32, count: Option<i32>) -> String {
    if given.is_ascii() {
        let (start, end) = bounds(i64::try_from(given.len()).unwrap_or(i64::MAX), position, count);
        return given[start..end].to_owned();
    }
    let length = i64::try_from(given.chars().count()).unwrap_or(i64::MAX);
    let (start, end) = bounds(length, position, count);
    given.chars().skip(start).take(end - start).collect()
}

fn left(call: &Call) -> Result<ArrayRef> {
    call.texts(|row| Ok(Some(cut(row.text(0), 1, Some(row.int(1).max(0))))))
}

fn right(call: &Call) -> Result<ArrayRef> {
    call.texts(|row| {
        let count = row.int(1);
        Ok(Some(if count <= 0 { String::new() } else { cut(row.text(0), -count, None) }))
    })
}

/// The position of a character counted from 1, of a byte offset.
fn position(text: &str, offset: usize) -> Option<i32> {
    i32::try_from(text[..offset].chars().count() + 1).ok()
}

fn locate(call: &Call) -> Result<ArrayRef> {
    call.numbers::<Int32Type>(|row| {
        let (wanted, text) = (row.text(0), row.text(1));
        let from = if row.count() > 2 { row.int(2) } else { 1 };
        let Ok(skipped) = usize::try_from(from - 1) else { return Ok(Some(0)) };
        let start = text.char_indices().nth(skipped).map_or(text.len(), |(offset, _)| offset);
        Ok(match text[start..].find(wanted) {
            Some(offset) => position(text, start + offset),
            None => Some(0),
        })
    })
}

fn instr(call: &Call) -> Result<ArrayRef> {
    call.numbers::<Int32Type>(|row| {
        Ok(row.text(0).find(row.text(1)).map_or(Some(0), |offset| position(row.text(0), offset)))
    })
}

fn concat_gives(planned: &Planned<'_>) -> Result<DataType> {
    let lists = planned.types.iter().filter(|given| matches!(given, DataType::List(_))).count();
    match lists {
        0 if planned.types.iter().all(is_bytes) => Ok(DataType::Binary),
        0 => Ok(DataType::Utf8),
        _ if lists == planned.types.len() => Ok(planned.types[0].clone()),
        _ => wrong("concat takes strings, or arrays, not both"),
    }
}

fn concat(call: &Call) -> Result<ArrayRef> {
    match &call.gives {
        DataType::List(_) => joined(call),
        DataType::Binary => call.bytes(|row| {
            let mut all = Vec::new();
            (0..row.count()).for_each(|part| all.extend_from_slice(row.bytes(part)));
            Ok(Some(all))
        }),
        _ => {
            let arguments =
                call.arguments.iter().map(|given| shown(given, call.zone)).collect::<Result<_>>()?;
            Call { arguments, ..call.with_gives(DataType::Utf8) }.texts(|row| {
                let mut all = String::new();
                (0..row.count()).for_each(|part| all.push_str(row.text(part)));
                Ok(Some(all))
            })
        }
    }
}

/// Strings and arrays of strings; NULL is left out.
fn concat_ws(call: &Call) -> Result<ArrayRef> {
    let separators = call.arguments[0].as_string::<i32>();
    let mut parts: Vec<(ArrayRef, bool)> = Vec::new();
    for argument in &call.arguments[1..] {
        match argument.data_type() {
            DataType::List(_) => {
                parts.push((cast(argument, &super::own::list_of(DataType::Utf8))?, true));
            }
            _ => parts.push((shown(argument, call.zone)?, false)),
        }
    }
    let rows = (0..call.rows).map(|row| {
        if separators.is_null(row) {
            return None;
        }
        let mut joined: Vec<String> = Vec::new();
        for (part, list) in parts.iter().filter(|(part, _)| part.is_valid(row)) {
            if *list {
                let items = part.as_list::<i32>().value(row);
                joined.extend(items.as_string::<i32>().iter().flatten().map(str::to_owned));
            } else {
                joined.push(part.as_string::<i32>().value(row).to_owned());
            }
        }
        Some(joined.join(separators.value(row)))
    });
    Ok(Arc::new(rows.collect::<StringArray>()))
}

/// Words are what stands between spaces.
fn initcap(call: &Call) -> Result<ArrayRef> {
    call.texts(|row| {
        let mut out = String::new();
        let mut begins = true;
        for character in row.text(0).chars() {
            if begins {
                out.extend(character.to_uppercase());
            } else {
                out.extend(character.to_lowercase());
            }
            begins = character == ' ';
        }
        Ok(Some(out))
    })
}

fn reverse_gives(planned: &Planned<'_>) -> Result<DataType> {
    match &planned.types[0] {
        list @ DataType::List(_) => Ok(list.clone()),
        _ => Ok(DataType::Utf8),
    }
}

fn reverse(call: &Call) -> Result<ArrayRef> {
    if matches!(call.gives, DataType::List(_)) {
        return reversed(call);
    }
    let arguments = vec![shown(&call.arguments[0], call.zone)?];
    Call { arguments, ..call.with_gives(DataType::Utf8) }
        .texts(|row| Ok(Some(row.text(0).chars().rev().collect())))
}

fn replace(call: &Call) -> Result<ArrayRef> {
    call.texts(|row| {
        let by = if row.count() > 2 { row.text(2) } else { "" };
        let (text, wanted) = (row.text(0), row.text(1));
        Ok(Some(if wanted.is_empty() { text.to_owned() } else { text.replace(wanted, by) }))
    })
}

/// Latin-1, as Spark; nothing for what is negative.
fn chr(call: &Call) -> Result<ArrayRef> {
    call.texts(|row| {
        let code = row.long(0);
        let byte = u8::try_from(code.rem_euclid(256)).unwrap_or(0);
        Ok(Some(if code < 0 { String::new() } else { char::from(byte).to_string() }))
    })
}

fn charset(name: &str) -> Result<&'static str> {
    let known = ["UTF-8", "US-ASCII", "ISO-8859-1", "UTF-16BE", "UTF-16LE", "UTF-16"];
    match known.iter().find(|known| known.eq_ignore_ascii_case(name)) {
        Some(found) => Ok(found),
        None => wrong(format!("the character set {name} is not known; there are {}", known.join(", "))),
    }
}

fn encode(call: &Call) -> Result<ArrayRef> {
    call.bytes(|row| {
        let text = row.text(0);
        let units = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
        let narrow = |limit: u32| {
            text.chars()
                .map(|c| u8::try_from(u32::from(c)).ok().filter(|byte| u32::from(*byte) < limit))
                .collect()
        };
        let encoded: Option<Vec<u8>> = match charset(row.text(1))? {
            "UTF-8" => Some(text.as_bytes().to_vec()),
            "UTF-16BE" => Some(units(u16::to_be_bytes)),
            "UTF-16LE" => Some(units(u16::to_le_bytes)),
            "UTF-16" => Some([vec![0xfe, 0xff], units(u16::to_be_bytes)].concat()),
            "US-ASCII" => narrow(128),
            _ => narrow(256),
        };
        match encoded {
            None => {
                let reason = format!("encode: '{text}' has characters that {} has not", row.text(1));
                refused("MALFORMED_CHARACTER_CODING", &reason)
            }
            some => Ok(some),
        }
    })
}

/// `decode(bytes, charset)`, or `decode(value, search, result, ..., otherwise)`.
fn decode_gives(planned: &Planned<'_>) -> Result<DataType> {
    match planned.types.len() {
        0 | 1 => wrong("decode takes bytes and a character set, or a value and what it may be"),
        2 => Ok(DataType::Utf8),
        _ => Ok(planned.types[2].clone()),
    }
}

fn decode(call: &Call) -> Result<ArrayRef> {
    if call.arguments.len() > 2 {
        return super::conditional::decode(call);
    }
    let arguments = vec![cast(&call.arguments[0], &DataType::Binary)?, Arc::clone(&call.arguments[1])];
    Call { arguments, ..call.with_gives(DataType::Utf8) }.texts(|row| {
        let bytes = row.bytes(0);
        let units = |order: fn([u8; 2]) -> u16| -> Option<String> {
            let units: Vec<u16> =
                bytes.chunks(2).map(|pair| order([pair[0], *pair.get(1).unwrap_or(&0)])).collect();
            String::from_utf16(&units).ok()
        };
        let decoded = match charset(row.text(1))? {
            "UTF-8" => String::from_utf8(bytes.to_vec()).ok(),
            "UTF-16LE" => units(u16::from_le_bytes),
            "UTF-16BE" | "UTF-16" => units(u16::from_be_bytes),
            "US-ASCII" => bytes.is_ascii().then(|| bytes.iter().copied().map(char::from).collect()),
            _ => Some(bytes.iter().copied().map(char::from).collect()),
        };
        decoded.map_or_else(
            || refused("MALFORMED_CHARACTER_CODING", &format!("decode: the bytes are not {}", row.text(1))),
            |text| Ok(Some(text)),
        )
    })
}

/// Thousands apart, and so many digits behind the point.
fn format_number(call: &Call) -> Result<ArrayRef> {
    let whole = call.arguments[0].data_type().is_integer();
    let given = if whole { DataType::Int64 } else { DataType::Float64 };
    let arguments = vec![cast(&call.arguments[0], &given)?, Arc::clone(&call.arguments[1])];
    Call { arguments, ..call.with_gives(DataType::Utf8) }.texts(|row| {
        let Ok(digits) = usize::try_from(row.int(1)) else { return Ok(None) };
        let text = if whole {
            let value = row.array(0).as_primitive::<Int64Type>().value(row.index());
            format!("{value}{}{}", if digits > 0 { "." } else { "" }, "0".repeat(digits))
        } else {
            format!("{:.digits$}", row.array(0).as_primitive::<Float64Type>().value(row.index()))
        };
        Ok(Some(grouped(&text)))
    })
}

fn grouped(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut out = sign.to_owned();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out.push_str(fraction);
    out
}

/// Every text here is UTF-8: the door and the files see to it.
fn itself(call: &Call) -> Result<ArrayRef> {
    Ok(Arc::clone(&call.arguments[0]))
}

fn mask(call: &Call) -> Result<ArrayRef> {
    // A mask that is NULL leaves the character as it is.
    let rows = (0..call.rows).map(|index| call.row(index)).map(|row| {
        if row.is_null(0) {
            return None;
        }
        let by = |argument: usize, usual: Option<char>| match row.count() > argument {
            true if row.is_null(argument) => None,
            true => row.text(argument).chars().next(),
            false => usual,
        };
        let (upper, lower, digit, other) =
            (by(1, Some('X')), by(2, Some('x')), by(3, Some('n')), by(4, None));
        let masked = row.text(0).chars().map(|character| {
            let mask = match character {
                c if c.is_uppercase() => upper,
                c if c.is_lowercase() => lower,
                c if c.is_numeric() => digit,
                _ => other,
            };
            mask.unwrap_or(character)
        });
        Some(masked.collect::<String>())
    });
    Ok(Arc::new(rows.collect::<StringArray>()))
}

fn levenshtein(call: &Call) -> Result<ArrayRef> {
    call.numbers::<Int32Type>(|row| {
        let other: Vec<char> = row.text(1).chars().collect();
        let mut costs: Vec<i32> = (0..).take(other.len() + 1).collect();
        for (place, character) in (1..).zip(row.text(0).chars()) {
            let mut diagonal = std::mem::replace(&mut costs[0], place);
            for (index, against) in other.iter().enumerate() {
                let replaced = diagonal + i32::from(*against != character);
                diagonal = costs[index + 1];
                costs[index + 1] = replaced.min(diagonal + 1).min(costs[index] + 1);
            }
        }
        Ok(costs.last().copied())
    })
}

/// The argument of that number, from 1.
fn elt(call: &Call) -> Result<ArrayRef> {
    let mut texts = StringBuilder::new();
    for row in (0..call.rows).map(|row| call.row(row)) {
        if row.is_null(0) {
            texts.append_null();
            continue;
        }
        match usize::try_from(row.int(0)) {
            Ok(number) if (1..row.count()).contains(&number) => {
                texts.append_option((!row.is_null(number)).then(|| row.text(number)));
            }
            _ => {
                let reason = format!("elt: there is no argument {} among {}", row.int(0), row.count() - 1);
                return refused("INVALID_ARRAY_INDEX", &reason);
            }
        }
    }
    Ok(Arc::new(texts.finish()))
}

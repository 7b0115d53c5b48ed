//! Regular expressions. They are Rust's: linear in time whatever they say, which leaves out what Java's can
//! do by going back (look-around, back references).

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::array::builder::{ListBuilder, StringBuilder};
use datafusion::arrow::datatypes::Int32Type;
use datafusion::common::Result;
use regex::Regex;

use crate::functions::own::{Call, Kind, Own, boolean, int, refused, text, texts, wrong};

const TEXT: Kind = Kind::Text;

pub(super) const FUNCTIONS: &[Own] = &[
    Own::new("split", &[TEXT, TEXT, Kind::Int], texts, split).optional(1),
    Own::new("regexp_like", &[TEXT, TEXT], boolean, like).also(&["regexp", "rlike"]),
    Own::new("regexp_extract", &[TEXT, TEXT, Kind::Int], text, extract).optional(1),
    Own::new("regexp_extract_all", &[TEXT, TEXT, Kind::Int], texts, extract_all).optional(1),
    Own::new("regexp_replace", &[TEXT, TEXT, TEXT, Kind::Int], text, replace).optional(1),
    Own::new("regexp_count", &[TEXT, TEXT], int, count),
    Own::new("regexp_instr", &[TEXT, TEXT], int, instr),
    Own::new("regexp_substr", &[TEXT, TEXT], text, substr),
];

/// The expression that a column holds, compiled once for as long as it stays the same.
#[derive(Default)]
struct Compiled {
    known: Option<(String, Regex)>,
}

impl Compiled {
    fn get(&mut self, pattern: &str) -> Result<&Regex> {
        if self.known.as_ref().is_none_or(|(known, _)| known != pattern) {
            match Regex::new(pattern) {
                Ok(regex) => self.known = Some((pattern.to_owned(), regex)),
                Err(error) => {
                    let reason = error.to_string();
                    let reason = reason.lines().last().unwrap_or_default();
                    return wrong(format!("the regular expression '{pattern}' is not understood: {reason}"));
                }
            }
        }
        self.known.as_ref().map_or_else(|| wrong("no expression"), |(_, regex)| Ok(regex))
    }
}

fn split(call: &Call) -> Result<ArrayRef> {
    let (mut compiled, mut lists) = (Compiled::default(), ListBuilder::new(StringBuilder::new()));
    for row in call.complete() {
        let Some(row) = row else {
            lists.append_null();
            continue;
        };
        let limit = if row.count() > 2 { row.int(2) } else { -1 };
        for part in parts(compiled.get(row.text(1))?, row.text(0), usize::try_from(limit).unwrap_or(0)) {
            lists.values().append_value(part);
        }
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

/// As Java's `split`: an empty match at the very beginning cuts nothing off; `limit` 0 means no limit.
fn parts<'t>(regex: &Regex, text: &'t str, limit: usize) -> Vec<&'t str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    for found in regex.find_iter(text) {
        if limit > 0 && parts.len() + 1 == limit {
            break;
        }
        let empty_end = found.is_empty() && found.start() == text.len();
        if (found.end() == 0 && !text.is_empty()) || empty_end {
            continue;
        }
        parts.push(&text[start..found.start()]);
        start = found.end();
    }
    parts.push(&text[start..]);
    parts
}

fn like(call: &Call) -> Result<ArrayRef> {
    let mut compiled = Compiled::default();
    call.booleans(|row| Ok(Some(compiled.get(row.text(1))?.is_match(row.text(0)))))
}

/// The group that is asked for: the first, if none is named.
fn group(call: &str, regex: &Regex, asked: Option<i32>) -> Result<usize> {
    let asked = asked.unwrap_or(1);
    match usize::try_from(asked) {
        Ok(group) if group < regex.captures_len() => Ok(group),
        _ => {
            let groups = regex.captures_len() - 1;
            let reason = format!("{call}: there is no group {asked}; the expression has {groups}");
            refused("INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX", &reason)
        }
    }
}

fn extract(call: &Call) -> Result<ArrayRef> {
    let mut compiled = Compiled::default();
    call.texts(|row| {
        let regex = compiled.get(row.text(1))?;
        let group = group(call.name, regex, (row.count() > 2).then(|| row.int(2)))?;
        let found = regex.captures(row.text(0)).and_then(|found| found.get(group));
        Ok(Some(found.map_or_else(String::new, |found| found.as_str().to_owned())))
    })
}

fn extract_all(call: &Call) -> Result<ArrayRef> {
    let (mut compiled, mut lists) = (Compiled::default(), ListBuilder::new(StringBuilder::new()));
    for row in call.complete() {
        let Some(row) = row else {
            lists.append_null();
            continue;
        };
        let regex = compiled.get(row.text(1))?;
        let group = group(call.name, regex, (row.count() > 2).then(|| row.int(2)))?;
        for found in regex.captures_iter(row.text(0)) {
            lists.values().append_value(found.get(group).map_or("", |found| found.as_str()));
        }
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

fn replace(call: &Call) -> Result<ArrayRef> {
    let mut compiled = Compiled::default();
    call.texts(|row| {
        let (text, regex) = (row.text(0), compiled.get(row.text(1))?);
        let from = if row.count() > 3 { row.int(3) - 1 } else { 0 };
        let Ok(skipped) = usize::try_from(from) else {
            return wrong("regexp_replace: the position counts from 1");
        };
        let start = text.char_indices().nth(skipped).map_or(text.len(), |(offset, _)| offset);
        let (kept, rest) = text.split_at(start);
        Ok(Some(format!("{kept}{}", regex.replace_all(rest, replacement(row.text(2))))))
    })
}

/// Java's `$1` ends with its digits, Rust's with its word; a backslash takes the meaning away.
fn replacement(java: &str) -> String {
    let mut out = String::new();
    let mut rest = java.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\\' => match rest.next() {
                Some('$') => out.push_str("$$"),
                Some(other) => out.push(other),
                None => {}
            },
            '$' if rest.peek().is_some_and(char::is_ascii_digit) => {
                out.push_str("${");
                while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                    out.push(digit);
                }
                out.push('}');
            }
            other => out.push(other),
        }
    }
    out
}

fn count(call: &Call) -> Result<ArrayRef> {
    let mut compiled = Compiled::default();
    call.numbers::<Int32Type>(|row| {
        Ok(i32::try_from(compiled.get(row.text(1))?.find_iter(row.text(0)).count()).ok())
    })
}

fn instr(call: &Call) -> Result<ArrayRef> {
    let mut compiled = Compiled::default();
    call.numbers::<Int32Type>(|row| {
        let text = row.text(0);
        let found = compiled.get(row.text(1))?.find(text);
        Ok(found.map_or(Some(0), |found| i32::try_from(text[..found.start()].chars().count() + 1).ok()))
    })
}

fn substr(call: &Call) -> Result<ArrayRef> {
    let mut compiled = Compiled::default();
    call.texts(|row| Ok(compiled.get(row.text(1))?.find(row.text(0)).map(|found| found.as_str().to_owned())))
}

//! Names as scripts write them: `t.column.field`, with backquotes around what contains points.

use crate::error::{Class, Result, SparkError};

/// The parts of a name.
pub(crate) fn parts(text: &str) -> Result<Vec<String>> {
    let wrong = || {
        let reason =
            format!("The attribute name `{text}` is invalid. Backquotes come in pairs, parts are not empty.");
        SparkError::new(Class::Analysis, "INVALID_ATTRIBUTE_NAME_SYNTAX", "42601", reason)
    };
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '`' if quoted && characters.peek() == Some(&'`') => {
                characters.next();
                part.push('`');
            }
            '`' => quoted = !quoted,
            '.' if !quoted => parts.push(std::mem::take(&mut part)),
            other => part.push(other),
        }
    }
    parts.push(part);
    if quoted || parts.iter().any(String::is_empty) {
        return Err(wrong());
    }
    Ok(parts)
}

/// A name in the form that [`parts`] reads.
pub(crate) fn quoted(parts: &[String]) -> String {
    let quote = |part: &String| format!("`{}`", part.replace('`', "``"));
    parts.iter().map(quote).collect::<Vec<_>>().join(".")
}

/// Whether a pattern of `colRegex` matches the whole name: `.`, `*`, `+`, `?` and alternatives.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let alternatives = pattern.trim_start_matches('(').trim_end_matches(")?+.+").trim_end_matches(')');
    if pattern.ends_with(")?+.+") {
        // The usual way to say "all but these".
        return !alternatives.split('|').any(|one| matches_one(one.as_bytes(), name.as_bytes()));
    }
    alternatives.split('|').any(|one| matches_one(one.as_bytes(), name.as_bytes()))
}

fn matches_one(pattern: &[u8], text: &[u8]) -> bool {
    let Some((&first, rest)) = pattern.split_first() else { return text.is_empty() };
    let fits = |byte: u8| first == b'.' || first.eq_ignore_ascii_case(&byte);
    match rest.first() {
        Some(b'*' | b'+') => {
            let least = usize::from(rest[0] == b'+');
            let run = text.iter().take_while(|byte| fits(**byte)).count();
            (least..=run).rev().any(|taken| matches_one(&rest[1..], &text[taken..]))
        }
        Some(b'?') => {
            matches_one(&rest[1..], text)
                || text.first().is_some_and(|byte| fits(*byte)) && matches_one(&rest[1..], &text[1..])
        }
        _ => text.first().is_some_and(|byte| fits(*byte)) && matches_one(rest, &text[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_names() {
        assert_eq!(parts("a.b").unwrap(), ["a", "b"]);
        assert_eq!(parts("`a.b`.c").unwrap(), ["a.b", "c"]);
        assert_eq!(parts("`a``b`").unwrap(), ["a`b"]);
        assert!(parts("a..b").is_err());
        assert!(parts("`a").is_err());
        assert_eq!(parts(&quoted(&["a`.b".to_owned(), "c".to_owned()])).unwrap(), ["a`.b", "c"]);
    }

    #[test]
    fn patterns_of_columns() {
        assert!(matches("col.*", "Column"));
        assert!(!matches("col.", "c"));
        assert!(matches("(a|b)", "b"));
        assert!(matches("(a)?+.+", "b"));
        assert!(!matches("(a)?+.+", "a"));
    }
}

//! How long files and their lines may be.

use super::extension;
use crate::finding::Finding;
use crate::repository::File;

const FILE_LINES: usize = 500;
/// Code that people write for the browser has no such lines; packed code has nothing else.
const LINE_CHARACTERS: usize = 500;

/// At most 500 lines of code, and apart from them at most 500 lines of tests.
pub(crate) fn lines(file: &File) -> Vec<Finding> {
    if !matches!(extension(&file.path), "rs" | "ts" | "tsx" | "js" | "css" | "html" | "py" | "sql" | "sh") {
        return Vec::new();
    }
    let total = file.text.lines().count();
    let code = if extension(&file.path) == "rs" { tests_start(&file.text).unwrap_or(total) } else { total };
    [("code", code), ("tests", total - code)]
        .into_iter()
        .filter(|(_, count)| *count > FILE_LINES)
        .map(|(what, count)| {
            Finding::new(&file.path, format!("{count} lines of {what}; at most {FILE_LINES}"))
        })
        .collect()
}

/// How many lines stand before the module of unit tests, if there is one.
fn tests_start(text: &str) -> Option<usize> {
    let lines: Vec<&str> = text.lines().collect();
    lines.windows(2).position(|pair| {
        pair[0].starts_with("#[cfg(test)]")
            && pair[1].starts_with("mod ")
            && pair[1].trim_end().ends_with('{')
    })
}

/// Nothing minified.
pub(crate) fn minified(file: &File) -> Option<Finding> {
    if !matches!(extension(&file.path), "js" | "mjs" | "cjs" | "ts" | "tsx" | "css" | "html") {
        return None;
    }
    let number = file.text.lines().position(|line| line.chars().count() > LINE_CHARACTERS)?;
    Some(Finding::at(&file.path, number + 1, "a line this long looks minified; keep what people write"))
}

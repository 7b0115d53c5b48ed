//! What may not stand in any file. The words are put together here so that this file may stand too.

use super::extension;
use crate::finding::Finding;
use crate::repository::File;

const MARKERS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")];

/// Directories of one person's machine.
const MACHINE: &[&str] = &[
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Use", "rs/"),
    concat!("/tmp", "/w/"),
    concat!("/wo", "rk/"),
];

/// Where packages come from is the business of the machine that fetches them.
const REGISTRIES: &[&str] = &[
    concat!("crates", ".io"),
    concat!("py", "pi.org"),
    concat!("python", "hosted.org"),
    concat!("npm", "js.org"),
    concat!("npm", "js.com"),
    concat!("debian", ".org"),
    concat!("maven", ".org"),
    concat!("maven.apache", ".org"),
    concat!("golang", ".org/proxy"),
    concat!("proxy.golang", ".org"),
    concat!("arti", "factory"),
];

/// Unfinished work is an issue or a test, not a comment; a test runs or does not exist.
pub(crate) fn markers(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    // Golden expressions hold Java's date patterns, of which one looks like a marker.
    let golden = file.path.split('/').any(|part| part == "golden");
    for (number, line) in file.text.lines().enumerate() {
        for marker in MARKERS {
            if !golden && has_word(line, marker) {
                findings.push(Finding::at(&file.path, number + 1, format!("{marker}: do it or file it")));
            }
        }
        if extension(&file.path) == "rs" && line.trim_start().starts_with(concat!("#[", "ignore")) {
            findings.push(Finding::at(
                &file.path,
                number + 1,
                "a test runs: assert today's behaviour and say why",
            ));
        }
    }
    findings
}

/// Nothing that is true on one machine only.
pub(crate) fn machine(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        if let Some(path) = MACHINE.iter().find(|path| names_path(line, path)) {
            findings.push(Finding::at(
                &file.path,
                number + 1,
                format!("{path} is a place on somebody's machine"),
            ));
        }
        let registry = REGISTRIES.iter().find(|host| line.contains(*host));
        if let Some(host) = registry.filter(|_| !file.path.ends_with("Cargo.lock")) {
            findings.push(Finding::at(
                &file.path,
                number + 1,
                format!("{host}: a registry is not named here"),
            ));
        }
    }
    findings
}

/// No trailing blanks, no carriage returns, one newline at the end.
pub(crate) fn whitespace(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in file.text.split('\n').enumerate() {
        if line.ends_with([' ', '\t', '\r']) {
            findings.push(Finding::at(&file.path, number + 1, "trailing whitespace"));
        }
    }
    if !file.text.is_empty() && (!file.text.ends_with('\n') || file.text.ends_with("\n\n")) {
        findings.push(Finding::new(&file.path, "ends with exactly one newline"));
    }
    findings
}

fn has_word(line: &str, word: &str) -> bool {
    line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word)
}

/// Whether an absolute path that begins like this stands on the line.
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '~' | '}' | '/'))
    })
}

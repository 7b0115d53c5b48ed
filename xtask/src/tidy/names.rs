//! What files are called, where they lie and how a crate begins.

use std::collections::BTreeSet;

use crate::finding::Finding;
use crate::repository::{File, Package};

const ROOT_ENTRIES: usize = 20;
/// A crate's page says what it is for, what it does not know and how to read it: not in fewer lines.
const PAGE_LINES: usize = 4;

/// The root is the table of contents; it stays short.
pub(crate) fn root(paths: &[String]) -> Vec<Finding> {
    let entries: BTreeSet<&str> = paths.iter().filter_map(|path| path.split('/').next()).collect();
    match entries.len() {
        count if count < ROOT_ENTRIES => Vec::new(),
        count => {
            vec![Finding::new(".", format!("{count} entries in the root; it stays under {ROOT_ENTRIES}"))]
        }
    }
}

/// Names that say nothing, and directories of other people's files.
pub(crate) fn path(path: &str) -> Option<Finding> {
    let (directories, name) = path.rsplit_once('/').unwrap_or(("", path));
    if name == "mod.rs" {
        return Some(Finding::new(path, "call it foo.rs, beside foo/"));
    }
    if matches!(name, "common.rs" | "helpers.rs" | "misc.rs" | "util.rs" | "utils.rs")
        || path.ends_with("src/types.rs")
    {
        return Some(Finding::new(path, "a file has one idea, and its name says which"));
    }
    if name.contains(".min.") {
        return Some(Finding::new(path, "nothing minified is kept here"));
    }
    let foreign = ["node_modules", "third_party", "third-party", "vendor", "site-packages"];
    directories
        .split('/')
        .find(|directory| foreign.contains(directory))
        .map(|directory| Finding::new(path, format!("files of others ({directory}) come from a registry")))
}

/// A library's root holds its page and its re-exports; a program's root begins with its page.
pub(crate) fn page(package: &Package, files: &[File]) -> Vec<Finding> {
    let find =
        |name: &str| files.iter().find(|file| file.path == format!("{}/src/{name}", package.directory));
    let (library, program) = (find("lib.rs"), find("main.rs"));
    let Some(file) = library.or(program) else {
        return vec![Finding::new(&package.directory, "neither src/lib.rs nor src/main.rs")];
    };
    let mut findings = Vec::new();
    if file.text.lines().take_while(|line| line.starts_with("//!")).count() < PAGE_LINES {
        let message =
            format!("begins with a page comment of at least {PAGE_LINES} lines: purpose, limits, reading");
        findings.push(Finding::new(&file.path, message));
    }
    if let Some(library) = library {
        findings.extend(definitions(library));
    }
    findings
}

fn definitions(library: &File) -> Option<Finding> {
    let words = ["fn", "async fn", "struct", "enum", "trait", "impl", "impl<", "const", "static", "type"];
    let starts = |line: &str| {
        let line = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub ")).unwrap_or(line);
        words.iter().any(|word| {
            line.strip_prefix(word).is_some_and(|rest| rest.starts_with(' ') || word.ends_with('<'))
        })
    };
    let number = library.text.lines().position(starts)?;
    Some(Finding::at(&library.path, number + 1, "lib.rs holds only the crate's page and re-exports"))
}

//! Rules of neatness that no compiler holds: sizes, names, what may not stand in a file.

mod names;
mod size;
#[cfg(test)]
mod tests;
mod words;

use crate::finding::Finding;
use crate::repository::{File, Package};

/// Every place that is not tidy.
pub(crate) fn check(paths: &[String], files: &[File], packages: &[Package]) -> Vec<Finding> {
    let mut findings = names::root(paths);
    for path in paths {
        findings.extend(names::path(path));
    }
    for file in files {
        findings.extend(size::lines(file));
        findings.extend(size::minified(file));
        findings.extend(words::markers(file));
        findings.extend(words::machine(file));
        findings.extend(words::whitespace(file));
    }
    for package in packages {
        findings.extend(names::page(package, files));
    }
    findings
}

/// What the file's name ends with after the last dot.
fn extension(path: &str) -> &str {
    path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map_or("", |(_, extension)| extension)
}

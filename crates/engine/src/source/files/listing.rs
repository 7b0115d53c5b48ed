//! Which files there are: a directory, a file, or a pattern of them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use env::Disk;
use regex::Regex;

use crate::error::SourceError;
use crate::sink::files::manifest;
use crate::sink::files::partition::is_partition;
use crate::source::files::seen::failed;
use crate::sql::options::source::FileOptions;

/// What is listed.
#[derive(Debug)]
pub(super) struct Listing {
    /// The part of the path without patterns.
    base: PathBuf,
    /// What follows, one per directory.
    patterns: Vec<Regex>,
    names: Option<Regex>,
    recursive: bool,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) modified_ms: i64,
}

impl Listing {
    pub(super) fn new(options: &FileOptions) -> Result<Self, SourceError> {
        let mut base = PathBuf::new();
        let mut patterns = Vec::new();
        let path = options.path.strip_prefix("file://").unwrap_or(&options.path);
        for component in Path::new(path).components() {
            let text = component.as_os_str().to_string_lossy();
            if patterns.is_empty() && !text.contains(['*', '?', '[', '{']) {
                base.push(component);
            } else {
                patterns.push(pattern(&text, &options.path)?);
            }
        }
        let names = options.name_pattern.as_ref().map(|names| pattern(names, names)).transpose()?;
        Ok(Listing { base, patterns, names, recursive: options.recursive })
    }

    /// All files, in no order. A directory that is not there yet has none.
    pub(super) fn files(&self, disk: &dyn Disk) -> Result<Vec<Found>, SourceError> {
        let mut files = Vec::new();
        if !disk.exists(&self.base) {
            return Ok(files);
        }
        match disk.read_dir(&self.base) {
            Ok(_) => {
                self.list(disk, &self.base, &self.patterns, &mut files)?;
                self.leave_uncommitted(disk, &mut files)?;
            }
            // It is no directory, but the file itself.
            Err(_) if self.patterns.is_empty() => self.add(disk, self.base.clone(), &mut files)?,
            Err(error) => return Err(failed("list", &self.base)(error)),
        }
        Ok(files)
    }

    /// Where a streaming query of Spark or of this engine has written, its manifest says which files count.
    fn leave_uncommitted(&self, disk: &dyn Disk, files: &mut Vec<Found>) -> Result<(), SourceError> {
        let committed = manifest::committed(disk, &self.base);
        if let Some(names) = committed.map_err(failed("read the manifest of", &self.base))? {
            let names: HashSet<String> = names.into_iter().collect();
            let name = |file: &Found| file.path.file_name().map(|name| name.to_string_lossy().into_owned());
            files.retain(|file| name(file).is_some_and(|name| names.contains(&name)));
        }
        Ok(())
    }

    fn list(
        &self,
        disk: &dyn Disk,
        dir: &Path,
        patterns: &[Regex],
        files: &mut Vec<Found>,
    ) -> Result<(), SourceError> {
        for entry in disk.read_dir(dir).map_err(failed("list", dir))? {
            // As everywhere around Hadoop: somebody is still at work on these.
            if entry.name.starts_with(['.', '_']) || entry.name.ends_with("._COPYING_") {
                continue;
            }
            let path = dir.join(&entry.name);
            let fits = patterns.first().is_none_or(|pattern| pattern.is_match(&entry.name));
            let rest = patterns.get(1..).unwrap_or_default();
            match (entry.is_dir, fits) {
                (_, false) => {}
                // A pattern may name directories whose files are meant.
                (true, true) if !patterns.is_empty() || self.recursive || is_partition(&entry.name) => {
                    self.list(disk, &path, rest, files)?;
                }
                (true, true) => {}
                (false, true) if patterns.len() <= 1 => self.add(disk, path, files)?,
                (false, true) => {}
            }
        }
        Ok(())
    }

    fn add(&self, disk: &dyn Disk, path: PathBuf, files: &mut Vec<Found>) -> Result<(), SourceError> {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        if self.names.as_ref().is_some_and(|names| !names.is_match(&name)) {
            return Ok(());
        }
        // Who lists may come between a file's coming and its going.
        if let Ok(modified_ms) = disk.modified_ms(&path) {
            files.push(Found { path, modified_ms });
        }
        Ok(())
    }
}

/// A shell's pattern of one name: `*`, `?`, `[a-c]`, `[^a]`, `{a,b}`.
fn pattern(glob: &str, path: &str) -> Result<Regex, SourceError> {
    let mut regex = String::from("^");
    let mut braces = 0_u32;
    let mut characters = glob.chars();
    while let Some(character) = characters.next() {
        match character {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '[' => {
                regex.push('[');
                for inner in characters.by_ref() {
                    match inner {
                        '\\' | '[' | '&' | '~' => regex.extend(['\\', inner]),
                        other => regex.push(other),
                    }
                    if inner == ']' {
                        break;
                    }
                }
            }
            '{' => {
                braces += 1;
                regex.push_str("(?:");
            }
            '}' if braces > 0 => {
                braces -= 1;
                regex.push(')');
            }
            ',' if braces > 0 => regex.push('|'),
            '\\' => regex.push_str(&regex::escape(&characters.next().unwrap_or('\\').to_string())),
            other => regex.push_str(&regex::escape(&other.to_string())),
        }
    }
    regex.push('$');
    Regex::new(&regex).map_err(|error| SourceError::BadFile {
        path: path.into(),
        reason: format!("is no pattern: {error}"),
    })
}

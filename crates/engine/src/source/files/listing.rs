//! Which files there are: a directory, a file, or a pattern of them.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::error::SourceError;
use crate::sink::files::manifest;
use crate::sink::files::partition::is_partition;
use crate::source::files::seen::failed;
use crate::sql::options::source::FileOptions;
use crate::storage::{Found, Store, Wanted, is_remote};

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

impl Listing {
    pub(super) fn new(options: &FileOptions) -> Result<Self, SourceError> {
        let path = options.path.strip_prefix("file://").unwrap_or(&options.path);
        let (mut base, below) = parted(path);
        let mut patterns = Vec::new();
        for name in below {
            if patterns.is_empty() && !name.contains(['*', '?', '[', '{']) {
                base.push(name);
            } else {
                patterns.push(pattern(&name, &options.path)?);
            }
        }
        let names = options.name_pattern.as_ref().map(|names| pattern(names, names)).transpose()?;
        Ok(Listing { base, patterns, names, recursive: options.recursive })
    }

    /// Shows all files, in no order. A directory that is not there yet has none.
    pub(super) fn each(&self, store: &Store, show: &mut dyn FnMut(Found)) -> Result<(), SourceError> {
        // First: what is committed after this is listed next time.
        let committed = self.committed(store).map_err(failed("read the manifest of", &self.base))?;
        let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        let listed = store.walk(&self.base, self, &mut |file| {
            // It is no directory, but the file itself.
            let counts = match file.path == self.base {
                true => self.patterns.is_empty() && self.is_named(&name(&file.path).unwrap_or_default()),
                false => committed
                    .as_ref()
                    .is_none_or(|names| name(&file.path).is_some_and(|name| names.contains(&name))),
            };
            if counts {
                show(file);
            }
        });
        listed.map_err(failed("list", &self.base))
    }

    /// Where a streaming query of Spark or of this engine has written, its manifest says which files count.
    fn committed(&self, store: &Store) -> io::Result<Option<HashSet<String>>> {
        Ok(manifest::committed(store, &self.base)?.map(|names| names.into_iter().collect()))
    }

    fn is_named(&self, name: &str) -> bool {
        self.names.as_ref().is_none_or(|names| names.is_match(name))
    }

    fn fits(&self, depth: usize, name: &str) -> bool {
        // As everywhere around Hadoop: somebody is still at work on these.
        let hidden = name.starts_with(['.', '_']) || name.ends_with("._COPYING_");
        !hidden && self.patterns.get(depth).is_none_or(|pattern| pattern.is_match(name))
    }
}

impl Wanted for Listing {
    /// A pattern may name directories whose files are meant.
    fn enters(&self, depth: usize, directory: &str) -> bool {
        let below = depth < self.patterns.len() || self.recursive || is_partition(directory);
        below && self.fits(depth, directory)
    }

    fn takes(&self, depth: usize, file: &str) -> bool {
        depth + 1 >= self.patterns.len() && self.fits(depth, file) && self.is_named(file)
    }
}

/// Where a path begins, and the names that follow.
fn parted(path: &str) -> (PathBuf, Vec<String>) {
    if is_remote(path) {
        let (scheme, rest) = path.split_at(path.find("://").map_or(0, |at| at + 3));
        let mut names = rest.split('/').filter(|name| !name.is_empty());
        let bucket = names.next().unwrap_or_default();
        return (format!("{scheme}{bucket}/").into(), names.map(str::to_owned).collect());
    }
    let names = Path::new(path).components().map(|name| name.as_os_str().to_string_lossy().into_owned());
    (PathBuf::new(), names.collect())
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

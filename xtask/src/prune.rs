//! Keeps the target directory that clones share from growing for ever.
//!
//! Cargo never deletes what an older lock file or an older test left behind. Beyond the limit the artefacts of
//! our own crates go first (large, rebuilt in a minute or two); if that is not enough, all of them do.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::report::say;
use crate::repository::Repository;

const GIB: u64 = 1 << 30;

/// The command: empties what is needed to come below the limit.
pub(crate) fn prune(repository: &Repository, limit_gib: u64) -> Result<bool> {
    let names: Vec<String> = repository.packages()?.into_iter().map(|package| package.name).collect();
    let profile = repository.target.join("debug");
    let before = size(&repository.target);
    if before > limit_gib * GIB {
        remove(&own_artefacts(&profile, &names))?;
        if size(&repository.target) > limit_gib * GIB {
            remove(&entries(&repository.target, |name| name != "tools"))?;
        }
    }
    let after = size(&repository.target);
    say(&format!(
        "{}: {:.1} GiB, was {:.1} GiB, limit {limit_gib} GiB",
        repository.target.display(),
        gib(after),
        gib(before)
    ));
    Ok(true)
}

#[expect(clippy::cast_precision_loss, reason = "a number for people, with one digit after the point")]
fn gib(bytes: u64) -> f64 {
    bytes as f64 / GIB as f64
}

/// Everything under the profile that belongs to crates of these names, and what only speeds up edits.
fn own_artefacts(profile: &Path, names: &[String]) -> Vec<PathBuf> {
    let ours = |file: &str| {
        let stem = file.strip_prefix("lib").unwrap_or(file);
        names.iter().any(|name| {
            [name.clone(), name.replace('-', "_")]
                .iter()
                .any(|name| [file, stem].iter().any(|file| belongs(file, name)))
        })
    };
    let mut paths = entries(&profile.join("deps"), |name| ours(name) || belongs(name, "it"));
    for directory in [".fingerprint", "build"] {
        paths.extend(entries(&profile.join(directory), ours));
    }
    paths.extend(entries(&profile.join("incremental"), |_| true));
    paths
}

/// Whether the file is `name` with cargo's hash behind it: `name-0123456789abcdef`, `.d`, `.rlib` and so on.
fn belongs(file: &str, name: &str) -> bool {
    let Some(rest) = file.strip_prefix(name).and_then(|rest| rest.strip_prefix('-')) else { return false };
    let hash = rest.split('.').next().unwrap_or_default();
    hash.len() == 16 && hash.chars().all(|c| c.is_ascii_hexdigit())
}

fn entries(directory: &Path, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let Ok(list) = std::fs::read_dir(directory) else { return Vec::new() };
    list.flatten()
        .filter(|entry| wanted(&entry.file_name().to_string_lossy()))
        .map(|entry| entry.path())
        .collect()
}

fn remove(paths: &[PathBuf]) -> Result<()> {
    for path in paths {
        let result = if path.is_dir() && !path.is_symlink() {
            std::fs::remove_dir_all(path)
        } else {
            std::fs::remove_file(path)
        };
        result.with_context(|| format!("cannot remove {}", path.display()))?;
    }
    Ok(())
}

/// The bytes of a directory's files. Hard links, which cargo makes of programs, count once.
fn size(directory: &Path) -> u64 {
    fn walk(directory: &Path, seen: &mut std::collections::HashSet<u64>) -> u64 {
        use std::os::unix::fs::MetadataExt as _;
        let Ok(list) = std::fs::read_dir(directory) else { return 0 };
        let one = |entry: std::fs::DirEntry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => walk(&entry.path(), seen),
            Ok(metadata) if metadata.nlink() < 2 || seen.insert(metadata.ino()) => metadata.len(),
            _ => 0,
        };
        list.flatten().map(one).sum()
    }
    walk(directory, &mut std::collections::HashSet::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_artefacts_are_recognised() {
        assert!(belongs("record-0123456789abcdef", "record"));
        assert!(belongs("record-0123456789abcdef.d", "record"));
        assert!(!belongs("record-batch-0123456789abcdef", "record"));
        assert!(!belongs("recorder-0123456789abcdef", "record"));
        assert!(!belongs("record-macro", "record"));
    }

    #[test]
    fn own_artefacts_go_and_outside_crates_stay() {
        let profile = std::env::temp_dir().join(format!("pelton-prune-{}", std::process::id()));
        let deps = profile.join("deps");
        std::fs::create_dir_all(&deps).unwrap();
        let (own, other) =
            (deps.join("libml-0123456789abcdef.rlib"), deps.join("libserde-0123456789abcdef.rlib"));
        for path in [&own, &other] {
            std::fs::write(path, [0; 100]).unwrap();
        }
        std::fs::hard_link(&other, profile.join("linked")).unwrap();
        assert_eq!(size(&profile), 200);
        remove(&own_artefacts(&profile, &["ml".to_owned()])).unwrap();
        assert_eq!((own.exists(), other.exists(), size(&profile)), (false, true, 100));
        std::fs::remove_dir_all(&profile).unwrap();
    }
}

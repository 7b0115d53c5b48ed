//! Copies the page's sources to where they are built.

use std::fs;
use std::path::Path;

use crate::{Failure, on};

/// What a build leaves in the target and the source does not have.
const KEPT: [&str; 2] = ["node_modules", ".installed"];

/// Makes `to` equal to `from`, except for what is kept. A developer's own `node_modules` is not copied.
pub(crate) fn mirror(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to).map_err(on(to))?;
    for entry in fs::read_dir(to).map_err(on(to))? {
        let path = entry.map_err(on(to))?.path();
        let kept = path.file_name().is_some_and(|name| KEPT.iter().any(|kept| name == *kept));
        match path.is_dir() {
            _ if kept => {}
            true => fs::remove_dir_all(&path).map_err(on(&path))?,
            false => fs::remove_file(&path).map_err(on(&path))?,
        }
    }
    copy(from, to)
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    for entry in fs::read_dir(from).map_err(on(from))? {
        let entry = entry.map_err(on(from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if KEPT.iter().any(|kept| entry.file_name() == *kept) {
            continue;
        }
        if source.is_dir() {
            fs::create_dir_all(&target).map_err(on(&target))?;
            copy(&source, &target)?;
        } else {
            fs::copy(&source, &target).map_err(on(&source))?;
        }
    }
    Ok(())
}

//! Writes the table of packed files as Rust source.

use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use crate::{Failure, on};

/// Writes `static FILES: &[Asset]`, sorted by the path it is served under.
pub(crate) fn write_table(page: &Path, table: &Path) -> Result<(), Failure> {
    let mut files = vec![("/".to_owned(), page.join("index.html"))];
    let assets = page.join("assets");
    for entry in fs::read_dir(&assets).map_err(on(&assets))? {
        let entry = entry.map_err(on(&assets))?;
        files.push((format!("/assets/{}", entry.file_name().to_string_lossy()), entry.path()));
    }
    files.sort();
    let mut source = String::from("static FILES: &[Asset] = &[\n");
    for (path, file) in &files {
        let (kind, etag) = (content_type(file)?, etag(file)?);
        let file = file.display().to_string();
        writeln!(
            source,
            "    Asset {{ path: {path:?}, content_type: {kind:?}, etag: {etag:?}, bytes: include_bytes!({file:?}) }},"
        )
        .map_err(|error| error.to_string())?;
    }
    source.push_str("];\n");
    fs::write(table, source).map_err(on(table))
}

fn content_type(file: &Path) -> Result<&'static str, Failure> {
    match file.extension().and_then(|ending| ending.to_str()) {
        Some("html") => Ok("text/html; charset=utf-8"),
        Some("js") => Ok("text/javascript; charset=utf-8"),
        Some("css") => Ok("text/css; charset=utf-8"),
        Some("svg") => Ok("image/svg+xml"),
        Some("txt") => Ok("text/plain; charset=utf-8"),
        _ => Err(format!("{} is of a kind the page has no content type for", file.display())),
    }
}

/// A strong validator: it differs when the content does.
fn etag(file: &PathBuf) -> Result<String, Failure> {
    let mut hasher = DefaultHasher::new();
    hasher.write(&fs::read(file).map_err(on(file))?);
    Ok(format!("\"{:016x}\"", hasher.finish()))
}

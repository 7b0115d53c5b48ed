//! The project's Python package, carried in the binary.

use std::io;
use std::path::Path;

use tempfile::TempDir;

/// The files of `python/pelton` beside `src`.
const FILES: &[(&str, &str)] = &[
    ("__init__.py", include_str!("../../python/pelton/__init__.py")),
    ("__main__.py", include_str!("../../python/pelton/__main__.py")),
    ("batches.py", include_str!("../../python/pelton/batches.py")),
    ("context.py", include_str!("../../python/pelton/context.py")),
    ("processor.py", include_str!("../../python/pelton/processor.py")),
    ("source.py", include_str!("../../python/pelton/source.py")),
    ("rows.py", include_str!("../../python/pelton/rows.py")),
    ("table.py", include_str!("../../python/pelton/table.py")),
    ("types.py", include_str!("../../python/pelton/types.py")),
    ("worker.py", include_str!("../../python/pelton/worker.py")),
    ("session.py", include_str!("../../python/pelton/session.py")),
];

/// The package `pelton` in a directory of this user alone, which goes with this value.
#[derive(Debug)]
pub struct Package {
    dir: TempDir,
}

impl Package {
    /// Writes the files.
    ///
    /// # Errors
    /// If the directory for temporary files cannot be written to.
    pub fn unpack() -> io::Result<Self> {
        let dir = tempfile::Builder::new().prefix("pelton-python-").tempdir()?;
        let package = dir.path().join("pelton");
        std::fs::create_dir(&package)?;
        for (name, text) in FILES {
            std::fs::write(package.join(name), text)?;
        }
        Ok(Package { dir })
    }

    /// What belongs on `PYTHONPATH`.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

//! What a session uploads for its functions: modules that workers import, and files that they open.

use std::collections::BTreeSet;
use std::io;
use std::path::{Component, Path};

use tempfile::TempDir;

use crate::error::{Result, SparkError};

/// The uploads of one session, in a directory of this user alone.
#[derive(Debug, Default)]
pub(crate) struct Modules {
    dir: Option<TempDir>,
    /// What belongs in front of `sys.path`.
    paths: BTreeSet<String>,
}

impl Modules {
    /// Keeps an upload by its name: `pyfiles/words.py`, `files/list.txt`. What is none of its kind is left alone.
    pub(crate) fn keep(&mut self, name: &str, data: &[u8]) -> Result<()> {
        let Some((kind, file)) = name.split_once('/') else { return Ok(()) };
        match kind {
            "pyfiles" | "files" => {}
            "archives" | "jars" | "classes" => {
                return Err(SparkError::unsupported(format!("uploads of {kind}; addPyFile takes zip files")));
            }
            _ => return Ok(()),
        }
        let plain = Path::new(file).components().all(|part| matches!(part, Component::Normal(_)));
        if file.is_empty() || !plain {
            return Err(SparkError::argument(format!(
                "The name of the artifact {name} is no relative path."
            )));
        }
        self.write(kind, file, data)
            .map_err(|error| SparkError::internal(format!("keep the artifact {name}: {error}")))
    }

    fn write(&mut self, kind: &str, file: &str, data: &[u8]) -> io::Result<()> {
        let dir = match &self.dir {
            Some(dir) => dir,
            None => self.dir.insert(tempfile::Builder::new().prefix("pelton-session-").tempdir()?),
        };
        let home = dir.path().join(kind);
        let path = home.join(file);
        std::fs::create_dir_all(path.parent().unwrap_or(&home))?;
        std::fs::write(&path, data)?;
        if kind == "pyfiles" {
            let packed = [".zip", ".egg", ".jar"].iter().any(|end| file.ends_with(end));
            self.paths.insert(if packed { path } else { home }.to_string_lossy().into_owned());
        }
        Ok(())
    }

    /// What belongs in front of `sys.path`.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.paths.iter().cloned().collect()
    }

    /// Where the files are that functions open.
    pub(crate) fn files(&self) -> Option<String> {
        let files = self.dir.as_ref()?.path().join("files");
        files.is_dir().then(|| files.to_string_lossy().into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::Modules;

    #[test]
    fn modules_are_found_and_nothing_leaves_the_directory() {
        let mut modules = Modules::default();
        modules.keep("pyfiles/words.py", b"x = 1").unwrap();
        modules.keep("pyfiles/more.zip", b"").unwrap();
        modules.keep("cache/0123", b"rows").unwrap();
        let paths = modules.paths();
        assert_eq!(paths.len(), 2);
        assert_eq!(std::fs::read(format!("{}/words.py", paths[0])).unwrap(), b"x = 1");
        assert!(paths[1].ends_with("/pyfiles/more.zip"));
        for name in ["pyfiles/../x.py", "pyfiles//etc/x.py", "files/", "archives/a.tar"] {
            assert!(modules.keep(name, b"").is_err(), "{name}");
        }
        assert_eq!(modules.files(), None);
        modules.keep("files/list.txt", b"a").unwrap();
        let dir = modules.files().unwrap();
        drop(modules);
        assert!(!std::path::Path::new(&dir).parent().unwrap().exists());
    }
}

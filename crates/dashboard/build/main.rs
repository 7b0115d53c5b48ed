//! Packs the page in `web/` into `OUT_DIR` and writes `page.rs` there: the table of files that the crate embeds.
//!
//! Runs again only when `web/` or this directory changes. Everything it fetches (Node where there is none, the
//! packages of `web/package-lock.json`) stays in `OUT_DIR`, so the checkout stays clean and a second build
//! needs no network.

mod embed;
mod files;
mod node;
mod packages;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// What stopped the build, in words that say what to do.
type Failure = String;

fn main() -> ExitCode {
    tell_cargo("rerun-if-changed=web");
    tell_cargo("rerun-if-changed=build");
    tell_cargo("rerun-if-env-changed=PELTON_NODE");
    match pack() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell_cargo(&format!("error=the page could not be built: {failure}"));
            ExitCode::FAILURE
        }
    }
}

fn pack() -> Result<(), Failure> {
    let source = directory("CARGO_MANIFEST_DIR")?.join("web");
    let out = directory("OUT_DIR")?;
    let work = out.join("web");
    files::mirror(&source, &work)?;
    let node = node::find_or_fetch(&out)?;
    packages::install(&node, &work)?;
    run(
        node.command().args(["node_modules/typescript/bin/tsc", "-p", "."]).current_dir(&work),
        "type-check the page",
    )?;
    let page = out.join("page");
    run(node.command().arg("bundle.mjs").arg(&page).current_dir(&work), "bundle the page")?;
    embed::write_table(&page, &out.join("page.rs"))
}

fn directory(variable: &str) -> Result<PathBuf, Failure> {
    env::var_os(variable).map(PathBuf::from).ok_or_else(|| format!("cargo did not set {variable}"))
}

/// Tells the person who builds what is going on; cargo shows it as a warning.
fn say(message: &str) {
    tell_cargo(&format!("warning={message}"));
}

#[expect(clippy::print_stdout, reason = "this is how a build script speaks to cargo")]
fn tell_cargo(directive: &str) {
    println!("cargo::{directive}");
}

/// Runs a command to its end; its output becomes the failure.
fn run(command: &mut Command, what: &str) -> Result<String, Failure> {
    let output = command.output().map_err(|error| format!("{what}: {error}"))?;
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() {
        return Ok(text);
    }
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        tell_cargo(&format!("error={line}"));
    }
    Err(format!("could not {what} ({})", output.status))
}

/// An error that names the file.
fn on(path: &Path) -> impl FnOnce(std::io::Error) -> Failure {
    let path = path.display().to_string();
    move |error| format!("{path}: {error}")
}

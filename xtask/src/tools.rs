//! What the tests need beside Rust: Python packages in a private environment, and two programs.
//!
//! Everything is fetched from package registries by their ordinary clients, and the command is shown. Nothing
//! is installed into the system but Debian packages, and those only where that needs no password.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::process::{self, run};
use crate::report::{Tally, say};
use crate::repository::Repository;

/// A program that tests start, under any of its names, and the Debian package that brings it.
struct Program {
    names: &'static [&'static str],
    package: &'static str,
    purpose: &'static str,
}

const PROGRAMS: &[Program] = &[
    Program { names: &["kcat", "kafkacat"], package: "kcat", purpose: "a real client of the Kafka door" },
    Program {
        names: &["chromium", "chromium-browser", "google-chrome"],
        package: "chromium",
        purpose: "the page is looked at in a real browser",
    },
    Program { names: &["psql"], package: "postgresql", purpose: "rows go to a real database" },
];

/// The step `packages`: installs what is missing, or says what to install.
pub(crate) fn packages(_: &Repository) -> Result<Tally> {
    let missing = missing(PROGRAMS, process::exists);
    if missing.is_empty() {
        say("kcat, chromium and PostgreSQL are there");
        return Ok(Tally::NONE);
    }
    for program in &missing {
        say(&format!("{} is missing: {}", program.package, program.purpose));
    }
    let names: Vec<&str> = missing.iter().map(|program| program.package).collect();
    install(&names)?;
    Ok(Tally::NONE)
}

fn missing(programs: &'static [Program], exists: impl Fn(&str) -> bool) -> Vec<&'static Program> {
    programs.iter().filter(|program| !program.names.iter().any(|name| exists(name))).collect()
}

/// Installs Debian packages; an error that names them where that is not possible without a password.
fn install(packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    if !process::exists("apt-get") {
        bail!("install these with your system's package manager, then again: {list}");
    }
    let prefix: &[&str] = if is_root()? {
        &["env"]
    } else if succeeds(Command::new("sudo").args(["-n", "true"])) {
        &["sudo", "-n", "env"]
    } else {
        bail!("this needs an administrator: `sudo apt-get install {list}`, then again");
    };
    let apt = |arguments: &[&str]| {
        let mut command = Command::new(prefix[0]);
        command.args(&prefix[1..]).args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(arguments);
        run(command.stdin(Stdio::null()))
    };
    apt(&["update", "-q"])?;
    let mut arguments = vec!["install", "-q", "-y", "--no-install-recommends"];
    arguments.extend(packages);
    apt(&arguments)
}

fn is_root() -> Result<bool> {
    Ok(process::output(Command::new("id").arg("-u"))?.trim() == "0")
}

fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

/// The private Python environment.
pub(crate) fn python_home(repository: &Repository) -> PathBuf {
    repository.target.join("tools").join("compat-python")
}

/// The step `python`: an environment that holds exactly what `compat/requirements.txt` asks for.
pub(crate) fn python(repository: &Repository) -> Result<Tally> {
    environment(&python_home(repository), &repository.root.join("compat").join("requirements.txt"))?;
    Ok(Tally::NONE)
}

/// A Python environment that holds exactly what the file asks for.
pub(crate) fn environment(home: &Path, wanted_path: &Path) -> Result<()> {
    let wanted = std::fs::read_to_string(wanted_path)
        .with_context(|| format!("cannot read {}", wanted_path.display()))?;
    let stamp = home.join("installed-requirements.txt");
    let works = succeeds(Command::new(home.join("bin").join("python")).args(["-c", "import pip"]));
    if works && std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        say("the Python environment is up to date");
        return Ok(());
    }
    if !works {
        create_environment(home)?;
    }
    let mut pip = Command::new(home.join("bin").join("python"));
    pip.args(["-m", "pip", "install", "--disable-pip-version-check", "-r"]).arg(wanted_path);
    run(&mut pip)?;
    std::fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

fn create_environment(home: &Path) -> Result<()> {
    let create = || run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(home));
    if !process::exists("python3") {
        install(&["python3", "python3-venv"])?;
    }
    if create().is_err() {
        say("this Python has no venv; Debian keeps it in a package of its own");
        install(&["python3-venv"])?;
        create()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_under_every_name_is_installed() {
        let packages = |there: &[&str]| -> Vec<&str> {
            missing(PROGRAMS, |name| there.contains(&name)).iter().map(|program| program.package).collect()
        };
        assert_eq!(packages(&[]), ["kcat", "chromium", "postgresql"]);
        assert_eq!(packages(&["kafkacat", "psql"]), ["chromium"]);
        assert!(packages(&["kcat", "google-chrome", "psql"]).is_empty());
    }

    #[test]
    fn a_command_that_fails_or_does_not_exist_does_not_succeed() {
        assert!(succeeds(&mut Command::new("true")));
        assert!(!succeeds(&mut Command::new("false")));
        assert!(!succeeds(&mut Command::new("no-such-program")));
    }
}

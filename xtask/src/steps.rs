//! The steps of `check` and of `test`: what runs, in which order, and what each needs.

mod counts;

use std::process::Command;

use anyhow::{Result, bail};

use crate::process::{cargo, limited, run, watch};
use crate::report::{Report, Tally, no_findings};
use crate::repository::Repository;
use crate::{deny, features, layers, tidy, tools};

/// Several times what they take on two busy cores, the build of a clean clone included.
const TESTS_MINUTES: u32 = 45;
const COMPAT_MINUTES: u32 = 15;
/// Most of it is fetching the clients, once.
const CLIENTS_MINUTES: u32 = 30;
const DEMO_MINUTES: u32 = 10;

/// One step. Steps run in the order in which they stand in their table.
struct Step {
    name: &'static str,
    /// Steps without which this one makes no sense; they are added when only this one is asked for.
    needs: &'static [&'static str],
    run: fn(&Repository) -> Result<Tally>,
}

const CHECKS: &[Step] = &[
    Step { name: "layers", needs: &[], run: layers_step },
    Step { name: "fmt", needs: &[], run: fmt },
    Step { name: "clippy", needs: &[], run: clippy },
    Step { name: "tidy", needs: &[], run: tidy_step },
    Step { name: "deny", needs: &[], run: deny_step },
    Step { name: "features", needs: &[], run: features_step },
    Step { name: "docs", needs: &[], run: docs },
];

const PREPARATIONS: &[Step] = &[
    Step { name: "packages", needs: &[], run: tools::packages },
    Step { name: "python", needs: &[], run: tools::python },
];

const TESTS: &[Step] = &[
    Step { name: "tests", needs: &["packages"], run: tests },
    Step { name: "build", needs: &[], run: build },
    Step { name: "compat", needs: &["packages", "python", "build"], run: compat },
    Step { name: "clients", needs: &["packages", "python", "build"], run: clients },
    Step { name: "demo", needs: &["build"], run: demo_once },
];

/// `cargo xtask check`.
pub(crate) fn check(repository: &Repository, only: &[String]) -> Result<bool> {
    carry_out(repository, select(CHECKS.iter().collect(), only)?)
}

/// `cargo xtask test`: everything.
pub(crate) fn test(repository: &Repository, only: &[String]) -> Result<bool> {
    carry_out(repository, select(PREPARATIONS.iter().chain(CHECKS).chain(TESTS).collect(), only)?)
}

/// `cargo xtask demo`: becomes `pelton demo`, so that signals reach it and its exit code is ours.
pub(crate) fn demo(repository: &Repository, arguments: &[String]) -> Result<bool> {
    use std::os::unix::process::CommandExt as _;
    build(repository)?;
    let error = Command::new(repository.binary()).arg("demo").args(arguments).exec();
    Err(error.into())
}

/// The steps asked for (`check` stands for all of its own), with what they need, in the order of the table.
fn select(steps: Vec<&'static Step>, only: &[String]) -> Result<Vec<&'static Step>> {
    if only.is_empty() {
        return Ok(steps);
    }
    let mut wanted: Vec<&str> = Vec::new();
    for name in only {
        if name == "check" {
            wanted.extend(CHECKS.iter().map(|step| step.name));
        } else if let Some(step) = steps.iter().find(|step| step.name == name) {
            wanted.push(step.name);
            wanted.extend(step.needs);
        } else {
            let known: Vec<&str> = steps.iter().map(|step| step.name).collect();
            bail!("no step `{name}`; there are {}", known.join(", "));
        }
    }
    Ok(steps.into_iter().filter(|step| wanted.contains(&step.name)).collect())
}

fn carry_out(repository: &Repository, steps: Vec<&'static Step>) -> Result<bool> {
    let mut report = Report::default();
    for step in steps {
        report.step(step.name, || (step.run)(repository));
    }
    Ok(report.finish())
}

fn layers_step(repository: &Repository) -> Result<Tally> {
    no_findings(&layers::check(&repository.packages()?, &repository.files()?))
}

fn tidy_step(repository: &Repository) -> Result<Tally> {
    no_findings(&tidy::check(&repository.paths()?, &repository.files()?, &repository.packages()?))
}

fn deny_step(repository: &Repository) -> Result<Tally> {
    no_findings(&deny::check(repository)?)
}

fn features_step(repository: &Repository) -> Result<Tally> {
    no_findings(&features::check(repository)?)
}

fn fmt(repository: &Repository) -> Result<Tally> {
    run(cargo(&repository.root, "fmt").args(["--all", "--check"]))?;
    Ok(Tally::PASSED)
}

fn clippy(repository: &Repository) -> Result<Tally> {
    run(cargo(&repository.root, "clippy").args([
        "--workspace",
        "--all-targets",
        "--keep-going",
        "--",
        "-D",
        "warnings",
    ]))?;
    Ok(Tally::PASSED)
}

/// Broken links and examples that do not parse. RUSTDOCFLAGS is nobody's else: no other step is rebuilt for it.
fn docs(repository: &Repository) -> Result<Tally> {
    let mut command = cargo(&repository.root, "doc");
    run(command.args(["--workspace", "--no-deps", "--lib"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Tally::PASSED)
}

/// Properties are tried on the same cases each time, so that a change is judged by what it changed; whoever wants
/// others sets the seed.
fn tests(repository: &Repository) -> Result<Tally> {
    const SEED: &str = "PROPTEST_RNG_SEED";
    let mut tally = Tally::default();
    let mut command = cargo(&repository.root, "test");
    command.args(["--workspace", "--no-fail-fast"]);
    if std::env::var_os(SEED).is_none() {
        command.env(SEED, "20261121");
    }
    let ok = watch(&mut limited(command, TESTS_MINUTES), |line| tally.add(counts::libtest(line)))?;
    counts::settle(tally, ok)
}

/// The same set of crates and features as the tests, so that nothing is compiled twice.
fn build(repository: &Repository) -> Result<Tally> {
    run(cargo(&repository.root, "build").args(["--workspace", "--bin", "pelton"]))?;
    Ok(Tally::NONE)
}

fn compat(repository: &Repository) -> Result<Tally> {
    if !repository.binary().is_file() {
        bail!("there is no {}: the build failed", repository.binary().display());
    }
    let mut tally = Tally::default();
    let mut command = Command::new(tools::python_home(repository).join("bin").join("python"));
    command.current_dir(repository.root.join("compat"));
    command.env("PELTON_BIN", repository.binary()).env("PYTHONDONTWRITEBYTECODE", "1");
    command.args(["-m", "pytest", "-p", "no:cacheprovider", "-ra"]);
    let ok = watch(&mut limited(command, COMPAT_MINUTES), |line| tally.add(counts::pytest(line)))?;
    counts::settle(tally, ok)
}

/// The quick suites of the report card: one short program for each client, in its own language.
fn clients(repository: &Repository) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut command = Command::new(tools::python_home(repository).join("bin").join("python"));
    command.current_dir(&repository.root).args(["compat/report.py", "--quick"]);
    command.env("PELTON_BIN", repository.binary()).env("CARGO_TARGET_DIR", &repository.target);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    let ok = watch(&mut limited(command, CLIENTS_MINUTES), |line| tally.add(counts::pytest(line)))?;
    counts::settle(tally, ok)
}

fn demo_once(repository: &Repository) -> Result<Tally> {
    let mut command = Command::new(repository.binary());
    command.current_dir(&repository.root).args(["demo", "--once", "--no-browser"]);
    run(&mut limited(command, DEMO_MINUTES))?;
    Ok(Tally::PASSED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(only: &[&str]) -> Result<Vec<&'static str>> {
        let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
        let steps = select(PREPARATIONS.iter().chain(CHECKS).chain(TESTS).collect(), &only)?;
        Ok(steps.into_iter().map(|step| step.name).collect())
    }

    #[test]
    fn steps_bring_what_they_need_in_order() {
        assert_eq!(selected(&["compat"]).unwrap(), ["packages", "python", "build", "compat"]);
        assert_eq!(selected(&["demo", "fmt"]).unwrap(), ["fmt", "build", "demo"]);
        assert_eq!(
            selected(&["check"]).unwrap(),
            ["layers", "fmt", "clippy", "tidy", "deny", "features", "docs"]
        );
        assert_eq!(selected(&[]).unwrap().len(), 14);
    }

    #[test]
    fn an_unknown_step_is_an_error_that_names_the_known_ones() {
        let error = selected(&["tset"]).unwrap_err().to_string();
        assert!(error.contains("tset") && error.contains("compat"), "{error}");
    }
}

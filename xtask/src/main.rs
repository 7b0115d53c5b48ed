//! The only tool runner of this repository: `cargo xtask help` lists what it does.
//!
//! Rules are pure functions over text and metadata (`layers`, `tidy`, `deny`, `features`), each with tests that show it
//! failing on a bad example. Steps (`steps`) run rules and outside programs, print the command they run, and
//! go on after a failure; the report at the end says what held and how long it took. Nothing here is part of
//! the program, and nothing of the program but its clock is used here: it must build in seconds.

mod deny;
mod features;
mod finding;
mod golden;
mod layers;
mod process;
mod prune;
mod report;
mod repository;
mod steps;
mod tidy;
mod tools;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::repository::Repository;

const HELP: &str = "\
cargo xtask demo [-- ARGS]          build pelton and run `pelton demo ARGS`
cargo xtask test [--only STEP,..]   everything: tools, check, tests, real clients, the demo played once
cargo xtask check [--only STEP,..]  layers, fmt, clippy, tidy, deny, features, docs
cargo xtask advisories              known vulnerabilities, with an installed cargo-deny; needs its database
cargo xtask golden                  asks real Spark anew what its SQL functions answer; needs Java 17
cargo xtask prune [--limit-gib N]   empty the target directory if it has grown beyond N GiB (20)

CARGO_TARGET_DIR is respected. `--only` takes the names that the summary shows.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Carries out one command; `false` says that something it checked did not hold.
fn run(arguments: &[String]) -> Result<bool> {
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", arguments),
    };
    if matches!(command, "help" | "--help" | "-h") {
        report::say(HELP.trim_end());
        return Ok(true);
    }
    let repository = Repository::find()?;
    match command {
        "check" => steps::check(&repository, &only(rest)?),
        "test" => steps::test(&repository, &only(rest)?),
        "demo" => steps::demo(&repository, rest.strip_prefix(&["--".to_owned()]).unwrap_or(rest)),
        "advisories" => deny::advisories(&repository),
        "golden" => golden::golden(&repository),
        "prune" => prune::prune(&repository, limit_gib(rest)?),
        other => bail!("no command `{other}`; `cargo xtask help` lists them"),
    }
}

/// The step names of `--only a,b`, which may be repeated; none means every step.
fn only(arguments: &[String]) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let value = match argument.strip_prefix("--only") {
            Some("") => rest.next().map(String::as_str),
            Some(value) => value.strip_prefix('='),
            None => None,
        };
        let Some(value) = value else { bail!("unexpected argument `{argument}`; known: --only STEP,..") };
        names.extend(value.split(',').map(str::to_owned));
    }
    Ok(names)
}

fn limit_gib(arguments: &[String]) -> Result<u64> {
    match arguments {
        [] => Ok(20),
        [flag, value] if flag == "--limit-gib" => Ok(value.parse()?),
        _ => bail!("unexpected arguments; known: --limit-gib N"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn only_takes_lists_and_repeats() {
        let names = only(&strings(&["--only", "fmt,tidy", "--only=deny"])).unwrap();
        assert_eq!(names, ["fmt", "tidy", "deny"]);
    }

    #[test]
    fn an_unknown_argument_is_an_error() {
        assert!(only(&strings(&["--onyl", "fmt"])).is_err());
        assert!(only(&strings(&["--only"])).is_err());
        assert!(limit_gib(&strings(&["--limit-gib"])).is_err());
        assert!(run(&strings(&["tset"])).is_err());
    }
}

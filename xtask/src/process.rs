//! Outside programs: every command is shown before it runs.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::report::say;

/// Runs a command with our own input and output; an error if it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    show(command);
    let status = command.status().with_context(|| format!("cannot start {}", name(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", name(command));
    }
    Ok(())
}

/// Runs a command, passes its output on and hands each line to `look`; true if the command succeeded.
pub(crate) fn watch(command: &mut Command, mut look: impl FnMut(&str)) -> Result<bool> {
    show(command);
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {}", name(command)))?;
    let stdout = child.stdout.take().context("the child has no output pipe")?;
    let mut lines = BufReader::new(stdout);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        say(text.trim_end_matches('\n'));
        look(text.trim_end());
        line.clear();
    }
    Ok(child.wait()?.success())
}

/// Runs a command quietly and returns what it printed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {}", name(command)))?;
    if !output.status.success() {
        bail!("{} ended with {}", name(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} printed no UTF-8", name(command)))
}

/// Whether a program of this name is on the path.
pub(crate) fn exists(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|directory| directory.join(program).is_file())
}

/// The cargo that started us. In CI a lock file that does not fit is an error, not a silent update.
///
/// What cargo told us about this package is not handed on: build scripts that look at it (ring's does) would run again,
/// and all that is built on them, each time that `cargo xtask` and a plain `cargo` take turns.
pub(crate) fn cargo(root: &Path, subcommand: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        if ["CARGO_MANIFEST_", "CARGO_PKG_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command.current_dir(root).arg(subcommand);
    if std::env::var_os("CI").is_some() && subcommand != "fmt" {
        command.arg("--locked");
    }
    command
}

/// The same command, ended with all its children after so many minutes: in CI nobody presses Ctrl-C, and a test
/// that hangs must not cost the summary. Elsewhere it stays in the terminal's hands.
pub(crate) fn limited(command: Command, minutes: u32) -> Command {
    if std::env::var_os("CI").is_some() && exists("timeout") {
        limit(&command, minutes * 60)
    } else {
        command
    }
}

fn limit(command: &Command, seconds: u32) -> Command {
    let mut limited = Command::new("timeout");
    limited.arg("--kill-after=10").arg(seconds.to_string());
    limited.arg(command.get_program()).args(command.get_args());
    if let Some(directory) = command.get_current_dir() {
        limited.current_dir(directory);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    limited
}

fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()
}

fn show(command: &Command) {
    let mut line = format!("$ {}", name(command));
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    say(&line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_or_missing_program_is_an_error_that_names_it() {
        let error = run(&mut Command::new("false")).unwrap_err().to_string();
        assert!(error.starts_with("false ended with"), "{error}");
        let error = run(&mut Command::new("no-such-program")).unwrap_err().to_string();
        assert!(error.contains("no-such-program"), "{error}");
        assert!(!exists("no-such-program") && exists("cargo"));
    }

    #[test]
    fn a_command_that_hangs_is_ended_with_its_children() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo $WORD; tail -f /dev/null | cat; echo never"]).env("WORD", "started");
        let mut seen = Vec::new();
        let ok = watch(&mut limit(&command, 1), |line| seen.push(line.to_owned())).unwrap();
        assert_eq!((ok, seen), (false, vec!["started".to_owned()]));
    }

    #[test]
    fn watching_sees_every_line_and_the_exit_code() {
        let mut seen = Vec::new();
        let script = "echo one; printf two; exit 3";
        let ok = watch(Command::new("sh").args(["-c", script]), |line| seen.push(line.to_owned())).unwrap();
        assert_eq!((ok, seen), (false, vec!["one".to_owned(), "two".to_owned()]));
    }
}

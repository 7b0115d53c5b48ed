//! Runs steps one after the other, whatever happens to each, and sums up.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use anyhow::{Result, bail};
use env::{Clock as _, SystemClock};

use crate::finding::Finding;

/// How many things a step looked at, and how many of them held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    /// A preparation: timed, and only its failure counts.
    pub(crate) const NONE: Self = Self { passed: 0, failed: 0 };
    /// One thing, and it held.
    pub(crate) const PASSED: Self = Self { passed: 1, failed: 0 };
    /// One thing, and it did not.
    pub(crate) const FAILED: Self = Self { passed: 0, failed: 1 };

    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

struct Row {
    name: &'static str,
    took: Duration,
    tally: Tally,
    note: String,
}

/// The steps done so far.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

impl Report {
    /// Runs one step and remembers what became of it. An error is one failure.
    pub(crate) fn step(&mut self, name: &'static str, work: impl FnOnce() -> Result<Tally>) {
        say(&style("1", &format!("\n== {name}")));
        let started = SystemClock.monotonic();
        let (tally, note) = match work() {
            Ok(tally) if tally.failed == 0 => (tally, String::new()),
            Ok(tally) => (tally, format!("{} failed", tally.failed)),
            Err(error) => {
                say(&format!("{}: {error:#}", style("31", "error")));
                (Tally::FAILED, format!("{error:#}"))
            }
        };
        let took = SystemClock.monotonic().saturating_sub(started);
        say(&format!("{} {name} in {}", verdict(tally), seconds(took)));
        self.rows.push(Row { name, took, tally, note });
    }

    /// Prints the table and the closing line; true if everything held.
    pub(crate) fn finish(self) -> bool {
        say(&self.summary());
        self.total().failed == 0
    }

    fn total(&self) -> Tally {
        let mut total = Tally::default();
        for row in &self.rows {
            total.add(row.tally);
        }
        total
    }

    fn summary(&self) -> String {
        let mut text = String::from("\nstep            time   passed  failed\n");
        let mut took = Duration::ZERO;
        for row in &self.rows {
            let Tally { passed, failed } = row.tally;
            let note: String = row.note.lines().next().unwrap_or_default().chars().take(70).collect();
            let line = format!(
                "{:<10} {:>9} {passed:>8} {failed:>7}  {} {note}",
                row.name,
                seconds(row.took),
                verdict(row.tally)
            );
            _ = writeln!(text, "{}", line.trim_end());
            took += row.took;
        }
        let Tally { passed, failed } = self.total();
        _ = writeln!(text, "{:<10} {:>9}", "total", seconds(took));
        // Alone on its line and without colour: this is what a CI service counts.
        _ = write!(text, "\n{passed} passed, {failed} failed");
        text
    }
}

/// Prints findings; an error if there are any.
pub(crate) fn no_findings(findings: &[Finding]) -> Result<Tally> {
    for finding in findings {
        say(&finding.to_string());
    }
    match findings.len() {
        0 => Ok(Tally::PASSED),
        1 => bail!("1 finding"),
        count => bail!("{count} findings"),
    }
}

/// Prints a line. A closed pipe on our own output is nobody's failure.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    _ = writeln!(out, "{line}");
    _ = out.flush();
}

fn verdict(tally: Tally) -> String {
    if tally.failed == 0 { style("32", "ok") } else { style("31", "FAILED") }
}

fn style(code: &str, text: &str) -> String {
    if std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_does_not_stop_the_next_and_is_counted() {
        let mut report = Report::default();
        report.step("one", || bail!("broken"));
        report.step("two", || Ok(Tally { passed: 3, failed: 0 }));
        let summary = report.summary();
        assert!(summary.contains("broken"), "{summary}");
        assert!(summary.ends_with("\n3 passed, 1 failed"), "{summary}");
        assert_eq!(report.total(), Tally { passed: 3, failed: 1 });
    }

    #[test]
    fn findings_are_a_failure() {
        assert!(no_findings(&[]).is_ok());
        assert!(no_findings(&[Finding::at("a.rs", 3, "bad")]).is_err());
        assert_eq!(Finding::at("a.rs", 3, "bad").to_string(), "a.rs:3: bad");
    }
}

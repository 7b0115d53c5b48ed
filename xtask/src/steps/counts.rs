//! Reads how many tests ran from what the test runners print.

use anyhow::{Result, bail};

use crate::report::Tally;

/// `test result: ok. 12 passed; 0 failed; ...`, one line per test program.
pub(crate) fn libtest(line: &str) -> Tally {
    if line.starts_with("test result: ") { tally(line) } else { Tally::default() }
}

/// `=== 1 failed, 12 passed in 3.21s ===`, the last line.
pub(crate) fn pytest(line: &str) -> Tally {
    let words = line.trim_matches(|c| c == '=' || c == ' ');
    let timed = words.rsplit_once(" in ").is_some_and(|(_, time)| {
        time.split(' ')
            .next()
            .is_some_and(|time| time.strip_suffix('s').is_some_and(|n| n.parse::<f64>().is_ok()))
    });
    if timed { tally(words) } else { Tally::default() }
}

/// A run that failed without a failed test did not get to its tests; one without tests tested nothing.
pub(crate) fn settle(mut tally: Tally, succeeded: bool) -> Result<Tally> {
    if !succeeded && tally.failed == 0 {
        tally.failed = 1;
    }
    if tally == Tally::default() {
        bail!("no test ran");
    }
    Ok(tally)
}

fn tally(line: &str) -> Tally {
    let words: Vec<&str> = line.split([' ', ',', ';']).filter(|word| !word.is_empty()).collect();
    let mut tally = Tally::default();
    for pair in words.windows(2) {
        let Ok(count) = pair[0].parse::<u64>() else { continue };
        match pair[1] {
            "passed" => tally.passed += count,
            "failed" | "error" | "errors" => tally.failed += count,
            _ => {}
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_cargo_test() {
        let line = "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s";
        assert_eq!(libtest(line), Tally { passed: 12, failed: 3 });
        assert_eq!(libtest("test a::b ... ok"), Tally::default());
    }

    #[test]
    fn reads_pytest() {
        let line = "=== 1 failed, 12 passed, 2 errors in 63.21s (0:01:03) ===";
        assert_eq!(pytest(line), Tally { passed: 12, failed: 3 });
        assert_eq!(pytest("4 passed in 0.02s"), Tally { passed: 4, failed: 0 });
        assert_eq!(pytest("FAILED test_a.py::t - 3 failed in between"), Tally::default());
    }

    #[test]
    fn a_run_that_broke_or_ran_nothing_is_a_failure() {
        let tally = Tally { passed: 4, failed: 0 };
        assert_eq!(settle(tally, true).unwrap(), tally);
        assert_eq!(settle(tally, false).unwrap(), Tally { passed: 4, failed: 1 });
        assert!(settle(Tally::default(), true).is_err());
        assert_eq!(settle(Tally::default(), false).unwrap(), Tally::FAILED);
    }
}

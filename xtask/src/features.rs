//! One build for everything: the program and its tests ask outside crates for the same features.
//!
//! Cargo compiles a crate once for each set of features. If a dependency of tests switches on one feature more
//! of a crate that DataFusion stands on, every clean build compiles DataFusion twice, and nobody notices why it
//! takes so long. The remedy is to ask for that feature in the program's manifest too.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::finding::Finding;
use crate::process;
use crate::repository::Repository;

/// Every outside crate that would be compiled twice.
pub(crate) fn check(repository: &Repository) -> Result<Vec<Finding>> {
    let tree = |edges: &str| {
        let mut command = process::cargo(&repository.root, "tree");
        process::output(command.args([
            "--workspace",
            "--prefix",
            "none",
            "--format",
            "{p} {f}",
            "--edges",
            edges,
        ]))
    };
    Ok(compare(&tree("normal,build")?, &tree("normal,build,dev")?))
}

fn compare(program: &str, tests: &str) -> Vec<Finding> {
    let tests = units(tests);
    let message =
        "other features in tests than in the program: it, and all that stands on it, is built twice";
    units(program).difference(&tests).map(|unit| Finding::new(unit, message)).collect()
}

/// The lines without the mark of repetition; our own crates have no features.
fn units(tree: &str) -> BTreeSet<&str> {
    tree.lines()
        .map(|line| line.trim_end_matches(" (*)").trim_end())
        .filter(|line| !line.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_that_only_tests_ask_for_fails() {
        let findings =
            compare("a v1.0.0 \nb v1.0.0 std\n", "a v1.0.0 rng,std\nb v1.0.0 std (*)\nproptest v1.0.0 \n");
        assert_eq!(findings.len(), 1);
        assert!(findings[0].to_string().starts_with("a v1.0.0: "));
    }

    #[test]
    fn crates_that_only_tests_have_are_fine() {
        assert!(compare("a v1.0.0 std\n\na v1.0.0 std (*)\n", "a v1.0.0 std\nproptest v1.0.0 \n").is_empty());
    }
}

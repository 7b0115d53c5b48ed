//! Every decoder, for a few seconds, and everything that was ever found.

use std::path::Path;

use fuzz::{Campaign, regressions, run_once, targets};

/// Inputs per target.
const ROUNDS: u64 = 500;

#[test]
fn honest_inputs_do_no_harm() {
    for target in targets() {
        assert!(!target.seeds.is_empty(), "{} has no honest input", target.name);
        for seed in &target.seeds {
            run_once(&target, seed).unwrap_or_else(|what| panic!("{}: {what}", target.name));
        }
    }
}

#[test]
fn a_short_campaign_finds_nothing() {
    let mut answers = 0;
    for target in targets() {
        let mut campaign = Campaign::new(&target, 1);
        if let Err(finding) = campaign.round(ROUNDS) {
            panic!("{}: {}\n{:02x?}", target.name, finding.what, &finding.input[..]);
        }
        answers += campaign.answers();
    }
    assert!(answers > 20_000, "only {answers} different answers: the inputs do not get far");
}

#[test]
fn what_was_found_once_does_no_harm_any_more() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    let targets = targets();
    for found in regressions(&directory).expect("a directory of ours") {
        let target = targets.iter().find(|target| target.name == found.target);
        let target = target.unwrap_or_else(|| panic!("{} is no target any more", found.target));
        run_once(target, &found.input).unwrap_or_else(|what| panic!("{}: {what}", found.file.display()));
    }
}

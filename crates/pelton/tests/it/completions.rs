//! Completion scripts, and what they ask.

use crate::running::{Kafka, pelton};

#[test]
fn every_shell_has_a_script() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = pelton().args(["completions", shell]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{shell}");
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(script.contains("COMPLETE") && script.contains("pelton"), "{script}");
    }
    assert_eq!(pelton().args(["completions", "tcsh"]).output().unwrap().status.code(), Some(2));
}

#[test]
fn a_tab_offers_flags_topics_and_groups() {
    let kafka = Kafka::start();
    kafka.produce("orders", "x\n");
    kafka.ok(&["consume", "orders", "-G", "billing", "-e", "-q"]);
    let offered = |words: &[&str]| {
        let mut command = kafka.command(&["--", "pelton"]);
        command.args(words).env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", words.len().to_string());
        command
            .env("_CLAP_IFS", "\n")
            .env("_CLAP_COMPLETE_COMP_TYPE", "9")
            .env("_CLAP_COMPLETE_SPACE", "true");
        let output = command.output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(offered(&["top"]).contains("topic"));
    assert_eq!(offered(&["consume", "or"]).trim(), "orders");
    assert_eq!(offered(&["group", "describe", "b"]).trim(), "billing");
}

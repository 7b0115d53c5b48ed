//! Each rule fails on a bad example and lets the good one pass.

use super::*;

fn package(name: &str, dependencies: &[(&str, DependencyKind)]) -> Package {
    let dependencies = dependencies
        .iter()
        .map(|(name, kind)| Dependency { name: (*name).to_owned(), kind: *kind })
        .collect();
    Package { name: name.to_owned(), directory: format!("crates/{name}"), dependencies }
}

fn manifest_findings(name: &str, dependency: &str, kind: DependencyKind) -> Vec<String> {
    check(&[package(name, &[(dependency, kind)])], &[]).iter().map(ToString::to_string).collect()
}

fn source_findings(name: &str, inside: &str, text: &str) -> Vec<String> {
    let file = File { path: format!("crates/{name}/{inside}"), text: text.to_owned() };
    check(&[package(name, &[])], &[file]).iter().map(ToString::to_string).collect()
}

use DependencyKind::{Build, Dev, Normal};

#[test]
fn a_lower_row_is_fine() {
    for (name, dependency) in [("commitlog", "record"), ("engine", "topics"), ("pelton", "broker")] {
        assert_eq!(manifest_findings(name, dependency, Normal), Vec::<String>::new());
    }
}

#[test]
fn siblings_and_upper_rows_fail_also_for_tests_and_build_scripts() {
    for kind in [Normal, Dev, Build] {
        let sibling = manifest_findings("dashboard", "broker", kind);
        assert!(sibling[0].contains("its sibling"), "{sibling:?}");
        let upward = manifest_findings("record", "topics", kind);
        assert!(upward[0].contains("upward"), "{upward:?}");
    }
}

#[test]
fn a_crate_without_a_row_fails() {
    assert!(manifest_findings("newcomer", "serde", Normal)[0].contains("no row"));
    assert!(manifest_findings("common", "serde", Normal)[0].contains("no such crate"));
}

#[test]
fn rooms_that_are_not_built_yet_have_their_row() {
    for (name, expected) in [("table", 2), ("spark-connect", 4), ("hbase-thrift", 4)] {
        assert_eq!(row(name), Some(expected));
    }
}

#[test]
fn outside_crates_stay_where_they_belong() {
    let bad = [
        ("topics", "datafusion"),
        ("dashboard", "arrow-schema"),
        ("broker", "prost"),
        ("engine", "tonic"),
        ("record", "tokio"),
        ("groups", "tokio-util"),
        ("broker", "anyhow"),
    ];
    for (name, dependency) in bad {
        assert_eq!(manifest_findings(name, dependency, Normal).len(), 1, "{name} {dependency}");
    }
    let good =
        [("engine", "datafusion"), ("spark-connect", "tonic"), ("topics", "tokio"), ("xtask", "anyhow")];
    for (name, dependency) in good {
        assert!(manifest_findings(name, dependency, Normal).is_empty(), "{name} {dependency}");
    }
}

#[test]
fn the_oracle_is_for_tests() {
    assert!(manifest_findings("protocol", "kafka-protocol", Dev).is_empty());
    assert_eq!(manifest_findings("protocol", "kafka-protocol", Normal).len(), 1);
}

#[test]
fn code_that_names_a_confined_crate_fails() {
    let bad = [
        ("topics", "use datafusion::prelude::*;\n"),
        ("dashboard", "fn f(_: ::arrow::array::ArrayRef) {}\n"),
        ("dashboard", "pub fn f() -> arrow_schema::Schema {}\n"),
        ("ml", "    tokio::spawn(async {});\n"),
        ("commitlog", "use tokio;\n"),
        ("record", "extern crate tokio as t;\n"),
        ("broker", "fn f() -> anyhow::Result<()> {}\n"),
    ];
    for (name, text) in bad {
        assert_eq!(source_findings(name, "src/a.rs", text).len(), 1, "{name}: {text}");
    }
    assert!(source_findings("engine", "src/a.rs", "use datafusion::arrow::array::Array;\n").is_empty());
    assert!(source_findings("topics", "src/a.rs", "use tokio::sync::watch;\n").is_empty());
}

#[test]
fn comments_texts_and_other_words_are_not_code() {
    let text = "// tokio::spawn\n/* Instant /* nested */ ApiKey */\nlet s = \"tokio::spawn \\\" ApiKey\";\n\
                let r = r#\"Instant::now \" \"#; let c = '\"'; let arrow = 1; page::arrow::left();\n\
                fn f<'a>(x: &'a str) {} // Instant\nlet InstantOfTruth = 1;\n";
    assert_eq!(source_findings("ml", "src/a.rs", text), Vec::<String>::new());
    let after = format!("{text}let t = Instant::now();\n");
    assert_eq!(
        source_findings("ml", "src/a.rs", &after),
        ["crates/ml/src/a.rs:7: Instant: `now` is an argument here"]
    );
}

#[test]
fn clocks_stay_out_of_the_cores() {
    for name in CORES {
        assert_eq!(source_findings(name, "src/a.rs", "use std::time::SystemTime;\n").len(), 1);
        assert!(source_findings(name, "benches/a.rs", "use std::time::Instant;\n").is_empty());
    }
    assert!(source_findings("env", "src/clock.rs", "use std::time::{Instant, SystemTime};\n").is_empty());
}

#[test]
fn api_keys_stay_at_the_kafka_door() {
    let text = "let key = ApiKey::Produce;\n";
    for (name, inside) in [("engine", "src/a.rs"), ("dashboard", "src/a.rs"), ("pelton", "src/main.rs")] {
        assert_eq!(source_findings(name, inside, text).len(), 1, "{name}");
    }
    for (name, inside) in
        [("protocol", "src/a.rs"), ("broker", "tests/it/a.rs"), ("pelton", "src/client/a.rs")]
    {
        assert!(source_findings(name, inside, text).is_empty(), "{name}");
    }
}

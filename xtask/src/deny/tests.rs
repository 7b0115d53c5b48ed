//! Each rule fails on a bad example and lets the good one pass.

use serde_json::json;

use super::*;

const POLICY: &str = r#"
    [graph]
    targets = []
    [licenses]
    allow = ["MIT", "Apache-2.0 WITH LLVM-exception", "Zlib"]
    [bans]
    multiple-versions = "allow"
    wildcards = "deny"
    deny = [
        { crate = "arrow", deny-multiple-versions = true },
        { crate = "heavy", reason = "too heavy" },
    ]
    [sources]
    unknown-registry = "deny"
    unknown-git = "deny"
    [advisories]
"#;

fn outside(name: &str, version: &str, licence: Option<&str>) -> Value {
    json!({"name": name, "version": version, "license": licence, "source": REGISTRY, "dependencies": []})
}

fn found(packages: &[Value]) -> Vec<String> {
    let metadata = json!({ "packages": packages });
    let policy = Policy::parse(POLICY).unwrap();
    findings(&policy, &metadata).unwrap().iter().map(ToString::to_string).collect()
}

#[test]
fn good_crates_pass() {
    assert!(
        found(&[outside("arrow", "1.0.0", Some("MIT")), outside("a", "1.0.0", Some("MIT OR GPL-3.0"))])
            .is_empty()
    );
    assert!(found(&[outside("a", "1.0.0", Some("MIT")), outside("a", "2.0.0", Some("MIT"))]).is_empty());
}

#[test]
fn licences_outside_of_the_list_fail() {
    assert_eq!(found(&[outside("a", "1.0.0", Some("GPL-3.0"))]), ["a: licence GPL-3.0 is not in deny.toml"]);
    assert_eq!(found(&[outside("a", "1.0.0", None)]).len(), 1);
    assert_eq!(found(&[outside("a", "1.0.0", Some("MIT AND"))]).len(), 1);
}

#[test]
fn expressions_bind_as_spdx_says() {
    let allow: Vec<String> = ["A", "B", "C WITH x"].map(str::to_owned).into();
    let good = [
        "A",
        "A OR Z",
        "Z OR A",
        "A AND B",
        "Z AND Y OR A",
        "(A OR Z) AND B",
        "C WITH x",
        "Z/A",
        "A AND C WITH x",
    ];
    for expression in good {
        assert!(licence::allowed(expression, &allow).unwrap(), "{expression}");
    }
    for expression in ["Z", "A AND Z", "A AND (Y OR Z)", "C", "A WITH x", "Z OR A AND Y"] {
        assert!(!licence::allowed(expression, &allow).unwrap(), "{expression}");
    }
    for expression in ["", "A OR", "(A", "A B", "AND A", "A)"] {
        assert!(licence::allowed(expression, &allow).is_err(), "{expression}");
    }
}

#[test]
fn banned_crates_and_second_versions_fail() {
    assert_eq!(found(&[outside("heavy", "1.0.0", Some("MIT"))]), ["heavy: is banned: too heavy"]);
    let two = [outside("arrow", "1.0.0", Some("MIT")), outside("arrow", "2.0.0", Some("MIT"))];
    assert_eq!(found(&two), ["arrow: is here in several versions: 1.0.0, 2.0.0"]);
}

#[test]
fn other_sources_and_open_versions_fail() {
    let git =
        json!({"name": "a", "version": "1.0.0", "license": "MIT", "source": "git+https://example.org/a"});
    assert_eq!(found(&[git]), ["a: comes from git+https://example.org/a"]);
    let dependencies = json!([{"name": "b", "req": "*"}, {"name": "c", "req": "*", "path": "c"}, {"name": "d", "req": "^1"}]);
    let own = json!({"name": "a", "version": "1.0.0", "source": null, "dependencies": dependencies});
    assert_eq!(found(&[own]), ["a: any version of \"b\""]);
}

#[test]
fn a_misspelt_policy_is_an_error() {
    assert!(Policy::parse(&POLICY.replace("wildcards", "wildcard")).is_err());
    assert!(Policy::parse(&POLICY.replace("unknown-git = \"deny\"", "unknown-git = \"allow\"")).is_err());
    assert!(Policy::parse("").is_err());
}

#[test]
fn the_pages_packages_need_a_licence_and_a_checksum() {
    let lock = |licence: &str, integrity: &str| {
        let packages = json!({
            "": {"name": "page"},
            "node_modules/a": {"license": licence, "integrity": integrity},
        });
        json!({ "packages": packages }).to_string()
    };
    let policy = Policy::parse(POLICY).unwrap();
    assert!(page::findings(&policy, &lock("MIT", "sha512-abc")).unwrap().is_empty());
    assert_eq!(page::findings(&policy, &lock("GPL-3.0", "sha512-abc")).unwrap().len(), 1);
    assert_eq!(page::findings(&policy, &lock("MIT", "sha1-abc")).unwrap().len(), 1);
    assert!(page::findings(&policy, "{}").is_err());
}

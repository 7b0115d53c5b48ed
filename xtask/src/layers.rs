//! Which crate may know what: the house's rows and what never happens in them.
//!
//! The first half reads manifests, the second half reads what the code names. Both are tables; a new crate
//! takes its place in `ROWS` before it compiles its first line.

mod code;
#[cfg(test)]
mod tests;

use crate::finding::Finding;
use crate::repository::{Dependency, DependencyKind, File, Package};

/// The rows of the house. A crate depends only on crates of a lower row.
const ROWS: &[(u8, &[&str])] = &[
    (0, &["env", "record", "protocol", "groups", "ml"]),
    (1, &["commitlog"]),
    (2, &["topics", "table"]),
    (3, &["engine"]),
    (4, &["broker", "spark-connect", "hbase-thrift", "dashboard"]),
    (5, &["pelton", "xtask", "compat", "fuzz"]),
];

/// Crates whose whole content is synchronous and gets the time as an argument.
const CORES: &[&str] = &["record", "protocol", "groups", "ml", "commitlog"];

/// An outside crate that only some crates may name.
struct Confined {
    /// The crate; with a trailing `*` every crate whose name begins so.
    outside: &'static str,
    /// Says which crates may name it.
    allowed: fn(&str) -> bool,
    why: &'static str,
}

const CONFINED: &[Confined] = &[
    Confined { outside: "datafusion*", allowed: plans, why: "only engine and spark-connect name DataFusion" },
    Confined { outside: "arrow*", allowed: plans, why: "only engine and spark-connect name Arrow" },
    Confined { outside: "prost*", allowed: plans, why: "only engine and spark-connect know protobuf" },
    Confined { outside: "tonic*", allowed: spark_connect, why: "only spark-connect knows gRPC" },
    Confined { outside: "tokio*", allowed: not_a_core, why: "this crate is synchronous and names no tokio" },
    Confined { outside: "anyhow", allowed: binaries, why: "anyhow lives in pelton, xtask and fuzz only" },
];

/// An identifier that only some files may contain.
struct Reserved {
    identifier: &'static str,
    /// Says whether the crate, and the path inside it, may contain it.
    allowed: fn(&str, &str) -> bool,
    why: &'static str,
}

const RESERVED: &[Reserved] = &[
    Reserved {
        identifier: "ApiKey",
        allowed: kafka_speakers,
        why: "only protocol, broker, fuzz and pelton's client module know API keys",
    },
    Reserved { identifier: "SystemTime", allowed: may_read_clocks, why: "`now` is an argument here" },
    Reserved { identifier: "Instant", allowed: may_read_clocks, why: "`now` is an argument here" },
];

fn plans(name: &str) -> bool {
    matches!(name, "engine" | "spark-connect")
}

fn spark_connect(name: &str) -> bool {
    name == "spark-connect"
}

fn binaries(name: &str) -> bool {
    matches!(name, "pelton" | "xtask" | "fuzz")
}

fn not_a_core(name: &str) -> bool {
    !CORES.contains(&name)
}

fn kafka_speakers(name: &str, path: &str) -> bool {
    matches!(name, "protocol" | "broker" | "fuzz")
        || name == "pelton" && (path == "src/client.rs" || path.starts_with("src/client/"))
}

fn may_read_clocks(name: &str, path: &str) -> bool {
    !CORES.contains(&name) || path.starts_with("benches/")
}

/// Every place where the workspace does not follow its own table.
pub(crate) fn check(packages: &[Package], files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        manifest(package, &mut findings);
        let prefix = format!("{}/", package.directory);
        for file in files.iter().filter(|file| file.path.ends_with(".rs")) {
            if let Some(inside) = file.path.strip_prefix(&prefix) {
                source(package, inside, file, &mut findings);
            }
        }
    }
    findings
}

fn row(name: &str) -> Option<u8> {
    ROWS.iter().find(|(_, names)| names.contains(&name)).map(|(row, _)| *row)
}

fn manifest(package: &Package, findings: &mut Vec<Finding>) {
    let path = format!("{}/Cargo.toml", package.directory);
    if matches!(package.name.as_str(), "common" | "core" | "shared" | "types" | "util" | "utils") {
        findings
            .push(Finding::new(&path, "there is no such crate: give what is in it to a room of the house"));
        return;
    }
    let Some(own) = row(&package.name) else {
        let message = format!("crate `{}` has no row in the table of xtask/src/layers.rs", package.name);
        findings.push(Finding::new(&path, message));
        return;
    };
    for dependency in &package.dependencies {
        if let Some(message) = wrong(&package.name, own, dependency) {
            findings.push(Finding::new(&path, message));
        }
    }
}

fn wrong(name: &str, own: u8, dependency: &Dependency) -> Option<String> {
    let wanted = dependency.name.as_str();
    if let Some(other) = row(wanted) {
        let relation = match other.cmp(&own) {
            std::cmp::Ordering::Less => return None,
            std::cmp::Ordering::Equal => "its sibling",
            std::cmp::Ordering::Greater => "upward",
        };
        return Some(format!("`{name}` (row {own}) depends on `{wanted}` (row {other}), {relation}"));
    }
    if wanted == "kafka-protocol" && dependency.kind != DependencyKind::Dev {
        return Some("kafka-protocol is an oracle for tests, not a dependency".to_owned());
    }
    let rule = CONFINED.iter().find(|rule| rule.covers(wanted))?;
    (!(rule.allowed)(name)).then(|| format!("depends on {wanted}: {}", rule.why))
}

impl Confined {
    fn covers(&self, name: &str) -> bool {
        match self.outside.strip_suffix('*') {
            Some(prefix) => {
                name.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
            }
            None => name == self.outside,
        }
    }
}

fn source(package: &Package, inside: &str, file: &File, findings: &mut Vec<Finding>) {
    let code = code::without_comments_and_texts(&file.text);
    for (number, line) in code.lines().enumerate() {
        for root in code::path_roots(line) {
            if let Some(rule) =
                CONFINED.iter().find(|rule| rule.covers(root) && !(rule.allowed)(&package.name))
            {
                findings.push(Finding::at(&file.path, number + 1, format!("names {root}: {}", rule.why)));
            }
        }
        for rule in RESERVED {
            if !(rule.allowed)(&package.name, inside) && code::has_word(line, rule.identifier) {
                findings.push(Finding::at(
                    &file.path,
                    number + 1,
                    format!("{}: {}", rule.identifier, rule.why),
                ));
            }
        }
    }
}

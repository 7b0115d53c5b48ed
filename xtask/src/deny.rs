//! What outside crates may be: licences, sources, bans. The rules stand in `.cargo/deny.toml`, where cargo-deny finds them too.
//!
//! The file has cargo-deny's format, so cargo-deny reads it too. The check is our own because it must run in
//! a second on every machine that can build, and no registry carries a cargo-deny binary that understands
//! today's cargo; building it takes longer than building Pelton. Known vulnerabilities are cargo-deny's
//! business: their database is fetched from a place that not every machine reaches, so they are looked at only
//! when asked for, with `cargo xtask advisories`.

mod licence;
mod page;
mod policy;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::finding::Finding;
use crate::process;
use crate::report::say;
use crate::repository::Repository;

use policy::{Level, Policy};

/// The only place that crates come from, as cargo writes it.
const REGISTRY: &str = concat!("registry+https://github.com/rust-lang/crates", ".io-index");

/// Every outside crate, and every package of the page, that the policy does not allow.
pub(crate) fn check(repository: &Repository) -> Result<Vec<Finding>> {
    let path = repository.root.join(".cargo/deny.toml");
    let text = std::fs::read_to_string(&path).context("cannot read .cargo/deny.toml")?;
    let policy = Policy::parse(&text)?;
    let mut command = process::cargo(&repository.root, "metadata");
    command.args(["--format-version", "1"]);
    for target in &policy.graph.targets {
        command.args(["--filter-platform", target]);
    }
    let metadata =
        serde_json::from_str(&process::output(&mut command)?).context("cargo metadata is no JSON")?;
    let mut findings = findings(&policy, &metadata)?;
    for lock in repository.files()?.iter().filter(|file| file.path.ends_with("package-lock.json")) {
        findings.extend(page::findings(&policy, &lock.text)?);
    }
    Ok(findings)
}

/// Runs cargo-deny's check of known vulnerabilities.
pub(crate) fn advisories(repository: &Repository) -> Result<bool> {
    if !process::exists("cargo-deny") {
        bail!("cargo-deny is not installed: `cargo install --locked cargo-deny`, then again");
    }
    say("this fetches the advisory database; where that is not reachable, it fails");
    let mut command = std::process::Command::new("cargo-deny");
    process::run(command.current_dir(&repository.root).args(["check", "advisories"]))?;
    Ok(true)
}

fn findings(policy: &Policy, metadata: &Value) -> Result<Vec<Finding>> {
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let mut findings = Vec::new();
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in packages {
        let name = package["name"].as_str().context("a package has no name")?;
        versions.entry(name).or_default().insert(package["version"].as_str().unwrap_or_default());
        match package["source"].as_str() {
            None => findings.extend(wildcards(policy, name, package)),
            Some(REGISTRY) => findings.extend(licence(policy, name, package["license"].as_str())),
            Some(source) => findings.push(Finding::new(name, format!("comes from {source}"))),
        }
    }
    for (name, versions) in &versions {
        findings.extend(banned(policy, name, versions));
    }
    Ok(findings)
}

fn licence(policy: &Policy, name: &str, expression: Option<&str>) -> Option<Finding> {
    let Some(expression) = expression else {
        return Some(Finding::new(name, "states no licence expression"));
    };
    match licence::allowed(expression, &policy.licenses.allow) {
        Ok(true) => None,
        Ok(false) => Some(Finding::new(name, format!("licence {expression} is not in deny.toml"))),
        Err(error) => Some(Finding::new(name, format!("licence {expression}: {error}"))),
    }
}

/// An outside crate without a version could be anything tomorrow.
fn wildcards(policy: &Policy, name: &str, package: &Value) -> Vec<Finding> {
    let dependencies = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    dependencies
        .iter()
        .filter(|_| policy.bans.wildcards == Level::Deny)
        .filter(|dependency| dependency["path"].is_null() && dependency["req"].as_str() == Some("*"))
        .map(|dependency| Finding::new(name, format!("any version of {}", dependency["name"])))
        .collect()
}

fn banned(policy: &Policy, name: &str, versions: &BTreeSet<&str>) -> Option<Finding> {
    let list = || versions.iter().copied().collect::<Vec<_>>().join(", ");
    let ban = policy.bans.deny.iter().find(|ban| ban.name == name);
    let single = ban.is_some_and(|ban| ban.deny_multiple_versions);
    if ban.is_some() && !single {
        let reason = ban.and_then(|ban| ban.reason.as_deref()).unwrap_or("see deny.toml");
        return Some(Finding::new(name, format!("is banned: {reason}")));
    }
    let many = versions.len() > 1 && (single || policy.bans.multiple_versions == Level::Deny);
    many.then(|| Finding::new(name, format!("is here in several versions: {}", list())))
}

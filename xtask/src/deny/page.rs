//! The page's packages, from a `package-lock.json`: the same licences, and each file known by its checksum.

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::licence;
use super::policy::Policy;
use crate::finding::Finding;

/// Every package of the lock file that the policy does not allow.
pub(crate) fn findings(policy: &Policy, lock: &str) -> Result<Vec<Finding>> {
    let lock: Value = serde_json::from_str(lock).context("package-lock.json is no JSON")?;
    let packages = lock["packages"].as_object().context("package-lock.json lists no packages")?;
    // The entry without a name is the page itself.
    let outside = packages.iter().filter(|(name, _)| !name.is_empty());
    Ok(outside.flat_map(|(name, package)| one(policy, name, package)).collect())
}

fn one(policy: &Policy, name: &str, package: &Value) -> Vec<Finding> {
    let mut findings: Vec<Finding> = licence(policy, name, package["license"].as_str()).into_iter().collect();
    if package["integrity"].as_str().is_none_or(|checksum| !checksum.starts_with("sha512-")) {
        findings.push(Finding::new(name, "has no checksum in package-lock.json"));
    }
    findings
}

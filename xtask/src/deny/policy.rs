//! `deny.toml`: the part of cargo-deny's format that we use. Anything else in it is an error.

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Policy {
    pub(crate) graph: Graph,
    pub(crate) licenses: Licences,
    pub(crate) bans: Bans,
    sources: Sources,
    #[expect(dead_code, reason = "cargo-deny's part; read here so that a misspelt table is noticed")]
    advisories: toml::Table,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Graph {
    pub(crate) targets: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Licences {
    pub(crate) allow: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Bans {
    pub(crate) multiple_versions: Level,
    pub(crate) wildcards: Level,
    pub(crate) deny: Vec<Ban>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Ban {
    #[serde(rename = "crate")]
    pub(crate) name: String,
    pub(crate) reason: Option<String>,
    /// The crate is welcome, but only once.
    #[serde(default)]
    pub(crate) deny_multiple_versions: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Sources {
    unknown_registry: Level,
    unknown_git: Level,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    Allow,
    Deny,
}

impl Policy {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let policy: Self = toml::from_str(text).context("deny.toml does not say what it must")?;
        let closed = [policy.sources.unknown_registry, policy.sources.unknown_git];
        ensure!(
            closed == [Level::Deny; 2],
            "deny.toml: crates come from one registry; both sources are denied"
        );
        Ok(policy)
    }
}

//! `[storage]`: how object stores are reached, in Hadoop's words, as Spark's users write them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Settings of object stores: `fs.s3a.endpoint` and its like. What they do not say, `AWS_*` variables may.
///
/// Secrets are taken and not shown.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, Told>", into = "BTreeMap<String, String>")]
pub struct StorageSettings(BTreeMap<String, String>);

/// A value as the file has it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Told {
    Text(String),
    Flag(bool),
}

impl StorageSettings {
    /// As the engine takes them.
    pub(crate) fn told(&self) -> BTreeMap<String, String> {
        self.0.clone()
    }
}

impl TryFrom<BTreeMap<String, Told>> for StorageSettings {
    type Error = engine::storage::StorageError;

    fn try_from(given: BTreeMap<String, Told>) -> Result<Self, Self::Error> {
        let text = |value| match value {
            Told::Text(text) => text,
            Told::Flag(flag) => flag.to_string(),
        };
        let told: BTreeMap<String, String> =
            given.into_iter().map(|(name, value)| (name, text(value))).collect();
        told.iter().try_for_each(|(name, value)| engine::storage::check(name, value))?;
        Ok(StorageSettings(told))
    }
}

impl From<StorageSettings> for BTreeMap<String, String> {
    fn from(settings: StorageSettings) -> Self {
        let shown = |(name, value): (String, String)| {
            let value = engine::storage::shown(&name, &value);
            (name, value)
        };
        settings.0.into_iter().map(shown).collect()
    }
}

impl fmt::Debug for StorageSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StorageSettings").field(&BTreeMap::from(self.clone())).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hadoops_names_are_taken_and_secrets_not_shown() {
        let text = "'fs.s3a.endpoint' = 'http://h:1'\n'fs.s3a.secret.key' = 'hush'\n'fs.s3a.path.style.access' = true\n";
        let settings: StorageSettings = toml::from_str(text).unwrap();
        assert_eq!(settings.told()["fs.s3a.secret.key"], "hush");
        assert_eq!(settings.told()["fs.s3a.path.style.access"], "true");
        for shown in [toml::to_string(&settings).unwrap(), format!("{settings:?}")] {
            assert!(shown.contains("http://h:1") && !shown.contains("hush"), "{shown}");
        }
    }

    #[test]
    fn what_nobody_reads_is_an_error() {
        for (text, wanted) in [
            ("'fs.s3a.secretkey' = 'x'", "fs.s3a.secretkey is not known; known are fs.s3a.endpoint, "),
            ("endpoint = 'x'", "endpoint is not known; known are fs.s3a.endpoint, "),
            ("'fs.s3a.path.style.access' = 'perhaps'", "fs.s3a.path.style.access is true or false"),
        ] {
            let error = toml::from_str::<StorageSettings>(text).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }
}

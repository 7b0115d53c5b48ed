//! How an object store is reached: Hadoop's names of it, as Spark's users write them, over what the environment says.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::{BackoffConfig, ClientConfigKey, RetryConfig};

use crate::sql::secrets::{HIDDEN, is_secret};

/// What stands before each of Hadoop's names.
pub(crate) const PREFIX: &str = "fs.s3a.";

/// Hadoop's names, without [`PREFIX`].
const KNOWN: [&str; 9] = [
    "endpoint",
    "endpoint.region",
    "access.key",
    "secret.key",
    "session.token",
    "path.style.access",
    "connection.ssl.enabled",
    "aws.credentials.provider",
    // Which class of Java's does it: there is only one here.
    "impl",
];

/// How long it may take until a connection stands.
const CONNECT: Duration = Duration::from_secs(5);

/// How long any request may take, with all that is moved in it. Whoever knows how much that is, waits less.
const REQUEST_MAX: Duration = Duration::from_secs(600);

/// What one request is tried for: what passes later is waited for by whoever asks.
const TRIES: RetryConfig = RetryConfig {
    backoff: BackoffConfig {
        init_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(1),
        base: 2.0,
    },
    max_retries: 2,
    retry_timeout: Duration::from_secs(30),
};

/// Why an object store cannot be reached as it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// A setting that nobody reads.
    #[error("{name} is not known; known are {}", known())]
    Unknown {
        /// The whole of its name.
        name: String,
    },
    /// A setting that does not fit.
    #[error("{PREFIX}{name} {reason}")]
    Wrong {
        /// Without what stands before it.
        name: &'static str,
        /// What would be right.
        reason: &'static str,
    },
    /// A path without a bucket, or with a name that no object can have.
    #[error("{path} {reason}")]
    Path {
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The settings contradict each other.
    #[error("the settings of the object store do not fit")]
    Misfit(#[source] object_store::Error),
}

fn known() -> String {
    KNOWN.map(|name| format!("{PREFIX}{name}")).join(", ")
}

/// Whether a setting, by its whole name, is known.
#[must_use]
pub fn is_known(name: &str) -> bool {
    name.to_lowercase().strip_prefix(PREFIX).is_some_and(is_own)
}

fn is_own(name: &str) -> bool {
    KNOWN.contains(&of_bucket(name).map_or(name, |(_, name)| name))
}

/// Whether a setting, by its whole name, is known and fits.
///
/// # Errors
/// It is not, or does not.
pub fn check(name: &str, value: &str) -> Result<(), StorageError> {
    let unknown = || StorageError::Unknown { name: name.to_owned() };
    let own = name.strip_prefix(PREFIX).ok_or_else(unknown)?;
    Settings(BTreeMap::from([(own.to_lowercase(), value.to_owned())])).check()
}

/// The value as it may be shown.
#[must_use]
pub fn shown(name: &str, value: &str) -> String {
    if is_secret(name) { HIDDEN.to_owned() } else { value.to_owned() }
}

/// What is told about object stores, by Hadoop's names without [`PREFIX`]. It does not show what is secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Settings(pub(crate) BTreeMap<String, String>);

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |(name, value): (&String, &String)| (name.clone(), shown(name, value));
        f.debug_map().entries(self.0.iter().map(told)).finish()
    }
}

impl Settings {
    /// Of settings by their whole names.
    pub(crate) fn named(given: &BTreeMap<String, String>) -> Self {
        let own = |(name, value): (&String, &String)| {
            Some((name.to_lowercase().strip_prefix(PREFIX)?.to_owned(), value.clone()))
        };
        Settings(given.iter().filter_map(own).collect())
    }

    /// By their whole names.
    pub(crate) fn words(&self) -> impl Iterator<Item = (String, String)> {
        self.0.iter().map(|(name, value)| (format!("{PREFIX}{name}"), value.clone()))
    }

    /// # Errors
    /// A name is not known, or its value does not fit.
    pub(crate) fn check(&self) -> Result<(), StorageError> {
        for name in self.0.keys() {
            if !is_own(name) {
                return Err(StorageError::Unknown { name: format!("{PREFIX}{name}") });
            }
        }
        self.flag("", "path.style.access")?;
        self.flag("", "connection.ssl.enabled")?;
        self.anonymous("").map(drop)
    }

    /// These, with others in their place where both say something. Keys that belong together change together.
    pub(crate) fn with(&self, others: &Settings) -> Settings {
        let mut both = self.0.clone();
        if others.0.contains_key("access.key") {
            both.remove("session.token");
        }
        both.extend(others.0.clone());
        Settings(both)
    }

    /// What holds for a bucket: `fs.s3a.bucket.NAME.x` goes before `fs.s3a.x`.
    fn get(&self, bucket: &str, name: &str) -> Option<&str> {
        let own = self.0.get(&format!("bucket.{bucket}.{name}"));
        own.or_else(|| self.0.get(name)).map(String::as_str)
    }

    fn flag(&self, bucket: &str, name: &'static str) -> Result<Option<bool>, StorageError> {
        let Some(text) = self.get(bucket, name) else { return Ok(None) };
        let wrong = |_| StorageError::Wrong { name, reason: "is true or false" };
        text.to_ascii_lowercase().parse().map(Some).map_err(wrong)
    }

    /// Whether requests go without a signature.
    fn anonymous(&self, bucket: &str) -> Result<bool, StorageError> {
        let name = "aws.credentials.provider";
        let Some(classes) = self.get(bucket, name) else { return Ok(false) };
        let class = classes.split(',').next().unwrap_or_default().trim().rsplit('.').next();
        match class.unwrap_or_default() {
            "AnonymousAWSCredentialsProvider" | "AnonymousCredentialsProvider" => Ok(true),
            "SimpleAWSCredentialsProvider"
            | "TemporaryAWSCredentialsProvider"
            | "EnvironmentVariableCredentialsProvider"
            | "IAMInstanceCredentialsProvider"
            | "DefaultCredentialsProvider"
            | "DefaultAWSCredentialsProviderChain" => Ok(false),
            _ => Err(StorageError::Wrong {
                name,
                reason: "names a class that is not known; leave it out, and give the keys or AWS's variables",
            }),
        }
    }

    /// A connection to a bucket; nothing is asked yet.
    pub(crate) fn connect(&self, bucket: &str) -> Result<AmazonS3, StorageError> {
        let get = |name| self.get(bucket, name);
        let own_keys = get("access.key").is_some() || get("secret.key").is_some();
        let mut builder = AmazonS3Builder::new().with_bucket_name(bucket).with_retry(TRIES);
        for (key, value) in
            [(ClientConfigKey::ConnectTimeout, CONNECT), (ClientConfigKey::Timeout, REQUEST_MAX)]
        {
            let value = format!("{} seconds", value.as_secs());
            builder = builder.with_config(AmazonS3ConfigKey::Client(key), value);
        }
        for (name, value) in std::env::vars_os() {
            let Some((key, value)) = variable(name.to_str()).zip(value.to_str()) else { continue };
            if !(own_keys && is_of_login(key)) {
                builder = builder.with_config(key, value);
            }
        }
        for (name, key) in [
            ("access.key", AmazonS3ConfigKey::AccessKeyId),
            ("secret.key", AmazonS3ConfigKey::SecretAccessKey),
            ("session.token", AmazonS3ConfigKey::Token),
            ("endpoint.region", AmazonS3ConfigKey::Region),
        ] {
            if let Some(value) = get(name) {
                builder = builder.with_config(key, value);
            }
        }
        let path_style = self.flag(bucket, "path.style.access")?;
        if let Some(endpoint) = get("endpoint").filter(|endpoint| !endpoint.is_empty()) {
            let encrypted = self.flag(bucket, "connection.ssl.enabled")?.unwrap_or(true);
            let at = address(endpoint, bucket, encrypted, path_style == Some(false));
            builder = builder.with_config(AmazonS3ConfigKey::S3Endpoint, at);
        }
        if let Some(path_style) = path_style {
            builder = builder.with_virtual_hosted_style_request(!path_style);
        }
        if self.anonymous(bucket)? {
            builder = builder.with_skip_signature(true);
        }
        let plain = [AmazonS3ConfigKey::S3Endpoint, AmazonS3ConfigKey::Endpoint]
            .iter()
            .filter_map(|key| builder.get_config_value(key))
            .any(|endpoint| endpoint.starts_with("http://"));
        if plain {
            builder = builder.with_allow_http(true);
        }
        builder.build().map_err(StorageError::Misfit)
    }
}

/// `NAME` and `x` of `bucket.NAME.x`. A bucket's name may have dots, so the end decides.
fn of_bucket(name: &str) -> Option<(&str, &str)> {
    let rest = name.strip_prefix("bucket.")?;
    // The longest: `endpoint.region` is no `region` of a bucket `NAME.endpoint`.
    let known = KNOWN.iter().filter(|known| rest.ends_with(&format!(".{known}")));
    let known = known.max_by_key(|known| known.len())?;
    Some((&rest[..rest.len() - known.len() - 1], *known))
}

/// What a variable of the environment says, if it is one of AWS's.
fn variable(name: Option<&str>) -> Option<AmazonS3ConfigKey> {
    name.filter(|name| name.starts_with("AWS_"))?.to_ascii_lowercase().parse().ok()
}

fn is_of_login(key: AmazonS3ConfigKey) -> bool {
    matches!(
        key,
        AmazonS3ConfigKey::AccessKeyId | AmazonS3ConfigKey::SecretAccessKey | AmazonS3ConfigKey::Token
    )
}

/// The address of a bucket's server; with the bucket in the host's name if that is how it is asked.
fn address(endpoint: &str, bucket: &str, encrypted: bool, in_host: bool) -> String {
    let usual = if encrypted { "https" } else { "http" };
    let (scheme, host) = endpoint.split_once("://").unwrap_or((usual, endpoint));
    let host = host.trim_end_matches('/');
    if in_host { format!("{scheme}://{bucket}.{host}") } else { format!("{scheme}://{host}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(told: &[(&str, &str)]) -> Settings {
        Settings::named(&told.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn secrets_are_not_printed() {
        let settings =
            of(&[("fs.s3a.secret.key", "hush"), ("fs.s3a.access.key", "who"), ("fs.s3a.endpoint", "h")]);
        let printed = format!("{settings:?}");
        assert!(
            !printed.contains("hush") && !printed.contains("who") && printed.contains("\"h\""),
            "{printed}"
        );
    }

    #[test]
    fn a_bucket_has_settings_of_its_own() {
        let settings = of(&[
            ("fs.s3a.endpoint", "a"),
            ("fs.s3a.bucket.my.b.endpoint", "b"),
            ("fs.s3a.bucket.x.endpoint.region", "r"),
        ]);
        settings.check().unwrap();
        assert_eq!((settings.get("my.b", "endpoint"), settings.get("x", "endpoint")), (Some("b"), Some("a")));
        assert_eq!(settings.get("x", "endpoint.region"), Some("r"));
        assert!(of(&[("fs.s3a.bucket.x.endpiont", "a")]).check().is_err());
        assert!(of(&[("fs.s3a.aws.credentials.provider", "com.shop.Mine")]).check().is_err());
    }

    #[test]
    fn a_token_goes_with_its_key() {
        let usual = of(&[
            ("fs.s3a.access.key", "a"),
            ("fs.s3a.secret.key", "s"),
            ("fs.s3a.session.token", "t"),
            ("fs.s3a.endpoint", "h"),
        ]);
        let both = usual.with(&of(&[("fs.s3a.access.key", "b"), ("fs.s3a.secret.key", "u")]));
        assert_eq!(
            both,
            of(&[("fs.s3a.access.key", "b"), ("fs.s3a.secret.key", "u"), ("fs.s3a.endpoint", "h")])
        );
    }

    #[test]
    fn an_endpoint_becomes_an_address() {
        assert_eq!(address("h:9000", "b", true, false), "https://h:9000");
        assert_eq!(address("h:9000/", "b", false, false), "http://h:9000");
        assert_eq!(address("http://h:9000", "b", true, true), "http://b.h:9000");
    }
}

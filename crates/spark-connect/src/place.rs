//! Where files are: directories of this machine, and those of an object store.

use std::collections::BTreeMap;

use engine::storage::{is_known, is_remote};

use crate::error::{Result, SparkError};
use crate::session::Session;

/// What Spark's settings put before those of Hadoop.
const HADOOP: &str = "spark.hadoop.";
/// What the settings of object stores begin with.
const OWN: &str = "fs.s3a.";

/// A path as the engine takes it.
pub(crate) fn path_of(path: &str) -> Result<String> {
    if is_remote(path) {
        return Ok(path.to_owned());
    }
    let local = path.strip_prefix("file://").or_else(|| path.strip_prefix("file:")).unwrap_or(path);
    if local.contains("://") {
        return Err(SparkError::unsupported(format!(
            "files at {path}; a path is a directory of this machine, or one at s3:// or s3a://"
        )));
    }
    Ok(local.to_owned())
}

/// A directory of this machine, where only such a one will do.
pub(crate) fn local(path: &str, what: &str) -> Result<String> {
    if is_remote(path) {
        return Err(SparkError::unsupported(format!(
            "{what} on an object store ({path}); name a directory of this machine"
        )));
    }
    path_of(path)
}

/// How object stores are reached: what the session's settings say, and over them the options.
pub(crate) fn storage<'o>(
    session: &Session,
    options: impl IntoIterator<Item = (&'o String, &'o String)>,
) -> BTreeMap<String, String> {
    let own = |name: &str, value: &str| {
        let name = name.to_lowercase();
        let name = name.strip_prefix(HADOOP).unwrap_or(&name);
        name.starts_with(OWN).then(|| (name.to_owned(), value.to_owned()))
    };
    let settings = session.settings();
    let mut told: BTreeMap<String, String> =
        settings.iter().filter_map(|(name, value)| own(name, value)).collect();
    // A session may say more of Hadoop's than there is here to be told.
    told.retain(|name, _| is_known(name));
    told.extend(options.into_iter().filter_map(|(name, value)| own(name, value)));
    told
}

/// The same among the options themselves, of what is on an object store.
pub(crate) fn complete(session: &Session, path: &str, options: &mut BTreeMap<String, String>) {
    if is_remote(path) {
        let told = storage(session, options.iter());
        forget(options);
        options.extend(told);
    }
}

/// Options with the session's zone, unless they name another.
pub(crate) fn zoned(session: &Session, options: &mut BTreeMap<String, String>) {
    if !options.keys().any(|name| name.eq_ignore_ascii_case("timeZone")) {
        options.insert("timeZone".to_owned(), session.zone());
    }
}

/// Leaves out how object stores are reached, for who has none.
pub(crate) fn forget(options: &mut BTreeMap<String, String>) {
    options.retain(|name, _| !name.to_lowercase().trim_start_matches(HADOOP).starts_with(OWN));
}

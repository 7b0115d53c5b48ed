//! What of a statement is not shown to everybody: the values of options whose names say that they are secret.

use std::sync::LazyLock;

use regex::Regex;

/// What is shown in the place of a secret; Spark writes the same.
pub(crate) const HIDDEN: &str = "*********(redacted)";

/// Names that say it, as `spark.redaction.regex` has them, and what Kafka's clients call a login.
const NAMES: &str = r"(?i)secret|password|token|access[.]?key|sasl[.]jaas[.]config";

static SECRET: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(NAMES).ok());

/// An option and its value, in any of the ways in which they are written.
static OPTION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"([`'"]?)([\w.\-]+)([`'"]?\s*=?\s*)('(?:[^'\\]|''|\\.)*'|"(?:[^"\\]|""|\\.)*")"#).ok()
});

/// Whether the value of an option of this name is nobody's business.
pub(crate) fn is_secret(name: &str) -> bool {
    SECRET.as_ref().is_none_or(|secret| secret.is_match(name))
}

/// A statement as it may be shown.
pub(crate) fn shown(sql: &str) -> String {
    let Some(option) = OPTION.as_ref() else { return HIDDEN.to_owned() };
    let shown = option.replace_all(sql, |found: &regex::Captures<'_>| {
        let [whole, open, name, between] = [0, 1, 2, 3].map(|part| &found[part]);
        if is_secret(name) { format!("{open}{name}{between}'{HIDDEN}'") } else { whole.to_owned() }
    });
    shown.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_and_nothing_else() {
        let sql = "CREATE STREAMING TABLE t USING json OPTIONS (path 's3://b/in', `fs.s3a.secret.key` 'a''b',
            'fs.s3a.access.key' = \"c\", fs.s3a.session.token 'd', kafka.sasl.password='e\\'f', password 'g',
            fs.s3a.endpoint 'http://h') AS SELECT 'password' AS kind, 'is' AS x FROM STREAM s WHERE k = 'secret'";
        let shown = shown(sql);
        for hidden in ["a''b", "\"c\"", "'d'", "e\\'f", "'g'"] {
            assert!(!shown.contains(hidden), "{hidden} in {shown}");
        }
        for there in [
            "path 's3://b/in'",
            "fs.s3a.endpoint 'http://h'",
            "'password' AS kind, 'is' AS x",
            "k = 'secret'",
        ] {
            assert!(shown.contains(there), "{there} in {shown}");
        }
    }
}

//! The options of a table `USING postgresql`, under the names of Spark's JDBC sink.

use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use crate::error::{Position, SqlError};
use crate::sink::postgres::PostgresOptions;
use crate::sql::sink_options::{take, wrong};
use crate::sql::statement::Options;

/// How long a connection may take, unless `url` says.
const CONNECT: Duration = Duration::from_secs(10);

/// # Errors
/// An option is missing or does not fit.
pub(super) fn options(position: Position, given: &mut Options) -> Result<PostgresOptions, SqlError> {
    let missing = || {
        let reason = "expected OPTIONS with url and dbtable, such as \
                      url 'postgresql://localhost/shop', dbtable 'sales'";
        SqlError::Syntax { position, reason: reason.to_owned() }
    };
    let url = take(given, "url").ok_or_else(missing)?;
    let table = take(given, "dbtable").filter(|table| !table.text.is_empty()).ok_or_else(missing)?;
    // Spark writes `jdbc:` before it.
    let text = url.text.strip_prefix("jdbc:").unwrap_or(&url.text);
    let parsed: Result<Config, _> = text.parse();
    let mut config = parsed.map_err(|error| wrong(&url, format!("url is not understood: {error}")))?;
    if !matches!(config.get_ssl_mode(), SslMode::Disable | SslMode::Prefer) {
        let reason =
            "connections to PostgreSQL are not encrypted; leave sslmode out, and go through a tunnel";
        return Err(wrong(&url, reason));
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    if let Some(user) = take(given, "user") {
        config.user(&user.text);
    }
    if let Some(password) = take(given, "password") {
        config.password(&password.text);
    }
    let key = take(given, "key").map(|key| key.text).unwrap_or_default();
    let key = key.split(',').map(str::trim).filter(|key| !key.is_empty()).map(str::to_owned).collect();
    Ok(PostgresOptions { config, table: table.text, key })
}

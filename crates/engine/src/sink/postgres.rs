//! Rows in a table of PostgreSQL, each batch once.
//!
//! A batch is one transaction there: its rows, and the query's last batch number in the table `pelton_batches`. One
//! that runs again finds its number and leaves everything as it is.

use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{FieldRef, SchemaRef};
use env::Clock;
use futures::future::BoxFuture;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, Error, NoTls};

use crate::error::{SinkError, SqlError};
use crate::sink::{Delivery, Sink, rows_of};

mod statement;

use statement::Statements;

/// How long a batch is tried for before the query fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(200);

/// A table of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PostgresOptions {
    /// Where and as whom; it does not show the password.
    pub(crate) config: Config,
    pub(crate) table: String,
    /// A row takes the place of the one with the same values here; without, rows are added.
    pub(crate) key: Vec<String>,
}

impl PostgresOptions {
    /// Makes the tables if there are none.
    ///
    /// # Errors
    /// The database cannot be reached, or refuses.
    pub(crate) async fn prepare(&self, columns: &[FieldRef]) -> Result<(), SqlError> {
        let attempt = || format!("prepare table {} of PostgreSQL", self.table);
        let failed = |error| SqlError::failed(attempt(), Refused::from(error));
        let statements = Statements::new(&self.table, &self.key, columns);
        let client = connect(&self.config).await.map_err(failed)?;
        client.batch_execute(&statements.create).await.map_err(failed)
    }
}

/// What the database, or the way to it, has to say, with what can be done about it.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct Refused {
    reason: String,
    source: Error,
}

impl From<Error> for Refused {
    fn from(source: Error) -> Self {
        let reason = match source.as_db_error() {
            Some(error) => match *error.code() {
                SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
                    "the login is refused; check user and password"
                }
                SqlState::INVALID_CATALOG_NAME => "there is no such database; check the end of url",
                SqlState::INSUFFICIENT_PRIVILEGE => {
                    "the user may not do that; its administrator can allow it"
                }
                SqlState::INVALID_COLUMN_REFERENCE => {
                    "the table has no primary key or unique index over the columns of key; add one"
                }
                _ => "the database refuses",
            },
            None => "no answer; check url, and that the database runs",
        };
        Refused { reason: reason.to_owned(), source }
    }
}

async fn connect(config: &Config) -> Result<Client, Error> {
    let (client, connection) = config.connect(NoTls).await?;
    // It ends when the client is dropped.
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::warn!(%error, "the connection to PostgreSQL ended");
        }
    });
    Ok(client)
}

/// Whether trying again can help: the database is away, starts or stops, or another transaction was in the way.
fn is_passing(error: &Error) -> bool {
    match error.code() {
        None => {
            error.is_closed()
                || std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
        }
        Some(code) => [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::TOO_MANY_CONNECTIONS,
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
        ]
        .contains(code),
    }
}

/// Writes a table.
#[derive(Debug)]
pub(crate) struct PostgresSink {
    options: PostgresOptions,
    schema: SchemaRef,
    statements: Statements,
    /// Who writes: no other query has this name, also not on another machine.
    writer: String,
    clock: Arc<dyn Clock>,
    client: Option<Client>,
}

impl PostgresSink {
    pub(crate) fn new(
        options: &PostgresOptions,
        schema: SchemaRef,
        writer: String,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let columns: Vec<FieldRef> = schema.fields().iter().cloned().collect();
        let statements = Statements::new(&options.table, &options.key, &columns);
        let clock = Arc::clone(clock);
        PostgresSink { options: options.clone(), schema, statements, writer, clock, client: None }
    }

    /// One try. A connection that has failed is not kept.
    async fn put(&mut self, json: &str, delivery: &Delivery<'_>) -> Result<(), Error> {
        let mut client = match self.client.take() {
            Some(client) if !client.is_closed() => client,
            _ => connect(&self.options.config).await?,
        };
        let batch = i64::try_from(delivery.batch).unwrap_or(i64::MAX);
        let transaction = client.transaction().await?;
        let last = transaction.query_opt(&self.statements.last, &[&self.writer]).await?;
        let last = last.map(|row| row.try_get::<_, i64>(0)).transpose()?;
        if last.is_none_or(|last| last < batch) {
            if delivery.replaces {
                transaction.execute(&self.statements.clear, &[]).await?;
            }
            transaction.execute(&self.statements.insert, &[&json]).await?;
            transaction.execute(&self.statements.done, &[&self.writer, &batch]).await?;
            transaction.commit().await?;
        } else {
            transaction.rollback().await?;
        }
        self.client = Some(client);
        Ok(())
    }
}

impl Sink for PostgresSink {
    fn description(&self) -> String {
        format!("postgresql[{}]", self.options.table)
    }

    fn write<'a>(
        &'a mut self,
        rows: &'a [RecordBatch],
        delivery: Delivery<'a>,
    ) -> BoxFuture<'a, Result<u64, SinkError>> {
        Box::pin(async move {
            let written = rows_of(rows);
            if written == 0 && !delivery.replaces {
                return Ok(0);
            }
            let json = statement::encode(rows, &self.schema)?;
            let until = self.clock.monotonic() + PATIENCE;
            while let Err(error) = self.put(&json, &delivery).await {
                if !is_passing(&error) || self.clock.monotonic() >= until {
                    let table = self.options.table.clone();
                    return Err(SinkError::Postgres { table, source: error.into() });
                }
                tracing::warn!(table = %self.options.table, %error, "PostgreSQL takes no batch; trying on");
                tokio::time::sleep(PAUSE).await;
            }
            Ok(written)
        })
    }
}

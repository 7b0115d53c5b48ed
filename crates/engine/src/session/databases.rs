//! Databases: names before names, for doors whose tables lie in several. `default` is always there and not listed: its
//! tables are called as they are. A table of another one is called `database.table`, here as everywhere else.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::SqlError;
use crate::session::catalog::{Catalog, Object};
use crate::session::create::refuse_used;
use crate::session::{Engine, Inner};
use crate::sql::statement::Drop;

/// The database of tables that are called as they are.
pub const DEFAULT: &str = "default";

/// A database beside `default`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// Its name, in lower case.
    pub name: String,
    /// What was said of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// Where its tables lie, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Its properties, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<(String, String)>,
}

/// What is noted about a table beside the statement that made it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableNote {
    /// What was said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The columns that the directories of its files say, also while there is no file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partition_by: Vec<String>,
}

impl Catalog {
    /// The database that a table is in: what stands before the first point of its name, if that is one.
    pub(crate) fn database_of<'n>(&self, table: &'n str) -> (&'n str, &'n str) {
        let parts = table.split_once('.').filter(|(before, _)| self.databases.contains_key(&lower(before)));
        parts.unwrap_or((DEFAULT, table))
    }

    /// The objects of a database.
    fn inside(&self, database: &str) -> Vec<Object> {
        let is_inside = |object: &&Object| self.database_of(object.name()).0.eq_ignore_ascii_case(database);
        self.objects().filter(is_inside).cloned().collect()
    }
}

fn lower(name: &str) -> String {
    name.to_lowercase()
}

impl Engine {
    /// The databases beside `default`, by name.
    #[must_use]
    pub fn databases(&self) -> Vec<Database> {
        self.catalog().databases.values().cloned().collect()
    }

    /// The database of that name; `default` is none of them.
    #[must_use]
    pub fn database(&self, name: &str) -> Option<Database> {
        self.catalog().databases.get(&lower(name)).cloned()
    }

    /// The tables of a database, by their names in it.
    #[must_use]
    pub fn tables_in(&self, database: &str) -> Vec<String> {
        let catalog = self.catalog();
        let names = catalog.tables().map(|table| catalog.database_of(&table.name));
        let inside = names.filter(|(of, _)| of.eq_ignore_ascii_case(database));
        inside.map(|(_, name)| name.to_owned()).collect()
    }

    /// Keeps a database, or what is new about one that is there.
    ///
    /// # Errors
    /// It is not a name, a table begins like one of its own, or the catalog cannot be written.
    pub async fn keep_database(&self, database: Database) -> Result<(), SqlError> {
        self.changing(|inner| async move { inner.keep_database(database).await }).await
    }

    /// Forgets a database with its tables, files included; says whether there was one.
    ///
    /// # Errors
    /// A query uses one of the tables, or the catalog cannot be written.
    pub async fn drop_database(&self, name: &str) -> Result<bool, SqlError> {
        let name = lower(name);
        self.changing(|inner| async move { inner.drop_database(&name).await }).await
    }

    /// What was noted about a table; nothing of one that is not there.
    #[must_use]
    pub fn note_of(&self, table: &str) -> TableNote {
        self.catalog().notes.get(&lower(table)).cloned().unwrap_or_default()
    }

    /// Notes this about a table, in the place of what was noted before. What is noted goes with the table.
    ///
    /// # Errors
    /// There is no such table, or the catalog cannot be written.
    pub async fn note(&self, table: &str, note: TableNote) -> Result<(), SqlError> {
        let name = lower(table);
        self.changing(|inner| async move { inner.note(name, note) }).await
    }
}

impl Inner {
    async fn keep_database(&self, database: Database) -> Result<(), SqlError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let name = lower(&database.name);
        if name.is_empty() || name == DEFAULT || !name.bytes().all(allowed) {
            return Err(SqlError::invalid(
                format!("'{name}'"),
                "is not a name of a database: letters, digits and '_'",
            ));
        }
        let mut changed = Catalog::clone(&self.catalog());
        let begins = format!("{name}.");
        let taken = |object: &&Object| lower(object.name()).starts_with(&begins);
        if !changed.databases.contains_key(&name)
            && let Some(table) = changed.objects().find(taken)
        {
            let reason = format!("is what {} begins with, which is not in it", table.name());
            return Err(SqlError::invalid(format!("database {name}"), reason));
        }
        changed.databases.insert(name.clone(), Database { name, ..database });
        self.save(changed)
    }

    async fn drop_database(&self, name: &str) -> Result<bool, SqlError> {
        let catalog = self.catalog();
        if !catalog.databases.contains_key(name) {
            return Ok(false);
        }
        let inside = catalog.inside(name);
        inside.iter().try_for_each(|object| refuse_used(&catalog, object))?;
        for object in inside {
            let drop = Drop { name: object.name().to_owned(), if_exists: true };
            self.drop_object(drop, object.what()).await?;
        }
        let mut changed = Catalog::clone(&self.catalog());
        changed.databases.remove(name);
        self.save(changed)?;
        Ok(true)
    }

    fn note(&self, table: String, note: TableNote) -> Result<(), SqlError> {
        let mut changed = Catalog::clone(&self.catalog());
        changed.table(&table)?;
        changed.notes.insert(table, note);
        self.save(changed)
    }
}

impl Engine {
    /// Changes the catalog, on the engine's own threads, while nobody else does.
    async fn changing<T, R>(
        &self,
        change: impl FnOnce(Arc<Inner>) -> R + Send + 'static,
    ) -> Result<T, SqlError>
    where
        T: Send + 'static,
        R: Future<Output = Result<T, SqlError>> + Send,
    {
        let inner = Arc::clone(&self.inner);
        let changing = self.inner.handle.spawn(async move {
            let holder = Arc::clone(&inner);
            let _permit = holder.changing.acquire().await.map_err(|_| SqlError::Closed)?;
            change(inner).await
        });
        changing.await.map_err(|error| SqlError::failed("change the catalog", error))?
    }
}

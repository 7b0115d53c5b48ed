//! The databases that names of tables and views mean, and what Spark says of those that are not there.

use engine::{DEFAULT_DATABASE, Database, Engine};

use crate::error::{Class, Result, SparkError};
use crate::expression::name_parts;
use crate::session::Session;

/// The one catalog.
pub(crate) const CATALOG: &str = "spark_catalog";
/// The database of views that all sessions see.
pub(crate) const GLOBAL: &str = "global_temp";

/// The whole name of a table that there is or that is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableName {
    /// In lower case.
    pub(crate) database: String,
    pub(crate) name: String,
}

impl TableName {
    /// What a text means where the session is.
    ///
    /// # Errors
    /// It names another catalog, or is no name.
    pub(crate) fn read(session: &Session, text: &str) -> Result<Self> {
        Self::of(session, &name_parts(text)?)
    }

    /// What the parts of a name mean where the session is.
    ///
    /// # Errors
    /// They name another catalog.
    pub(crate) fn of(session: &Session, parts: &[String]) -> Result<Self> {
        let (database, name) = match parts {
            [name] => (session.database(), name),
            [database, name] => (database.to_lowercase(), name),
            [catalog, database, name] if catalog.eq_ignore_ascii_case(CATALOG) => {
                (database.to_lowercase(), name)
            }
            _ => return Err(one_part(parts)),
        };
        Ok(TableName { database, name: name.clone() })
    }

    /// As the engine calls it.
    pub(crate) fn key(&self) -> String {
        match self.database.as_str() {
            DEFAULT_DATABASE => self.name.clone(),
            database => format!("{database}.{}", self.name),
        }
    }

    /// With its catalog, in backquotes.
    pub(crate) fn whole(&self) -> String {
        quoted(&[CATALOG, &self.database, &self.name])
    }

    /// Whether the engine has it.
    pub(crate) fn is_known(&self, engine: &Engine) -> bool {
        let key = self.key();
        let before = key.split_once('.').and_then(|(before, _)| engine.database(before));
        engine.has_table(&key) && before.is_some() == (self.database != DEFAULT_DATABASE)
    }

    /// For a table that is to be made.
    ///
    /// # Errors
    /// Its database is not there, or it cannot be called so.
    pub(crate) fn place(&self, engine: &Engine) -> Result<()> {
        known(engine, &self.database)?;
        if self.name.contains('.') {
            return Err(no_name(&self.name));
        }
        Ok(())
    }

    /// There is none.
    pub(crate) fn missing(&self) -> SparkError {
        SparkError::table(&[CATALOG, &self.database, &self.name].join("`.`"))
    }
}

/// What a view is kept under, if a name of these parts may mean one.
pub(crate) fn view_keys(session: &Session, parts: &[String]) -> Vec<String> {
    let lower = |text: &String| text.to_lowercase();
    match parts {
        [name] => match session.database() {
            database if database == DEFAULT_DATABASE => vec![lower(name)],
            database => vec![lower(name), format!("{database}.{}", lower(name))],
        },
        [catalog, rest @ ..] if rest.len() == 2 && catalog.eq_ignore_ascii_case(CATALOG) => {
            view_keys(session, rest)
        }
        [database, name] if database.eq_ignore_ascii_case(DEFAULT_DATABASE) => vec![lower(name)],
        [database, name] => vec![format!("{}.{}", lower(database), lower(name))],
        _ => Vec::new(),
    }
}

/// The database that a text means: `db` or `spark_catalog.db`, in lower case.
///
/// # Errors
/// There is none.
pub(crate) fn read(engine: &Engine, text: &str) -> Result<String> {
    let parts: Vec<String> = name_parts(text)?.iter().map(|part| part.to_lowercase()).collect();
    let database = match parts.as_slice() {
        [catalog, database] if catalog == CATALOG => database,
        [database] => database,
        // Spark looks for a database with more than one part.
        _ => return Err(not_found(&parts.join("`.`"))),
    };
    known(engine, database)?;
    Ok(database.clone())
}

/// # Errors
/// There is no such database.
fn known(engine: &Engine, database: &str) -> Result<()> {
    if database == DEFAULT_DATABASE || engine.database(database).is_some() {
        return Ok(());
    }
    Err(not_found(database))
}

/// Where the tables of a database lie, as it was said or as it comes about.
pub(crate) fn location(session: &Session, database: &Database) -> String {
    let warehouse = session.setting("spark.sql.warehouse.dir").unwrap_or_default();
    match &database.location {
        _ if database.name == DEFAULT_DATABASE => warehouse,
        Some(location) => location.clone(),
        None => format!("{warehouse}/{}.db", database.name),
    }
}

/// All databases, `default` among them, by name.
pub(crate) fn all(engine: &Engine) -> Vec<Database> {
    let default = Database {
        name: DEFAULT_DATABASE.to_owned(),
        comment: "default database".to_owned(),
        ..Database::default()
    };
    let mut all = engine.databases();
    all.push(default);
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn quoted(parts: &[&str]) -> String {
    format!("`{}`", parts.join("`.`"))
}

pub(crate) fn not_found(database: &str) -> SparkError {
    let name = quoted(&[CATALOG, database]);
    let text = format!(
        "The schema {name} cannot be found. Verify the spelling and correctness of the schema and catalog.\nIf you did \
         not qualify the name with a catalog, verify the current_schema() output, or qualify the name with the correct \
         catalog.\nTo tolerate the error on drop use DROP SCHEMA IF EXISTS."
    );
    SparkError::new(Class::Analysis, "SCHEMA_NOT_FOUND", "42704", text).with("schemaName", name)
}

/// A name of more parts than a catalog, a database and a table have.
pub(crate) fn one_part(parts: &[String]) -> SparkError {
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let name = quoted(&parts);
    let text = format!("{CATALOG} requires a single-part namespace, but got identifier {name}.");
    SparkError::new(Class::Analysis, "REQUIRES_SINGLE_PART_NAMESPACE", "42K05", text)
        .with("sessionCatalog", CATALOG)
        .with("identifier", name)
}

pub(crate) fn no_name(name: &str) -> SparkError {
    let name = quoted(&[name]);
    let text = format!(
        "{name} is not a valid name for tables/schemas. Valid names only contain alphabet characters, numbers and _."
    );
    SparkError::new(Class::Analysis, "INVALID_SCHEMA_OR_RELATION_NAME", "42602", text).with("name", name)
}

//! What SQL does to databases: `CREATE DATABASE`, `DROP DATABASE`, `USE` and what they are asked.

use std::sync::Arc;

use engine::{DEFAULT_DATABASE, Database};

use crate::database::{self, CATALOG, no_name, not_found};
use crate::error::{Class, Result, SparkError};
use crate::service::describe::Told;
use crate::service::tables;
use crate::session::Session;
use crate::sql::{Databases, NewDatabase};

/// Does what a statement says; what it answers.
///
/// # Errors
/// There is no such database, or one too many.
pub(crate) async fn run(session: &Arc<Session>, statement: Databases) -> Result<Option<Told>> {
    match statement {
        Databases::Use(name) => {
            session.set_database(database::read(&session.engine, &name)?);
            Ok(None)
        }
        Databases::Create(new) => create(session, new).await.map(|()| None),
        Databases::Drop { name, if_exists, cascade } => {
            drop_one(session, &name, if_exists, cascade).await.map(|()| None)
        }
        Databases::Alter { name, properties, comment, location } => {
            let name = database::read(&session.engine, &name)?;
            let Some(mut kept) = session.engine.database(&name) else {
                return Err(SparkError::unsupported(format!("changing the database {name}")));
            };
            kept.properties.retain(|(key, _)| properties.iter().all(|(new, _)| new != key));
            kept.properties.extend(properties);
            kept.comment = comment.unwrap_or(kept.comment);
            kept.location = location.or(kept.location);
            session.engine.keep_database(kept).await?;
            Ok(None)
        }
        Databases::Describe { name, extended } => describe(session, &name, extended).map(Some),
        Databases::Current => {
            let columns = vec![("catalog", "STRING"), ("namespace", "STRING")];
            Ok(Some(Told { columns, rows: vec![vec![CATALOG.into(), session.database().into()]] }))
        }
    }
}

async fn create(session: &Arc<Session>, new: NewDatabase) -> Result<()> {
    let NewDatabase { name, if_not_exists, comment, location, properties } = new;
    let parts = crate::expression::name_parts(&name)?;
    let name = match parts.as_slice() {
        [name] => name.to_lowercase(),
        [catalog, name] if catalog.eq_ignore_ascii_case(CATALOG) => name.to_lowercase(),
        _ => return Err(database::one_part(&parts)),
    };
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(no_name(&name));
    }
    if name == DEFAULT_DATABASE || session.engine.database(&name).is_some() {
        if if_not_exists {
            return Ok(());
        }
        let text = format!(
            "Cannot create schema `{name}` because it already exists.\nChoose a different name, drop the existing schema, \
             or add the IF NOT EXISTS clause to tolerate pre-existing schema."
        );
        return Err(SparkError::new(Class::Analysis, "SCHEMA_ALREADY_EXISTS", "42P06", text)
            .with("schemaName", format!("`{name}`")));
    }
    session.engine.keep_database(Database { name, comment, location, properties }).await?;
    Ok(())
}

async fn drop_one(session: &Arc<Session>, name: &str, if_exists: bool, cascade: bool) -> Result<()> {
    let name = match database::read(&session.engine, name) {
        Ok(name) => name,
        Err(_) if if_exists => return Ok(()),
        Err(error) => return Err(error),
    };
    if name == DEFAULT_DATABASE {
        let text = format!(
            "The feature is not supported: Drop the default database `{CATALOG}`.`{DEFAULT_DATABASE}`."
        );
        let condition = "UNSUPPORTED_FEATURE.DROP_DATABASE";
        return Err(SparkError::new(Class::Analysis, condition, "0A000", text)
            .with("database", format!("`{CATALOG}`.`{DEFAULT_DATABASE}`")));
    }
    let tables = session.engine.tables_in(&name);
    let is_empty = tables.is_empty() && session.views_in(&name).is_empty();
    if !cascade && !is_empty {
        let text = format!(
            "Cannot drop a schema `{name}` because it contains objects.\nUse DROP SCHEMA ... CASCADE to drop the schema and \
             all its objects."
        );
        return Err(SparkError::new(Class::Analysis, "SCHEMA_NOT_EMPTY", "2BP01", text)
            .with("schemaName", format!("`{name}`")));
    }
    for table in tables {
        tables::forget(session, &database::TableName { database: name.clone(), name: table }).await?;
    }
    session.drop_views_in(&name);
    match session.engine.drop_database(&name).await? {
        true => Ok(()),
        false => Err(not_found(&name)),
    }
}

fn describe(session: &Session, name: &str, extended: bool) -> Result<Told> {
    let name = database::read(&session.engine, name)?;
    let found = database::all(&session.engine).into_iter().find(|database| database.name == name);
    let found = found.ok_or_else(|| not_found(&name))?;
    let mut facts = vec![
        ("Catalog Name", CATALOG.to_owned()),
        ("Namespace Name", name),
        ("Comment", found.comment.clone()),
        ("Location", database::location(session, &found)),
    ];
    if extended {
        let properties: Vec<String> =
            found.properties.iter().map(|(name, value)| format!("({name},{value})")).collect();
        let properties =
            if properties.is_empty() { String::new() } else { format!("({})", properties.join(",")) };
        facts.push(("Properties", properties));
    }
    let rows = facts.into_iter().map(|(name, value)| vec![name.into(), value.into()]).collect();
    Ok(Told { columns: vec![("info_name", "STRING"), ("info_value", "STRING")], rows })
}

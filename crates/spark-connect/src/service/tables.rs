//! Tables that a script makes: files which the engine keeps, with a statement that says what they hold.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use datafusion::arrow::datatypes::{FieldRef, Schema};
use engine::TableNote;
use engine::dataframe::type_name;

use crate::database::TableName;
use crate::error::{Class, Result, SparkError};
use crate::session::Session;

/// Options of a writer that a reader of the same files needs too.
const SHARED: [&str; 4] = ["header", "sep", "delimiter", "nullvalue"];

/// A table over files that are there, or will be.
pub(crate) struct NewTable<'a> {
    pub(crate) name: &'a str,
    pub(crate) format: &'a str,
    /// Its directory.
    pub(crate) path: &'a str,
    /// What its rows are written with.
    pub(crate) options: &'a BTreeMap<String, String>,
    pub(crate) columns: &'a Schema,
    /// Those of them that directories say.
    pub(crate) partition_by: &'a [String],
}

impl NewTable<'_> {
    /// Makes it known.
    ///
    /// # Errors
    /// If the engine has no such type, or the name is taken.
    pub(crate) async fn create(&self, session: &Arc<Session>) -> Result<()> {
        session.engine.execute(&self.statement()).await?;
        if !self.partition_by.is_empty() {
            let note = TableNote { partition_by: self.partition_by.to_vec(), ..TableNote::default() };
            session.engine.note(self.name, note).await?;
        }
        Ok(())
    }

    fn statement(&self) -> String {
        let is_partition =
            |field: &FieldRef| self.partition_by.iter().any(|name| name.eq_ignore_ascii_case(field.name()));
        let fields = self.columns.fields();
        // As in Spark, what directories say stands last.
        let ordered = fields.iter().filter(|field| !is_partition(field));
        let ordered = ordered.chain(fields.iter().filter(|field| is_partition(field)));
        let columns =
            ordered.map(|field| format!("{} {}", quoted(field.name()), type_name(field.data_type())));
        let columns = columns.collect::<Vec<_>>().join(", ");
        let mut options = format!("path {}", text(self.path));
        for (name, value) in self.options {
            if SHARED.contains(&name.to_lowercase().as_str()) {
                // Writing to a string does not fail.
                let _ = write!(options, ", {name} {}", text(value));
            }
        }
        format!(
            "CREATE STREAMING TABLE {} ({columns}) USING {} OPTIONS ({options})",
            quoted(self.name),
            self.format
        )
    }
}

pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

pub(crate) fn text(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Forgets a table, with its files if they are the engine's to keep.
///
/// # Errors
/// If somebody uses it.
pub(crate) async fn forget(session: &Arc<Session>, table: &TableName) -> Result<()> {
    let key = table.key();
    let frames = session.engine.dataframes(&session.zone());
    let place = place_in(session, table).filter(|place| {
        let path = frames.table_files(&key).ok().and_then(|(_, mut options, _)| options.remove("path"));
        path.is_some_and(|path| path.trim_end_matches('/') == place)
    });
    session.engine.execute(&format!("DROP TABLE IF EXISTS {}", quoted(&key))).await?;
    session.set_cached(&key, false);
    if let Some(place) = place {
        frames.clear(&place, &BTreeMap::new())?;
    }
    Ok(())
}

/// Keeps what a script says of a table.
///
/// # Errors
/// There is no such table.
pub(crate) async fn describe(session: &Session, table: &TableName, comment: Option<String>) -> Result<()> {
    if comment.is_some() {
        let note = session.engine.note_of(&table.key());
        session.engine.note(&table.key(), TableNote { comment, ..note }).await?;
    }
    Ok(())
}

/// Where a table's files lie, if its database has a place of its own.
pub(crate) fn place_in(session: &Session, table: &TableName) -> Option<String> {
    let location = session.engine.database(&table.database)?.location?;
    let location = crate::place::path_of(&location).ok()?;
    Some(format!("{}/{}", location.trim_end_matches('/'), table.name.to_lowercase()))
}

pub(crate) fn exists(table: &TableName) -> SparkError {
    let name = table.whole();
    let text = format!(
        "Cannot create table or view {name} because it already exists. Choose a different name, drop or \
         replace the existing object, add the IF NOT EXISTS clause to tolerate pre-existing objects, or add the OR \
         REFRESH clause to refresh the existing streaming table."
    );
    SparkError::new(Class::Analysis, "TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", text).with("relationName", name)
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::{DataType, Field};

    use super::*;

    #[test]
    fn the_statement_quotes_what_it_is_given() {
        let columns = Schema::new(vec![
            Field::new("da`y", DataType::Utf8, true),
            Field::new("n", DataType::Int32, true),
        ]);
        let options = BTreeMap::from([
            ("Header".to_owned(), "true".to_owned()),
            ("compression".to_owned(), "none".to_owned()),
        ]);
        let table = NewTable {
            name: "t",
            format: "csv",
            path: "/it's",
            options: &options,
            columns: &columns,
            partition_by: &["DA`Y".to_owned()],
        };
        assert_eq!(
            table.statement(),
            r"CREATE STREAMING TABLE `t` (`n` INT, `da``y` STRING) USING csv OPTIONS (path '/it\'s', Header 'true')"
        );
    }
}

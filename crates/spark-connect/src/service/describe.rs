//! What there is, as rows in Spark's words.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use serde_json::Value;

use crate::database::{self, CATALOG, GLOBAL, TableName};
use crate::error::{Class, Result, SparkError};
use crate::expression::name_parts;
use crate::plan::Planner;
use crate::plan::frame::Frame;
use crate::schema;
use crate::session::Session;
use crate::sql::{Described, Shows, fits};

/// Columns by name and type, and rows.
pub(crate) struct Told {
    pub(crate) columns: Vec<(&'static str, &'static str)>,
    pub(crate) rows: Vec<Vec<Value>>,
}

/// `DESCRIBE`; `None` if the engine knows more of it.
pub(crate) async fn describe(session: &Arc<Session>, described: &Described) -> Result<Option<Told>> {
    let mut planner = Planner::new(session);
    let told = match described {
        Described::Query(query) => columns(&planner.query(query).await?),
        Described::Table { name, extended, column } => {
            let parts = name_parts(name)?;
            let is_view = planner.view(&parts).is_some();
            // Models are the engine's to describe.
            let table = TableName::of(session, &parts)?;
            if !is_view && parts.len() == 1 && !table.is_known(&session.engine) {
                return Ok(None);
            }
            let frame = planner.table(name).await?;
            if let Some(wanted) = column {
                return Ok(Some(one_column(&frame, wanted, *extended)?));
            }
            let mut told = columns(&frame);
            if *extended {
                let kind = if is_view { "VIEW" } else { "MANAGED" };
                let facts = [("", ""), ("# Detailed Table Information", ""), ("Catalog", "spark_catalog")];
                let more =
                    [("Database", table.database.as_str()), ("Table", table.name.as_str()), ("Type", kind)];
                let comment = session.engine.note_of(&table.key()).comment.filter(|_| !is_view);
                let comment = comment.as_deref().map(|comment| ("Comment", comment));
                told.rows.extend(
                    facts
                        .iter()
                        .chain(&more)
                        .chain(&comment)
                        .map(|(name, value)| vec![(*name).into(), (*value).into(), "".into()]),
                );
            }
            told
        }
        Described::Function(name) => function(&planner, name),
    };
    Ok(Some(told))
}

fn columns(frame: &Frame) -> Told {
    let row = |column: &crate::plan::frame::Column| {
        vec![column.name.clone().into(), simple(&frame.data_type(column)).into(), Value::Null]
    };
    let names = vec![("col_name", "STRING"), ("data_type", "STRING"), ("comment", "STRING")];
    Told { columns: names, rows: frame.columns.iter().map(row).collect() }
}

fn one_column(frame: &Frame, wanted: &str, extended: bool) -> Result<Told> {
    let found = frame.columns.iter().find(|column| column.name.eq_ignore_ascii_case(wanted));
    let column = found.ok_or_else(|| SparkError::column(wanted, &frame.names()))?;
    let mut facts = vec![
        ("col_name", column.name.clone()),
        ("data_type", simple(&frame.data_type(column))),
        ("comment", "NULL".to_owned()),
    ];
    if extended {
        let unknown =
            ["min", "max", "num_nulls", "distinct_count", "avg_col_len", "max_col_len", "histogram"];
        facts.extend(unknown.map(|fact| (fact, "NULL".to_owned())));
    }
    let rows = facts.into_iter().map(|(name, value)| vec![name.into(), value.into()]).collect();
    Ok(Told { columns: vec![("info_name", "STRING"), ("info_value", "STRING")], rows })
}

fn function(planner: &Planner<'_>, name: &str) -> Told {
    let text = if known(planner, name) {
        format!("Function: {}", name.to_lowercase())
    } else {
        format!("Function: {name} not found.")
    };
    Told { columns: vec![("function_desc", "STRING")], rows: vec![vec![text.into()]] }
}

fn known(planner: &Planner<'_>, name: &str) -> bool {
    let state = planner.frames.context().state_ref();
    let state = state.read();
    let name = name.to_lowercase();
    state.scalar_functions().contains_key(&name)
        || state.aggregate_functions().contains_key(&name)
        || state.window_functions().contains_key(&name)
}

/// The type as `DESCRIBE` has it: `array<int>`.
pub(crate) fn simple(data_type: &DataType) -> String {
    schema::name(data_type).to_lowercase().replace(", ", ",").replace(": ", ":")
}

/// `SHOW`.
pub(crate) async fn show(session: &Arc<Session>, shows: &Shows) -> Result<Told> {
    let text = "STRING";
    let one = |name: &'static str, values: Vec<String>| Told {
        columns: vec![(name, text)],
        rows: values.into_iter().map(|value| vec![value.into()]).collect(),
    };
    Ok(match shows {
        Shows::Tables(database, pattern) => {
            listed(session, "tableName", database.as_deref(), pattern.as_deref(), true)?
        }
        Shows::Views(database, pattern) => {
            listed(session, "viewName", database.as_deref(), pattern.as_deref(), false)?
        }
        Shows::Columns(name) => one("col_name", Planner::new(session).table(name).await?.names()),
        Shows::Databases(pattern) => {
            let names = database::all(&session.engine).into_iter().map(|database| database.name);
            one("namespace", names.filter(|name| fits(pattern.as_deref(), name)).collect())
        }
        Shows::Catalogs(pattern) => {
            let names = [CATALOG.to_owned()].into_iter();
            one("catalog", names.filter(|name| fits(pattern.as_deref(), name)).collect())
        }
        Shows::Functions(database, pattern) => {
            database.as_deref().map(|name| database::read(&session.engine, name)).transpose()?;
            one("function", functions(session, pattern.as_deref()))
        }
        Shows::Properties(None) => Told { columns: vec![("key", text), ("value", text)], rows: Vec::new() },
        Shows::Properties(Some(key)) => {
            let what = format!("the property {key}: tables have none");
            return Err(SparkError::new(Class::Unsupported, "UNSUPPORTED_FEATURE", "0A000", what));
        }
    })
}

/// Tables and views, or views alone, of a database.
fn listed(
    session: &Session,
    called: &'static str,
    database: Option<&str>,
    pattern: Option<&str>,
    tables: bool,
) -> Result<Told> {
    let database = database.map_or_else(|| Ok(session.database()), |name| inside(session, name))?;
    let mut rows: Vec<(String, String, bool)> = Vec::new();
    if tables {
        let names = session.engine.tables_in(&database).into_iter();
        rows.extend(names.map(|name| (database.clone(), name, false)));
    }
    let temporary = database == GLOBAL;
    let in_it = session.views_in(&database).into_iter();
    rows.extend(in_it.map(|name| (database.clone(), name, temporary)));
    let own = session.views();
    let own = own.keys().filter(|name| !name.contains('.'));
    rows.extend(own.map(|name| (String::new(), name.clone(), true)));
    rows.retain(|(_, name, _)| fits(pattern, name));
    rows.sort_by(|a, b| a.1.cmp(&b.1));
    let row = |(namespace, name, temporary): (String, String, bool)| {
        vec![namespace.into(), name.into(), temporary.into()]
    };
    let columns = vec![("namespace", "STRING"), (called, "STRING"), ("isTemporary", "BOOLEAN")];
    Ok(Told { columns, rows: rows.into_iter().map(row).collect() })
}

/// The database whose tables are asked for: also that of the views that all sessions see.
pub(crate) fn inside(session: &Session, name: &str) -> Result<String> {
    match name.trim_matches('`').eq_ignore_ascii_case(GLOBAL) {
        true => Ok(GLOBAL.to_owned()),
        false => database::read(&session.engine, name),
    }
}

/// The functions of the session by name, each once, in order.
pub(crate) fn functions(session: &Arc<Session>, pattern: Option<&str>) -> Vec<String> {
    let planner = Planner::new(session);
    let state = planner.frames.context().state_ref();
    let state = state.read();
    let mut names: Vec<String> = state
        .scalar_functions()
        .keys()
        .chain(state.aggregate_functions().keys())
        .chain(state.window_functions().keys())
        .chain(session.sql_functions().keys())
        .chain(session.functions().keys())
        .chain(session.table_functions().keys())
        .cloned()
        .chain(crate::expression::GENERATORS.map(str::to_owned))
        .filter(|name| fits(pattern, name))
        .collect();
    names.sort();
    names.dedup();
    names
}

//! What there is, as rows in Spark's words.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use serde_json::Value;

use crate::error::{Class, Result, SparkError};
use crate::plan::Planner;
use crate::plan::frame::{Frame, aliased_name};
use crate::schema;
use crate::session::Session;
use crate::sql::{Described, Shows, fits};

/// Columns by name and type, and rows.
pub(crate) struct Told {
    pub(crate) columns: Vec<(&'static str, &'static str)>,
    pub(crate) rows: Vec<Vec<Value>>,
}

const DATABASE: &str = "default";

/// `DESCRIBE`; `None` if the engine knows more of it.
pub(crate) async fn describe(session: &Arc<Session>, described: &Described) -> Result<Option<Told>> {
    let mut planner = Planner::new(session);
    let told = match described {
        Described::Query(query) => columns(&planner.query(query).await?),
        Described::Table { name, extended, column } => {
            let short = aliased_name(name);
            let is_view = session.views().contains_key(&short.to_lowercase());
            if !is_view && !session.engine.has_table(&short) {
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
                let more = [("Database", DATABASE), ("Table", short.as_str()), ("Type", kind)];
                told.rows.extend(
                    facts
                        .iter()
                        .chain(&more)
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
        Shows::Tables(pattern) => {
            let mut rows: Vec<(String, bool)> =
                session.engine.table_names().into_iter().map(|name| (name, false)).collect();
            rows.extend(session.views().keys().map(|name| (name.clone(), true)));
            rows.retain(|(name, _)| fits(pattern.as_deref(), name));
            rows.sort();
            let row = |(name, temporary): (String, bool)| {
                let namespace = if temporary { "" } else { DATABASE };
                vec![namespace.into(), name.into(), temporary.into()]
            };
            let columns = vec![("namespace", text), ("tableName", text), ("isTemporary", "BOOLEAN")];
            Told { columns, rows: rows.into_iter().map(row).collect() }
        }
        Shows::Views(pattern) => {
            let views = session.views();
            let names = views.keys().filter(|name| fits(pattern.as_deref(), name));
            let rows = names.map(|name| vec!["".into(), name.clone().into(), true.into()]).collect();
            let columns = vec![("namespace", text), ("viewName", text), ("isTemporary", "BOOLEAN")];
            Told { columns, rows }
        }
        Shows::Columns(name) => one("col_name", Planner::new(session).table(name).await?.names()),
        Shows::Databases(pattern) => one(
            "namespace",
            [DATABASE.to_owned()].into_iter().filter(|name| fits(pattern.as_deref(), name)).collect(),
        ),
        Shows::Functions(pattern) => one("function", functions(session, pattern.as_deref())),
        Shows::Properties(None) => Told { columns: vec![("key", text), ("value", text)], rows: Vec::new() },
        Shows::Properties(Some(key)) => {
            let what = format!("the property {key}: tables have none");
            return Err(SparkError::new(Class::Unsupported, "UNSUPPORTED_FEATURE", "0A000", what));
        }
    })
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

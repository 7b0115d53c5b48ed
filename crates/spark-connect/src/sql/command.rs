//! What `spark.sql` may be beside a query.

use datafusion::sql::sqlparser::ast::{ObjectType, Statement};

use crate::error::{Result, SparkError};
use crate::expression::name_quoted;
use crate::sql::read::object;
use crate::sql::{Arguments, Query};

/// A command of the session's own; all others are the engine's.
#[derive(Debug, Clone)]
pub(crate) enum Command {
    /// What it is, its frame will tell.
    Query,
    CreateView {
        name: String,
        query: Query,
        replace: bool,
    },
    DropView {
        name: String,
        if_exists: bool,
    },
    Set {
        key: String,
        value: String,
    },
    /// Spark's `USE`, which has nothing to choose here.
    Nothing,
    Engine(String),
}

impl Command {
    /// Reads a text.
    pub(crate) fn parse(text: &str, arguments: &Arguments) -> Result<Self> {
        if super::is_query(text) {
            super::query(text, arguments)?;
            return Ok(Command::Query);
        }
        let words: Vec<String> = text.split_whitespace().take(6).map(str::to_ascii_uppercase).collect();
        let is =
            |wanted: &[&str]| words.len() >= wanted.len() && wanted.iter().zip(&words).all(|(a, b)| a == b);
        if is(&["USE"]) {
            return Ok(Command::Nothing);
        }
        if is(&["SET"]) {
            return set(text);
        }
        if words.iter().any(|word| word == "VIEW") && (is(&["CREATE"]) || is(&["DROP"])) {
            return view(text, arguments);
        }
        Ok(Command::Engine(text.to_owned()))
    }
}

/// `SET key=value`, whatever the value is made of.
fn set(text: &str) -> Result<Command> {
    let rest = text.trim().get(3..).unwrap_or_default().trim().trim_end_matches(';');
    let zone = rest.get(..9).filter(|word| word.eq_ignore_ascii_case("TIME ZONE"));
    if zone.is_some() {
        let value = rest[9..].trim().trim_matches(['\'', '"']).to_owned();
        return Ok(Command::Set { key: "spark.sql.session.timeZone".to_owned(), value });
    }
    match rest.split_once('=') {
        Some((key, value)) => {
            let (key, value) =
                (key.trim().trim_matches('`').to_owned(), value.trim().trim_matches(['\'', '"']).to_owned());
            Ok(Command::Set { key, value })
        }
        None => Err(SparkError::parse(format!("at or near '{rest}': SET key=value"))),
    }
}

fn view(text: &str, arguments: &Arguments) -> Result<Command> {
    // The parser knows one order of these words.
    let plain = text.replacen("GLOBAL ", "", 1).replacen("global ", "", 1);
    match super::statement(&plain)? {
        Statement::CreateView(view) => {
            let columns = view.columns.iter().map(|column| column.name.value.clone()).collect();
            let parsed = std::sync::Arc::from(view.query);
            let query = Query { parsed, arguments: arguments.clone(), columns };
            Ok(Command::CreateView {
                name: name_quoted(&object(&view.name)),
                query,
                replace: view.or_replace,
            })
        }
        Statement::Drop { object_type: ObjectType::View, if_exists, names, .. } => {
            let name = names.first().map(|name| name_quoted(&object(name))).unwrap_or_default();
            Ok(Command::DropView { name, if_exists })
        }
        other => Err(SparkError::unsupported(format!("the statement {other}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Command {
        Command::parse(text, &Arguments::default()).unwrap()
    }

    #[test]
    fn kinds_of_statements() {
        assert!(matches!(parse("SELECT 1"), Command::Query));
        assert!(matches!(parse(" (SELECT 1)"), Command::Query));
        assert!(matches!(parse("CREATE MODEL m OPTIONS (a 'b') AS SELECT 1"), Command::Engine(_)));
        let Command::Set { key, value } = parse("SET a.b = c") else { panic!() };
        assert_eq!((key.as_str(), value.as_str()), ("a.b", "c"));
        let Command::CreateView { name, replace, .. } =
            parse("CREATE OR REPLACE TEMP VIEW v AS SELECT 1 AS a")
        else {
            panic!()
        };
        assert_eq!((name.as_str(), replace), ("`v`", true));
        assert!(matches!(parse("DROP VIEW IF EXISTS v"), Command::DropView { if_exists: true, .. }));
    }
}

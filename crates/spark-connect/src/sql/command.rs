//! What `spark.sql` may be beside a query.

use datafusion::sql::sqlparser::ast::{ObjectType, Statement};
use engine::language::SqlFunction;

use crate::database::GLOBAL;
use crate::error::{Result, SparkError};
use crate::expression::name_quoted;
use crate::session::TIME_ZONE;
use crate::sql::describe::{self, Described, Shows};
use crate::sql::read::object;
use crate::sql::{
    Arguments, CreateTable, Databases, Declare, Execute, Insert, Query, SetVariables, Upkeep, database,
    table, upkeep, variable,
};

/// A command of the session's own; all others are the engine's.
#[derive(Debug, Clone)]
pub(crate) enum Command {
    /// What it is, its frame will tell.
    Query,
    CreateView {
        name: String,
        temporary: bool,
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
    CreateTable(Box<CreateTable>),
    Insert(Box<Insert>),
    DropTable {
        name: String,
        if_exists: bool,
    },
    Declare(Box<Declare>),
    SetVariables(Box<SetVariables>),
    DropVariable {
        name: String,
        if_exists: bool,
    },
    Execute(Box<Execute>),
    CreateFunction(Box<SqlFunction>),
    DropFunction {
        name: String,
        if_exists: bool,
    },
    Describe(Described, String),
    Show(Shows),
    Databases(Box<Databases>),
    Upkeep(Box<Upkeep>),
    Engine(String),
}

impl Command {
    /// Reads a text.
    pub(crate) fn parse(text: &str, arguments: &Arguments) -> Result<Self> {
        if super::is_query(text) {
            super::query(text, arguments)?;
            return Ok(Command::Query);
        }
        let text = plain(text);
        let words: Vec<String> = text.split_whitespace().take(6).map(str::to_ascii_uppercase).collect();
        let is =
            |wanted: &[&str]| words.len() >= wanted.len() && wanted.iter().zip(&words).all(|(a, b)| a == b);
        if let Some(databases) = database::read(text)? {
            return Ok(Command::Databases(Box::new(databases)));
        }
        if let Some(deed) = upkeep::read(text)? {
            return Ok(Command::Upkeep(Box::new(deed)));
        }
        if is(&["SET", "VAR"]) || is(&["SET", "VARIABLE"]) {
            return Ok(Command::SetVariables(Box::new(variable::set(text, arguments)?)));
        }
        if is(&["SET"]) {
            return set(text);
        }
        if let Some(command) = of_the_session(text, &is, arguments)? {
            return Ok(command);
        }
        if words.iter().any(|word| word == "VIEW") && (is(&["CREATE"]) || is(&["DROP"])) {
            return view(text, arguments);
        }
        let creates = is(&["CREATE", "TABLE"]) || is(&["CREATE", "OR", "REPLACE", "TABLE"]);
        if creates || is(&["CREATE", "EXTERNAL", "TABLE"]) {
            return Ok(Command::CreateTable(Box::new(table::create(text, arguments)?)));
        }
        if is(&["DROP", "TABLE"]) {
            let (name, if_exists) = table::drop(text)?;
            return Ok(Command::DropTable { name, if_exists });
        }
        // Into topics and streams, the engine does it.
        if is(&["INSERT"]) && !mentions(text, "STREAM") {
            return Ok(Command::Insert(Box::new(table::insert(text, arguments)?)));
        }
        Ok(Command::Engine(text.to_owned()))
    }
}

/// Variables, functions, and questions about what there is.
fn of_the_session(
    text: &str,
    is: &dyn Fn(&[&str]) -> bool,
    arguments: &Arguments,
) -> Result<Option<Command>> {
    let temporary = ["TEMPORARY", "TEMP"];
    let drops = |what: &str| temporary.iter().any(|word| is(&["DROP", word, what]));
    let creates = |what: &str| {
        [&["CREATE"][..], &["CREATE", "OR", "REPLACE"]].iter().any(|begin| {
            let plain: Vec<&str> = begin.iter().copied().chain([what]).collect();
            let of = |word| begin.iter().copied().chain([word, what]).collect::<Vec<&str>>();
            is(&plain) || temporary.iter().any(|word| is(&of(word)))
        })
    };
    Ok(Some(if is(&["DECLARE"]) {
        Command::Declare(Box::new(variable::declare(text, arguments)?))
    } else if drops("VARIABLE") || drops("VAR") {
        let (name, if_exists) = variable::drop(text)?;
        Command::DropVariable { name, if_exists }
    } else if is(&["EXECUTE", "IMMEDIATE"]) {
        Command::Execute(Box::new(variable::execute(text, arguments)?))
    } else if creates("FUNCTION") {
        Command::CreateFunction(Box::new(SqlFunction::parse(text).map_err(super::wrong)?))
    } else if is(&["DROP", "FUNCTION"]) || drops("FUNCTION") {
        let if_exists = mentions(text, "IF") && mentions(text, "EXISTS");
        let name = text.trim_end_matches([';', ' ', '\n']).rsplit([' ', '.']).next().unwrap_or_default();
        Command::DropFunction { name: name.replace('`', "").to_lowercase(), if_exists }
    } else if is(&["DESC"]) || is(&["DESCRIBE"]) {
        match describe::describe(text, arguments)? {
            Some(described) => Command::Describe(described, text.to_owned()),
            None => return Ok(None),
        }
    } else if is(&["SHOW"]) {
        match describe::show(text)? {
            Some(shows) => Command::Show(shows),
            None => return Ok(None),
        }
    } else {
        return Ok(None);
    }))
}

/// Whether the word stands anywhere in the text.
fn mentions(text: &str, word: &str) -> bool {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '`');
    words.into_iter().any(|other| other.eq_ignore_ascii_case(word))
}

/// The text without the comments before it.
pub(super) fn plain(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        let end = if rest.starts_with("--") {
            rest.find('\n').map(|at| at + 1)
        } else if rest.starts_with("/*") {
            comment(rest)
        } else {
            return rest;
        };
        match end {
            Some(end) => rest = rest[end..].trim_start(),
            None => return rest,
        }
    }
}

/// How long the comment is that the text begins with; comments may hold others.
fn comment(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0, 0);
    while let Some(next) = text.get(at..).filter(|rest| !rest.is_empty()) {
        match (next.starts_with("/*"), next.starts_with("*/")) {
            (true, _) => (depth, at) = (depth + 1, at + 2),
            (_, true) => (depth, at) = (depth - 1, at + 2),
            _ => at += next.chars().next().map_or(1, char::len_utf8),
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// `SET key=value`, whatever the value is made of.
fn set(text: &str) -> Result<Command> {
    let rest = text.trim().get(3..).unwrap_or_default().trim().trim_end_matches(';');
    let zone = rest.get(..9).filter(|word| word.eq_ignore_ascii_case("TIME ZONE"));
    if zone.is_some() {
        return Ok(Command::Set { key: TIME_ZONE.to_owned(), value: zone_said(rest[9..].trim()) });
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

/// `'Europe/Berlin'`, `LOCAL`, which is the server's, or `INTERVAL 2 HOURS`.
fn zone_said(text: &str) -> String {
    let name = || text.trim_matches(['\'', '"']).to_owned();
    if text.eq_ignore_ascii_case("LOCAL") {
        return "UTC".to_owned();
    }
    let span = text.get(..9).filter(|word| word.eq_ignore_ascii_case("INTERVAL ")).map(|_| &text[9..]);
    let span = span.map(|span| span.replace(['\'', '"'], "").to_lowercase());
    // `'02:00' HOUR TO MINUTE`
    let clock = span.as_deref().and_then(|span| span.split(' ').next()).filter(|word| word.contains(':'));
    if let Some(clock) = clock {
        return if clock.starts_with(['+', '-']) { clock.to_owned() } else { format!("+{clock}") };
    }
    let Some(micros) = span.and_then(|span| engine::streaming::interval_us(&span)) else { return name() };
    let (sign, seconds) = (if micros < 0 { '-' } else { '+' }, micros.abs() / 1_000_000);
    format!("{sign}{:02}:{:02}", seconds / 3_600, seconds / 60 % 60)
}

fn view(text: &str, arguments: &Arguments) -> Result<Command> {
    // The parser knows one order of these words.
    let plain = text.replacen("GLOBAL ", "", 1).replacen("global ", "", 1);
    let global = plain.len() < text.len();
    match super::statement(&plain)? {
        Statement::CreateView(view) => {
            let columns = view.columns.iter().map(|column| column.name.value.clone()).collect();
            let query = Query { columns, ..Query::of(*view.query, arguments)? };
            let mut parts = object(&view.name);
            if global {
                parts.insert(0, GLOBAL.to_owned());
            } else if view.temporary && parts.len() > 1 {
                return Err(SparkError::parse(format!("at or near '{}'", view.name)));
            }
            Ok(Command::CreateView {
                name: name_quoted(&parts),
                temporary: global || view.temporary,
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
    fn a_zone_is_a_place_or_a_span() {
        for (said, zone) in [
            ("'Europe/Berlin'", "Europe/Berlin"),
            ("LOCAL", "UTC"),
            ("INTERVAL 10 HOURS", "+10:00"),
            ("INTERVAL '-02:30' HOUR TO MINUTE", "-02:30"),
        ] {
            let Command::Set { value, .. } = parse(&format!("SET TIME ZONE {said}")) else { panic!() };
            assert_eq!(value, zone);
        }
    }

    #[test]
    fn kinds_of_statements() {
        assert!(matches!(parse("SELECT 1"), Command::Query));
        assert!(matches!(parse(" (SELECT 1)"), Command::Query));
        assert!(matches!(parse("-- one\n/* two /* three */ */ SELECT 1"), Command::Query));
        assert!(matches!(parse("CREATE TABLE t (a INT)"), Command::CreateTable(_)));
        assert!(matches!(parse("INSERT INTO t SELECT 1"), Command::Insert(_)));
        assert!(matches!(parse("INSERT INTO t SELECT a, b, c FROM STREAM s"), Command::Engine(_)));
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

//! The grammar of `docs/sql.md`, rule by rule.

use std::collections::BTreeMap;

use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan};

use crate::error::SqlError;
use crate::functions::time::Zone;
use crate::sql::cursor::{Cursor, is_blank, tokenize};
use crate::sql::select::Select;
use crate::sql::statement::{
    CreateContest, CreateModel, CreateNetwork, CreateTable, Drop, IfExists, OptionValue, Options, Parsed,
    Provider, Show, Statement,
};
use crate::sql::types;

mod flows;
mod models;

const STATEMENTS: &str = "a statement: CREATE STREAMING TABLE, CREATE MATERIALIZED VIEW, CREATE FLOW, CREATE MODEL, \
                          ALTER MODEL, EXPORT MODEL, IMPORT MODEL, DROP, SHOW TABLES, SHOW MODELS, SHOW QUERIES, SHOW VERSIONS OF MODEL, \
                          DESCRIBE, EXPLAIN, INSERT INTO, SET TIME ZONE or SELECT";

/// What a table may stand on.
const KINDS: &str =
    "kafka, json, csv, text, file, rate, rate-micro-batch, socket, console, memory, noop or postgresql";

/// Reads statements separated by semicolons.
pub(crate) fn parse(text: &str) -> Result<Vec<Parsed>, SqlError> {
    let tokens = tokenize(text)?;
    tokens
        .split(|token| token.token == Token::SemiColon)
        .filter(|tokens| !tokens.iter().all(is_blank))
        .map(|tokens| {
            let statement = statement(&mut Cursor::new(tokens))?;
            Ok(Parsed { text: slice(text, tokens), statement })
        })
        .collect()
}

/// The text between the first and the last token that is not blank.
fn slice(text: &str, tokens: &[TokenWithSpan]) -> String {
    let mut solid = tokens.iter().filter(|token| !is_blank(token));
    let first = solid.next();
    let last = solid.next_back().or(first);
    let (Some(first), Some(last)) = (first, last) else { return String::new() };
    text[byte_at(text, first.span.start)..byte_at(text, last.span.end)].to_owned()
}

fn byte_at(text: &str, at: Location) -> usize {
    let (mut line, mut column) = (1, 1);
    for (index, character) in text.char_indices() {
        if (line, column) >= (at.line, at.column) {
            return index;
        }
        if character == '\n' {
            line += 1;
            column = 1;
        } else {
            column += 1;
        }
    }
    text.len()
}

fn statement(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    if cursor.accept("CREATE") {
        return create(cursor);
    }
    if cursor.accept("DROP") {
        return drop_statement(cursor);
    }
    if cursor.accept("ALTER") {
        return models::alter(cursor);
    }
    if cursor.accept_all(&["EXPORT", "MODEL"]) {
        return models::export(cursor);
    }
    if cursor.accept_all(&["IMPORT", "MODEL"]) {
        return models::import(cursor);
    }
    if cursor.accept("SHOW") {
        return show(cursor);
    }
    if cursor.accept("DESCRIBE") || cursor.accept("DESC") {
        let _ = cursor.accept("TABLE") || cursor.accept("MODEL");
        let name = cursor.name("the name of a table or a model")?;
        cursor.finish()?;
        return Ok(Statement::Describe(name));
    }
    if cursor.accept_all(&["SET", "TIME", "ZONE"]) {
        let name = cursor.string("the name of a zone in quotes, such as 'Europe/Berlin'")?;
        cursor.finish()?;
        if Zone::parse(&name).is_none() {
            return Err(SqlError::invalid(name, "is no time zone; one is 'Europe/Berlin' or '+02:00'"));
        }
        return Ok(Statement::SetTimeZone(name));
    }
    if cursor.accept("INSERT") {
        return Ok(Statement::Insert(flows::insert(cursor)?));
    }
    if cursor.accept("EXPLAIN") {
        return flows::explain(cursor);
    }
    match cursor.peek() {
        Some(Token::Word(word))
            if ["SELECT", "WITH", "VALUES", "FROM", "TABLE"].contains(&&*word.value.to_ascii_uppercase()) =>
        {
            Ok(Statement::Select(Select::parse(cursor)?))
        }
        Some(Token::LParen) => Ok(Statement::Select(Select::parse(cursor)?)),
        _ => Err(cursor.error(STATEMENTS)),
    }
}

fn create(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    let replace = cursor.accept_all(&["OR", "REPLACE"]);
    if cursor.accept("STREAMING") {
        cursor.expect("TABLE")?;
        return create_table(cursor, replace);
    }
    if cursor.accept("MODEL") {
        return create_model(cursor, replace);
    }
    if cursor.accept_all(&["MATERIALIZED", "VIEW"]) {
        return flows::create_view(cursor, replace);
    }
    if cursor.accept("FLOW") {
        return flows::create_flow(cursor, replace);
    }
    Err(cursor.error("STREAMING TABLE, MATERIALIZED VIEW, FLOW or MODEL"))
}

fn if_exists(cursor: &mut Cursor<'_>, replace: bool) -> Result<IfExists, SqlError> {
    match (replace, cursor.accept_all(&["IF", "NOT", "EXISTS"])) {
        (true, true) => Err(cursor.error("either OR REPLACE or IF NOT EXISTS")),
        (true, false) => Ok(IfExists::Replace),
        (false, true) => Ok(IfExists::Leave),
        (false, false) => Ok(IfExists::Refuse),
    }
}

fn create_table(cursor: &mut Cursor<'_>, replace: bool) -> Result<Statement, SqlError> {
    let if_exists = if_exists(cursor, replace)?;
    let name = cursor.name("the name of the table")?;
    let mut columns = Vec::new();
    if cursor.accept_token(&Token::LParen) {
        columns = types::columns(cursor)?;
        cursor.expect_token(&Token::RParen)?;
    }
    if !cursor.accept("USING") {
        let expected = if columns.is_empty() { "(column type, ...) or USING kafka" } else { "USING kafka" };
        return Err(cursor.error(expected));
    }
    let provider = provider(cursor)?;
    let options = options(cursor)?;
    let query = if cursor.accept("AS") { Some(Select::parse(cursor)?) } else { None };
    if !columns.is_empty() && query.is_some() {
        return Err(cursor.error("no columns before USING: they follow from the query"));
    }
    cursor.finish()?;
    Ok(Statement::CreateTable(CreateTable { name, if_exists, columns, provider, options, query }))
}

fn provider(cursor: &mut Cursor<'_>) -> Result<Provider, SqlError> {
    let position = cursor.position();
    let name = cursor.name(KINDS)?.to_lowercase();
    match name.as_str() {
        "rate" if cursor.accept_token(&Token::Minus) => {
            cursor.expect("micro")?;
            cursor.expect_token(&Token::Minus)?;
            cursor.expect("batch")?;
            Ok(Provider { name: "rate-micro-batch".to_owned(), position })
        }
        "kafka" | "json" | "csv" | "text" | "parquet" | "avro" | "file" | "rate" | "rate-micro-batch"
        | "socket" | "console" | "memory" | "noop" | "postgresql" => Ok(Provider { name, position }),
        _ => Err(SqlError::Syntax { position, reason: format!("expected {KINDS}, met '{name}'") }),
    }
}

fn create_model(cursor: &mut Cursor<'_>, replace: bool) -> Result<Statement, SqlError> {
    let if_exists = if_exists(cursor, replace)?;
    let name = cursor.name("the name of the model")?;
    if cursor.accept_all(&["FROM", "MODELS"]) {
        return create_contest(cursor, name, if_exists);
    }
    if cursor.accept("FROM") {
        if !cursor.accept("ONNX") {
            return Err(cursor.error("ONNX 'file' or MODELS (name, ...)"));
        }
        let file = cursor.string("the file's name in quotes")?;
        cursor.finish()?;
        return Ok(Statement::CreateNetwork(CreateNetwork { name, if_exists, file }));
    }
    if !matches!(cursor.peek(), Some(Token::Word(word)) if word.value.eq_ignore_ascii_case("OPTIONS")) {
        return Err(cursor.error("OPTIONS (algorithm '...', ...) or FROM ONNX 'file'"));
    }
    let options = options(cursor)?;
    cursor.expect("AS")?;
    let query = Select::parse(cursor)?;
    Ok(Statement::CreateModel(CreateModel { name, if_exists, options, query }))
}

fn create_contest(cursor: &mut Cursor<'_>, name: String, if_exists: IfExists) -> Result<Statement, SqlError> {
    cursor.expect_token(&Token::LParen)?;
    let mut members = Vec::new();
    loop {
        members.push(cursor.name("the name of a model")?);
        if !cursor.accept_token(&Token::Comma) {
            break;
        }
    }
    cursor.expect_token(&Token::RParen)?;
    let options = options(cursor)?;
    cursor.finish()?;
    Ok(Statement::CreateContest(CreateContest { name, if_exists, members, options }))
}

fn options(cursor: &mut Cursor<'_>) -> Result<Options, SqlError> {
    let (position, given) = (cursor.position(), BTreeMap::new());
    if !cursor.accept("OPTIONS") {
        return Ok(Options { position, given });
    }
    option_list(cursor)
}

/// What stands in brackets after `OPTIONS`, or after the `SET` of a model.
fn option_list(cursor: &mut Cursor<'_>) -> Result<Options, SqlError> {
    let position = cursor.position();
    let mut given = BTreeMap::new();
    cursor.expect_token(&Token::LParen)?;
    loop {
        let position = cursor.position();
        let name = option_name(cursor)?;
        cursor.accept_token(&Token::Eq);
        let text = option_value(cursor, &name)?;
        if given.keys().any(|known: &String| known.eq_ignore_ascii_case(&name)) {
            return Err(SqlError::Syntax { position, reason: format!("option {name} is given twice") });
        }
        given.insert(name, OptionValue { text, position });
        if !cursor.accept_token(&Token::Comma) {
            break;
        }
    }
    cursor.expect_token(&Token::RParen)?;
    Ok(Options { position, given })
}

fn option_name(cursor: &mut Cursor<'_>) -> Result<String, SqlError> {
    if let Some(Token::SingleQuotedString(_) | Token::DoubleQuotedString(_)) = cursor.peek() {
        return cursor.string("the name of an option");
    }
    let mut name = cursor.name("the name of an option")?;
    while cursor.accept_token(&Token::Period) {
        name.push('.');
        name.push_str(&cursor.name("the rest of the option's name")?);
    }
    Ok(name)
}

fn option_value(cursor: &mut Cursor<'_>, name: &str) -> Result<String, SqlError> {
    let sign = if cursor.accept_token(&Token::Minus) { "-" } else { "" };
    let text = match cursor.peek() {
        Some(Token::Number(number, _)) => format!("{sign}{number}"),
        Some(Token::SingleQuotedString(text) | Token::DoubleQuotedString(text)) if sign.is_empty() => {
            text.clone()
        }
        Some(Token::Word(word)) if sign.is_empty() => word.value.clone(),
        _ => return Err(cursor.error(format!("the value of {name}: a string, a number or a word"))),
    };
    cursor.take();
    Ok(text)
}

fn drop_statement(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    let view = cursor.accept_all(&["MATERIALIZED", "VIEW"]);
    cursor.accept("STREAMING");
    let table = view || cursor.accept("TABLE");
    let flow = !table && cursor.accept("FLOW");
    if !table && !flow && !cursor.accept("MODEL") {
        return Err(cursor.error("TABLE, MATERIALIZED VIEW, FLOW or MODEL"));
    }
    let if_exists = cursor.accept_all(&["IF", "EXISTS"]);
    let name = cursor.name("a name")?;
    cursor.finish()?;
    let drop = Drop { name, if_exists };
    Ok(match (table, flow) {
        (true, _) => Statement::DropTable(drop),
        (_, true) => Statement::DropFlow(drop),
        _ => Statement::DropModel(drop),
    })
}

/// The statement of a model under another name.
pub(crate) fn renamed(text: &str, name: &str) -> Result<String, SqlError> {
    let tokens = tokenize(text)?;
    let mut solid = tokens.iter().filter(|token| !is_blank(token));
    let word = |token: &TokenWithSpan, text: &str| matches!(&token.token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(text));
    solid.find(|token| word(token, "MODEL"));
    let found = solid.find(|token| !["IF", "NOT", "EXISTS"].iter().any(|known| word(token, known)));
    let Some(found) = found else { return Ok(text.to_owned()) };
    let (start, end) = (byte_at(text, found.span.start), byte_at(text, found.span.end));
    Ok(format!("{}`{name}`{}", &text[..start], &text[end..]))
}

fn show(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    if cursor.accept_all(&["VERSIONS", "OF", "MODEL"]) {
        let name = cursor.name("the name of the model")?;
        cursor.finish()?;
        return Ok(Statement::ShowVersions(name));
    }
    let show = if cursor.accept("TABLES") {
        Show::Tables
    } else if cursor.accept("MODELS") {
        Show::Models
    } else if cursor.accept("QUERIES") {
        Show::Queries
    } else {
        return Err(cursor.error("TABLES, MODELS, QUERIES or VERSIONS OF MODEL"));
    };
    cursor.finish()?;
    Ok(Statement::Show(show))
}

use datafusion::arrow::datatypes::DataType;

use super::*;
use crate::sql::options::TableOptions;
use crate::sql::options::kafka::Place;
use crate::sql::options::source::SourceOptions;
use crate::sql::types::type_name;

fn one(text: &str) -> Statement {
    let mut statements = parse(text).unwrap_or_else(|error| panic!("{text}\n{error}"));
    assert_eq!(statements.len(), 1);
    statements.remove(0).statement
}

#[test]
fn statements_are_cut_at_semicolons_outside_of_quotes() {
    let parsed = parse("  SHOW TABLES ; -- a; b\n SELECT 'x;y' ;; /* ; */ SHOW QUERIES").unwrap();
    let texts: Vec<&str> = parsed.iter().map(|parsed| parsed.text.as_str()).collect();
    assert_eq!(texts, ["SHOW TABLES", "SELECT 'x;y'", "SHOW QUERIES"]);
    assert!(parse(" ; -- nothing").unwrap().is_empty());
}

#[test]
fn texts_with_wide_characters_are_cut_between_them() {
    let parsed = parse("SELECT 'äöü→' AS `größe`;\nSELECT 'ß'").unwrap();
    assert_eq!(parsed[0].text, "SELECT 'äöü→' AS `größe`");
    assert_eq!(parsed[1].text, "SELECT 'ß'");
}

#[test]
fn every_type_is_read_and_told_again() {
    for text in [
        "BOOLEAN",
        "TINYINT",
        "SMALLINT",
        "INT",
        "BIGINT",
        "FLOAT",
        "DOUBLE",
        "STRING",
        "BINARY",
        "DATE",
        "TIMESTAMP",
        "TIMESTAMP_NTZ",
        "ARRAY<FLOAT>",
        "ARRAY<ARRAY<INT>>",
        "ARRAY<ARRAY<ARRAY<INT>>>",
        "STRUCT<a: INT, b: ARRAY<STRUCT<c: STRING>>>",
        "ARRAY<STRUCT<a: ARRAY<INT>, b: INT>>",
    ] {
        let table =
            one(&format!("CREATE STREAMING TABLE t (c {text}, d INT) USING kafka OPTIONS (topic 't')"));
        let Statement::CreateTable(table) = table else { panic!("{table:?}") };
        assert_eq!(type_name(table.columns[0].data_type()), text);
        assert_eq!(table.columns[1].data_type(), &DataType::Int32);
    }
}

#[test]
fn types_nest_to_a_limit() {
    let deep = format!("{}INT{}", "ARRAY<".repeat(100), ">".repeat(100));
    let error = parse(&format!("CREATE STREAMING TABLE t (c {deep}) USING kafka OPTIONS (topic 't')"));
    assert!(error.unwrap_err().to_string().contains("32 levels"));
}

#[test]
fn options_come_with_or_without_equals_signs() {
    let table = one("create streaming table if not exists t (a int not null comment 'x') using KAFKA options
        (topic = 'T', 'startingOffsets' latest, maxOffsetsPerTrigger 5, failOnDataLoss = false)");
    let Statement::CreateTable(table) = table else { panic!("{table:?}") };
    let options = TableOptions::from(&table).unwrap();
    assert_eq!(options.topic, "T");
    let SourceOptions::Kafka(kafka) = options.source else { panic!("{options:?}") };
    assert_eq!(kafka.starting, Place::Latest);
    assert_eq!(kafka.rows_max, Some(5));
    assert!(!kafka.fail_on_data_loss);
    assert!(!table.columns[0].is_nullable());
}

#[test]
fn the_word_stream_is_noted_and_taken_out() {
    for (text, streams) in [
        ("SELECT a FROM STREAM t", vec!["t"]),
        ("SELECT a FROM STREAM(t) x", vec!["t"]),
        ("SELECT a FROM stream t AS x, STREAM u", vec!["t", "u"]),
        ("SELECT stream FROM t", vec![]),
        ("SELECT a FROM stream", vec![]),
    ] {
        let Statement::Select(select) = one(text) else { panic!("{text}") };
        let found: Vec<&str> = select.streams().iter().map(|stream| stream.table.as_str()).collect();
        assert_eq!(found, streams, "{text}");
    }
}

#[test]
fn words_take_the_spelling_of_the_names_they_mean() {
    let Statement::Select(select) = one("SELECT ID, `Count`, other FROM T") else { panic!() };
    let names = ["Id".to_owned(), "t".to_owned()];
    let datafusion::sql::parser::Statement::Statement(statement) = select.statement(&names).unwrap() else {
        panic!()
    };
    assert_eq!(statement.to_string(), "SELECT Id, `Count`, other FROM t");
}

#[test]
fn mistakes_are_placed() {
    for (text, expected) in [
        ("", "0"),
        (
            "CREATE TABLE t",
            "line 1, column 8: expected STREAMING TABLE, MATERIALIZED VIEW, FLOW or MODEL, met 'TABLE'",
        ),
        (
            "CREATE STREAMING TABLE t",
            "line 1, column 25: expected (column type, ...) or USING kafka, met the end",
        ),
        ("CREATE STREAMING TABLE t (a INT) USING paper", "expected kafka, json, csv"),
        (
            "CREATE STREAMING TABLE t (a INT) USING kafka OPTIONS (topic 't') AS SELECT 1",
            "they follow from the query",
        ),
        ("CREATE STREAMING TABLE t (a INT, A INT) USING kafka", "expected column A only once"),
        ("CREATE STREAMING TABLE t (_offset INT) USING kafka", "expected another name than _offset"),
        ("CREATE STREAMING TABLE t (a ARRAY<INT>>) USING kafka", "expected one '>' less"),
        (
            "CREATE STREAMING TABLE t (a INT) USING kafka OPTIONS (topic 't', TOPIC 'u')",
            "option TOPIC is given twice",
        ),
        ("CREATE MODEL m", "expected OPTIONS (algorithm '...', ...) or FROM ONNX 'file'"),
        ("CREATE OR REPLACE MODEL IF NOT EXISTS m", "either OR REPLACE or IF NOT EXISTS"),
        ("DROP VIEW v", "expected TABLE, MATERIALIZED VIEW, FLOW or MODEL, met 'VIEW'"),
        ("SELECT 'open", "Unterminated string literal"),
        ("SELECT 1\nFROM t\nWHERE )", "line 3, column 7: Expected: an expression, found: )"),
        ("SHOW TABLES please", "expected the end of the statement, met 'please'"),
    ] {
        match parse(text) {
            Ok(parsed) => assert_eq!(parsed.len().to_string(), expected, "{text}"),
            Err(error) => assert!(error.to_string().contains(expected), "{text}\n{error}"),
        }
    }
}

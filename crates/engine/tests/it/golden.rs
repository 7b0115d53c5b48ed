//! Spark's functions answer as Spark does: `tests/golden` holds what real Spark said (`cargo xtask golden`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::World;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// What Spark answered, by file.
fn recorded() -> BTreeMap<String, Vec<Value>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let lines = text(&path).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            files.insert(path.file_stem().unwrap().to_string_lossy().into_owned(), lines);
        }
    }
    files
}

/// `file: expression` to the reason why we answer otherwise: `# reason` stands above its expressions.
fn gaps() -> BTreeMap<String, String> {
    let (mut gaps, mut reason) = (BTreeMap::new(), String::new());
    for line in text(&folder().join("known_gaps")).lines().filter(|line| !line.is_empty()) {
        match line.strip_prefix("# ") {
            Some(words) => words.clone_into(&mut reason),
            None => assert!(gaps.insert(line.to_owned(), reason.clone()).is_none(), "twice: {line}"),
        }
    }
    gaps
}

async fn world() -> World {
    let (_, world) = World::new();
    let columns = text(&folder().join("table.ddl"));
    world.sql(&format!("CREATE STREAMING TABLE t ({columns}) USING kafka OPTIONS (topic 't')")).await;
    let rows: Vec<String> = text(&folder().join("table.jsonl")).lines().map(str::to_owned).collect();
    world.write("t", 0, &rows).await;
    world
}

/// What an answer is called among the gaps: its file, the zone if one is set, and the expression.
fn name(file: &str, line: &Value) -> String {
    let sql = line["sql"].as_str().unwrap();
    line["zone"].as_str().map_or_else(|| format!("{file}: {sql}"), |zone| format!("{file}: [{zone}] {sql}"))
}

/// Why our answer is another than Spark's.
async fn difference(world: &World, file: &str, spark: &Value) -> Option<String> {
    let sql = spark["sql"].as_str().unwrap();
    let whole = spark["columns"].is_array() || file == "rows";
    let query = match (whole, file) {
        (true, _) => sql.to_owned(),
        (false, "aggregates") => format!("SELECT {sql} AS v FROM t"),
        (false, _) => format!("SELECT v FROM (SELECT id, {sql} AS v FROM t) ORDER BY id"),
    };
    let query = match spark["zone"].as_str() {
        Some(zone) => format!("SET TIME ZONE '{zone}'; {query}"),
        None => query,
    };
    let answer = match (world.engine.execute(&query).await, spark["error"].as_str()) {
        (Err(error), Some(condition)) => return misnamed(condition, &causes(&error)),
        (Err(error), None) => return Some(format!("refused: {}", causes(&error))),
        (Ok(_), Some(condition)) => return Some(format!("answered, but Spark says {condition}")),
        (Ok(mut answers), None) => answers.pop().unwrap(),
    };
    let mut types = answer.columns.iter().map(|column| simple(&column.type_name));
    let (types, theirs): (Value, Value) = if whole {
        (types.collect(), spark["types"].clone())
    } else {
        (types.next().unwrap().into(), spark["type"].as_str().unwrap().to_lowercase().into())
    };
    let values: Value = if whole {
        let mut rows: Vec<Value> = answer.rows.into_iter().map(Value::from).collect();
        rows.sort_by_key(Value::to_string);
        rows.into()
    } else {
        answer.rows.into_iter().map(|mut row| row.remove(0)).collect()
    };
    let expected = if whole { sorted(&spark["rows"]) } else { spark["values"].clone() };
    if !same(&values, &expected) {
        return Some(format!("answered {values}, Spark {expected}"));
    }
    if types != theirs {
        return Some(format!("of type {types}, Spark {theirs}"));
    }
    let names: Value = answer.columns.iter().map(|column| column.name.clone()).collect();
    if whole && names != spark["columns"] {
        return Some(format!("columns {names}, Spark {}", spark["columns"]));
    }
    None
}

/// Conditions that Spark finds while it reads a query; how we say those is the planner's affair.
const OF_THE_PLANNER: [&str; 8] = [
    "DATATYPE_MISMATCH",
    "FIELD_NOT_FOUND",
    "INCONSISTENT_BEHAVIOR_CROSS_VERSION",
    "INVALID_INTERVAL_FORMAT",
    "MISSING_GROUP_BY",
    "PARSE_SYNTAX_ERROR",
    "UNRESOLVED_ROUTINE",
    "UNSUPPORTED_GROUPING_EXPRESSION",
];

/// An error that comes with a row bears the name that Spark gives it.
fn misnamed(condition: &str, error: &str) -> Option<String> {
    let class = condition.split('.').next().unwrap_or_default();
    let named = class.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let wanted = named && !OF_THE_PLANNER.contains(&class);
    (wanted && !error.contains(class)).then(|| format!("refused: {error}; Spark says {condition}"))
}

fn sorted(rows: &Value) -> Value {
    let mut rows = rows.as_array().unwrap().clone();
    rows.sort_by_key(Value::to_string);
    rows.into()
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(text, ": {error}").unwrap();
        cause = error.source();
    }
    text.lines().next().unwrap_or_default().to_owned()
}

/// A type as Spark's `typeof` writes it.
fn simple(type_name: &str) -> String {
    type_name.to_lowercase().replace(", ", ",").replace(": ", ":")
}

fn same(ours: &Value, spark: &Value) -> bool {
    // Libraries of mathematics differ in the last bit.
    within(4.0 * f64::EPSILON, ours, spark)
}

fn within(error: f64, ours: &Value, spark: &Value) -> bool {
    let same = |ours: &Value, spark: &Value| within(error, ours, spark);
    match (ours, spark) {
        (Value::Array(ours), Value::Array(spark)) => {
            ours.len() == spark.len() && ours.iter().zip(spark).all(|(ours, spark)| same(ours, spark))
        }
        (Value::Object(ours), Value::Object(spark)) => {
            ours.len() == spark.len()
                && ours.iter().all(|(name, value)| spark.get(name).is_some_and(|other| same(value, other)))
        }
        (Value::Number(ours), Value::Number(spark)) if ours.is_f64() || spark.is_f64() => {
            let (ours, spark) = (ours.as_f64().unwrap(), spark.as_f64().unwrap());
            (ours - spark).abs() <= error * ours.abs().max(spark.abs())
        }
        _ => ours == spark,
    }
}

#[tokio::test]
async fn functions_answer_as_spark_does() {
    let (world, gaps) = (world().await, gaps());
    let (mut found, mut report) = (BTreeSet::new(), String::new());
    for (file, lines) in recorded() {
        for line in &lines {
            let name = name(&file, line);
            let Some(difference) = difference(&world, &file, line).await else { continue };
            if !gaps.contains_key(&name) {
                writeln!(report, "{name}\n    {difference}").unwrap();
            }
            found.insert(name);
        }
    }
    for closed in gaps.keys().filter(|name| !found.contains(*name)) {
        writeln!(report, "{closed}\n    is no gap any more, or has no recorded answer: remove it").unwrap();
    }
    assert!(report.is_empty(), "{} gaps found, {} known\n{report}", found.len(), gaps.len());
}

/// What is refused over streams, and why.
const NOT_OVER_STREAMS: &[(&str, &str)] = &[];

#[tokio::test]
async fn aggregates_answer_over_a_stream_as_over_a_table() {
    let (_, world) = World::new();
    let columns = text(&folder().join("table.ddl"));
    let options = "topic 't', maxOffsetsPerTrigger 2";
    world.sql(&format!("CREATE STREAMING TABLE t ({columns}) USING kafka OPTIONS ({options})")).await;
    let (gaps, recorded) = (gaps(), recorded());
    let mut asked = Vec::new();
    for line in &recorded["aggregates"] {
        let sql = line["sql"].as_str().unwrap();
        let gap = line["error"].is_string() || gaps.contains_key(&format!("aggregates: {sql}"));
        let refused = NOT_OVER_STREAMS.iter().find(|(refused, _)| *refused == sql);
        let create = format!(
            "CREATE STREAMING TABLE o{n} USING kafka OPTIONS (topic 'o{n}') AS SELECT {sql} AS v FROM STREAM t",
            n = asked.len()
        );
        match refused {
            Some((_, reason)) => {
                let said = world.engine.execute(&create).await.err().map(|error| causes(&error));
                assert!(said.as_ref().is_some_and(|said| said.contains(reason)), "{sql}: {said:?}");
            }
            None if gap => {}
            None => {
                world.sql(&create).await;
                asked.push((sql, &line["values"][0]));
            }
        }
    }
    for row in text(&folder().join("table.jsonl")).lines() {
        world.write("t", 0, &[row.to_owned()]).await;
        world.caught_up().await;
    }
    let mut report = String::new();
    for (n, (sql, expected)) in asked.iter().enumerate() {
        let answer = world.read(&format!("o{n}")).last().map(|row| row["v"].clone());
        let answer = answer.unwrap_or_default();
        // What is added in another order is rounded otherwise.
        if !within(1e-9, &answer, expected) {
            writeln!(report, "{sql}: {answer} over a stream, {expected} over a table").unwrap();
        }
    }
    assert!(report.is_empty(), "{report}");
    assert!(asked.len() > 60, "only {} aggregates were asked", asked.len());
}

/// The name of the function that an expression is about: the first word before a parenthesis.
fn function(sql: &str) -> Option<&str> {
    let open = sql.find('(')?;
    let name = &sql[..open];
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (!name.is_empty() && name.chars().all(word)).then_some(name)
}

fn code(sql: &str) -> String {
    format!("`{}`", sql.replace('|', "\\|"))
}

/// `docs/sql-functions.md`, from what is recorded.
fn page() -> String {
    let (gaps, mut page) = (gaps(), HEAD.to_owned());
    let (mut asked, mut same) = (0, 0);
    let mut sections = String::new();
    for (file, lines) in recorded() {
        let mut known: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for line in &lines {
            let sql = line["sql"].as_str().unwrap();
            let equal = !gaps.contains_key(&name(&file, line));
            (asked, same) = (asked + 1, same + usize::from(equal));
            let nothing = line["error"].as_str().is_some_and(|error| error == "UNRESOLVED_ROUTINE");
            if let Some(name) = function(sql).filter(|_| !nothing) {
                let counts = known.entry(name).or_default();
                *counts = (counts.0 + 1, counts.1 + usize::from(equal));
            }
        }
        let whole = |full: bool| {
            let names = known.iter().filter(move |(_, (asked, same))| (asked == same) == full);
            names.map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(" ")
        };
        writeln!(sections, "\n## {}\n", file.replace('_', " ")).unwrap();
        if !whole(true).is_empty() {
            writeln!(sections, "{}", whole(true)).unwrap();
        }
        if !whole(false).is_empty() {
            writeln!(sections, "\nNot, or not always, as Spark: {}", whole(false)).unwrap();
        }
    }
    writeln!(page, "Of {asked} expressions {same} are answered as Spark {SPARK} answers them.").unwrap();
    page.push_str(&sections);
    page.push_str("\n## Where answers differ\n\n| expression | why |\n|---|---|\n");
    for (name, reason) in &gaps {
        let (_, sql) = name.split_once(": ").unwrap();
        writeln!(page, "| {} | {reason} |", code(sql)).unwrap();
    }
    page
}

const SPARK: &str = "4.0.1";

const HEAD: &str = "# SQL functions\n\n\
This page is written by the tests of the engine, from what real Spark was asked (`cargo xtask golden`, \
`crates/engine/tests/golden`) with its time zone UTC, but for the section of zones, and its defaults, ANSI mode \
among them.\n\
To write it anew: `PELTON_WRITE=1 cargo test -p engine golden`.\n\n";

#[test]
fn the_page_of_functions_says_what_is_recorded() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/sql-functions.md");
    let page = page();
    if std::env::var_os("PELTON_WRITE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    assert!(
        text(&path) == page,
        "docs/sql-functions.md is out of date: PELTON_WRITE=1 cargo test -p engine golden"
    );
}

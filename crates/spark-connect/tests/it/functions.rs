//! Which of Spark's functions there are, in PySpark and in the engine's own SQL: a page of the docs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use engine::Engine;
use env::Env;
use topics::Topics;

use crate::call::{Door, SESSION};
use crate::message::Message;

const HEAD: &str = "# Functions of Spark\n\n\
This page is written by the tests of the Spark Connect door, which ask for each function that Spark 4.0 knows by a word \
(`cargo xtask golden` records them). It says what is there by name; what the answers are is in \
[sql-functions.md](sql-functions.md).\n\
To write it anew: `PELTON_WRITE=1 cargo test -p spark-connect functions`.\n";

fn of_the_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// Spark's functions by their group.
fn recorded() -> BTreeMap<String, Vec<String>> {
    let text =
        std::fs::read_to_string(of_the_repository("crates/engine/tests/golden/functions.txt")).unwrap();
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in text.lines() {
        let (group, name) = line.split_once(' ').unwrap();
        groups.entry(group.to_owned()).or_default().push(name.to_owned());
    }
    groups
}

/// Calls with none to five arguments, with lambda functions, over windows, and as words between values. A function
/// is there if one of them is answered, or refused for another reason than the name or the notation.
fn calls(name: &str) -> Vec<String> {
    let arguments = |count: usize| format!("{name}({})", vec!["1"; count].join(", "));
    let mut calls: Vec<String> = [0, 1, 2, 3, 5].into_iter().map(arguments).collect();
    calls.extend([
        format!("{name}(array(1), x -> x > 0)"),
        format!("{name}(array(1), 0, (x, y) -> x)"),
        format!("{name}(array(1), array(1), (x, y) -> x)"),
        format!("{name}(map('a', 1), (k, v) -> k)"),
        format!("{name}(map('a', 1), map('a', 1), (k, v, w) -> k)"),
        format!("{name}() OVER (ORDER BY 1)"),
        format!("{name}(1) OVER (ORDER BY 1)"),
        format!("{name} true"),
        format!("{name}(1 AS INT)"),
        format!("true {name} true"),
        format!("1 {name} 1"),
        format!("'a' {name} 'a'"),
        format!("1 {name} 0 AND 2"),
        format!("{name} WHEN true THEN 1 END"),
    ]);
    calls
}

async fn in_pyspark(door: &Door, name: &str) -> bool {
    for call in calls(name) {
        let query = Message::new().message(10, Message::new().text(1, &format!("SELECT {call}")));
        let schema = Message::new().message(1, Message::new().message(1, query));
        let answer = door.call("AnalyzePlan", Message::new().text(1, SESSION).message(4, schema)).await;
        let unknown =
            ["UNRESOLVED_ROUTINE", "PARSE_SYNTAX_ERROR", "UNRESOLVED_COLUMN", "%5BUNRESOLVED_COLUMN"];
        if !unknown.iter().any(|condition| answer.error.contains(condition)) {
            return true;
        }
    }
    false
}

async fn in_sql(engine: &Engine, name: &str) -> bool {
    for call in calls(name) {
        let Err(error) = engine.execute(&format!("SELECT {call}")).await else { return true };
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            write!(text, ": {error}").unwrap();
            cause = error.source();
        }
        let unknown = ["Invalid function", "expected", "Expected", "No field named", "syntax", "parser"];
        if !unknown.iter().any(|reason| text.contains(reason)) || text.contains("arguments") {
            return true;
        }
    }
    false
}

fn list(title: &str, names: &[&str], page: &mut String) {
    if !names.is_empty() {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        writeln!(page, "{title}{}\n", names.join(" ")).unwrap();
    }
}

async fn page() -> String {
    let (door, dir) = (Door::open().await, tempfile::tempdir().unwrap());
    let (topics, _) = Topics::open(topics::Config::new(dir.path()), Env::real()).unwrap();
    let engine = Engine::open(engine::Config::new(dir.path()), topics, Env::real()).unwrap();
    let (mut table, mut sections) = (String::new(), String::new());
    let mut sums = [0; 3];
    for (group, names) in recorded() {
        let mut found: [Vec<&str>; 4] = Default::default();
        for name in &names {
            let kind = match (in_pyspark(&door, name).await, in_sql(&engine, name).await) {
                (true, true) => 0,
                (true, false) => 1,
                (false, true) => 2,
                (false, false) => 3,
            };
            found[kind].push(name);
        }
        let [both, pyspark, sql, none] = &found;
        let counts = [names.len(), both.len() + pyspark.len(), both.len() + sql.len()];
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        writeln!(table, "| {group} | {} | {} | {} |", counts[0], counts[1], counts[2]).unwrap();
        writeln!(sections, "## {group}\n").unwrap();
        list("", both, &mut sections);
        list("In PySpark only: ", pyspark, &mut sections);
        list("In the engine's SQL only: ", sql, &mut sections);
        list("Not there: ", none, &mut sections);
    }
    door.close().await;
    let head = "| group | functions | in PySpark | in the engine's SQL |\n|---|---:|---:|---:|\n";
    let all = format!("| all | {} | {} | {} |", sums[0], sums[1], sums[2]);
    format!("{HEAD}\n{head}{table}{all}\n\n{}\n", sections.trim_end())
}

#[tokio::test]
async fn the_page_of_functions_says_which_there_are() {
    let path = of_the_repository("docs/functions.md");
    let page = page().await;
    if std::env::var_os("PELTON_WRITE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let stale = "docs/functions.md is out of date: PELTON_WRITE=1 cargo test -p spark-connect functions";
    assert!(std::fs::read_to_string(&path).unwrap_or_default() == page, "{stale}");
}

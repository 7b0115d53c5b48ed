//! Sends a stream through any learner, test-then-train, and says how good it was and what it cost.
//!
//! ```text
//! cargo run --release -p ml --example stream -- data=elec.csv algorithm=naive_bayes
//! cargo run --release -p ml --example stream -- data=rows.csv algorithm=streaming_kmeans batch=100 k=5
//! cargo run --release -p ml --example stream -- generator='sea(function=1), sea(function=3)' drift_every=50000 \
//!     algorithm=naive_bayes rows=100000
//! cargo run --release -p ml --example stream -- generator=agrawal rows=1000 write=rows.csv
//! ```
//!
//! Rows come from `data=FILE`, comma-separated below a line of names, the label in the last column. A column that
//! holds anything but numbers, and those that `categories=name,name` lists, are of categories; an empty field is a
//! missing value. Or they come from `generator=TEXT`, as `ml::generator` takes it; `write=FILE` then only writes them
//! to a file. With `rows=N` the stream ends early. Every row is asked about first and learned then: one by one, or
//! in batches of `batch=N`. `label=class`, `number` or `none` decides where an algorithm's name does not. All other
//! `name=value` are the algorithm's options, `preprocess` among them.
//!
//! The answer is one line of JSON. `seconds` is the processor time of predicting, scoring and learning, and
//! `reading_seconds` that of reading the rows before. `answers=FILE` writes each answer to a file: the shares of the
//! classes in the order in which they first came, a number, a score, or a cluster; an empty line where there is none.
//! `parameters=FILE` writes what the learner came to, as JSON. With `asks=N` all rows are asked about once more at the
//! end, `N` at a time: `ask_ms` is the median of the milliseconds that takes, `late_ms` the 99th percentile.
//!
//! With `detector=NAME` in place of an algorithm, a drift detector watches the numbers of `data=FILE`, one a line below
//! a name; the answer says where it saw drift.

#![allow(clippy::print_stdout, reason = "this is what the program is for")]

mod detector;
mod rows;
mod run;
mod score;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};

use cpu_time::ThreadTime;
use ml::{Batch, Features, Label, Model, create, registry};
use serde_json::{Map, Value, json};

use crate::rows::Rows;
use crate::run::Run;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let mut options = BTreeMap::new();
    for argument in std::env::args().skip(1) {
        let (name, value) = argument.split_once('=').ok_or("options are written as name=value")?;
        options.insert(name.to_owned(), value.to_owned());
    }
    if let Some(path) = options.remove("write") {
        return rows::write(options, &path);
    }
    if let Some(name) = options.remove("detector") {
        println!("{}", detector::watch(&name, options)?);
        return Ok(());
    }
    let algorithm = options.remove("algorithm").ok_or("which algorithm=?")?;
    let batch: usize = options.remove("batch").map_or(Ok(1), |text| text.parse())?;
    let asks: usize = options.remove("asks").map_or(Ok(0), |text| text.parse())?;
    let answers = options.remove("answers");
    let parameters = options.remove("parameters");
    let label = label(&algorithm, options.remove("label").as_deref())?;
    let start = processor_seconds();
    let rows = Rows::from_options(&mut options, label)?;
    let reading_seconds = processor_seconds() - start;
    let model = create(&algorithm, &options, rows.schema())?;
    let mut run = Run::new(&rows, &model, answers.map(File::create).transpose()?.map(BufWriter::new));
    let mut figures = figures(&mut run, rows.len(), batch.max(1), parameters)?;
    if asks > 0 {
        figures.extend(asked(&run.model(), &rows, asks)?);
    }
    let mut line = json!({
        "algorithm": algorithm, "options": options, "rows": rows.len(), "reading_seconds": reading_seconds,
    });
    if let Value::Object(fields) = &mut line {
        fields.extend(figures);
    }
    println!("{line}");
    Ok(())
}

/// What rows are labelled with: as said, or as the algorithm wants it.
fn label(algorithm: &str, said: Option<&str>) -> Outcome<Option<Label>> {
    match said {
        Some("class") => return Ok(Some(Label::Class)),
        Some("number") => return Ok(Some(Label::Number)),
        Some("none") => return Ok(None),
        Some(other) => return Err(format!("label is class, number or none, not {other}").into()),
        None => {}
    }
    let labels = [Some(Label::Class), Some(Label::Number), None];
    let known = |label: &Option<Label>| registry::algorithms(*label).contains(&algorithm);
    labels.into_iter().find(known).ok_or_else(|| {
        let all: Vec<_> = labels.into_iter().flat_map(registry::algorithms).collect();
        format!("no algorithm '{algorithm}'; there are {}", all.join(", ")).into()
    })
}

fn figures(
    run: &mut Run<'_>,
    rows: usize,
    batch: usize,
    parameters: Option<String>,
) -> Outcome<Map<String, Value>> {
    let start = processor_seconds();
    run.stream(batch)?;
    let seconds = processor_seconds() - start;
    let mut figures = run.score.figures();
    figures.insert("seconds".to_owned(), json!(seconds));
    figures.insert("rows_per_second".to_owned(), json!(rows as f64 / seconds));
    figures.insert("refused".to_owned(), json!(run.refused));
    let learned = run.model();
    figures.insert("state_bytes".to_owned(), json!(learned.snapshot().len()));
    if let Some(path) = parameters {
        std::fs::write(path, learned.describe().to_string())?;
    }
    if let Some(mut file) = run.answers.take() {
        file.flush()?;
    }
    Ok(figures)
}

/// How long the model takes for so many rows at a time.
fn asked(model: &Model, rows: &Rows, asks: usize) -> Outcome<Map<String, Value>> {
    let mut took = Vec::new();
    for start in (0..rows.len().saturating_sub(asks - 1)).step_by(asks) {
        let batch = Batch::vectors(Features::dense(rows.slice(start, start + asks), rows.dim())?);
        let begun = processor_seconds();
        drop(model.predict(&batch));
        took.push((processor_seconds() - begun) * 1e3);
    }
    took.sort_by(f64::total_cmp);
    let at = |part: usize| took.get(took.len() * part / 100).copied();
    let figures = [("ask_ms".to_owned(), json!(at(50))), ("late_ms".to_owned(), json!(at(99)))];
    Ok(figures.into_iter().collect())
}

/// The processor time of this thread so far, to the nanosecond.
fn processor_seconds() -> f64 {
    ThreadTime::now().as_duration().as_secs_f64()
}

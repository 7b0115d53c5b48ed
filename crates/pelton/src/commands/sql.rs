//! `pelton sql`: ask once.

use std::io::Read;
use std::process::ExitCode;

use anyhow::Context;

use crate::client::http::{Address, Answer, Api};
use crate::terminal;

/// Flags of `sql`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The statement; read from standard input when absent
    #[arg(allow_hyphen_values = true)]
    statement: Option<String>,
    /// Print rows as JSON, one object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Address,
}

/// Runs the statement and prints what it answered.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let statement = match &args.statement {
        Some(statement) => statement.clone(),
        None => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).context("read standard input")?;
            text
        }
    };
    for answer in Api::at(&args.server.http).sql(&statement)? {
        if args.json { print_json(&answer) } else { print(&answer) }
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints an answer as a table, or the message of one without rows.
pub(crate) fn print(answer: &Answer) {
    if answer.columns.is_empty() {
        terminal::say(answer.message.as_deref().unwrap_or("done"));
        return;
    }
    let header: Vec<&str> = answer.columns.iter().map(|column| column.name.as_str()).collect();
    terminal::table(&header, answer.rows.iter().map(|row| row.iter().map(terminal::cell)));
}

fn print_json(answer: &Answer) {
    for row in &answer.rows {
        let names = answer.columns.iter().map(|column| column.name.clone());
        let object: serde_json::Map<_, _> = names.zip(row.iter().cloned()).collect();
        terminal::say(&serde_json::Value::from(object).to_string());
    }
}

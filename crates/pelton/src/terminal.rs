//! What a person reads: tables, errors, bars. The only place that prints.
#![expect(clippy::print_stdout, reason = "this is the module that prints")]

use std::time::Duration;

use comfy_table::{Cell, Table};
use indicatif::{ProgressBar, ProgressStyle};

/// A table of columns with one rule, below the header, in the notation of `comfy_table`.
const RULE_BELOW_HEADER: &str = "     ──            ";

/// Prints one line on standard output.
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// Prints an error with its causes on standard error, one line each.
pub(crate) fn fail(error: &anyhow::Error) {
    eprintln!("error: {error}");
    let mut above = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Some libraries repeat their source in their own text.
        if !above.contains(&cause) {
            eprintln!("  because: {cause}");
        }
        above = cause;
    }
}

/// Prints rows under a header, as plain columns.
pub(crate) fn table<I, R, C>(header: &[&str], rows: I)
where
    I: IntoIterator<Item = R>,
    R: IntoIterator<Item = C>,
    C: Into<Cell>,
{
    let mut table = Table::new();
    table.load_preset(RULE_BELOW_HEADER).set_header(header.iter().copied());
    for row in rows {
        table.add_row(row.into_iter().map(Into::into).collect::<Vec<Cell>>());
    }
    println!("{table}");
}

/// A JSON value as a table cell: text bare, the rest as JSON.
pub(crate) fn cell(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "NULL".to_owned(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A progress bar over `total` things with a free message behind it.
pub(crate) fn bar(total: u64, unit: &str) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let template = format!("{{bar:32.cyan/dim}} {{pos:>6}}/{{len}} {unit}  {{msg}}");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar
}

/// A spinner for work without a known length.
pub(crate) fn spinner(message: &str) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_message(message.to_owned());
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}

//! What a person reads: tables, errors, bars. The only place that prints.

use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;

use anyhow::{Context, bail};
use comfy_table::{Cell, CellAlignment, Table};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// A table of columns with one rule, below the header, in the notation of `comfy_table`.
const RULE_BELOW_HEADER: &str = "     ──            ";
/// A column whose name begins so has numbers: it is aligned to the right.
const RIGHT: char = '>';

/// Prints one line on standard output.
pub(crate) fn say(line: &str) {
    // Whoever reads may have seen enough: `pelton topic list | head -1` is no error.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints one line on standard error: what a person should know, and a pipe should not get.
pub(crate) fn note(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Prints a value as JSON, indented.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    say(&serde_json::to_string_pretty(value).context("print JSON")?);
    Ok(())
}

/// Asks before something that cannot be undone. Without a terminal nobody can answer: `--yes` must say it.
pub(crate) fn confirm(question: &str, yes: bool) -> anyhow::Result<bool> {
    if yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        bail!("{question} Nobody is there to answer; say --yes");
    }
    let mut err = std::io::stderr();
    write!(err, "{question} [y/N] ").and_then(|()| err.flush()).context("ask")?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).context("read the answer")?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
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
    let bare = header.iter().map(|name| name.trim_start_matches(RIGHT));
    table.load_preset(RULE_BELOW_HEADER).set_header(bare);
    for (column, name) in table.column_iter_mut().zip(header) {
        if name.starts_with(RIGHT) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for row in rows {
        table.add_row(row.into_iter().map(Into::into).collect::<Vec<Cell>>());
    }
    say(&table.trim_fmt());
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

/// A line on standard error that says how far long work is; none when nobody looks.
pub(crate) fn meter() -> Option<ProgressBar> {
    std::io::stderr().is_terminal().then(|| spinner(""))
}

/// A count with thousands apart: `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes in the largest unit that leaves a number before the point: `1.5 MB`.
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if number < 1000 {
        return format!("{number} B");
    }
    let mut value = number as f64 / 1e3;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1e3;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_read_them() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0, 999, 1_500, 999_960, 2_000_000].map(bytes),
            ["0 B", "999 B", "1.5 kB", "1.0 MB", "2.0 MB"]
        );
    }
}

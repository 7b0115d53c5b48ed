//! What a batch of a stateful aggregation costs, beside the same query without state.
//!
//! ```text
//! cargo run -p engine --example aggregate
//! ```
//!
//! Figures are processor time of one thread. In the dev profile DataFusion itself is not optimised: the
//! columns then compare with each other, not with other systems.

use std::fs;
use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use engine::{AggregationFigures, AggregationSetting, measure_aggregation};

/// How long this thread was on a processor; Linux tells the nanoseconds as the first word of this file.
fn cpu() -> Duration {
    // The kernel brings the figure up to date when the scheduler looks at the thread: make it look.
    thread::yield_now();
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|word| word.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}

fn microseconds(time: Duration) -> String {
    format!("{:.0}", time.as_secs_f64() * 1e6)
}

fn row(setting: &AggregationSetting, figures: &AggregationFigures) -> Vec<String> {
    let whole = figures.merge + figures.changelog + figures.commit_mean;
    let beyond = whole.saturating_sub(figures.rerun);
    let per_key = |time: Duration| format!("{:.0}", time.as_secs_f64() * 1e9 / figures.touched.max(1) as f64);
    vec![
        setting.keys.to_string(),
        figures.touched.to_string(),
        microseconds(figures.merge),
        microseconds(figures.changelog),
        microseconds(figures.commit),
        microseconds(figures.commit_mean),
        microseconds(whole),
        per_key(whole),
        per_key(beyond),
        microseconds(figures.rerun),
        microseconds(figures.replan),
        (figures.changelog_bytes / 1024).to_string(),
        (figures.state_bytes / 1024).to_string(),
        (figures.snapshot_bytes / 1024).to_string(),
        microseconds(figures.snapshot),
        microseconds(figures.restore),
    ]
}

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    const NAMES: [&str; 16] = [
        "keys",
        "touched keys per batch",
        "merge, us",
        "changelog, us",
        "commit, us",
        "commit (mean), us",
        "batch with state (merge + changelog + commit mean), us",
        "ns per touched key",
        "  of it beyond (a)",
        "(a) same plan again, no state, us",
        "(b) planned from SQL each time, no state, us",
        "changelog, KiB",
        "state, KiB",
        "snapshot, KiB",
        "snapshot, us",
        "restore, us",
    ];
    let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
    let mut columns = Vec::new();
    for keys in [500, 100_000] {
        let setting = AggregationSetting { keys, rows: 1_000, batches: 200 };
        columns.push(row(&setting, &measure_aggregation(&setting, &cpu)?));
    }
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{profile} profile; 1,000 rows per batch; count, sum, avg, min, max; CPU time, medians of 200"
    )?;
    for (index, name) in NAMES.iter().enumerate() {
        let cells: Vec<String> = columns.iter().map(|column| format!("{:>10}", column[index])).collect();
        writeln!(out, "{name:<56}{}", cells.join(""))?;
    }
    Ok(())
}

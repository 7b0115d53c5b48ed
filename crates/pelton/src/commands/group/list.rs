//! `pelton group list`.

use serde::Serialize;

use crate::client::kafka::{Cluster, KafkaAddress};
use crate::commands::output::Output;
use crate::terminal;

/// Flags of `group list`.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  pelton group list
  pelton group list --state stable --type consumer
  pelton group list --json")]
pub(crate) struct Args {
    /// Only groups in this state: stable, empty, ...; may be given many times
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    state: Vec<String>,
    /// Only groups of this kind: consumer (KIP-848), classic, ...; may be given many times
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    kind: Vec<String>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    server: KafkaAddress,
}

/// A row of the JSON.
#[derive(Serialize)]
struct Row {
    group: String,
    #[serde(rename = "type")]
    kind: String,
    protocol: String,
    state: String,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let mut cluster = Cluster::at(&args.server)?;
    let wanted = |wanted: &[String], is: &str| {
        wanted.is_empty() || wanted.iter().any(|word| word.eq_ignore_ascii_case(is))
    };
    let groups = cluster.groups()?.into_iter();
    let rows: Vec<Row> = groups
        .filter(|group| wanted(&args.state, &group.state) && wanted(&args.kind, &group.kind))
        .map(|group| Row {
            group: group.group,
            kind: group.kind,
            protocol: group.protocol,
            state: group.state,
        })
        .collect();
    if args.output.json {
        return terminal::json(&rows);
    }
    if rows.is_empty() {
        terminal::note("no groups");
        return Ok(());
    }
    let known = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    let cells = |row: Row| [row.group, row.kind, known(row.protocol), known(row.state)];
    terminal::table(&["group", "type", "protocol", "state"], rows.into_iter().map(cells));
    Ok(())
}

//! `pelton model`: what was learned.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use serde_json::Value;

use crate::client::http::{Address, Api};
use crate::terminal::{self, cell};

/// Flags of `model`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Every model with its version and the rows it learned from
    List(Address),
    /// One model, with its parameters and what it learned
    Show(Named),
    /// The versions of a model that are kept
    History(Named),
    /// Learn on from an older version, which comes back as a new one
    Rollback {
        #[command(flatten)]
        named: Named,
        /// The version; the one before the latest if it is left out
        #[arg(long, value_name = "VERSION")]
        to: Option<u64>,
    },
    /// Let one version answer, whatever is learned meanwhile
    Pin {
        #[command(flatten)]
        named: Named,
        /// The version
        #[arg(value_name = "VERSION")]
        number: u64,
    },
    /// Let the latest version answer again
    Unpin(Named),
    /// Write a model as JSON, with every number to its last bit, or what it answers as an ONNX graph
    Export {
        #[command(flatten)]
        named: Named,
        /// The version; the one that answers if it is left out
        #[arg(long, value_name = "VERSION")]
        at: Option<u64>,
        /// What to write
        #[arg(long, value_enum, default_value = "json")]
        format: Form,
        /// The file to write; standard output if it is left out
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Make an exported model the next version of a model with the same columns and algorithm
    Import {
        #[command(flatten)]
        named: Named,
        /// The exported model; `-` is standard input
        file: PathBuf,
    },
}

/// What a model is written as.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Everything it is; it can be imported
    Json,
    /// A graph, where ONNX has words for the model
    Onnx,
}

#[derive(clap::Args)]
struct Named {
    /// The model
    name: String,
    #[command(flatten)]
    server: Address,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.verb {
        Verb::List(server) => list(&Api::at(&server.http)),
        Verb::Show(named) => show(&Api::at(&named.server.http), &named.name),
        Verb::History(named) => history(&Api::at(&named.server.http), &named.name),
        Verb::Rollback { named, to } => {
            let to = to.map(|version| format!(" TO VERSION {version}")).unwrap_or_default();
            alter(named, &format!("ROLLBACK{to}"))
        }
        Verb::Pin { named, number } => alter(named, &format!("PIN VERSION {number}")),
        Verb::Unpin(named) => alter(named, "UNPIN"),
        Verb::Export { named, at, format, output } => export(named, *at, *format, output.as_deref()),
        Verb::Import { named, file } => import(named, file),
    }
}

fn alter(named: &Named, change: &str) -> anyhow::Result<ExitCode> {
    let name = named.name.replace('`', "");
    let answers = Api::at(&named.server.http).sql(&format!("ALTER MODEL `{name}` {change}"))?;
    answers.iter().filter_map(|answer| answer.message.as_deref()).for_each(terminal::say);
    Ok(ExitCode::SUCCESS)
}

fn export(
    named: &Named,
    version: Option<u64>,
    format: Form,
    output: Option<&Path>,
) -> anyhow::Result<ExitCode> {
    let version = version.map(|version| format!("&version={version}")).unwrap_or_default();
    let (api, path) = (Api::at(&named.server.http), format!("models/{}/export?format=", named.name));
    let bytes = match format {
        Form::Json => {
            let exported: Value = api.get(&format!("{path}json{version}"))?;
            let mut text = serde_json::to_string_pretty(&exported)?;
            text.push('\n');
            text.into_bytes()
        }
        Form::Onnx => api.bytes(&format!("{path}onnx{version}"))?,
    };
    match output {
        Some(file) => std::fs::write(file, bytes).with_context(|| format!("write {}", file.display()))?,
        None => std::io::stdout().write_all(&bytes).context("write standard output")?,
    }
    Ok(ExitCode::SUCCESS)
}

fn import(named: &Named, file: &Path) -> anyhow::Result<ExitCode> {
    let text = if file == Path::new("-") {
        std::io::read_to_string(std::io::stdin()).context("read standard input")?
    } else {
        std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?
    };
    let exported: Value =
        serde_json::from_str(&text).with_context(|| format!("{} is not JSON", file.display()))?;
    let path = format!("models/{}/import", named.name);
    let imported: Value = Api::at(&named.server.http).post(&path, &exported)?;
    terminal::say(&format!("model {} learns on as version {}", named.name, cell(&imported["version"])));
    Ok(ExitCode::SUCCESS)
}

fn list(api: &Api) -> anyhow::Result<ExitCode> {
    let models: Vec<Value> = api.get("models")?;
    let header = ["model", "algorithm", "version", "rows learned"];
    let row = |model: &Value| ["name", "algorithm", "version", "rows_learned"].map(|key| cell(&model[key]));
    terminal::table(&header, models.iter().map(row));
    Ok(ExitCode::SUCCESS)
}

fn show(api: &Api, name: &str) -> anyhow::Result<ExitCode> {
    let models: Vec<Value> = api.get("models")?;
    let Some(model) = models.iter().find(|model| model["name"] == name) else {
        let known: Vec<String> = models.iter().map(|model| cell(&model["name"])).collect();
        anyhow::bail!("no model {name}; there are: {}", known.join(", "));
    };
    terminal::say(&serde_json::to_string_pretty(model)?);
    Ok(ExitCode::SUCCESS)
}

fn history(api: &Api, name: &str) -> anyhow::Result<ExitCode> {
    let versions: Vec<Value> = api.get(&format!("models/{name}/history"))?;
    let header = ["version", "rows learned", "committed (unix ms)", "offsets"];
    let row = |version: &Value| {
        ["version", "rows_learned", "committed_ms", "offsets"].map(|key| cell(&version[key]))
    };
    terminal::table(&header, versions.iter().map(row));
    Ok(ExitCode::SUCCESS)
}

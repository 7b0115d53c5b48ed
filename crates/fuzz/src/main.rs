//! A long campaign against every decoder.

#![expect(clippy::print_stdout, reason = "a command line says what it does")]

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use std::{fs, panic};

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use env::{Clock as _, Random as _, SystemClock};
use fuzz::{Campaign, Finding, Target, targets};

/// Inputs of one target before the next has its turn.
const ROUND: u64 = 500;

/// Bends honest inputs of every decoder until one breaks or the time is over.
#[derive(Parser)]
struct Arguments {
    /// How long.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Only targets whose name contains this.
    #[arg(long, default_value = "")]
    target: String,
    /// The campaign to repeat; another each time if not given.
    #[arg(long)]
    seed: Option<u64>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let mut all = targets();
    all.retain(|target| target.name.contains(&arguments.target));
    if all.is_empty() {
        bail!("no target has `{}` in its name", arguments.target);
    }
    let seed = arguments.seed.unwrap_or_else(|| env::OsRandom::new().next_u64());
    println!("{} targets, {} seconds, --seed {seed}", all.len(), arguments.seconds);
    // What is found is told below, once.
    panic::set_hook(Box::new(|_| {}));
    let mut open: Vec<Campaign<'_>> = all.iter().map(|target| Campaign::new(target, seed)).collect();
    let mut names: Vec<&Target> = all.iter().collect();
    let end = SystemClock.monotonic() + Duration::from_secs(arguments.seconds);
    let (mut runs, mut answers, mut found) = (0, 0, 0);
    while SystemClock.monotonic() < end && !open.is_empty() {
        let mut at = 0;
        while at < open.len() && SystemClock.monotonic() < end {
            match open[at].round(ROUND) {
                Ok(()) => at += 1,
                Err(finding) => {
                    tell(&names[at].name, &finding)?;
                    found += 1;
                    runs += open[at].runs();
                    answers += open[at].answers();
                    open.remove(at);
                    names.remove(at);
                }
            }
        }
    }
    runs += open.iter().map(Campaign::runs).sum::<u64>();
    answers += open.iter().map(Campaign::answers).sum::<usize>();
    println!("{runs} inputs, {answers} different answers, {found} findings");
    Ok(if found == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell(target: &str, finding: &Finding) -> Result<()> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions").join(target);
    fs::create_dir_all(&directory).context("cannot keep what was found")?;
    let file = directory.join(format!("{:08x}", crc32c::crc32c(&finding.input)));
    fs::write(&file, &finding.input).context("cannot keep what was found")?;
    println!("{target}: {}\n  {} bytes in {}", finding.what, finding.input.len(), file.display());
    Ok(())
}

//! `pelton bench`: what the README quotes, measured on this machine in this run.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::demo::answers::{Reader, Tally};
use crate::demo::feed::{self, Plan};
use crate::demo::images;
use crate::demo::stage::Stage;
use crate::process::{Launch, ServerProcess};
use crate::stop::Stop;
use crate::terminal;

/// Starts that the median is taken of.
const STARTS: usize = 7;
/// How long the idle server is watched.
const IDLE: Duration = Duration::from_secs(5);
/// How long nothing may happen before the measurement gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Flags of `bench`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Times the data go through as fast as they are acknowledged (899 images each)
    #[arg(long, default_value_t = 10)]
    passes: usize,
    /// Images per second while latency is measured
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
}

/// Measures and prints.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let clock: Arc<dyn env::Clock> = Arc::new(env::SystemClock);
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
    terminal::say(&format!("{cores} cores, {profile} build"));
    let mut rows = starts(&clock)?;
    rows.extend(idle(&clock)?);
    rows.push(throughput(args.passes, &clock)?);
    rows.extend(latency(args.rate, &clock)?);
    terminal::table(&["measured", "figure", "how"], rows);
    Ok(ExitCode::SUCCESS)
}

type Row = [String; 3];

fn row(what: &str, figure: String, how: String) -> Row {
    [what.to_owned(), figure, how]
}

fn launch(dir: &Path) -> Launch {
    let anywhere = "127.0.0.1:0".to_owned();
    Launch { data_dir: dir.to_owned(), kafka: anywhere.clone(), http: anywhere, config: None }
}

fn starts(clock: &Arc<dyn env::Clock>) -> anyhow::Result<Vec<Row>> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let scratch = tempfile::tempdir().context("make a temporary directory")?;
        let server = ServerProcess::start(&launch(scratch.path()), clock.as_ref())?;
        times.push(server.ready_after);
        server.stop()?;
    }
    times.sort();
    let (least, median, most) = (times[0], times[STARTS / 2], times[STARTS - 1]);
    let how =
        format!("{STARTS} starts on empty directories, {} to {} ms", least.as_millis(), most.as_millis());
    Ok(vec![row("start to ready, median", format!("{} ms", median.as_millis()), how)])
}

fn idle(clock: &Arc<dyn env::Clock>) -> anyhow::Result<Vec<Row>> {
    let scratch = tempfile::tempdir().context("make a temporary directory")?;
    let server = ServerProcess::start(&launch(scratch.path()), clock.as_ref())?;
    let before = server.usage()?;
    Stop::default().pause(IDLE);
    let after = server.usage()?;
    server.stop()?;
    let used = after.cpu.saturating_sub(before.cpu);
    let percent = 100.0 * used.as_secs_f64() / IDLE.as_secs_f64();
    let how = format!("{} s after the start, nothing sent", IDLE.as_secs());
    Ok(vec![
        row("idle memory", format!("{:.1} MB resident", after.resident_bytes as f64 / 1e6), how.clone()),
        row("idle processor", format!("{percent:.1} % of a core"), how),
    ])
}

fn throughput(passes: usize, clock: &Arc<dyn env::Clock>) -> anyhow::Result<Row> {
    let mut images = Vec::new();
    for pass in 0..passes.max(1) {
        images.extend(images::all()?.into_iter().map(|image| image.renamed(pass)));
    }
    let total = images.len();
    let (took, cpu, _) = play(images, None, clock)?;
    let per_second = total as f64 / took.as_secs_f64();
    let how = format!(
        "{total} images sent in acknowledged chunks of 4, stored, placed or answered and learned; server {:.2} ms of processor time each",
        1e3 * cpu.as_secs_f64() / total as f64
    );
    Ok(row("through the whole path", format!("{per_second:.0} images/s"), how))
}

fn latency(rate: u32, clock: &Arc<dyn env::Clock>) -> anyhow::Result<Vec<Row>> {
    let (_, _, tally) = play(images::all()?, Some(rate), clock)?;
    let how =
        format!("{} enrolments at {rate} images/s, produce timestamp to answer", tally.latencies_ms.len());
    let figure =
        |quantile| tally.latency_ms(quantile).map_or_else(|| "-".to_owned(), |ms| format!("{ms} ms"));
    Ok(vec![
        row("enrolment to prediction, p50", figure(0.5), how.clone()),
        row("enrolment to prediction, p99", figure(0.99), how),
    ])
}

/// Plays images through a fresh server: time, its processor time, and the enrolments' tally.
fn play(
    images: Vec<images::Image>,
    rate: Option<u32>,
    clock: &Arc<dyn env::Clock>,
) -> anyhow::Result<(Duration, Duration, Tally)> {
    let scratch = tempfile::tempdir().context("make a temporary directory")?;
    let stage = Stage::set(launch(scratch.path()), clock)?;
    let mut placed = Reader::connect(stage.server.kafka, "enrol", "placed")?;
    let mut assigned = Reader::connect(stage.server.kafka, "uploads", "assigned")?;
    let (mut enrolments, mut questions) = (Tally::default(), Tally::default());
    let total = images.len();
    let before = stage.server.usage()?.cpu;
    let begun = clock.monotonic();
    let plan = Plan { images, rate, head_start: 0, first_pass: 1, endless: false };
    let (_, feed) = feed::start(stage.server.kafka, plan, Stop::default(), clock.clone())?;
    let mut moved = (begun, 0);
    let answered =
        |enrolments: &Tally, questions: &Tally| enrolments.answered.len() + questions.answered.len();
    while answered(&enrolments, &questions) < total {
        placed.poll(&mut enrolments, 20)?;
        assigned.poll(&mut questions, 20)?;
        let (now, seen) = (clock.monotonic(), answered(&enrolments, &questions));
        if seen > moved.1 {
            moved = (now, seen);
        } else if now.saturating_sub(moved.0) > PATIENCE {
            bail!("nothing moved for {} s: {seen} of {total} images answered", PATIENCE.as_secs());
        }
    }
    let took = clock.monotonic().saturating_sub(begun);
    let cpu = stage.server.usage()?.cpu.saturating_sub(before);
    feed.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the feed panicked")))?;
    stage.server.stop()?;
    Ok((took, cpu, enrolments))
}

//! The demo for a person: endless, with a page.

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use crate::client::kafka::offsets::At;
use crate::client::kafka::{Cluster, KafkaAddress};
use crate::demo::answers::{Reader, Tally};
use crate::demo::feed::{self, Plan};
use crate::demo::images;
use crate::demo::stage::Stage;
use crate::demo::{Args, summary};
use crate::process::Launch;
use crate::stop::Stop;
use crate::terminal;

/// Enough images for the first centres, at once: a page that learns within its first second.
const HEAD_START: usize = 120;
/// Images per second: fast enough to be lively, slow enough to follow.
const RATE: u32 = 40;

/// Plays until Ctrl-C.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let clock: Arc<dyn env::Clock> = Arc::new(env::SystemClock);
    let stop = Stop::default();
    stop.on_signals()?;
    let launch = Launch {
        data_dir: args.data_dir.clone().unwrap_or_else(|| PathBuf::from("pelton-data/demo")),
        kafka: args.kafka.clone().unwrap_or_else(|| "127.0.0.1:9092".to_owned()),
        http: args.http.clone().unwrap_or_else(|| "127.0.0.1:8080".to_owned()),
        config: None,
    };
    let mut stage = Stage::set(launch, &clock)?;
    let page = format!("http://{}", stage.server.http);
    terminal::say(&format!("The page: {page}   Kafka: {}   (Ctrl-C stops)", stage.server.kafka));
    if !args.no_browser {
        open_browser(&page);
    }
    let images = images::all()?;
    // What an earlier run sent keeps its ids; this one goes on behind it.
    let mut kafka = Cluster::at(&KafkaAddress::of(stage.server.kafka))?;
    let labels = kafka.topic("labels")?;
    let sent_before = usize::try_from(kafka.offset(&labels, 0, At::Latest)?)?;
    let first_pass = 1 + u32::try_from(sent_before.div_ceil(images.len().max(1)))?;
    let rate = Some(args.rate.unwrap_or(RATE));
    let plan = Plan { images, rate, head_start: HEAD_START, first_pass, endless: true };
    let (acknowledged, feed) = feed::start(stage.server.kafka, plan, stop.clone(), clock)?;
    let mut tally = Tally::default();
    let mut reader = Reader::connect(stage.server.kafka, "uploads", "assigned")?.with_labels(stage.labels);
    let line = terminal::spinner("waiting for the first images");
    let mut unexpected = None;
    while !stop.said() && !feed.is_finished() {
        if let Some(status) = stage.server.ended()? {
            unexpected = Some(status);
            break;
        }
        if let Err(error) = reader.poll(&mut tally, 250) {
            line.set_message(format!("the server does not answer: {error:#}"));
            stop.pause(Duration::from_millis(500));
            continue;
        }
        line.set_message(summary::line(&acknowledged, &tally));
    }
    line.finish_and_clear();
    terminal::say(&summary::line(&acknowledged, &tally));
    stop.say();
    if let Some(status) = unexpected {
        anyhow::bail!(
            "the server ended by itself ({status}); see {}/server.log",
            stage.launch.data_dir.display()
        );
    }
    let status = stage.server.stop()?;
    let fed = feed.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the feed panicked")));
    terminal::say("The model is kept: start the demo again and it goes on where it was.");
    fed?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Best effort: a machine without a browser is fine, the address was printed.
fn open_browser(page: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let spawned = Command::new(opener).arg(page).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    if spawned.is_err() {
        terminal::say("No browser opened by itself: open the address above.");
    }
}

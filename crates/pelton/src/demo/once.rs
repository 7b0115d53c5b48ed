//! The demo for a machine: the data once through, a `kill -9` in the middle, and an audit.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use indicatif::ProgressBar;

use crate::client::http::Api;
use crate::demo::answers::{Reader, Tally};
use crate::demo::audit::{Audit, History, Restart};
use crate::demo::feed::{self, Acknowledged, Plan};
use crate::demo::images;
use crate::demo::stage::Stage;
use crate::demo::{Args, summary};
use crate::process::{Launch, ServerProcess};
use crate::stop::Stop;
use crate::terminal;

/// Images per second unless told otherwise.
const RATE: u32 = 300;
/// How long nothing may happen before the demo gives up.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one look at the answers waits.
const LOOK_MS: i32 = 100;

/// Plays once. Succeeds only if every check held.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let clock: Arc<dyn env::Clock> = Arc::new(env::SystemClock);
    let scratch = tempfile::tempdir().context("make a temporary directory")?;
    let launch = Launch {
        data_dir: args.data_dir.clone().unwrap_or_else(|| scratch.path().to_owned()),
        kafka: args.kafka.clone().unwrap_or_else(|| "127.0.0.1:0".to_owned()),
        http: args.http.clone().unwrap_or_else(|| "127.0.0.1:0".to_owned()),
        config: None,
    };
    if launch.data_dir.join("topics").exists() {
        bail!("{} holds data already; --once counts from nothing", launch.data_dir.display());
    }
    let stop = Stop::default();
    stop.on_signals()?;
    let stage = Stage::set(launch, &clock)?;
    terminal::say(&format!(
        "Kafka {}, page http://{}, ready after {} ms",
        stage.server.kafka,
        stage.server.http,
        stage.server.ready_after.as_millis()
    ));
    Run::begin(args.rate.unwrap_or(RATE), stage, stop, clock)?.play()
}

struct Run {
    stage: Stage,
    clock: Arc<dyn env::Clock>,
    stop: Stop,
    acknowledged: Arc<Acknowledged>,
    feed: std::thread::JoinHandle<anyhow::Result<()>>,
    enrolments: (Reader, Tally),
    questions: (Reader, Tally),
    history: History,
    bar: ProgressBar,
    total: u64,
    begun: Duration,
}

impl Run {
    fn begin(rate: u32, stage: Stage, stop: Stop, clock: Arc<dyn env::Clock>) -> anyhow::Result<Self> {
        let images = images::all()?;
        let total = images.len() as u64;
        let kafka = stage.server.kafka;
        let reader = |questions, answers| {
            let reader = Reader::connect(kafka, questions, answers)?.with_labels(stage.labels.clone());
            anyhow::Ok((reader, Tally::default()))
        };
        let enrolments = reader("enrol", "placed")?;
        let questions = reader("uploads", "assigned")?;
        let begun = clock.monotonic();
        let plan = Plan { images, rate: Some(rate), head_start: 0, first_pass: 1, endless: false };
        let (acknowledged, feed) = feed::start(kafka, plan, stop.clone(), clock.clone())?;
        let bar = terminal::bar(total, "images");
        let history = History::default();
        Ok(Self { stage, clock, stop, acknowledged, feed, enrolments, questions, history, bar, total, begun })
    }

    fn play(mut self) -> anyhow::Result<ExitCode> {
        self.follow(|run| run.acknowledged.total() >= run.total / 2)?;
        self.bar.println("kill -9 of the server, in the middle of it");
        let (mut run, restart) = self.kill_and_restart()?;
        run.bar.println(format!(
            "started again after {} ms, at model version {}",
            restart.ready_after.as_millis(),
            restart.version_after
        ));
        run.follow(|run| run.feed.is_finished() && run.all_answered())?;
        let took = run.clock.monotonic().saturating_sub(run.begun);
        run.bar.finish_and_clear();
        run.conclude(restart, took)
    }

    /// Looks at answers and versions until `done`, and gives up when nothing moves.
    fn follow(&mut self, done: impl Fn(&Self) -> bool) -> anyhow::Result<()> {
        let mut moved = (self.clock.monotonic(), 0);
        while !done(self) {
            self.look()?;
            let now = self.clock.monotonic();
            let seen = self.acknowledged.total() + self.answers();
            if seen != moved.1 {
                moved = (now, seen);
            } else if now.saturating_sub(moved.0) > PATIENCE {
                bail!(
                    "nothing moved for {} s: {} of {} images answered",
                    PATIENCE.as_secs(),
                    self.answers(),
                    self.total
                );
            }
            if self.stop.said() {
                bail!("stopped before the end");
            }
        }
        Ok(())
    }

    fn look(&mut self) -> anyhow::Result<()> {
        self.enrolments.0.poll(&mut self.enrolments.1, 0)?;
        self.questions.0.poll(&mut self.questions.1, LOOK_MS)?;
        self.history.look(&self.api())?;
        self.bar.set_position(self.answers());
        self.bar.set_message(summary::line(&self.acknowledged, &self.questions.1));
        Ok(())
    }

    fn kill_and_restart(mut self) -> anyhow::Result<(Self, Restart)> {
        let version_before = self.history.newest("segments");
        let Stage { server, launch, labels } = self.stage;
        server.kill()?;
        let server =
            ServerProcess::start(&launch, self.clock.as_ref()).context("start again after the kill")?;
        let ready_after = server.ready_after;
        self.stage = Stage { server, launch, labels };
        self.history.look(&self.api())?;
        let version_after = self.history.newest("segments");
        Ok((self, Restart { ready_after, version_before, version_after }))
    }

    fn conclude(mut self, restart: Restart, took: Duration) -> anyhow::Result<ExitCode> {
        self.look()?;
        let fed = self.feed.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the feed panicked")));
        fed.context("feed the images")?;
        let audit = Audit {
            api: Api::at(self.stage.server.http),
            kafka: self.stage.server.kafka,
            images: images::all()?,
            enrolments: &self.enrolments.1,
            questions: &self.questions.1,
            history: &self.history,
            restart,
        };
        let checks = audit.run()?;
        summary::print(&self.enrolments.1, &self.questions.1, &audit.restart, took, &checks);
        let status = self.stage.server.stop()?;
        let held = checks.iter().all(|check| check.held) && status.success();
        Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn all_answered(&self) -> bool {
        self.answers() >= self.total
    }

    fn answers(&self) -> u64 {
        (self.enrolments.1.answered.len() + self.questions.1.answered.len()) as u64
    }

    fn api(&self) -> Api {
        Api::at(self.stage.server.http)
    }
}

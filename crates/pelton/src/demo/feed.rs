//! The producers of the story: enrolments, questions, and the labels that only the scores see.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use serde_json::json;

use crate::client::kafka::{Outgoing, Producer};
use crate::demo::images::{Image, Role};
use crate::stop::Stop;

/// Images that go out together; small, so that they flow rather than jump.
const CHUNK: usize = 4;

/// How many images each topic has acknowledged.
#[derive(Default)]
pub(crate) struct Acknowledged {
    enrolled: AtomicU64,
    asked: AtomicU64,
}

impl Acknowledged {
    /// Images acknowledged by `enrol`.
    pub(crate) fn enrolled(&self) -> u64 {
        self.enrolled.load(Ordering::Acquire)
    }

    /// Images acknowledged by `uploads`.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Acquire)
    }

    /// Both.
    pub(crate) fn total(&self) -> u64 {
        self.enrolled() + self.asked()
    }
}

/// What to send and how fast.
pub(crate) struct Plan {
    /// The images, in order; an image may come again under another id.
    pub(crate) images: Vec<Image>,
    /// Images per second over all; none: as fast as they are acknowledged.
    pub(crate) rate: Option<u32>,
    /// Images that go out at once at the start, so that there is something to see.
    pub(crate) head_start: usize,
    /// The number of the first time through; above 1 when the images were sent in an earlier run.
    pub(crate) first_pass: u32,
    /// Start again from the first image when all are sent.
    pub(crate) endless: bool,
}

/// Sends the plan from a thread of its own until it is through or `stop` is said.
pub(crate) fn start(
    kafka: SocketAddr,
    plan: Plan,
    stop: Stop,
    clock: Arc<dyn env::Clock>,
) -> anyhow::Result<(Arc<Acknowledged>, JoinHandle<anyhow::Result<()>>)> {
    let acknowledged = Arc::new(Acknowledged::default());
    let counts = acknowledged.clone();
    let thread = env::spawn_thread("feed", move || Feed { stop, clock, counts }.run(kafka, &plan))?;
    Ok((acknowledged, thread))
}

struct Feed {
    stop: Stop,
    clock: Arc<dyn env::Clock>,
    counts: Arc<Acknowledged>,
}

impl Feed {
    fn run(&self, kafka: SocketAddr, plan: &Plan) -> anyhow::Result<()> {
        let producer = |topic| Producer::connect(kafka, topic, self.stop.clone());
        let mut enrol = producer("enrol").context("produce to enrol")?;
        let mut uploads = producer("uploads").context("produce to uploads")?;
        let mut labels = producer("labels").context("produce to labels")?;
        let started = self.clock.monotonic();
        let mut sent = 0_usize;
        for pass in plan.first_pass.. {
            for chunk in plan.images.chunks(CHUNK) {
                if self.pace(plan, sent, started) {
                    return Ok(());
                }
                let rows = |role| chunk.iter().filter(move |image| image.role == role);
                // The label goes first: when the answer comes, the scores can judge it.
                labels.send(&chunk.iter().map(|image| self.label(image, pass)).collect::<Vec<_>>())?;
                let enrolled: Vec<_> = rows(Role::Enrol).map(|image| self.question(image, pass)).collect();
                let asked: Vec<_> = rows(Role::Ask).map(|image| self.question(image, pass)).collect();
                enrol.send(&enrolled)?;
                self.counts.enrolled.fetch_add(enrolled.len() as u64, Ordering::AcqRel);
                uploads.send(&asked)?;
                self.counts.asked.fetch_add(asked.len() as u64, Ordering::AcqRel);
                sent += chunk.len();
            }
            if !plan.endless {
                break;
            }
        }
        Ok(())
    }

    /// Waits for the next chunk's time. True when stopped.
    fn pace(&self, plan: &Plan, sent: usize, started: Duration) -> bool {
        let Some(rate) = plan.rate else { return self.stop.said() };
        let due = Duration::from_secs_f64(sent.saturating_sub(plan.head_start) as f64 / f64::from(rate));
        let elapsed = self.clock.monotonic().saturating_sub(started);
        self.stop.pause(due.saturating_sub(elapsed))
    }

    fn question(&self, image: &Image, pass: u32) -> Outgoing {
        self.outgoing(&json!({ "id": image.id_in(pass), "pixels": image.pixels }))
    }

    fn label(&self, image: &Image, pass: u32) -> Outgoing {
        self.outgoing(&json!({ "id": image.id_in(pass), "label": image.label }))
    }

    fn outgoing(&self, value: &serde_json::Value) -> Outgoing {
        Outgoing { timestamp: self.clock.now_ms(), key: None, value: value.to_string().into() }
    }
}

//! What comes back: answers, joined with their questions and scored against the labels.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use anyhow::Context;
use ml::metric::Contingency;
use serde::Deserialize;

use crate::client::kafka::Consumer;
use crate::demo::images;

/// One row of `assigned` or `placed`.
#[derive(Debug, Deserialize)]
struct Answer {
    id: String,
    segment: Option<i64>,
    segment_raw: Option<i64>,
    model_version: Option<i64>,
}

/// Everything that is known of one topic's questions and their answers.
#[derive(Default)]
pub(crate) struct Tally {
    /// When each question was asked, in unix milliseconds.
    asked_ms: HashMap<String, i64>,
    /// How often each id was answered.
    pub(crate) answered: HashMap<String, u32>,
    /// Answers given before the model had its first centres.
    pub(crate) early: u64,
    /// From question to answer, in milliseconds.
    pub(crate) latencies_ms: Vec<i64>,
    /// Clusters over signatures against labels.
    pub(crate) signature: Contingency,
    /// Clusters over raw pixels against labels, for the same answers.
    pub(crate) raw: Contingency,
    /// Answers per cluster.
    pub(crate) per_segment: BTreeMap<i64, u64>,
    /// The newest model version that an answer named.
    pub(crate) model_version: i64,
}

impl Tally {
    fn question(&mut self, id: String, timestamp: i64) {
        self.asked_ms.entry(id).or_insert(timestamp);
    }

    fn answer(&mut self, answer: &Answer, timestamp: i64, labels: &HashMap<String, String>) {
        let times = self.answered.entry(answer.id.clone()).or_default();
        *times += 1;
        if *times > 1 {
            return; // Counted, and not scored twice.
        }
        if let Some(asked) = self.asked_ms.get(&answer.id) {
            self.latencies_ms.push(timestamp - asked);
        }
        self.model_version = self.model_version.max(answer.model_version.unwrap_or(0));
        let Some(segment) = answer.segment else {
            self.early += 1;
            return;
        };
        *self.per_segment.entry(segment).or_default() += 1;
        let label = labels.get(images::first_pass(&answer.id));
        if let (Some(label), Some(raw)) = (label, answer.segment_raw) {
            self.signature.add(cluster(segment), label);
            self.raw.add(cluster(raw), label);
        }
    }

    /// The `quantile` of the latencies, in milliseconds.
    pub(crate) fn latency_ms(&self, quantile: f64) -> Option<i64> {
        let mut sorted = self.latencies_ms.clone();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        sorted.get((quantile * last as f64).round() as usize).copied()
    }
}

/// Cluster numbers are small and never negative; a strange one gets a cluster of its own.
fn cluster(segment: i64) -> u32 {
    u32::try_from(segment).unwrap_or(u32::MAX)
}

/// Reads a topic of questions and the topic of their answers.
pub(crate) struct Reader {
    questions: Consumer,
    answers: Consumer,
    labels: HashMap<String, String>,
}

impl Reader {
    /// Starts at the beginning of both topics.
    pub(crate) fn connect(kafka: SocketAddr, questions: &str, answers: &str) -> anyhow::Result<Self> {
        Ok(Self {
            questions: Consumer::from_start(kafka, questions)?,
            answers: Consumer::from_start(kafka, answers)?,
            labels: HashMap::new(),
        })
    }

    /// Adds what has come since the last call; waits at most `max_wait_ms` for an answer.
    pub(crate) fn poll(&mut self, tally: &mut Tally, max_wait_ms: i32) -> anyhow::Result<()> {
        // The answers are fetched first and counted last: by then every question of theirs was read.
        let answers = self.answers.poll(max_wait_ms)?;
        for record in self.questions.poll(0)? {
            let value = record.value.unwrap_or_default();
            let question: Question = serde_json::from_slice(&value).context("parse a question")?;
            tally.question(question.id, record.timestamp);
        }
        for record in answers {
            let value = record.value.unwrap_or_default();
            let answer: Answer = serde_json::from_slice(&value).context("parse an answer")?;
            tally.answer(&answer, record.timestamp, &self.labels);
        }
        Ok(())
    }

    /// Gives the labels that answers are scored against.
    pub(crate) fn with_labels(mut self, labels: HashMap<String, String>) -> Self {
        self.labels = labels;
        self
    }
}

#[derive(Deserialize)]
struct Question {
    id: String,
}

//! Nothing lost, nothing twice, and the model went on: checked from outside, through the doors.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use ml::{Batch, Features, Schema};
use serde::Deserialize;
use serde_json::Value;

use crate::client::http::Api;
use crate::client::kafka::Consumer;
use crate::demo::answers::Tally;
use crate::demo::images::{self, Image, Role};
use crate::demo::summary::figure;

/// One thing that must hold.
pub(crate) struct Check {
    /// What.
    pub(crate) what: &'static str,
    /// Whether it did.
    pub(crate) held: bool,
    /// The figures behind it.
    pub(crate) detail: String,
}

/// The kill in the middle.
pub(crate) struct Restart {
    /// From the start of the second process to its word that it is ready.
    pub(crate) ready_after: Duration,
    /// The newest version of the model that was seen before the kill.
    pub(crate) version_before: u64,
    /// Its version right after the restart.
    pub(crate) version_after: u64,
}

/// A committed version of a model, as the HTTP door tells it.
#[derive(Debug, Clone, Deserialize)]
struct Version {
    version: u64,
    rows_learned: u64,
    offsets: BTreeMap<String, BTreeMap<String, i64>>,
}

/// Every version of the models that was seen while the demo ran.
#[derive(Default)]
pub(crate) struct History {
    versions: HashMap<&'static str, BTreeMap<u64, Version>>,
}

impl History {
    /// Takes in the versions that the server keeps now.
    pub(crate) fn look(&mut self, api: &Api) -> anyhow::Result<()> {
        for model in ["segments", "segments_raw"] {
            let kept: Vec<Version> = api.get(&format!("models/{model}/history"))?;
            let versions = self.versions.entry(model).or_default();
            versions.extend(kept.into_iter().map(|version| (version.version, version)));
        }
        Ok(())
    }

    /// The newest version seen of `model`, 0 before the first.
    pub(crate) fn newest(&self, model: &str) -> u64 {
        self.versions.get(model).and_then(|versions| versions.keys().next_back().copied()).unwrap_or(0)
    }

    fn of(&self, model: &str) -> impl Iterator<Item = &Version> {
        self.versions.get(model).into_iter().flat_map(BTreeMap::values)
    }
}

/// What the checks need.
pub(crate) struct Audit<'a> {
    /// The HTTP door.
    pub(crate) api: Api,
    /// The Kafka door.
    pub(crate) kafka: SocketAddr,
    /// The images that were sent.
    pub(crate) images: Vec<Image>,
    /// Enrolments and where they were placed.
    pub(crate) enrolments: &'a Tally,
    /// Questions and their answers.
    pub(crate) questions: &'a Tally,
    /// Versions of the models.
    pub(crate) history: &'a History,
    /// The kill.
    pub(crate) restart: Restart,
}

impl Audit<'_> {
    /// Runs every check.
    pub(crate) fn run(&self) -> anyhow::Result<Vec<Check>> {
        let enrolled = self.ids(Role::Enrol);
        let asked = self.ids(Role::Ask);
        Ok(vec![
            self.stored_once("every enrolment is in the log once", "enrol", &enrolled)?,
            self.stored_once("every question is in the log once", "uploads", &asked)?,
            answered_once("every enrolment was placed once", self.enrolments, &enrolled),
            answered_once("every question was answered once", self.questions, &asked),
            self.learned_once("segments", enrolled.len())?,
            self.went_on(),
            self.same_model()?,
            self.counts_add_up()?,
            self.signature_helps(),
        ])
    }

    fn ids(&self, role: Role) -> HashSet<String> {
        self.images.iter().filter(|image| image.role == role).map(|image| image.id_in(1)).collect()
    }

    fn stored_once(&self, what: &'static str, topic: &str, sent: &HashSet<String>) -> anyhow::Result<Check> {
        let mut times: HashMap<String, u32> = HashMap::new();
        for value in read_all(self.kafka, topic)? {
            let id = value["id"].as_str().context("a row without id")?.to_owned();
            *times.entry(id).or_default() += 1;
        }
        Ok(exactly_once(what, &times, sent))
    }

    fn learned_once(&self, model: &str, enrolled: usize) -> anyhow::Result<Check> {
        let learned = self.model(model)?["rows_learned"].as_u64().context("rows_learned of a model")?;
        let detail = format!("{learned} rows learned, {enrolled} enrolled");
        Ok(Check { what: "the model learned every enrolment once", held: learned == enrolled as u64, detail })
    }

    fn went_on(&self) -> Check {
        let Restart { version_before, version_after, .. } = self.restart;
        let newest = self.history.newest("segments");
        let held = version_before > 0 && version_after >= version_before && newest > version_after;
        let detail = format!("version {version_before} before, {version_after} after, {newest} at the end");
        Check { what: "the model went on from its last commit", held, detail }
    }

    /// Learns the same rows again, outside the server, batch by batch as its history says.
    fn same_model(&self) -> anyhow::Result<Check> {
        let what = "learning the log again gives the same model, bit for bit";
        let rows = read_all(self.kafka, "enrol")?;
        let status = self.model("segments_raw")?;
        let options: BTreeMap<String, String> =
            serde_json::from_value(status["options"].clone()).context("options of a model")?;
        let algorithm = status["algorithm"].as_str().context("algorithm of a model")?;
        let mut model = ml::create(algorithm, &options, Schema::vector(None))?;
        let mut learned = 0_usize;
        for version in self.history.of("segments_raw") {
            let end =
                version.offsets.get("enrol").and_then(|ends| ends.get("0")).context("offset of a version")?;
            let end = usize::try_from(*end)?;
            let batch = rows.get(learned..end).context("a version beyond the log")?;
            let pixels = pixels(batch)?;
            model.learn(&Batch::vectors(Features::dense(pixels.as_slice(), images::PIXELS)?));
            learned = end;
            if model.rows_learned() != version.rows_learned {
                let detail = format!("version {} is missing before it", version.version);
                return Ok(Check { what, held: false, detail });
            }
        }
        // Through text and back, as the server's came.
        let described: Value = serde_json::from_str(&model.describe().to_string())?;
        let same = described == status["detail"];
        let versions = self.history.of("segments_raw").count();
        Ok(Check {
            what,
            held: same && learned == rows.len(),
            detail: format!("{versions} versions, {learned} rows"),
        })
    }

    /// The stateful aggregation: the last count per cluster is the number of answers that named it.
    fn counts_add_up(&self) -> anyhow::Result<Check> {
        let mut counted = BTreeMap::new();
        for row in read_all(self.kafka, "segment_counts")? {
            if let (Some(segment), Some(images)) = (row["segment"].as_i64(), row["images"].as_u64()) {
                counted.insert(segment, images);
            }
        }
        let detail = format!("{} answers in {} clusters", counted.values().sum::<u64>(), counted.len());
        let held = counted == self.questions.per_segment;
        Ok(Check { what: "the running counts per cluster equal the answers", held, detail })
    }

    fn signature_helps(&self) -> Check {
        let (signature, raw) = (self.questions.signature.purity(), self.questions.raw.purity());
        let detail = format!("purity {} against {} on raw pixels", figure(signature), figure(raw));
        Check { what: "the signature helps", held: signature > raw, detail }
    }

    fn model(&self, name: &str) -> anyhow::Result<Value> {
        let models: Vec<Value> = self.api.get("models")?;
        models.into_iter().find(|model| model["name"] == name).with_context(|| format!("model {name}"))
    }
}

fn answered_once(what: &'static str, tally: &Tally, sent: &HashSet<String>) -> Check {
    exactly_once(what, &tally.answered, sent)
}

fn exactly_once(what: &'static str, times: &HashMap<String, u32>, sent: &HashSet<String>) -> Check {
    let lost = sent.iter().filter(|id| !times.contains_key(*id)).count();
    let twice = times.values().filter(|times| **times > 1).count();
    let strange = times.keys().filter(|id| !sent.contains(*id)).count();
    let detail = format!("{} of {}, {lost} lost, {twice} twice, {strange} unknown", times.len(), sent.len());
    Check { what, held: lost + twice + strange == 0, detail }
}

fn read_all(kafka: SocketAddr, topic: &str) -> anyhow::Result<Vec<Value>> {
    let records = Consumer::from_start(kafka, topic)?.poll(0).with_context(|| format!("read {topic}"))?;
    let parse = |value: bytes::Bytes| serde_json::from_slice(&value).context("parse a row");
    records.into_iter().map(|record| parse(record.value.unwrap_or_default())).collect()
}

/// The pixels of enrolled rows, one image behind the other.
fn pixels(rows: &[Value]) -> anyhow::Result<Vec<f32>> {
    let mut pixels = Vec::with_capacity(rows.len() * images::PIXELS);
    for row in rows {
        let row: Vec<f32> = serde_json::from_value(row["pixels"].clone()).context("pixels of a row")?;
        pixels.extend(row);
    }
    Ok(pixels)
}

//! What the page shows of the gallery: questions, answers and labels put together. Every part has a limit.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::bounded::Bounded;
use super::event::{Answer, Body, Event};
use super::histogram::Histogram;
use super::judge::Judge;
use super::pixels::Mean;
use super::timeline::Timeline;
use crate::wire::{Cluster, Image, Images, Kind, Latencies, Latency, Point, Scores};

/// Ids of each kind that wait for, or can still be joined with, something.
const IDS_MAX: usize = 20_000;
/// Newest images, for a page that has just been opened.
const IMAGES_MAX: usize = 48;
/// Newest members of a cluster.
const MEMBERS_MAX: usize = 18;
/// Clusters that get a gallery.
const CLUSTERS_MAX: usize = 64;
/// Images of one frame; nobody sees more in a tenth of a second. Answers to a visitor are not dropped for others.
const FRESH_MAX: usize = 40;

#[derive(Debug, Default)]
struct Entry {
    question: Option<Question>,
    answer: Option<Answer>,
    shown: bool,
    judged: bool,
}

#[derive(Debug)]
struct Question {
    at_ms: i64,
    pixels: Option<Arc<str>>,
}

#[derive(Debug, Default)]
struct Gathered {
    size: u64,
    mean: Mean,
    members: VecDeque<Image>,
}

#[derive(Debug)]
pub(super) struct Board {
    enrolled: Bounded<Entry>,
    uploaded: Bounded<Entry>,
    labels: Bounded<Option<Arc<str>>>,
    judge: Judge,
    timeline: Timeline,
    latency_enrolled: Histogram,
    latency_uploaded: Histogram,
    answered: u64,
    clusters: BTreeMap<u32, Gathered>,
    newest: VecDeque<Image>,
    fresh: VecDeque<Image>,
    skipped: u64,
}

impl Board {
    pub(super) fn new() -> Self {
        Board {
            enrolled: Bounded::new(IDS_MAX),
            uploaded: Bounded::new(IDS_MAX),
            labels: Bounded::new(IDS_MAX),
            judge: Judge::default(),
            timeline: Timeline::default(),
            latency_enrolled: Histogram::default(),
            latency_uploaded: Histogram::default(),
            answered: 0,
            clusters: BTreeMap::new(),
            newest: VecDeque::new(),
            fresh: VecDeque::new(),
            skipped: 0,
        }
    }

    pub(super) fn take(&mut self, event: Event) {
        let Event { at_ms, id, body } = event;
        match body {
            Body::Question(kind, pixels) => {
                self.entries(kind).entry(&id).question = Some(Question { at_ms, pixels });
                self.show(kind, &id);
            }
            Body::Answer(kind, answer) => self.answer(kind, &id, answer),
            Body::Label(label) => {
                *self.labels.entry(&id) = Some(Arc::clone(&label));
                for kind in [Kind::Enrolled, Kind::Uploaded] {
                    self.judge(kind, &id);
                    self.write_label(kind, &id, &label);
                }
            }
        }
    }

    pub(super) fn tick(&mut self, now_ms: i64, records: Option<u64>) {
        let judge = &self.judge;
        self.timeline.tick(now_ms, records, || judge.recent());
    }

    pub(super) fn answered(&self) -> u64 {
        self.answered
    }

    pub(super) fn scores(&self) -> Scores {
        self.judge.scores()
    }

    pub(super) fn latencies(&self) -> Latencies {
        Latencies { enrolled: latency(&self.latency_enrolled), uploaded: latency(&self.latency_uploaded) }
    }

    pub(super) fn histograms(&self) -> [(Kind, Histogram); 2] {
        [(Kind::Enrolled, self.latency_enrolled.clone()), (Kind::Uploaded, self.latency_uploaded.clone())]
    }

    pub(super) fn points(&self) -> Vec<Point> {
        self.timeline.points()
    }

    pub(super) fn fresh_points(&mut self) -> Vec<Point> {
        self.timeline.take_fresh()
    }

    /// Newest first.
    pub(super) fn images(&self) -> Vec<Image> {
        self.newest.iter().cloned().collect()
    }

    pub(super) fn clusters(&self, members: Members) -> Vec<Cluster> {
        let cluster = |(&segment, gathered): (&u32, &Gathered)| Cluster {
            segment,
            size: gathered.size,
            labels: self.judge.labels(segment),
            mean: gathered.mean.encode(),
            members: (members == Members::Included).then(|| gathered.members.iter().cloned().collect()),
        };
        self.clusters.iter().map(cluster).collect()
    }

    /// Whether a frame should be sent now rather than with the next ones: a visitor waits for it.
    pub(super) fn is_urgent(&self) -> bool {
        self.fresh.iter().any(|image| image.kind == Kind::Uploaded)
    }

    pub(super) fn take_images(&mut self) -> Option<Images> {
        let skipped = std::mem::take(&mut self.skipped);
        let images: Vec<Image> = self.fresh.drain(..).collect();
        (!images.is_empty()).then_some(Images { images, skipped })
    }

    fn entries(&mut self, kind: Kind) -> &mut Bounded<Entry> {
        match kind {
            Kind::Enrolled => &mut self.enrolled,
            Kind::Uploaded => &mut self.uploaded,
        }
    }

    fn answer(&mut self, kind: Kind, id: &Arc<str>, answer: Answer) {
        let entry = self.entries(kind).entry(id);
        entry.answer = Some(answer);
        (entry.shown, entry.judged) = (false, false);
        let asked_ms = entry.question.as_ref().map(|question| question.at_ms);
        let latency_ms = asked_ms.and_then(|asked_ms| waited(asked_ms, answer.at_ms));
        if let Some(ms) = latency_ms {
            let histogram = match kind {
                Kind::Enrolled => &mut self.latency_enrolled,
                Kind::Uploaded => &mut self.latency_uploaded,
            };
            histogram.record(ms);
        }
        self.answered += 1;
        self.judge(kind, id);
        let judge = &self.judge;
        self.timeline.answer(answer.at_ms, latency_ms, || judge.recent());
        if let Some(segment) = answer.segment
            && (self.clusters.len() < CLUSTERS_MAX || self.clusters.contains_key(&segment))
        {
            self.clusters.entry(segment).or_default().size += 1;
        }
        self.show(kind, id);
    }

    /// Scores an answer as soon as it has a label: once, whichever came first.
    fn judge(&mut self, kind: Kind, id: &Arc<str>) {
        let Some(Some(label)) = self.labels.get(id).cloned() else { return };
        let Some(entry) = self.entries(kind).get_mut(id) else { return };
        let Some(answer) = entry.answer.filter(|_| !entry.judged) else { return };
        entry.judged = true;
        self.judge.add(answer.segment, answer.segment_raw, &label);
    }

    /// Gives the label to images that are shown already.
    fn write_label(&mut self, kind: Kind, id: &Arc<str>, label: &Arc<str>) {
        let answer = self.entries(kind).get(id).and_then(|entry| entry.answer);
        let Some(segment) = answer.and_then(|answer| answer.segment) else { return };
        let members = self.clusters.get_mut(&segment).into_iter().flat_map(|gathered| &mut gathered.members);
        for image in members.chain(&mut self.newest).chain(&mut self.fresh) {
            if image.kind == kind && image.id == *id {
                image.label = Some(Arc::clone(label));
            }
        }
    }

    /// Hands the image to the page as soon as question and answer are there.
    fn show(&mut self, kind: Kind, id: &Arc<str>) {
        let label = self.labels.get(id).cloned().flatten();
        let Some(entry) = self.entries(kind).get_mut(id) else { return };
        let (Some(question), Some(answer)) = (&entry.question, entry.answer) else { return };
        if std::mem::replace(&mut entry.shown, true) {
            return;
        }
        let image = Image {
            id: Arc::clone(id),
            kind,
            pixels: question.pixels.clone(),
            segment: answer.segment,
            segment_raw: answer.segment_raw,
            label,
            model_version: answer.model_version,
            latency_ms: waited(question.at_ms, answer.at_ms),
            at_ms: answer.at_ms,
        };
        if let Some(gathered) = answer.segment.and_then(|segment| self.clusters.get_mut(&segment)) {
            gathered.take(&image);
        }
        push_front(&mut self.newest, image.clone(), IMAGES_MAX);
        self.push_fresh(image);
    }

    fn push_fresh(&mut self, image: Image) {
        self.fresh.push_back(image);
        if self.fresh.len() <= FRESH_MAX {
            return;
        }
        let droppable = self.fresh.iter().position(|image| image.kind == Kind::Enrolled);
        self.fresh.remove(droppable.unwrap_or(0));
        self.skipped += 1;
    }
}

/// Whether clusters come with their newest members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Members {
    Included,
    Left,
}

impl Gathered {
    fn take(&mut self, image: &Image) {
        if let Some(pixels) = &image.pixels {
            self.mean.add(pixels);
        }
        push_front(&mut self.members, image.clone(), MEMBERS_MAX);
    }
}

fn push_front<T>(queue: &mut VecDeque<T>, item: T, limit: usize) {
    queue.push_front(item);
    queue.truncate(limit);
}

/// `None` if the clocks of two producers disagree: a negative wait says nothing.
fn waited(asked_ms: i64, answered_ms: i64) -> Option<u64> {
    u64::try_from(answered_ms.checked_sub(asked_ms)?).ok()
}

fn latency(histogram: &Histogram) -> Latency {
    Latency { count: histogram.count(), p50: histogram.percentile(0.5), p99: histogram.percentile(0.99) }
}

//! How well clusters agree with labels: over all answers, and over the newest.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use ml::metric::Contingency;

use crate::wire::{Score, Scores};

/// Answers in the sliding window.
const WINDOW: usize = 300;
/// Labels and clusters beyond these are not judged: they would be names, not classes.
const LABELS_MAX: usize = 64;
const SEGMENTS_MAX: u32 = 1_024;

/// The signature's answer and the raw pixels' answer, each against the label.
#[derive(Debug, Default)]
struct Pair {
    signature: Contingency,
    raw: Contingency,
}

#[derive(Debug, Default)]
pub(super) struct Judge {
    all: Pair,
    recent: Pair,
    window: VecDeque<Judged>,
    labels: BTreeSet<Arc<str>>,
}

#[derive(Debug, Clone)]
struct Judged {
    segment: Option<u32>,
    segment_raw: Option<u32>,
    label: Arc<str>,
}

impl Judge {
    pub(super) fn add(&mut self, segment: Option<u32>, segment_raw: Option<u32>, label: &Arc<str>) {
        if !self.labels.contains(label) {
            if self.labels.len() == LABELS_MAX {
                return;
            }
            self.labels.insert(Arc::clone(label));
        }
        let known = |segment: Option<u32>| segment.filter(|&segment| segment < SEGMENTS_MAX);
        let judged =
            Judged { segment: known(segment), segment_raw: known(segment_raw), label: Arc::clone(label) };
        if judged.segment.is_none() && judged.segment_raw.is_none() {
            return;
        }
        self.all.add(&judged);
        self.recent.add(&judged);
        self.window.push_back(judged);
        if self.window.len() > WINDOW
            && let Some(oldest) = self.window.pop_front()
        {
            self.recent.remove(&oldest);
        }
    }

    pub(super) fn scores(&self) -> Scores {
        Scores { all: self.all.score(), recent: self.recent() }
    }

    pub(super) fn recent(&self) -> Score {
        self.recent.score()
    }

    /// The labels of a cluster, most frequent first.
    pub(super) fn labels(&self, segment: u32) -> Vec<(String, u64)> {
        let mut labels: Vec<_> =
            self.all.signature.labels(segment).map(|(label, count)| (label.to_owned(), count)).collect();
        labels.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        labels
    }
}

impl Pair {
    fn add(&mut self, judged: &Judged) {
        if let Some(segment) = judged.segment {
            self.signature.add(segment, &judged.label);
        }
        if let Some(segment) = judged.segment_raw {
            self.raw.add(segment, &judged.label);
        }
    }

    fn remove(&mut self, judged: &Judged) {
        if let Some(segment) = judged.segment {
            self.signature.remove(segment, &judged.label);
        }
        if let Some(segment) = judged.segment_raw {
            self.raw.remove(segment, &judged.label);
        }
    }

    fn score(&self) -> Score {
        Score {
            judged: self.signature.total(),
            purity: self.signature.purity(),
            purity_raw: self.raw.purity(),
            ari: self.signature.adjusted_rand_index(),
            ari_raw: self.raw.adjusted_rand_index(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_forgets_what_the_whole_remembers() {
        let mut judge = Judge::default();
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        judge.add(Some(0), Some(0), &a);
        for _ in 0..WINDOW {
            judge.add(Some(0), None, &b);
        }
        let scores = judge.scores();
        assert_eq!((scores.all.judged, scores.recent.judged), (WINDOW as u64 + 1, WINDOW as u64));
        assert_eq!((scores.recent.purity, scores.recent.purity_raw), (Some(1.0), None));
        assert_eq!(judge.labels(0), [("b".to_owned(), WINDOW as u64), ("a".to_owned(), 1)]);
    }

    #[test]
    fn names_are_not_classes() {
        let mut judge = Judge::default();
        for n in 0..LABELS_MAX + 10 {
            judge.add(Some(0), None, &n.to_string().into());
        }
        judge.add(Some(u32::MAX), None, &"0".into());
        judge.add(None, None, &"0".into());
        assert_eq!(judge.scores().all.judged, LABELS_MAX as u64);
    }
}

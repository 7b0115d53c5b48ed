//! Transactions of one partition: those that go on, and those that were aborted.

use std::collections::BTreeMap;

use super::Marker;

/// Whose records do not count, and which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Aborted {
    pub(crate) producer_id: i64,
    pub(crate) first_offset: i64,
    /// Of its marker.
    pub(crate) last_offset: i64,
    /// The last stable offset behind the marker: no transaction that ended later begins before it.
    pub(crate) last_stable_offset: i64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Transactions {
    /// By first offset.
    ongoing: BTreeMap<i64, i64>,
    /// Ended by a marker that readers may not see yet: first offset to the marker's. Until they do, it goes on for them.
    unshown: BTreeMap<i64, i64>,
    /// In the order of their markers.
    aborted: Vec<Aborted>,
}

impl Transactions {
    pub(super) fn begin(&mut self, first_offset: i64, producer_id: i64) {
        self.ongoing.insert(first_offset, producer_id);
    }

    /// The batch that began it was not written after all.
    pub(super) fn take_back(&mut self, first_offset: i64) {
        self.ongoing.remove(&first_offset);
    }

    pub(super) fn set_ongoing(&mut self, ongoing: BTreeMap<i64, i64>) {
        self.ongoing = ongoing;
    }

    pub(super) fn end(&mut self, marker: &Marker, first_offset: i64, marker_offset: i64) {
        self.ongoing.remove(&first_offset);
        self.unshown.insert(first_offset, marker_offset);
        if !marker.commit {
            let next = marker_offset + 1;
            self.aborted.push(Aborted {
                producer_id: marker.producer_id,
                first_offset,
                last_offset: marker_offset,
                last_stable_offset: self.ongoing.keys().next().map_or(next, |first| *first),
            });
        }
    }

    /// All markers before this offset may be seen.
    pub(crate) fn show(&mut self, high_watermark: i64) {
        self.unshown.retain(|_, marker| *marker >= high_watermark);
    }

    /// Up to where every transaction has ended, at most `high_watermark`.
    pub(crate) fn last_stable_offset(&self, high_watermark: i64) -> i64 {
        let going_on = self.ongoing.keys().next().copied();
        let unshown = self.unshown.iter().find(|(_, marker)| **marker >= high_watermark);
        let first = going_on.into_iter().chain(unshown.map(|(first, _)| *first)).min();
        first.map_or(high_watermark, |first| first.min(high_watermark))
    }

    /// The aborted ones that have a batch, or their marker, in `[from, to)`.
    pub(crate) fn aborted(&self, from: i64, to: i64) -> impl Iterator<Item = &Aborted> {
        let first = self.aborted.partition_point(|aborted| aborted.last_offset < from);
        let mut more = true;
        self.aborted[first..]
            .iter()
            .take_while(move |aborted| {
                let this = more;
                // Those that ended later begin at this one's last stable offset or behind it.
                more = aborted.last_stable_offset < to;
                this
            })
            .filter(move |aborted| aborted.first_offset < to)
    }

    /// The log begins at `offset` now.
    pub(crate) fn forget_before(&mut self, offset: i64) {
        self.aborted.retain(|aborted| aborted.last_offset >= offset);
    }

    /// Forgets the aborted ones with these markers, in ascending order; says whether there were any.
    pub(crate) fn forget_markers(&mut self, markers: &[i64]) -> bool {
        let before = self.aborted.len();
        self.aborted.retain(|aborted| markers.binary_search(&aborted.last_offset).is_err());
        self.aborted.len() < before
    }

    pub(super) fn all_aborted(&self) -> &[Aborted] {
        &self.aborted
    }

    /// From a file; nothing, if it cannot be.
    pub(super) fn from_aborted(aborted: Vec<Aborted>) -> Option<Self> {
        let ordered = aborted.windows(2).all(|pair| pair[0].last_offset < pair[1].last_offset);
        ordered.then(|| Self { aborted, ..Self::default() })
    }
}

//! What targets went with which values of a column, in a few bins.
//!
//! The bins are those of a streaming histogram (Ben-Haim and Tom-Tov, *A streaming parallel decision tree algorithm*,
//! 2010): each value is a bin of its own until there are too many, and then the two nearest become one. So they lie
//! where the values lie, whatever their scale.

use serde::{Deserialize, Serialize};

use super::moments::Moments;

/// Bins that there is room for from the start.
const ROOM: usize = 64;

/// The middle of a bin, and the targets in it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bin {
    pub(crate) value: f64,
    pub(crate) targets: Moments,
}

/// The bins of a column, by rising value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bins(pub(crate) Vec<Bin>);

impl Bins {
    /// Takes in a value and the target that went with it; keeps at most `most` bins.
    pub(crate) fn add(&mut self, value: f64, target: f64, weight: f64, most: usize) {
        let bins = &mut self.0;
        let place = bins.partition_point(|bin| bin.value < value);
        if let Some(bin) = bins.get_mut(place).filter(|bin| bin.value == value) {
            return bin.targets.add(target, weight);
        }
        if bins.is_empty() {
            // As many as there will soon be, but not those of categories that may never come.
            bins.reserve_exact(most.min(ROOM) + 1);
        }
        let mut targets = Moments::default();
        targets.add(target, weight);
        bins.insert(place, Bin { value, targets });
        if bins.len() > most.max(2) {
            self.merge_nearest();
        }
    }

    /// Takes in a category; those that come when there are `most` count as missing.
    pub(crate) fn add_exactly(&mut self, code: f64, target: f64, weight: f64, most: usize) {
        if self.0.len() < most || self.0.binary_search_by(|bin| bin.value.total_cmp(&code)).is_ok() {
            self.add(code, target, weight, usize::MAX);
        }
    }

    fn merge_nearest(&mut self) {
        let gaps = self.0.windows(2).map(|pair| pair[1].value - pair[0].value);
        let mut nearest = (0, f64::INFINITY);
        for (place, gap) in gaps.enumerate() {
            if gap < nearest.1 {
                nearest = (place, gap);
            }
        }
        let after = self.0.remove(nearest.0 + 1);
        let bin = &mut self.0[nearest.0];
        let targets = bin.targets.with(&after.targets);
        bin.value += (after.value - bin.value) * after.targets.weight / targets.weight;
        bin.targets = targets;
    }

    pub(crate) fn is_sound(&self) -> bool {
        self.0.windows(2).all(|pair| pair[0].value < pair[1].value)
            && self.0.iter().all(|bin| bin.value.is_finite() && bin.targets.is_sound())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_bins_become_one() {
        let mut bins = Bins::default();
        for (value, target) in [(1.0, 10.0), (9.0, 90.0), (5.0, 50.0), (5.5, 70.0), (9.0, 92.0)] {
            bins.add(value, target, 1.0, 3);
        }
        let found: Vec<_> =
            bins.0.iter().map(|bin| (bin.value, bin.targets.mean, bin.targets.weight)).collect();
        assert_eq!(found, [(1.0, 10.0, 1.0), (5.25, 60.0, 2.0), (9.0, 91.0, 2.0)]);
        assert!(bins.is_sound());
    }
}

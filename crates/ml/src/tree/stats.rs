//! What a tree asks of its leaves, whatever rows are labelled with.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::growth::Growth;
use super::split::Candidate;
use super::structure::Example;

/// What a leaf remembers of the rows that came to it.
pub(crate) trait Stats:
    Clone + Debug + PartialEq + Send + Sync + Serialize + DeserializeOwned + 'static
{
    /// What a row is labelled with.
    type Target: Copy;

    /// A leaf that looks at these columns. `start` is its branch of the candidate that split `parent`.
    fn new(start: &[f64], columns: Vec<u32>, depth: u32, parent: Option<&Self>) -> Self;

    /// Learns a row, and says whether it needed room for that.
    fn learn(
        &mut self,
        row: Example<'_>,
        target: Self::Target,
        weight: f64,
        growth: &Growth,
        scratch: &mut Vec<f64>,
    ) -> bool;

    /// How wrong it would be about a row: 0 for not at all, 1 for quite.
    fn error(&self, row: Example<'_>, target: Self::Target, growth: &Growth, scratch: &mut Vec<f64>) -> f64;

    /// Whether to split now.
    fn judge(&mut self, row: Example<'_>, growth: &Growth) -> Verdict;

    /// How many forks are above it.
    fn depth(&self) -> u32;

    /// Whether it still looks at columns.
    fn active(&self) -> bool;

    /// Forgets all that it would need to split.
    fn deactivate(&mut self);

    /// What it would still gain by splitting, at most.
    fn promise(&self) -> f64;

    /// Numbers that it keeps, or so.
    fn size(&self) -> u64;

    /// Numbers per branch in its candidates.
    fn width(&self) -> usize;

    /// The weight of the rows in a branch of a candidate.
    fn weight_of(branch: &[f64]) -> f64;

    /// Says what is impossible about one that was read.
    fn validate(&self, dim: usize, classes: usize) -> Result<(), &'static str>;
}

/// Whether a leaf splits.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Not now.
    Wait,
    /// Nothing would be gained, now or later.
    Never,
    /// Like this.
    Split(Candidate),
}

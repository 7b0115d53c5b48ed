//! How the partitions are shared out among the members of a consumer group (KIP-848).

mod range;
mod uniform;

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::Assignment;

/// A way of sharing partitions out, under Kafka's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assignor {
    /// Everybody gets as many partitions as everybody else, one more or less, and keeps what it had.
    Uniform,
    /// Everybody gets a range of each topic, the same one of topics that have as many partitions, so that records of
    /// one key in several topics meet.
    Range,
}

impl Assignor {
    /// The name that clients ask for.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Range => "range",
        }
    }

    /// The assignor of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Uniform, Self::Range].into_iter().find(|assignor| assignor.name() == name)
    }

    /// Gives every partition of a topic that somebody wants to one of those who want it.
    pub(crate) fn assign(self, candidates: &[Candidate<'_>], topics: &Partitions) -> Vec<Assignment> {
        match self {
            Self::Uniform => uniform::assign(candidates, topics),
            Self::Range => range::assign(candidates, topics),
        }
    }
}

/// How many partitions each topic has.
pub(crate) type Partitions = BTreeMap<Uuid, u32>;

/// A member that wants partitions.
#[derive(Clone, Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) member_id: &'a str,
    pub(crate) instance_id: Option<&'a str>,
    pub(crate) topics: BTreeSet<Uuid>,
    /// What it was to have before.
    pub(crate) previous: &'a Assignment,
}

/// Who wants each topic, by position among the candidates.
fn subscribers(candidates: &[Candidate<'_>], topics: &Partitions) -> BTreeMap<Uuid, Vec<usize>> {
    let mut wanted: BTreeMap<Uuid, Vec<usize>> = BTreeMap::new();
    for (position, candidate) in candidates.iter().enumerate() {
        for topic_id in candidate.topics.iter().filter(|topic_id| topics.contains_key(topic_id)) {
            wanted.entry(*topic_id).or_default().push(position);
        }
    }
    wanted
}

fn indexes(partitions: u32) -> impl Iterator<Item = i32> {
    0..i32::try_from(partitions).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;

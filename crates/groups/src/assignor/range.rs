//! A range of each topic for everybody.
//!
//! The members stand in one order, static ones first and by their instance, so that somebody who comes back under a new
//! id stands where it stood. Each topic is cut into as many ranges as there are members who want it, the first ones one
//! longer where it does not come out even.

use super::{Candidate, Partitions, indexes, subscribers};
use crate::Assignment;

pub(super) fn assign(candidates: &[Candidate<'_>], topics: &Partitions) -> Vec<Assignment> {
    let mut given = vec![Assignment::default(); candidates.len()];
    for (topic_id, mut takers) in subscribers(candidates, topics) {
        takers.sort_by_key(|position| {
            let candidate = &candidates[*position];
            (candidate.instance_id.is_none(), candidate.instance_id.unwrap_or(candidate.member_id))
        });
        let partitions: Vec<i32> = indexes(topics[&topic_id]).collect();
        let (share, longer) = (partitions.len() / takers.len(), partitions.len() % takers.len());
        let mut rest = &partitions[..];
        for (place, position) in takers.into_iter().enumerate() {
            let (own, others) = rest.split_at(share + usize::from(place < longer));
            own.iter().for_each(|index| given[position].insert(topic_id, *index));
            rest = others;
        }
    }
    given
}

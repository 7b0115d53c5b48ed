//! As many partitions for everybody, and as little moved as possible.
//!
//! Everybody keeps what it had and still wants. What is left over goes to whoever has least, topics that few want first.
//! Then partitions move from those who have more to those who have less, while the difference is more than one.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{Candidate, Partitions, indexes, subscribers};
use crate::Assignment;

pub(super) fn assign(candidates: &[Candidate<'_>], topics: &Partitions) -> Vec<Assignment> {
    let mut sharing = Sharing {
        given: vec![Assignment::default(); candidates.len()],
        load: vec![0; candidates.len()],
        takers: subscribers(candidates, topics),
    };
    let left = sharing.keep(candidates, topics);
    sharing.fill(left);
    sharing.level();
    sharing.given
}

struct Sharing {
    given: Vec<Assignment>,
    load: Vec<usize>,
    takers: BTreeMap<Uuid, Vec<usize>>,
}

impl Sharing {
    /// Leaves to everybody what it had; returns what nobody has.
    fn keep(&mut self, candidates: &[Candidate<'_>], topics: &Partitions) -> Vec<(Uuid, Vec<i32>)> {
        let mut left = Vec::new();
        for (topic_id, takers) in self.takers.clone() {
            let mut free = Vec::new();
            for index in indexes(topics[&topic_id]) {
                let had = |position: &&usize| candidates[**position].previous.contains(topic_id, index);
                match takers.iter().find(had) {
                    Some(position) => self.give(*position, topic_id, index),
                    None => free.push(index),
                }
            }
            left.push((topic_id, free));
        }
        left
    }

    fn fill(&mut self, mut left: Vec<(Uuid, Vec<i32>)>) {
        left.sort_by_key(|(topic_id, _)| self.takers[topic_id].len());
        for (topic_id, free) in left {
            for index in free {
                let position = self.poorest(topic_id);
                self.give(position, topic_id, index);
            }
        }
    }

    /// Every move brings two loads closer together, so this ends.
    fn level(&mut self) {
        loop {
            let mut richest: Vec<usize> = (0..self.load.len()).collect();
            richest.sort_by_key(|position| std::cmp::Reverse(self.load[*position]));
            let moved: Vec<bool> = richest.into_iter().map(|donor| self.relieve(donor)).collect();
            if !moved.contains(&true) {
                return;
            }
        }
    }

    /// Lets a member give away what others need more; says whether it did.
    fn relieve(&mut self, donor: usize) -> bool {
        let mut moved = false;
        let owned: Vec<(Uuid, i32)> = self.given[donor].iter().collect();
        for (topic_id, index) in owned.into_iter().rev() {
            let poorest = self.poorest(topic_id);
            if self.load[donor] >= self.load[poorest] + 2 {
                self.given[donor].remove(topic_id, index);
                self.load[donor] -= 1;
                self.give(poorest, topic_id, index);
                moved = true;
            }
        }
        moved
    }

    fn poorest(&self, topic_id: Uuid) -> usize {
        let takers = self.takers[&topic_id].iter().copied();
        takers.min_by_key(|position| self.load[*position]).expect("only wanted topics are shared out")
    }

    fn give(&mut self, position: usize, topic_id: Uuid, index: i32) {
        self.given[position].insert(topic_id, index);
        self.load[position] += 1;
    }
}

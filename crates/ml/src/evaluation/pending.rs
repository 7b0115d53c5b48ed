//! Answers that wait for their labels.
//!
//! Where labels come late, a model has learned from other rows by the time one arrives, and asking it then about the
//! row would flatter it. So the answer is kept as it was given, under the row's key, and judged when the label is there
//! ([`Model::score_delayed`](crate::Model::score_delayed)).

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::row::VALUE_MAX;

/// An answer as it was given: all that judging it needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Given {
    /// The share of each class.
    Shares(Vec<f64>),
    /// An estimate.
    Number(f64),
    /// There was no answer.
    Nothing,
    /// A class by its name, without the shares of the others.
    Class(String),
    /// The share of each class, by the classes' names.
    Named(Vec<(String, f64)>),
}

impl Given {
    /// Whether a model can have given it: shares are from 0 to 1, and estimates finite.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let share = |share: &f64| (0.0..=1.0 + 1e-9).contains(share);
        match self {
            Given::Shares(shares) => shares.iter().all(share),
            Given::Named(shares) => shares.iter().all(|(_, part)| share(part)),
            Given::Number(number) => number.abs() <= VALUE_MAX,
            Given::Nothing | Given::Class(_) => true,
        }
    }
}

/// Answers by the keys of their rows, the last `limit` of them: a label that comes later than that comes too late.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    limit: usize,
    /// By key: the answer, and the turn in which it was given.
    answers: BTreeMap<String, (u64, Given)>,
    /// Turns and keys, oldest first. A key that was answered again stands here twice; only its last turn counts.
    order: VecDeque<(u64, String)>,
    turn: u64,
    dropped: u64,
}

impl Pending {
    /// Nothing waits yet; `limit` answers may, one at least.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        let (answers, order) = (BTreeMap::new(), VecDeque::new());
        Pending { limit: limit.max(1), answers, order, turn: 0, dropped: 0 }
    }

    /// Keeps an answer until its label comes. A row that is asked about again is judged by its last answer.
    pub fn keep(&mut self, key: &str, answer: Given) {
        self.turn += 1;
        self.answers.insert(key.to_owned(), (self.turn, answer));
        self.order.push_back((self.turn, key.to_owned()));
        while self.answers.len() > self.limit {
            self.drop_oldest();
        }
        if self.order.len() > 2 * self.limit {
            let answers = &self.answers;
            self.order.retain(|(turn, key)| answers.get(key).is_some_and(|(given, _)| given == turn));
        }
    }

    /// The answer to this row, which waits no more; `None` if there was none, or if it waited too long.
    pub fn take(&mut self, key: &str) -> Option<Given> {
        self.answers.remove(key).map(|(_, answer)| answer)
    }

    /// How many answers wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// How many waited too long.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn drop_oldest(&mut self) {
        let Some((turn, key)) = self.order.pop_front() else { return };
        match self.answers.get(&key) {
            Some((given, _)) if *given == turn => {
                self.answers.remove(&key);
                self.dropped += 1;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_waits_until_its_label_comes_or_too_many_came_after_it() {
        let mut pending = Pending::new(2);
        pending.keep("a", Given::Number(1.0));
        pending.keep("b", Given::Number(2.0));
        pending.keep("a", Given::Number(3.0));
        assert_eq!(pending.len(), 2);
        pending.keep("c", Given::Nothing);
        assert_eq!((pending.take("b"), pending.dropped()), (None, 1));
        assert_eq!(pending.take("a"), Some(Given::Number(3.0)), "the last answer, and the younger");
        assert_eq!(pending.take("a"), None, "once");
        assert_eq!(pending.take("c"), Some(Given::Nothing));
    }

    #[test]
    fn it_stays_small_whatever_is_answered_again() {
        let mut pending = Pending::new(10);
        pending.keep("first", Given::Nothing);
        for turn in 0..1_000 {
            pending.keep("same", Given::Number(f64::from(turn)));
            pending.keep(&turn.to_string(), Given::Nothing);
            pending.take(&turn.to_string());
            assert!(pending.order.len() <= 20);
        }
        assert_eq!(pending.take("same"), Some(Given::Number(999.0)));
        assert_eq!(pending.take("first"), Some(Given::Nothing));
        assert_eq!((pending.len(), pending.dropped()), (0, 0));
    }
}

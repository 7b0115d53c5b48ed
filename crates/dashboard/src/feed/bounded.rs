//! A map that forgets its oldest keys.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// At most `limit` entries; a new key beyond that pushes out the key that came first.
#[derive(Debug)]
pub(super) struct Bounded<V> {
    entries: HashMap<Arc<str>, V>,
    order: VecDeque<Arc<str>>,
    limit: usize,
}

impl<V: Default> Bounded<V> {
    pub(super) fn new(limit: usize) -> Self {
        assert!(limit > 0, "a map without room can hold nothing");
        Bounded { entries: HashMap::new(), order: VecDeque::new(), limit }
    }

    pub(super) fn get(&self, key: &str) -> Option<&V> {
        self.entries.get(key)
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        self.entries.get_mut(key)
    }

    /// The entry of this key, made if need be.
    pub(super) fn entry(&mut self, key: &Arc<str>) -> &mut V {
        if !self.entries.contains_key(key) {
            if self.order.len() == self.limit
                && let Some(oldest) = self.order.pop_front()
            {
                self.entries.remove(&oldest);
            }
            self.order.push_back(Arc::clone(key));
        }
        self.entries.entry(Arc::clone(key)).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_key_goes_first() {
        let mut map = Bounded::<u32>::new(2);
        for (n, key) in ["a", "b", "a", "c"].into_iter().enumerate() {
            *map.entry(&key.into()) = n as u32;
        }
        assert_eq!((map.get("a"), map.get("b"), map.get("c")), (None, Some(&1), Some(&3)));
        assert_eq!((map.entries.len(), map.order.len()), (2, 2));
    }
}

//! Offsets that nobody has asked about for long (KIP-211).

use super::{Group, Membership};
use crate::step::Step;

impl Group {
    /// Forgets the positions whose time has come, and says whether the group itself may go.
    ///
    /// The time of a group without members runs from the last member's leaving, or from the commit if nobody was
    /// ever a member. While there are members, positions of topics that they do not read any more expire by the
    /// time of their commit. What a transaction may still move stays.
    pub(crate) fn expire(&mut self, step: &mut Step<'_>) -> bool {
        let horizon = step.now_ms - step.config.offsets_retention_ms;
        let expired: Vec<(String, i32)> = self
            .offsets
            .iter()
            .filter(|(topic, index, _)| !self.offsets.is_unstable(topic, *index))
            .filter(|(topic, _, committed)| {
                let committed_ms = committed.commit_timestamp_ms;
                let since = match &self.members {
                    Membership::Classic(classic) => classic.unused_since_ms(topic, committed_ms),
                    Membership::Consumer(consumer) => (!consumer.reads(topic)).then_some(committed_ms),
                };
                since.is_some_and(|since_ms| since_ms < horizon)
            })
            .map(|(topic, index, _)| (topic.to_owned(), index))
            .collect();
        for (topic, index) in expired {
            self.forget_offset(&topic, index, step);
        }
        self.is_forgettable()
    }
}

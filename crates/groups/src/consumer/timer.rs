//! What happens because time passes.

use super::ConsumerGroup;
use crate::step::Step;

impl ConsumerGroup {
    /// When [`ConsumerGroup::tick`] has something to do, if ever.
    pub(crate) fn next_deadline(&self) -> Option<i64> {
        self.members.values().map(super::ConsumerMember::deadline).min()
    }

    /// Members that were silent, or have not given back in time, are out.
    pub(crate) fn tick(&mut self, step: &mut Step<'_>) {
        let due = |at: i64| at <= step.now_ms;
        let late: Vec<String> = self
            .members
            .iter()
            .filter(|(_, member)| due(member.deadline()))
            .map(|(member_id, _)| member_id.clone())
            .collect();
        if late.is_empty() {
            return;
        }
        for member_id in late {
            self.remove(&member_id, step);
        }
        self.begin_epoch(step);
    }
}

//! A member's next step from what it owns to what it is to own.

use super::ConsumerGroup;
use super::member::{CurrentAssignment, MemberState};
use crate::Assignment;
use crate::step::Step;

/// Where a member is to go.
struct Goal<'a> {
    epoch: i32,
    target: &'a Assignment,
    /// What of the target others have not given back.
    taken: Assignment,
}

impl ConsumerGroup {
    /// Takes the member one step further, if it can be. Says whether what it owns has changed.
    pub(super) fn reconcile(
        &mut self,
        member_id: &str,
        owned: Option<&Assignment>,
        step: &mut Step<'_>,
    ) -> bool {
        let none = Assignment::default();
        let target = self.target.get(member_id).unwrap_or(&none);
        let taken = self.taken(member_id);
        let before = &self.members[member_id].current;
        let after = next(before, owned, &Goal { epoch: self.assignment_epoch, target, taken });
        if after == *before {
            return false;
        }
        let changed = after.assigned != before.assigned;
        self.hold(member_id, after);
        let member = self.members.get_mut(member_id).expect("it was there a moment ago");
        member.await_revocation(step.now_ms);
        self.persist_current(member_id, step);
        changed
    }

    /// What of a member's target others have not given back.
    pub(super) fn taken(&self, member_id: &str) -> Assignment {
        let target = self.target.get(member_id).into_iter().flat_map(Assignment::iter);
        target
            .filter(|partition| self.held.get(partition).is_some_and(|holder| holder != member_id))
            .collect()
    }
}

/// The next step. `owned` is what the member says it owns, if it says so.
fn next(current: &CurrentAssignment, owned: Option<&Assignment>, goal: &Goal<'_>) -> CurrentAssignment {
    let still_owns = |revoking: &Assignment| owned.is_none_or(|owned| owned.touches(revoking));
    match current.state {
        MemberState::Stable if current.epoch == goal.epoch => return current.clone(),
        MemberState::Unrevoked if still_owns(&current.revoking) => return current.clone(),
        MemberState::Stable | MemberState::Unrevoked | MemberState::Unreleased => {}
    }
    let kept = current.assigned.common(goal.target);
    let revoking = current.assigned.without(goal.target);
    if !revoking.is_empty() && still_owns(&revoking) {
        return CurrentAssignment {
            state: MemberState::Unrevoked,
            assigned: kept,
            revoking,
            ..current.clone()
        };
    }
    let state = if goal.taken.is_empty() { MemberState::Stable } else { MemberState::Unreleased };
    let moves = current.epoch != goal.epoch;
    CurrentAssignment {
        epoch: goal.epoch,
        previous_epoch: if moves { current.epoch } else { current.previous_epoch },
        state,
        assigned: goal.target.without(&goal.taken),
        revoking: Assignment::default(),
    }
}

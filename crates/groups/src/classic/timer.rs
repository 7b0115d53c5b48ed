//! What happens because time passes.

use super::{ClassicGroup, State};
use crate::member::Member;
use crate::step::Step;

impl ClassicGroup {
    /// When [`ClassicGroup::tick`] has something to do, if ever.
    pub(crate) fn next_deadline(&self) -> Option<i64> {
        let sessions = self.members.values().filter_map(Member::session_deadline);
        let pending = self.pending.values().copied();
        let initial = self.initial_delay.map(|delay| delay.until_ms);
        sessions.chain(pending).chain(initial).chain(self.deadline_ms).min()
    }

    /// Looks at every deadline.
    pub(crate) fn tick(&mut self, step: &mut Step<'_>) {
        let now_ms = step.now_ms;
        let before = self.members.len();
        self.pending.retain(|_, deadline| *deadline > now_ms);
        self.remove_where(step, |member| member.session_deadline().is_some_and(|at| at <= now_ms));
        self.after_removal(before, step);
        if self.initial_delay.is_some_and(|delay| delay.until_ms <= now_ms) {
            self.initial_delay = None;
            self.complete_join_if_ready(step);
        }
        if self.deadline_ms.is_some_and(|at| at <= now_ms) {
            self.give_up_waiting(step);
        }
    }

    fn give_up_waiting(&mut self, step: &mut Step<'_>) {
        match self.state {
            State::PreparingRebalance => self.complete_join(step),
            State::CompletingRebalance | State::Stable => {
                self.deadline_ms = None;
                let before = self.members.len();
                self.remove_where(step, |member| member.owes_sync);
                self.after_removal(before, step);
            }
            State::Empty => self.deadline_ms = None,
        }
    }

    fn remove_where(&mut self, step: &mut Step<'_>, gone: impl Fn(&Member) -> bool) {
        let ids: Vec<String> =
            self.members.values().filter(|member| gone(member)).map(|member| member.id.clone()).collect();
        for member_id in ids {
            self.remove(&member_id, step);
        }
    }
}

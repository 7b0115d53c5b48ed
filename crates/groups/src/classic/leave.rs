//! Members that go, by themselves or by an administrator's hand.

use super::ClassicGroup;
use crate::step::Step;
use crate::{Error, LeavingMember, Outcomes};

impl ClassicGroup {
    /// Lets several members go at once; the group rebalances once.
    pub(crate) fn leave(&mut self, leaving: &[LeavingMember], step: &mut Step<'_>) -> Outcomes {
        let before = self.members.len();
        let results: Outcomes = leaving.iter().map(|one| self.leave_one(one, step)).collect();
        self.after_removal(before, step);
        results
    }

    fn leave_one(&mut self, leaving: &LeavingMember, step: &mut Step<'_>) -> Result<(), Error> {
        let Some(instance_id) = &leaving.instance_id else {
            if self.pending.remove(&leaving.member_id).is_some() {
                return Ok(());
            }
            self.identify(&leaving.member_id, None)?;
            self.remove(&leaving.member_id, step);
            return Ok(());
        };
        let present = self.static_members.get(instance_id).cloned().ok_or(Error::UnknownMemberId)?;
        if !leaving.member_id.is_empty() && leaving.member_id != present {
            return Err(Error::FencedInstanceId);
        }
        self.remove(&present, step);
        Ok(())
    }
}

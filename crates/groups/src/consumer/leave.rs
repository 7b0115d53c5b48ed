//! Members that go, for good or for a while.

use super::heartbeat::{LEAVING, LEAVING_FOR_A_WHILE};
use super::{ConsumerGroup, MemberState};
use crate::step::Step;
use crate::{Assignment, ConsumerHeartbeat, ConsumerHeartbeatReply, Error};

impl ConsumerGroup {
    /// The last heartbeat of a member. A static member that will be back keeps what it owns until its session ends.
    pub(super) fn leave(
        &mut self,
        request: &ConsumerHeartbeat,
        step: &mut Step<'_>,
    ) -> Result<ConsumerHeartbeatReply, Error> {
        let member_id = request.member_id.clone();
        if let Some(instance_id) = &request.instance_id {
            let present = self.static_members.get(instance_id).ok_or(Error::UnknownMemberId)?;
            if *present != member_id {
                return Err(Error::FencedInstanceId);
            }
        }
        let member = self.members.get(&member_id).ok_or(Error::UnknownMemberId)?;
        let stays = request.epoch == LEAVING_FOR_A_WHILE && member.profile.instance_id.is_some();
        if stays {
            let mut current = member.current.clone();
            current.epoch = LEAVING_FOR_A_WHILE;
            current.state = MemberState::Stable;
            current.revoking = Assignment::default();
            self.hold(&member_id, current);
            let member = self.members.get_mut(&member_id).expect("it was there a moment ago");
            member.step_deadline_ms = None;
            self.persist_current(&member_id, step);
        } else {
            self.remove(&member_id, step);
            self.begin_epoch(step);
        }
        Ok(ConsumerHeartbeatReply {
            member_id,
            epoch: if stays { LEAVING_FOR_A_WHILE } else { LEAVING },
            heartbeat_interval_ms: step.times.heartbeat_interval_ms,
            assignment: None,
        })
    }
}

//! Heartbeats of the consumer protocol.

use super::{Groups, check_group_id};
use crate::{ConsumerHeartbeat, ConsumerHeartbeatReply, Effect, Error, TopicsView};

impl Groups {
    /// A member of the consumer protocol joins, stays or leaves (KIP-848), and learns what it may own. The reply
    /// may leave once the effects are durable.
    ///
    /// # Errors
    ///
    /// [`Error::FencedMemberEpoch`], [`Error::UnknownMemberId`] and [`Error::FencedInstanceId`] when the speaker is
    /// no member any more; [`Error::UnreleasedInstanceId`], [`Error::GroupMaxSizeReached`] and
    /// [`Error::GroupIdNotFound`], the latter for a group of the classic protocol that does not change it, when it cannot
    /// be one; [`Error::UnsupportedAssignor`], [`Error::InvalidRegularExpression`], [`Error::InvalidRequest`] and others
    /// for what it asks.
    pub fn consumer_heartbeat(
        &mut self,
        request: ConsumerHeartbeat,
        topics: &dyn TopicsView,
        now_ms: i64,
    ) -> (Vec<Effect>, Result<ConsumerHeartbeatReply, Error>) {
        if let Err(error) = self.check_heartbeat(&request) {
            return (Vec::new(), Err(error));
        }
        let group_id = request.group_id.clone();
        let (effects, reply) = self
            .step_or_create(&group_id, now_ms, |group, step| group.consumer_heartbeat(request, topics, step));
        self.forget_if_unused(&group_id);
        (effects, reply)
    }

    fn check_heartbeat(&self, request: &ConsumerHeartbeat) -> Result<(), Error> {
        check_group_id(&request.group_id)?;
        request.check()?;
        if self.groups.contains_key(&request.group_id) {
            return Ok(());
        }
        if request.epoch == 0 { self.check_room() } else { Err(Error::UnknownMemberId) }
    }
}

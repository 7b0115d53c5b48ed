//! One heartbeat: a member joins, stays, says what it wants and owns, and learns what it may own.

use std::collections::BTreeSet;

use super::ConsumerGroup;
use crate::step::Step;
use crate::{Assignment, Error, TopicsView};

/// The epoch of somebody who joins.
pub(super) const JOINING: i32 = 0;
/// The epoch of somebody who leaves.
pub(super) const LEAVING: i32 = -1;
/// The epoch of a static member that will be back.
pub(super) const LEAVING_FOR_A_WHILE: i32 = -2;

/// What a member says. What did not change since its last heartbeat may be absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerHeartbeat {
    /// The group.
    pub group_id: String,
    /// The member; chosen by itself, or empty to join by the first version of the protocol.
    pub member_id: String,
    /// The id of somebody who joins without one; unique, chosen by the caller because randomness is an argument.
    pub new_member_id: String,
    /// The member's epoch: 0 to join, -1 to leave, -2 for a static member that will be back.
    pub epoch: i32,
    /// `group.instance.id` of a static member.
    pub instance_id: Option<String>,
    /// `client.rack`.
    pub rack_id: Option<String>,
    /// How long it may take to give partitions back.
    pub rebalance_timeout_ms: Option<i32>,
    /// The topics it wants.
    pub topic_names: Option<BTreeSet<String>>,
    /// The pattern of topics it wants; empty to drop it.
    pub topic_pattern: Option<String>,
    /// The assignor it would like.
    pub assignor: Option<String>,
    /// What it owns.
    pub owned: Option<Assignment>,
    /// The client's own name for itself.
    pub client_id: String,
    /// Where the client comes from.
    pub client_host: String,
}

impl ConsumerHeartbeat {
    /// What cannot be right whatever the group is like.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let wrong = |reason| Err(Error::InvalidRequest { reason });
        let is_empty = |text: &Option<String>| text.as_ref().is_some_and(String::is_empty);
        let joins = self.epoch == JOINING;
        if self.epoch < LEAVING_FOR_A_WHILE {
            return wrong("the member epoch is invalid");
        }
        if self.member_id.is_empty() && !joins {
            return wrong("the member id is empty");
        }
        if self.epoch == LEAVING_FOR_A_WHILE && self.instance_id.is_none() {
            return wrong("only a static member leaves for a while");
        }
        if is_empty(&self.instance_id) || is_empty(&self.rack_id) || is_empty(&self.assignor) {
            return wrong("an instance id, rack id or assignor is empty");
        }
        if joins && self.rebalance_timeout_ms.is_none_or(|timeout_ms| timeout_ms < 0) {
            return wrong("the rebalance time-out is missing");
        }
        if joins && self.topic_names.is_none() && self.topic_pattern.is_none() {
            return wrong("a subscription is missing");
        }
        if joins && self.owned.as_ref().is_some_and(|owned| !owned.is_empty()) {
            return wrong("whoever joins owns nothing");
        }
        Ok(())
    }

    /// Whether this is the first heartbeat of a member.
    pub(crate) fn joins(&self) -> bool {
        self.epoch == JOINING
    }

    /// Everything is said, because the member joins or has lost an answer: it wants everything in return.
    fn is_full(&self) -> bool {
        let wants = self.topic_names.is_some() || self.topic_pattern.is_some();
        self.epoch == JOINING || (self.rebalance_timeout_ms.is_some() && wants && self.owned.is_some())
    }
}

/// What the member learns.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerHeartbeatReply {
    /// The member.
    pub member_id: String,
    /// The epoch that its next heartbeat must name.
    pub epoch: i32,
    /// When the next heartbeat is due.
    pub heartbeat_interval_ms: i32,
    /// What it may own; `None` if that did not change.
    pub assignment: Option<Assignment>,
}

impl ConsumerGroup {
    /// One heartbeat.
    pub(crate) fn heartbeat(
        &mut self,
        request: ConsumerHeartbeat,
        topics: &dyn TopicsView,
        step: &mut Step<'_>,
    ) -> Result<ConsumerHeartbeatReply, Error> {
        if request.epoch < JOINING {
            return self.leave(&request, step);
        }
        let full = request.is_full();
        // Somebody who joins owns nothing, whatever it had before.
        let owned =
            if request.epoch == JOINING { Some(Assignment::default()) } else { request.owned.clone() };
        let (member_id, subscription) = self.admit(request, step)?;
        self.follow_topics(subscription, topics, step);
        self.follow_epoch(step);
        let changed = self.reconcile(&member_id, owned.as_ref(), step);
        let member = self.members.get_mut(&member_id).expect("it was admitted");
        member.touch(step);
        Ok(ConsumerHeartbeatReply {
            epoch: member.current.epoch,
            heartbeat_interval_ms: step.times.heartbeat_interval_ms,
            assignment: (full || changed).then(|| member.current.assigned.clone()),
            member_id,
        })
    }
}

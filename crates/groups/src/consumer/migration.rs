//! A group that becomes one of the consumer protocol with its members, or ceases to be one.

use super::classic::profile;
use super::{ConsumerGroup, ConsumerMember, CurrentAssignment, MemberState};
use crate::classic::ClassicGroup;
use crate::consumer_protocol::{CONSUMERS, Subscription, decode_assignment, encode_assignment};
use crate::member::{Member, Waiting};
use crate::step::Step;
use crate::{Assignment, Error, JoinRequest, TopicsView};

impl ConsumerGroup {
    /// The group of these members of the classic protocol, who own what they were given last. Nothing is written yet.
    ///
    /// # Errors
    ///
    /// [`Error::GroupIdNotFound`] if they are no consumers, too many, or nobody can read what they want and have.
    pub(crate) fn from_classic(
        id: String,
        classic: &ClassicGroup,
        topics: &dyn TopicsView,
        step: &Step<'_>,
    ) -> Result<Self, Error> {
        let count = classic.members().count();
        if classic.protocol_type() != CONSUMERS || count > step.config.consumer_max_members {
            return Err(Error::GroupIdNotFound);
        }
        let mut group = Self::new(id);
        group.epoch = classic.generation();
        group.assignment_epoch = classic.generation();
        for member in classic.members() {
            group.adopt(member, &classic.metadata_of(member), topics, step)?;
        }
        Ok(group)
    }

    fn adopt(
        &mut self,
        member: &Member,
        metadata: &bytes::Bytes,
        topics: &dyn TopicsView,
        step: &Step<'_>,
    ) -> Result<(), Error> {
        let subscription = Subscription::decode(metadata).ok_or(Error::GroupIdNotFound)?;
        let given = decode_assignment(&member.assignment, topics).map_err(|_| Error::GroupIdNotFound)?;
        // A leader may have given a partition to two; here it has one owner.
        let assigned: Assignment =
            given.iter().filter(|partition| !self.held.contains_key(partition)).collect();
        let mut adopted = ConsumerMember::new(0);
        let joined = JoinRequest {
            instance_id: member.instance_id.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            session_timeout_ms: member.session_timeout_ms,
            rebalance_timeout_ms: member.rebalance_timeout_ms,
            protocols: member.protocols.clone(),
            ..JoinRequest::default()
        };
        adopted.profile = profile(joined, subscription);
        adopted.touch(step);
        if let Some(instance_id) = &member.instance_id {
            self.static_members.insert(instance_id.clone(), member.id.clone());
        }
        self.members.insert(member.id.clone(), adopted);
        self.target.insert(member.id.clone(), assigned.clone());
        let current = CurrentAssignment {
            epoch: self.epoch,
            previous_epoch: self.epoch,
            state: MemberState::Stable,
            assigned,
            revoking: Assignment::default(),
        };
        self.hold(&member.id, current);
        Ok(())
    }

    /// The members, if all of them speak the classic protocol and there is any.
    pub(crate) fn classic_members(&self, step: &Step<'_>) -> Option<Vec<Member>> {
        // Most groups have a member of the other protocol, and nothing is copied of them.
        let left_alone = self.members.values().all(|member| member.profile.classic.is_some());
        if self.members.is_empty() || !left_alone {
            return None;
        }
        let names = self.topic_names();
        self.members
            .iter()
            .map(|(member_id, member)| {
                let classic = member.profile.classic.as_ref()?;
                let subscription =
                    classic.protocols.first().and_then(|(_, metadata)| Subscription::decode(metadata));
                let version = subscription.map_or(0, |subscription| subscription.version);
                let mut left = Member {
                    id: member_id.clone(),
                    instance_id: member.profile.instance_id.clone(),
                    client_id: member.profile.client_id.clone(),
                    client_host: member.profile.client_host.clone(),
                    session_timeout_ms: classic.session_timeout_ms,
                    rebalance_timeout_ms: member.profile.rebalance_timeout_ms,
                    protocols: classic.protocols.clone(),
                    assignment: encode_assignment(version, &member.current.assigned, &names),
                    session_deadline_ms: 0,
                    waiting: Waiting::Nothing,
                    owes_sync: false,
                };
                left.touch(step.now_ms);
                Some(left)
            })
            .collect()
    }

    /// The epoch that members must have arrived at to go on.
    pub(crate) fn epoch(&self) -> i32 {
        self.epoch
    }
}

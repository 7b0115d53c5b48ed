//! Committing offsets.

use super::{Group, State, Step};
use crate::{CommitRequest, Effect, Error, Event, MemberIdentity, Outcomes};

/// Kafka's limit for names of topics.
const TOPIC_NAME_MAX: usize = 249;

impl Group {
    /// Remembers offsets; one result for each, in order.
    pub(crate) fn commit(&mut self, request: CommitRequest, step: &mut Step<'_>) -> Result<Outcomes, Error> {
        self.may_commit(&request.member)?;
        self.touch(&request.member.member_id, step.now_ms);
        let metadata_max = step.config.max_offset_metadata_bytes.min(i16::MAX as usize);
        let mut results = Vec::with_capacity(request.offsets.len());
        for (topic, partition_index, committed) in request.offsets {
            if committed.metadata.len() > metadata_max || topic.len() > TOPIC_NAME_MAX {
                results.push(Err(Error::OffsetMetadataTooLarge));
                continue;
            }
            self.offsets.set(&topic, partition_index, committed.clone());
            step.effects.push(Effect::Persist(Event::Offset {
                group_id: self.id.clone(),
                topic,
                partition_index,
                committed: Some(committed),
            }));
            results.push(Ok(()));
        }
        Ok(results)
    }

    /// Members commit in their generation; somebody who assigns partitions by hand commits without one, as
    /// long as nobody is a member.
    fn may_commit(&self, member: &MemberIdentity) -> Result<(), Error> {
        if member.generation < 0 && member.member_id.is_empty() && member.instance_id.is_none() {
            return if self.members.is_empty() { Ok(()) } else { Err(Error::UnknownMemberId) };
        }
        self.identify_in_generation(member)?;
        match self.state {
            State::CompletingRebalance => Err(Error::RebalanceInProgress),
            State::Empty | State::PreparingRebalance | State::Stable => Ok(()),
        }
    }
}

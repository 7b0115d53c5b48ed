//! Committing offsets, at once or by a transaction, and forgetting them.

use super::{Group, Membership};
use crate::offsets::Manner;
use crate::step::Step;
use crate::{CommitRequest, CommittedOffset, Config, Error, Event, MemberIdentity, Outcomes};

/// Kafka's limit for names of topics.
const TOPIC_NAME_MAX: usize = 249;

impl Group {
    /// Remembers offsets; one result for each, in order.
    pub(crate) fn commit(&mut self, request: CommitRequest, step: &mut Step<'_>) -> Result<Outcomes, Error> {
        self.admit_commit(&request.member, Manner::Plain, step)?;
        let mut outcomes = Vec::with_capacity(request.offsets.len());
        for (topic, index, committed) in request.offsets {
            let checked = check(&topic, &committed, step.config);
            if checked.is_ok() {
                self.settle(&topic, index, committed, step);
            }
            outcomes.push(checked);
        }
        Ok(outcomes)
    }

    /// Remembers what to commit when the producer's transaction ends; one result for each, in order.
    pub(crate) fn commit_transactional(
        &mut self,
        request: CommitRequest,
        producer_id: i64,
        step: &mut Step<'_>,
    ) -> Result<Outcomes, Error> {
        self.admit_commit(&request.member, Manner::Transactional, step)?;
        let mut outcomes = Vec::with_capacity(request.offsets.len());
        for (topic, index, committed) in request.offsets {
            let checked = check(&topic, &committed, step.config);
            if checked.is_ok() {
                self.offsets.pending.set(&topic, index, producer_id, committed.clone());
                step.persist(self.pending_event(&topic, index, producer_id, Some(committed)));
            }
            outcomes.push(checked);
        }
        Ok(outcomes)
    }

    fn admit_commit(
        &mut self,
        member: &MemberIdentity,
        manner: Manner,
        step: &Step<'_>,
    ) -> Result<(), Error> {
        match &mut self.members {
            Membership::Classic(classic) => {
                classic.may_commit(member, manner)?;
                classic.touch(&member.member_id, step.now_ms);
                Ok(())
            }
            Membership::Consumer(consumer) => {
                // Producers know the older name only.
                let stale = |error| match (manner, error) {
                    (Manner::Transactional, Error::StaleMemberEpoch) => Error::IllegalGeneration,
                    (Manner::Transactional | Manner::Plain, error) => error,
                };
                consumer.may_commit(member, manner).map_err(stale)
            }
        }
    }

    /// The producer's transaction is decided. Doing it again changes nothing.
    pub(crate) fn end_transaction(&mut self, producer_id: i64, commit: bool, step: &mut Step<'_>) {
        for (topic, index, committed) in self.offsets.pending.of_producer(producer_id) {
            if commit {
                self.move_to(&topic, index, committed, step);
            }
            // Whoever asked before a transaction that was committed would move the position back.
            let producers = self.offsets.pending.producers(&topic, index);
            let own = producers.iter().position(|one| *one == producer_id).unwrap_or_default();
            let first = if commit { 0 } else { own };
            for superseded in &producers[first..=own] {
                self.drop_pending(&topic, index, *superseded, step);
            }
        }
    }

    /// A position that counts at once; open transactions that asked before cannot move it back.
    fn settle(&mut self, topic: &str, index: i32, committed: CommittedOffset, step: &mut Step<'_>) {
        self.move_to(topic, index, committed, step);
        for producer_id in self.offsets.pending.producers(topic, index) {
            self.drop_pending(topic, index, producer_id, step);
        }
    }

    fn move_to(&mut self, topic: &str, index: i32, committed: CommittedOffset, step: &mut Step<'_>) {
        self.offsets.set(topic, index, committed.clone());
        step.persist(self.offset_event(topic, index, Some(committed)));
    }

    fn drop_pending(&mut self, topic: &str, index: i32, producer_id: i64, step: &mut Step<'_>) {
        self.offsets.pending.remove(topic, index, producer_id);
        step.persist(self.pending_event(topic, index, producer_id, None));
    }

    /// Forgets a position and what transactions would make of it. Says whether there was something.
    pub(crate) fn forget_offset(&mut self, topic: &str, index: i32, step: &mut Step<'_>) -> bool {
        let producers = self.offsets.pending.producers(topic, index);
        let known = self.offsets.get(topic, index).is_some();
        for producer_id in &producers {
            self.drop_pending(topic, index, *producer_id, step);
        }
        if known {
            self.offsets.remove(topic, index);
            step.persist(self.offset_event(topic, index, None));
        }
        known || !producers.is_empty()
    }

    /// Forgets single positions by an administrator's wish; one result for each, in order.
    pub(crate) fn delete_offsets(
        &mut self,
        partitions: &[(String, i32)],
        step: &mut Step<'_>,
    ) -> Result<Outcomes, Error> {
        let mut outcomes = Vec::with_capacity(partitions.len());
        for (topic, index) in partitions {
            let read = match &self.members {
                Membership::Classic(classic) if classic.is_empty() => false,
                Membership::Classic(classic) => classic.reads(topic).ok_or(Error::NonEmptyGroup)?,
                Membership::Consumer(consumer) => consumer.reads(topic),
            };
            if read {
                outcomes.push(Err(Error::GroupSubscribedToTopic));
                continue;
            }
            self.forget_offset(topic, *index, step);
            outcomes.push(Ok(()));
        }
        Ok(outcomes)
    }

    pub(crate) fn forget_topic(&mut self, topic: &str, step: &mut Step<'_>) {
        for (name, index) in self.offsets.positions() {
            if name == topic {
                self.forget_offset(topic, index, step);
            }
        }
    }

    fn offset_event(&self, topic: &str, index: i32, committed: Option<CommittedOffset>) -> Event {
        Event::Offset {
            group_id: self.id.clone(),
            topic: topic.to_owned(),
            partition_index: index,
            committed,
        }
    }

    fn pending_event(
        &self,
        topic: &str,
        index: i32,
        producer_id: i64,
        committed: Option<CommittedOffset>,
    ) -> Event {
        Event::PendingOffset {
            producer_id,
            group_id: self.id.clone(),
            topic: topic.to_owned(),
            partition_index: index,
            committed,
        }
    }
}

fn check(topic: &str, committed: &CommittedOffset, config: &Config) -> Result<(), Error> {
    let metadata_max = config.max_offset_metadata_bytes.min(i16::MAX as usize);
    if committed.metadata.len() > metadata_max || topic.len() > TOPIC_NAME_MAX {
        return Err(Error::OffsetMetadataTooLarge);
    }
    Ok(())
}

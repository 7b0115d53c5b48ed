//! What groups commit, and how it is forgotten.

use super::{Groups, check_group_id};
use crate::step::Step;
use crate::{CommitRequest, Effect, Error, MemberIdentity, Offsets, Outcomes, TransactionalProducer};

type Committed = Result<(Vec<Effect>, Outcomes), Error>;

impl Groups {
    /// Remembers offsets; one result for each, in order. They count as committed once the effects are durable.
    ///
    /// # Errors
    ///
    /// When the whole request is refused, because the speaker is not in the present generation.
    pub fn commit(&mut self, request: CommitRequest, now_ms: i64) -> Committed {
        self.check_commit(&request)?;
        let group_id = request.group_id.clone();
        let committed = self.step_or_create(&group_id, now_ms, |group, step| group.commit(request, step));
        self.committed(&group_id, committed)
    }

    /// Remembers offsets that are committed when the producer's transaction is; one result for each, in order. Until
    /// then the present positions are unstable. The transaction coordinator has checked the producer before.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidProducerEpoch`] from a producer whose transaction was ended by a newer epoch; else as
    /// [`Groups::commit`], where the member may be left out.
    pub fn commit_transactional(
        &mut self,
        request: CommitRequest,
        producer: TransactionalProducer,
        now_ms: i64,
    ) -> Committed {
        self.check_commit(&request)?;
        if self.producers.is_fenced(producer) {
            return Err(Error::InvalidProducerEpoch);
        }
        let group_id = request.group_id.clone();
        let committed = self.step_or_create(&group_id, now_ms, |group, step| {
            group.commit_transactional(request, producer.id, step)
        });
        if committed.1.is_ok() {
            self.producers.open(producer.id, &group_id);
        }
        self.committed(&group_id, committed)
    }

    /// A producer's transaction is decided: its offsets are committed in every group, or dropped. Doing it again
    /// changes nothing, so that it can be repeated after a crash.
    pub fn end_transaction(
        &mut self,
        producer: TransactionalProducer,
        commit: bool,
        now_ms: i64,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        for group_id in self.producers.end(producer) {
            let ended = |group: &mut crate::group::Group, step: &mut Step<'_>| {
                group.end_transaction(producer.id, commit, step);
            };
            effects.extend(self.step(&group_id, now_ms, ended).map(|(more, ())| more).unwrap_or_default());
            self.forget_if_unused(&group_id);
        }
        effects
    }

    fn check_commit(&self, request: &CommitRequest) -> Result<(), Error> {
        check_group_id(&request.group_id)?;
        if self.groups.contains_key(&request.group_id) {
            return Ok(());
        }
        if request.member.generation >= 0 {
            return Err(Error::IllegalGeneration);
        }
        self.check_room()
    }

    fn committed(&mut self, group_id: &str, done: (Vec<Effect>, Result<Outcomes, Error>)) -> Committed {
        self.forget_if_unused(group_id);
        let (effects, outcomes) = done;
        outcomes.map(|outcomes| (effects, outcomes))
    }

    /// Whether whoever names itself a member may ask for the group's offsets.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownMemberId`] or [`Error::StaleMemberEpoch`] in a group of the consumer protocol.
    pub fn may_fetch(&self, group_id: &str, member: &MemberIdentity) -> Result<(), Error> {
        self.groups.get(group_id).map_or(Ok(()), |group| group.may_fetch(member))
    }

    /// What a group has committed; `None` for a group that nobody has heard of.
    #[must_use]
    pub fn offsets(&self, group_id: &str) -> Option<&Offsets> {
        self.groups.get(group_id).map(|group| &group.offsets)
    }

    /// Forgets single positions; one result for each, in order. A position that there is not is forgotten, too.
    ///
    /// # Errors
    ///
    /// [`Error::GroupIdNotFound`]; [`Error::NonEmptyGroup`] when members are there of whom it is not known what
    /// they read. A single one fails with [`Error::GroupSubscribedToTopic`].
    pub fn delete_offsets(&mut self, group_id: &str, partitions: &[(String, i32)], now_ms: i64) -> Committed {
        check_group_id(group_id)?;
        let deleted = self.step(group_id, now_ms, |group, step| group.delete_offsets(partitions, step));
        let deleted = deleted.ok_or(Error::GroupIdNotFound)?;
        self.committed(group_id, deleted)
    }

    /// Forgets a group with its offsets.
    ///
    /// # Errors
    ///
    /// [`Error::GroupIdNotFound`], or [`Error::NonEmptyGroup`] while it has members.
    pub fn delete(&mut self, group_id: &str, now_ms: i64) -> Result<Vec<Effect>, Error> {
        let deleted = self.step(group_id, now_ms, crate::group::Group::delete);
        let (effects, deleted) = deleted.ok_or(Error::GroupIdNotFound)?;
        deleted?;
        self.forget(group_id);
        Ok(effects)
    }

    /// Forgets what all groups have committed for a topic that is no more.
    pub fn forget_topic(&mut self, topic: &str, now_ms: i64) -> Vec<Effect> {
        let group_ids: Vec<String> = self.groups.keys().cloned().collect();
        let mut effects = Vec::new();
        for group_id in group_ids {
            let forgotten = self.step(&group_id, now_ms, |group, step| group.forget_topic(topic, step));
            effects.extend(forgotten.map(|(more, ())| more).unwrap_or_default());
            self.forget_if_unused(&group_id);
        }
        effects
    }

    /// Forgets positions that nobody has used for longer than the retention, and groups of which nothing is left.
    pub fn expire(&mut self, now_ms: i64) -> Vec<Effect> {
        let group_ids: Vec<String> = self.groups.keys().cloned().collect();
        let mut effects = Vec::new();
        for group_id in group_ids {
            let expired = self.step(&group_id, now_ms, |group, step| {
                let over = group.expire(step);
                if over { group.delete(step).is_ok() } else { false }
            });
            let Some((more, over)) = expired else { continue };
            effects.extend(more);
            if over {
                self.forget(&group_id);
            }
        }
        effects
    }
}

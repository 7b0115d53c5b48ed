//! What is written down of a group, and taken over at the start.

use super::member::ConsumerMember;
use super::{ConsumerGroup, CurrentAssignment};
use crate::step::Step;
use crate::{Assignment, ConsumerEvent, Event};

impl ConsumerGroup {
    fn persist(&self, event: ConsumerEvent, step: &mut Step<'_>) {
        step.persist(Event::Consumer { group_id: self.id.clone(), event });
    }

    pub(super) fn persist_group(&self, step: &mut Step<'_>) {
        let epoch = Some((self.epoch, self.subscribed.digest));
        self.persist(ConsumerEvent::Group { epoch }, step);
    }

    pub(super) fn persist_profile(&self, member_id: &str, step: &mut Step<'_>) {
        let profile = Some(self.members[member_id].profile.clone());
        self.persist(ConsumerEvent::Member { member_id: member_id.to_owned(), profile }, step);
    }

    pub(super) fn persist_current(&self, member_id: &str, step: &mut Step<'_>) {
        let current = Some(self.members[member_id].current.clone());
        self.persist(ConsumerEvent::Current { member_id: member_id.to_owned(), current }, step);
    }

    pub(super) fn persist_target(&self, member_id: &str, target: &Assignment, step: &mut Step<'_>) {
        let assignment = Some(target.clone());
        self.persist(ConsumerEvent::Target { member_id: member_id.to_owned(), assignment }, step);
    }

    pub(super) fn persist_target_epoch(&self, step: &mut Step<'_>) {
        self.persist(ConsumerEvent::TargetEpoch { epoch: Some(self.assignment_epoch) }, step);
    }

    pub(super) fn persist_removal(&self, member_id: &str, step: &mut Step<'_>) {
        let member_id = || member_id.to_owned();
        self.persist(ConsumerEvent::Current { member_id: member_id(), current: None }, step);
        self.persist(ConsumerEvent::Target { member_id: member_id(), assignment: None }, step);
        self.persist(ConsumerEvent::Member { member_id: member_id(), profile: None }, step);
    }

    /// Writes down all that there is of a group of which nothing was written.
    pub(crate) fn persist_all(&self, step: &mut Step<'_>) {
        if self.members.is_empty() {
            return;
        }
        self.persist_group(step);
        for (member_id, target) in &self.target {
            self.persist_profile(member_id, step);
            self.persist_target(member_id, target, step);
            self.persist_current(member_id, step);
        }
        self.persist_target_epoch(step);
    }

    /// Takes the group's traces off the disk.
    pub(crate) fn erase(&self, step: &mut Step<'_>) {
        self.members.keys().for_each(|member_id| self.persist_removal(member_id, step));
        self.persist(ConsumerEvent::TargetEpoch { epoch: None }, step);
        self.persist(ConsumerEvent::Group { epoch: None }, step);
    }

    /// Takes over what was written.
    pub(crate) fn restore(&mut self, event: ConsumerEvent) {
        match event {
            ConsumerEvent::Group { epoch } => {
                (self.epoch, self.subscribed.digest) = epoch.unwrap_or_default();
            }
            ConsumerEvent::TargetEpoch { epoch } => self.assignment_epoch = epoch.unwrap_or_default(),
            ConsumerEvent::Target { member_id, assignment: Some(assignment) } => {
                self.target.insert(member_id, assignment);
            }
            ConsumerEvent::Target { member_id, assignment: None } => {
                self.target.remove(&member_id);
            }
            ConsumerEvent::Member { member_id, profile: Some(profile) } => {
                if let Some(instance_id) = &profile.instance_id {
                    self.static_members.insert(instance_id.clone(), member_id.clone());
                }
                self.restored_member(member_id).profile = profile;
            }
            ConsumerEvent::Member { member_id, profile: None } => {
                self.release(&member_id);
                if let Some(member) = self.members.remove(&member_id) {
                    let instance_id = member.profile.instance_id;
                    instance_id.map(|instance_id| self.static_members.remove(&instance_id));
                }
            }
            ConsumerEvent::Current { member_id, current } => {
                if current.is_some() {
                    self.restored_member(member_id.clone());
                }
                if self.members.contains_key(&member_id) {
                    self.restore_current(&member_id, current.unwrap_or_default());
                }
            }
        }
    }

    fn restored_member(&mut self, member_id: String) -> &mut ConsumerMember {
        self.members.entry(member_id).or_insert_with(|| ConsumerMember::new(i64::MAX))
    }

    /// The log decides; should it contradict itself after a rotten range, the later record has the partition.
    fn restore_current(&mut self, member_id: &str, current: CurrentAssignment) {
        let claims: Vec<_> = current.assigned.iter().chain(current.revoking.iter()).collect();
        for (topic_id, index) in claims {
            let Some(holder) = self.held.get(&(topic_id, index)).filter(|holder| *holder != member_id) else {
                continue;
            };
            let member = self.members.get_mut(holder).expect("holders are members");
            member.current.assigned.remove(topic_id, index);
            member.current.revoking.remove(topic_id, index);
            self.held.remove(&(topic_id, index));
        }
        self.hold(member_id, current);
    }

    /// Ends the replay: members get a whole session to be heard of, and all their time to give partitions back.
    pub(crate) fn restored(&mut self, step: &Step<'_>) {
        for member in self.members.values_mut() {
            member.touch(step);
            member.await_revocation(step.now_ms);
        }
    }
}

//! One group of the consumer protocol (KIP-848): the broker shares the partitions out.
//!
//! Three epochs follow one another. The *group epoch* rises when what there is to share out changes: members,
//! subscriptions, topics. The *assignment epoch* is the group epoch that the target was made for. Each member's epoch
//! is the assignment epoch that it has arrived at, step by step: first it gives back, then it takes what others have
//! given back.
//!
//! ```text
//!            target ≠ owned               gave back                 others gave back
//!   Stable ───────────────▶ Unrevoked ───────────────▶ Unreleased ───────────────────▶ Stable
//!                             own epoch                 target epoch                    target epoch
//! ```

mod admission;
mod classic;
mod commit;
mod describe;
mod heartbeat;
mod leave;
mod member;
mod migration;
mod reconciliation;
mod records;
mod subscription;
mod target;
mod timer;

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::Assignment;
use crate::step::Step;
pub use describe::{ConsumerGroupDescription, ConsumerMemberDescription, ConsumerState};
pub use heartbeat::{ConsumerHeartbeat, ConsumerHeartbeatReply};
use member::ConsumerMember;
pub use member::{ClassicProtocols, CurrentAssignment, MemberProfile, MemberState};
use subscription::Subscribed;

/// One group of the consumer protocol.
#[derive(Debug)]
pub(crate) struct ConsumerGroup {
    id: String,
    epoch: i32,
    assignment_epoch: i32,
    members: BTreeMap<String, ConsumerMember>,
    /// `group.instance.id` to member id.
    static_members: BTreeMap<String, String>,
    /// What each member is to own.
    target: BTreeMap<String, Assignment>,
    /// Who owns a partition, or has not given it back yet.
    held: BTreeMap<(Uuid, i32), String>,
    subscribed: Subscribed,
}

impl ConsumerGroup {
    pub(crate) fn new(id: String) -> Self {
        Self {
            id,
            epoch: 0,
            assignment_epoch: 0,
            members: BTreeMap::new(),
            static_members: BTreeMap::new(),
            target: BTreeMap::new(),
            held: BTreeMap::new(),
            subscribed: Subscribed::default(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Nothing was ever written of it.
    pub(crate) fn is_unknown(&self) -> bool {
        self.epoch == 0
    }

    /// Something to share out has changed.
    fn begin_epoch(&mut self, step: &mut Step<'_>) {
        self.epoch = self.epoch.saturating_add(1);
        self.persist_group(step);
    }

    /// Lets a member own and give back what `current` says; nobody else may have any of it.
    fn hold(&mut self, member_id: &str, current: CurrentAssignment) {
        self.release(member_id);
        for partition in current.assigned.iter().chain(current.revoking.iter()) {
            let before = self.held.insert(partition, member_id.to_owned());
            assert!(before.is_none(), "partition {partition:?} of group {} has two owners", self.id);
        }
        let member = self.members.get_mut(member_id).expect("only members own partitions");
        member.current = current;
    }

    fn release(&mut self, member_id: &str) {
        let Some(member) = self.members.get(member_id) else { return };
        for partition in member.current.assigned.iter().chain(member.current.revoking.iter()) {
            self.held.remove(&partition);
        }
    }

    /// Takes a member out; what it owned is free.
    fn remove(&mut self, member_id: &str, step: &mut Step<'_>) {
        self.release(member_id);
        let Some(member) = self.members.remove(member_id) else { return };
        if let Some(instance_id) = &member.profile.instance_id {
            self.static_members.remove(instance_id);
        }
        self.target.remove(member_id);
        self.persist_removal(member_id, step);
    }
}

//! Who may commit offsets, and ask for them.

use super::ConsumerGroup;
use crate::offsets::Manner;
use crate::{Error, MemberIdentity};

impl ConsumerGroup {
    /// Members commit in their epoch; an administrator without one, as long as nobody is a member.
    pub(crate) fn may_commit(&self, member: &MemberIdentity, manner: Manner) -> Result<(), Error> {
        if member.generation < 0 && self.members.is_empty() {
            return Ok(());
        }
        let anonymous = member.generation < 0 && member.member_id.is_empty() && member.instance_id.is_none();
        if manner == Manner::Transactional && anonymous {
            return Ok(());
        }
        self.identify(&member.member_id, member.generation)
    }

    /// Whoever names itself when it asks for offsets must be a member; everybody else may ask, too.
    pub(crate) fn may_fetch(&self, member: &MemberIdentity) -> Result<(), Error> {
        if member.generation < 0 && member.member_id.is_empty() {
            return Ok(());
        }
        self.identify(&member.member_id, member.generation)
    }

    fn identify(&self, member_id: &str, epoch: i32) -> Result<(), Error> {
        let member = self.members.get(member_id).ok_or(Error::UnknownMemberId)?;
        match &member.profile.classic {
            _ if member.current.epoch == epoch => Ok(()),
            Some(_) => Err(Error::IllegalGeneration),
            None => Err(Error::StaleMemberEpoch),
        }
    }
}

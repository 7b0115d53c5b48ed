//! Who may commit offsets.

use super::{ClassicGroup, State};
use crate::offsets::Manner;
use crate::{Error, MemberIdentity};

impl ClassicGroup {
    /// Members commit in their generation; somebody who assigns partitions by hand commits without one, as
    /// long as nobody is a member. In a transaction a member's name is optional (it came with KIP-447), and a
    /// rebalance does not stand in the way.
    pub(crate) fn may_commit(&self, member: &MemberIdentity, manner: Manner) -> Result<(), Error> {
        if member.generation < 0 && self.state == State::Empty {
            return Ok(());
        }
        let anonymous = member.generation < 0 && member.member_id.is_empty() && member.instance_id.is_none();
        match manner {
            Manner::Transactional if anonymous => return Ok(()),
            Manner::Plain if anonymous => return Err(Error::UnknownMemberId),
            Manner::Plain | Manner::Transactional => {}
        }
        self.identify_in_generation(member)?;
        match self.state {
            State::CompletingRebalance if manner == Manner::Plain => Err(Error::RebalanceInProgress),
            State::Empty | State::PreparingRebalance | State::CompletingRebalance | State::Stable => Ok(()),
        }
    }
}

//! The groups as administrators see them.

use super::Groups;
use crate::group::Membership;
use crate::{ConsumerGroupDescription, Description};

/// By which protocol the members of a group agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupType {
    /// They assign by themselves, or there are only offsets.
    Classic,
    /// The broker assigns (KIP-848).
    Consumer,
}

impl GroupType {
    /// The name that Kafka's tools show.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Consumer => "consumer",
        }
    }
}

/// One line of `ListGroups`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The group.
    pub group_id: String,
    /// Its protocol type, empty if it only keeps offsets.
    pub protocol_type: String,
    /// Where it stands, by Kafka's name.
    pub state: &'static str,
    /// By which protocol its members agree.
    pub group_type: GroupType,
}

impl Groups {
    /// One group of the classic protocol in detail.
    #[must_use]
    pub fn describe(&self, group_id: &str) -> Option<Description> {
        match &self.groups.get(group_id)?.members {
            Membership::Classic(classic) => Some(classic.describe()),
            Membership::Consumer(_) => None,
        }
    }

    /// One group of the consumer protocol in detail.
    #[must_use]
    pub fn describe_consumer(&self, group_id: &str) -> Option<ConsumerGroupDescription> {
        match &self.groups.get(group_id)?.members {
            Membership::Classic(_) => None,
            Membership::Consumer(consumer) => Some(consumer.describe(&self.config)),
        }
    }

    /// All groups.
    pub fn list(&self) -> impl Iterator<Item = Listing> {
        self.groups.iter().map(|(group_id, group)| {
            let (protocol_type, state, group_type) = match &group.members {
                Membership::Classic(classic) => {
                    (classic.protocol_type(), classic.state().name(), GroupType::Classic)
                }
                Membership::Consumer(consumer) => ("consumer", consumer.state().name(), GroupType::Consumer),
            };
            Listing { group_id: group_id.clone(), protocol_type: protocol_type.to_owned(), state, group_type }
        })
    }
}

//! Why a request of a group member was refused.

/// What the caller should do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request itself is wrong; repeating it does not help.
    Invalid,
    /// The group or member does not exist (any more).
    NotFound,
    /// Somebody else took the place, or the state forbids it.
    Conflict,
    /// Join or ask again.
    Retry,
}

/// Why a request of a group member was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Group ids must not be empty.
    #[error("the group id is empty")]
    InvalidGroupId,
    /// The session time-out is outside the broker's bounds.
    #[error("the session time-out is outside the allowed range")]
    InvalidSessionTimeout,
    /// The member shares no protocol, or not the protocol type, with the group.
    #[error("the member's protocols do not fit those of the group")]
    InconsistentGroupProtocol,
    /// The member must join again with the id it was just given.
    #[error("join again with the member id of this answer")]
    MemberIdRequired,
    /// Nobody of this id is in the group.
    #[error("no such member in the group")]
    UnknownMemberId,
    /// Another member took over this `group.instance.id`.
    #[error("another member has taken over this group.instance.id")]
    FencedInstanceId,
    /// The request names a generation that is not the present one.
    #[error("the generation is not the present one")]
    IllegalGeneration,
    /// The group is being put together anew: join again.
    #[error("the group is rebalancing")]
    RebalanceInProgress,
    /// The group, or the table of groups, is full.
    #[error("the group has reached its maximum size")]
    GroupMaxSizeReached,
    /// What the leader assigned does not fit into one record.
    #[error("the group's metadata is too large to be stored")]
    GroupTooLarge,
    /// The metadata of a committed offset is too long.
    #[error("the metadata of a committed offset is too long")]
    OffsetMetadataTooLarge,
    /// The group still has members.
    #[error("the group still has members")]
    NonEmptyGroup,
    /// No group of this id.
    #[error("no such group")]
    GroupIdNotFound,
    /// The member's epoch is neither the present one nor the one before: give everything up and join again.
    #[error("the member epoch is not the present one")]
    FencedMemberEpoch,
    /// The epoch of a commit is not the member's present one.
    #[error("the member epoch of the commit is not the present one")]
    StaleMemberEpoch,
    /// The static member of this `group.instance.id` has not left.
    #[error("another member still has this group.instance.id")]
    UnreleasedInstanceId,
    /// The assignor is not among those of this broker.
    #[error("the assignor is not known here: uniform and range are")]
    UnsupportedAssignor,
    /// The pattern of topics cannot be understood, or is too large.
    #[error("the regular expression of topics cannot be compiled")]
    InvalidRegularExpression,
    /// The request contradicts itself.
    #[error("{reason}")]
    InvalidRequest {
        /// What is wrong.
        reason: &'static str,
    },
    /// Groups have no setting of this name.
    #[error("groups have no setting of this name")]
    UnknownSetting,
    /// The value is no number, or out of its bounds.
    #[error("the value is no number, out of its bounds, or beats less often than the session allows")]
    InvalidSetting,
    /// Members of the group read this topic, so its offsets stay.
    #[error("the group is subscribed to the topic")]
    GroupSubscribedToTopic,
    /// A newer epoch of the producer has ended the transaction.
    #[error("the producer's epoch is older than that of an ended transaction")]
    InvalidProducerEpoch,
}

impl Error {
    /// What the caller should do.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::InvalidGroupId
            | Self::InvalidSessionTimeout
            | Self::InconsistentGroupProtocol
            | Self::GroupTooLarge
            | Self::UnsupportedAssignor
            | Self::InvalidRegularExpression
            | Self::InvalidRequest { .. }
            | Self::UnknownSetting
            | Self::InvalidSetting
            | Self::OffsetMetadataTooLarge => Kind::Invalid,
            Self::UnknownMemberId | Self::GroupIdNotFound => Kind::NotFound,
            Self::FencedInstanceId
            | Self::UnreleasedInstanceId
            | Self::GroupMaxSizeReached
            | Self::NonEmptyGroup
            | Self::GroupSubscribedToTopic
            | Self::InvalidProducerEpoch => Kind::Conflict,
            Self::MemberIdRequired
            | Self::IllegalGeneration
            | Self::FencedMemberEpoch
            | Self::StaleMemberEpoch
            | Self::RebalanceInProgress => Kind::Retry,
        }
    }
}

//! What members ask, what they are answered, and what else has to happen.

use bytes::Bytes;

use crate::{CommittedOffset, Error, Event};

/// The caller's mark for a request whose answer may come later, in an [`Effect`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// A member asks to be part of the next generation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JoinRequest {
    /// The group.
    pub group_id: String,
    /// Empty for somebody new.
    pub member_id: String,
    /// `group.instance.id` of a static member.
    pub instance_id: Option<String>,
    /// The id that somebody new will get; unique, chosen by the caller because randomness is an argument.
    pub new_member_id: String,
    /// The client's own name for itself.
    pub client_id: String,
    /// Where the client comes from.
    pub client_host: String,
    /// After this silence the member counts as gone.
    pub session_timeout_ms: i32,
    /// How long the group waits for this member in a rebalance.
    pub rebalance_timeout_ms: i32,
    /// `consumer` for consumers, `connect` for workers of Kafka Connect.
    pub protocol_type: String,
    /// Name and metadata of each assignment strategy, the preferred one first.
    pub protocols: Vec<(String, Bytes)>,
    /// The client knows the handshake of KIP-394: give it an id first, then let it join.
    pub requires_known_member_id: bool,
    /// The client knows `skip_assignment` of KIP-814.
    pub supports_skipping_assignment: bool,
}

/// A member is in.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinReply {
    /// The generation that the member is part of.
    pub generation: i32,
    /// The group's protocol type.
    pub protocol_type: String,
    /// The strategy that was chosen.
    pub protocol: String,
    /// Member id of the leader.
    pub leader: String,
    /// The member's own id.
    pub member_id: String,
    /// The leader must not assign: the assignment stays as it is.
    pub skip_assignment: bool,
    /// All members with their metadata for the leader, empty for the others.
    pub members: Vec<JoinedMember>,
}

/// What the leader learns of one member.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinedMember {
    /// The member.
    pub member_id: String,
    /// Its `group.instance.id`.
    pub instance_id: Option<String>,
    /// Its metadata for the chosen protocol.
    pub metadata: Bytes,
}

/// A member is not in.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinRefusal {
    /// Why.
    pub error: Error,
    /// The id to join with after [`Error::MemberIdRequired`], else the id that was sent.
    pub member_id: String,
}

/// Who speaks, in requests of somebody who joined before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemberIdentity {
    /// The member.
    pub member_id: String,
    /// Its `group.instance.id`.
    pub instance_id: Option<String>,
    /// The generation it believes in; negative for those who only commit.
    pub generation: i32,
}

/// A member asks for its assignment; the leader brings everybody's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SyncRequest {
    /// The group.
    pub group_id: String,
    /// Who asks.
    pub member: MemberIdentity,
    /// What the member believes the type to be, if it says so.
    pub protocol_type: Option<String>,
    /// What the member believes the protocol to be, if it says so.
    pub protocol: Option<String>,
    /// The leader's assignment by member id.
    pub assignments: Vec<(String, Bytes)>,
}

/// A member's assignment.
#[derive(Clone, Debug, PartialEq)]
pub struct SyncReply {
    /// The group's protocol type.
    pub protocol_type: String,
    /// The strategy in use.
    pub protocol: String,
    /// What the leader gave to this member.
    pub assignment: Bytes,
}

/// Members leave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeaveRequest {
    /// The group.
    pub group_id: String,
    /// Who leaves.
    pub members: Vec<LeavingMember>,
}

/// One who leaves: by id, or a static member by instance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeavingMember {
    /// The member, or empty when the instance is named.
    pub member_id: String,
    /// The static member's instance.
    pub instance_id: Option<String>,
}

/// Offsets to remember.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CommitRequest {
    /// The group.
    pub group_id: String,
    /// Who commits; the default for those who assign partitions to themselves.
    pub member: MemberIdentity,
    /// Topic, partition, offset.
    pub offsets: Vec<(String, i32, CommittedOffset)>,
}

/// A producer with a transaction, whose offsets count when the transaction is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionalProducer {
    /// The producer id.
    pub id: i64,
    /// Its epoch; a lower one than that of an ended transaction is fenced.
    pub epoch: i16,
}

/// One result for each thing asked, in order.
pub type Outcomes = Vec<Result<(), Error>>;

/// What has to happen after a request or the passing of time, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Answer a join.
    Joined {
        /// The join's ticket.
        ticket: Ticket,
        /// Its answer.
        reply: Result<JoinReply, JoinRefusal>,
    },
    /// Answer a sync.
    Synced {
        /// The sync's ticket.
        ticket: Ticket,
        /// Its answer.
        reply: Result<SyncReply, Error>,
    },
    /// Write this down durably before any later effect leaves the house.
    Persist(Event),
}

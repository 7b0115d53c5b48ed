//! Consumer groups and transactions as pure state machines.
//!
//! A group is a set of members that share topics. By the classic protocol they do it by themselves: one of them,
//! the leader, hands out the partitions, and the broker only counts generations. By the consumer protocol
//! (KIP-848) the broker hands them out, and leads each member from what it owns to what it is to own. Either
//! way somebody fences those who are late and keeps what was committed. This crate is that somebody: [`Groups`]
//! holds every group, takes one request at a time with the present time, and returns what has to happen as
//! [`Effect`]s: replies to requests that waited, and [`Event`]s to write before those replies leave.
//! [`transactions`] does the same for transactional producers.
//!
//! ```
//! use groups::{Config, Effect, Groups, JoinRequest, Ticket};
//!
//! let mut groups = Groups::new(Config::default());
//! let request = JoinRequest {
//!     group_id: "readers".into(),
//!     new_member_id: "client-1".into(),
//!     protocol_type: "consumer".into(),
//!     protocols: vec![("range".into(), Default::default())],
//!     session_timeout_ms: 10_000,
//!     rebalance_timeout_ms: 60_000,
//!     ..JoinRequest::default()
//! };
//! let effects = groups.join(request, Ticket(1), &(), 0);
//! let [Effect::Joined { reply: Ok(joined), .. }] = &effects[..] else { panic!() };
//! assert_eq!((joined.generation, joined.leader.as_str()), (1, "client-1"));
//! ```
//!
//! # Limits
//!
//! [`Config`] bounds the members of a group, the bytes a member may bring along, the groups altogether and
//! the length of a committed offset's metadata. Time-outs are deadlines that [`Groups::tick`] looks at;
//! [`Groups::next_deadline`] says when to call it.
//!
//! # What it deliberately does not know
//!
//! No socket, no clock, no disk, no Kafka message: doors translate. Which topics exist is
//! an argument, too ([`TopicsView`]). It does not know what the metadata of classic members means, beyond the
//! names of topics and partitions in it.
//!
//! # Reading order
//!
//! `groups` (all groups, the entry) → `group` (one group and its offsets) → `classic` (members that assign by
//! themselves) → `classic/join`, `sync`, `leave`, `timer` (their requests); `consumer` (members that are assigned to) →
//! `consumer/heartbeat` (their one request, step by step) → `admission`, `subscription`, `target`, `reconciliation` (the
//! steps), with `assignor`; `group/migration` (from one protocol to the other with members) and `consumer/classic` (the
//! classic protocol in a group of the other one); then `event` (what is written, in the layout of Kafka's `__consumer_offsets`).
//! [`transactions`] stands apart, with a page of its own.

mod assignment;
mod assignor;
mod classic;
mod config;
mod consumer;
mod consumer_protocol;
mod error;
mod event;
mod group;
mod groups;
mod member;
mod offsets;
mod request;
mod settings;
mod step;
mod topics_view;
pub mod transactions;

pub use assignment::Assignment;
pub use assignor::Assignor;
pub use classic::{Description, State};
pub use config::{Config, MigrationPolicy};
pub use consumer::{
    ClassicProtocols, ConsumerGroupDescription, ConsumerHeartbeat, ConsumerHeartbeatReply,
    ConsumerMemberDescription, ConsumerState, CurrentAssignment, MemberProfile, MemberState,
};
pub use error::{Error, Kind};
pub use event::{ConsumerEvent, DecodeError, Event, GroupSnapshot, MemberSnapshot};
pub use groups::{GroupType, Groups, Listing};
pub use member::MemberDescription;
pub use offsets::{CommittedOffset, Offsets};
pub use request::{
    CommitRequest, Effect, JoinRefusal, JoinReply, JoinRequest, JoinedMember, LeaveRequest, LeavingMember,
    MemberIdentity, Outcomes, SyncReply, SyncRequest, Ticket, TransactionalProducer,
};
pub use settings::GroupSettings;
pub use topics_view::{TopicView, TopicsView};

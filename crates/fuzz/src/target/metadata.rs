//! What `groups` reads of a classic consumer's metadata and assignment, when its group is one of the consumer protocol or
//! becomes one.

use bytes::{BufMut, Bytes, BytesMut};
use groups::{
    Config, ConsumerHeartbeat, Effect, Groups, JoinRequest, MemberIdentity, SyncRequest, Ticket, TopicView,
    TopicsView,
};
use protocol::Uuid;

use super::{Allowance, Target};

/// A topic's name is 24 bytes in memory, beside its letters, and 2 in the metadata; it is in the profile, in what is written
/// of it and in what is said to have changed. The groups take the rest.
const ALLOWANCE: Allowance = Allowance { per_byte: 128, fixed: 64 * 1024 };

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target::new("member-metadata", ALLOWANCE, seeds(), joins_consumers),
        Target::new("member-conversion", ALLOWANCE, seeds(), is_converted),
    ]
}

/// One topic of four partitions.
struct OneTopic;

impl TopicsView for OneTopic {
    fn version(&self) -> u64 {
        1
    }

    fn topic(&self, name: &str) -> Option<TopicView> {
        (name == "t").then_some(TopicView { id: Uuid::from_u128(7), partitions: 4 })
    }

    fn names(&self) -> Vec<String> {
        vec!["t".to_owned()]
    }
}

fn by_consumer_protocol() -> ConsumerHeartbeat {
    ConsumerHeartbeat {
        group_id: "g".into(),
        member_id: "new".into(),
        rebalance_timeout_ms: Some(60_000),
        topic_names: Some(["t".to_owned()].into()),
        owned: Some(groups::Assignment::default()),
        ..ConsumerHeartbeat::default()
    }
}

fn by_classic_protocol(metadata: &Bytes) -> JoinRequest {
    JoinRequest {
        group_id: "g".into(),
        new_member_id: "old".into(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 60_000,
        protocol_type: "consumer".into(),
        protocols: vec![("range".to_owned(), metadata.clone())],
        ..JoinRequest::default()
    }
}

/// It joins a group of the consumer protocol.
fn joins_consumers(input: &Bytes) -> Vec<Effect> {
    let mut groups = Groups::new(Config::default());
    groups.consumer_heartbeat(by_consumer_protocol(), &OneTopic, 0).1.expect("a first member");
    groups.join(by_classic_protocol(input), Ticket(1), &OneTopic, 0)
}

/// It leads a group of the classic protocol, gives itself what it pleases, and the group becomes one of the other.
fn is_converted(input: &Bytes) -> String {
    let mut groups = Groups::new(Config::default());
    groups.join(by_classic_protocol(input), Ticket(1), &OneTopic, 0);
    let member = MemberIdentity { member_id: "old".into(), instance_id: None, generation: 1 };
    let assignments = vec![("old".to_owned(), input.clone())];
    let request = SyncRequest { group_id: "g".into(), member, assignments, ..SyncRequest::default() };
    groups.sync(request, Ticket(2), &OneTopic, 0);
    let (_, reply) = groups.consumer_heartbeat(by_consumer_protocol(), &OneTopic, 0);
    format!("{:?} {:?}", reply, groups.describe_consumer("g"))
}

/// Metadata of the versions 0 to 3, with two topics and what is owned of one; read as an assignment, its beginning is one.
fn seeds() -> Vec<Bytes> {
    (0..4).map(subscription).collect()
}

fn subscription(version: i16) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_i16(version);
    bytes.put_i32(2);
    bytes.put_slice(b"\0\x01t\0\x01u");
    bytes.put_i32(-1);
    if version >= 1 {
        bytes.put_i32(1);
        bytes.put_slice(b"\0\x01t");
        bytes.put_i32(2);
        bytes.put_i32(0);
        bytes.put_i32(3);
    }
    if version >= 2 {
        bytes.put_i32(5);
    }
    if version >= 3 {
        bytes.put_slice(b"\0\x04rack");
    }
    bytes.freeze()
}

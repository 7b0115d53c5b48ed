use proptest::prelude::*;

use super::*;
use crate::{Assignment, ClassicProtocols, CurrentAssignment, MemberProfile, MemberState};

fn text() -> impl Strategy<Value = String> {
    "[a-zäß0-9._-]{0,20}"
}

fn bytes() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..40).prop_map(Bytes::from)
}

fn member() -> impl Strategy<Value = MemberSnapshot> {
    (text(), prop::option::of(text()), text(), text(), any::<i32>(), any::<i32>(), bytes(), bytes()).prop_map(
        |(member_id, instance_id, client_id, client_host, session, rebalance, subscription, assignment)| {
            MemberSnapshot {
                member_id,
                instance_id,
                client_id,
                client_host,
                session_timeout_ms: session,
                rebalance_timeout_ms: rebalance,
                subscription,
                assignment,
            }
        },
    )
}

fn assignment() -> impl Strategy<Value = Assignment> {
    let partition = (any::<u128>(), any::<i32>()).prop_map(|(id, index)| (uuid::Uuid::from_u128(id), index));
    prop::collection::vec(partition, 0..5).prop_map(|partitions| partitions.into_iter().collect())
}

fn profile() -> impl Strategy<Value = MemberProfile> {
    let optional = || prop::option::of(text());
    let texts = (optional(), optional(), text(), text(), optional(), optional());
    let protocols = prop::collection::vec((text(), bytes()), 0..3);
    let classic = prop::option::of(
        (any::<i32>(), protocols)
            .prop_map(|(session_timeout_ms, protocols)| ClassicProtocols { session_timeout_ms, protocols }),
    );
    (texts, prop::collection::btree_set(text(), 0..4), any::<i32>(), classic).prop_map(
        |(
            (instance_id, rack_id, client_id, client_host, topic_pattern, assignor),
            topic_names,
            rebalance,
            classic,
        )| {
            MemberProfile {
                instance_id,
                rack_id,
                client_id,
                client_host,
                topic_names,
                topic_pattern,
                rebalance_timeout_ms: rebalance,
                assignor,
                classic,
            }
        },
    )
}

fn consumer_event() -> impl Strategy<Value = ConsumerEvent> {
    use prop::option::of;
    let states =
        prop::sample::select(vec![MemberState::Stable, MemberState::Unrevoked, MemberState::Unreleased]);
    let current = (any::<i32>(), any::<i32>(), states, assignment(), assignment()).prop_map(
        |(epoch, previous_epoch, state, assigned, revoking)| CurrentAssignment {
            epoch,
            previous_epoch,
            state,
            assigned,
            revoking,
        },
    );
    prop_oneof![
        of(any::<(i32, i64)>()).prop_map(|epoch| ConsumerEvent::Group { epoch }),
        of(any::<i32>()).prop_map(|epoch| ConsumerEvent::TargetEpoch { epoch }),
        (text(), of(profile())).prop_map(|(member_id, profile)| ConsumerEvent::Member { member_id, profile }),
        (text(), of(assignment()))
            .prop_map(|(member_id, assignment)| ConsumerEvent::Target { member_id, assignment }),
        (text(), of(current)).prop_map(|(member_id, current)| ConsumerEvent::Current { member_id, current }),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let consumer =
        (text(), consumer_event()).prop_map(|(group_id, event)| Event::Consumer { group_id, event });
    let committed =
        (any::<i64>(), any::<i32>(), text(), any::<i64>()).prop_map(|(offset, epoch, metadata, at)| {
            CommittedOffset { offset, leader_epoch: epoch, metadata, commit_timestamp_ms: at }
        });
    let committed = committed.boxed();
    let offset = (text(), text(), any::<i32>(), prop::option::of(committed.clone())).prop_map(
        |(group_id, topic, partition_index, committed)| Event::Offset {
            group_id,
            topic,
            partition_index,
            committed,
        },
    );
    let pending = (any::<i64>(), text(), text(), any::<i32>(), prop::option::of(committed.clone())).prop_map(
        |(producer_id, group_id, topic, partition_index, committed)| Event::PendingOffset {
            producer_id,
            group_id,
            topic,
            partition_index,
            committed,
        },
    );
    let snapshot = (
        text(),
        any::<i32>(),
        prop::option::of(text()),
        prop::option::of(text()),
        any::<i64>(),
        prop::collection::vec(member(), 0..4),
    )
        .prop_map(|(protocol_type, generation, protocol, leader, at, members)| GroupSnapshot {
            protocol_type,
            generation,
            protocol,
            leader,
            state_timestamp_ms: at,
            members,
        });
    let group = (text(), prop::option::of(snapshot))
        .prop_map(|(group_id, snapshot)| Event::Group { group_id, snapshot });
    let time = || prop::option::of(0..i32::MAX);
    let settings = (text(), prop::option::of((time(), time()))).prop_map(|(group_id, times)| {
        let set = |(session_timeout_ms, heartbeat_interval_ms)| GroupSettings {
            session_timeout_ms,
            heartbeat_interval_ms,
        };
        Event::Settings { group_id, settings: times.map(set) }
    });
    prop_oneof![offset, pending, group, consumer, settings]
}

proptest! {
    #[test]
    fn every_event_comes_back(event in event()) {
        let (key, value) = event.encode();
        prop_assert_eq!(Event::decode(&key, value.as_ref()).unwrap(), Some(event));
    }

    #[test]
    fn a_cut_record_is_an_error(event in event(), at in any::<prop::sample::Index>()) {
        let (key, value) = event.encode();
        let key_cut = key.slice(..at.index(key.len()));
        prop_assert!(Event::decode(&key_cut, value.as_ref()).is_err());
        if let Some(value) = value {
            let cut = value.slice(..at.index(value.len()));
            prop_assert!(Event::decode(&key, Some(&cut)).is_err());
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(key in bytes(), value in prop::option::of(bytes())) {
        let _ = Event::decode(&key, value.as_ref());
    }
}

/// The layout that Apache Kafka writes for the same commit.
#[test]
fn an_offset_has_kafkas_bytes() {
    let event = Event::Offset {
        group_id: "g".into(),
        topic: "t".into(),
        partition_index: 2,
        committed: Some(CommittedOffset {
            offset: 5,
            leader_epoch: -1,
            metadata: "m".into(),
            commit_timestamp_ms: 7,
        }),
    };
    let (key, value) = event.encode();
    assert_eq!(&key[..], b"\0\x01\0\x01g\0\x01t\0\0\0\x02");
    assert_eq!(&value.unwrap()[..], b"\0\x03\0\0\0\0\0\0\0\x05\xff\xff\xff\xff\0\x01m\0\0\0\0\0\0\0\x07");
}

#[test]
fn older_and_newer_values_are_told_apart() {
    let key = Bytes::from_static(b"\0\x01\0\x01g\0\x01t\0\0\0\x02");
    let with_expiry = Bytes::from_static(b"\0\x01\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\x09");
    let Some(Event::Offset { committed: Some(committed), .. }) =
        Event::decode(&key, Some(&with_expiry)).unwrap()
    else {
        panic!("an offset was expected");
    };
    assert_eq!((committed.offset, committed.leader_epoch, committed.commit_timestamp_ms), (5, -1, 7));
    let newer = Bytes::from_static(b"\0\x09");
    let error = Event::decode(&key, Some(&newer)).unwrap_err();
    assert_eq!(error, DecodeError::Version { what: "OffsetCommitValue", version: 9 });
    let other_kind = Bytes::from_static(b"\0\x09\0\x01g");
    assert_eq!(Event::decode(&other_kind, None), Ok(None));
}

/// The layout that Apache Kafka writes for the same member.
#[test]
fn a_consumers_assignment_has_kafkas_bytes() {
    let topic_id = uuid::Uuid::from_u128(7);
    let event = Event::Consumer {
        group_id: "g".into(),
        event: ConsumerEvent::Current {
            member_id: "m".into(),
            current: Some(CurrentAssignment {
                epoch: 2,
                previous_epoch: 1,
                state: MemberState::Unreleased,
                assigned: [(topic_id, 3)].into_iter().collect(),
                revoking: Assignment::default(),
            }),
        },
    };
    let (key, value) = event.encode();
    assert_eq!(&key[..], b"\0\x08\0\x01g\0\x01m");
    let head = b"\0\0\0\0\0\x02\0\0\0\x01\x02\x02";
    let topic = [&topic_id.as_bytes()[..], b"\x02\0\0\0\x03\0"].concat();
    assert_eq!(&value.unwrap()[..], [&head[..], &topic, b"\x01\0"].concat());
}

/// The layout that Apache Kafka 4.3.1 writes for the same members: what only those of the classic protocol bring along is
/// null for the others, and that is written.
#[test]
fn a_consumers_profile_has_kafkas_bytes() {
    let profile = MemberProfile {
        client_id: "c".into(),
        client_host: "h".into(),
        topic_names: ["t".to_owned()].into(),
        topic_pattern: Some(String::new()),
        rebalance_timeout_ms: 7,
        instance_id: Some(String::new()),
        rack_id: Some(String::new()),
        assignor: Some(String::new()),
        classic: None,
    };
    let value = |classic| {
        let profile = Some(MemberProfile { classic, ..profile.clone() });
        let event = ConsumerEvent::Member { member_id: "m".into(), profile };
        Event::Consumer { group_id: "g".into(), event }.encode().1.unwrap()
    };
    let fields = b"\0\0\x01\x01\x02c\x02h\x02\x02t\x01\0\0\0\x07\x01";
    assert_eq!(&value(None)[..], [&fields[..], b"\x01\0\x01\0"].concat());
    let protocols = vec![("range".to_owned(), Bytes::from_static(b"\x01\x02"))];
    let classic = ClassicProtocols { session_timeout_ms: 9, protocols };
    let brought = b"\x01\0\x11\x01\0\0\0\x09\x02\x06range\x03\x01\x02\0\0";
    assert_eq!(&value(Some(classic))[..], [&fields[..], brought].concat());
}

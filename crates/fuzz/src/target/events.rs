//! What `groups` reads back from `__consumer_offsets` and `__transaction_state`.

use bytes::Bytes;
use groups::transactions::{self, State, Transaction, Version};
use groups::{
    Assignment, ClassicProtocols, CommittedOffset, ConsumerEvent, CurrentAssignment, DecodeError, Event,
    GroupSnapshot, MemberProfile, MemberSnapshot, MemberState, TransactionalProducer,
};
use protocol::Uuid;

use super::{Allowance, Target};

/// A member of a group is some 200 bytes in memory, and at least 24 in a record; a protocol of one is 56, and at least 3.
const ALLOWANCE: Allowance = Allowance { per_byte: 64, fixed: 16 * 1024 };

pub(super) fn targets() -> Vec<Target> {
    let of_groups = seeds().iter().map(|event| input(event.encode())).collect();
    let of_transactions = transactions().iter().map(|event| input(event.encode())).collect();
    vec![
        Target::new("group-events", ALLOWANCE, of_groups, group_event),
        Target::new("transaction-events", ALLOWANCE, of_transactions, transaction_event),
    ]
}

/// The first byte of an input is the length of the key; the rest is the value, absent if empty.
fn input((key, value): (Bytes, Option<Bytes>)) -> Bytes {
    let mut input = vec![u8::try_from(key.len()).expect("a short key")];
    input.extend_from_slice(&key);
    input.extend_from_slice(&value.unwrap_or_default());
    Bytes::from(input)
}

fn split(input: &Bytes) -> Option<(Bytes, Option<Bytes>)> {
    let length = usize::from(*input.first()?);
    let end = (1 + length).min(input.len());
    let (key, value) = (input.slice(1..end), input.slice(end..));
    Some((key, (!value.is_empty()).then_some(value)))
}

fn group_event(input: &Bytes) -> Option<Result<Option<Event>, DecodeError>> {
    let (key, value) = split(input)?;
    let read = Event::decode(&key, value.as_ref());
    if let Ok(Some(event)) = &read {
        let (key, value) = event.encode();
        assert_eq!(Event::decode(&key, value.as_ref()).as_ref(), Ok(&Some(event.clone())));
    }
    Some(read)
}

fn transaction_event(input: &Bytes) -> Option<Result<Option<transactions::Event>, DecodeError>> {
    let (key, value) = split(input)?;
    let read = transactions::Event::decode(&key, value.as_ref());
    if let Ok(Some(event)) = &read {
        let (key, value) = event.encode();
        assert_eq!(transactions::Event::decode(&key, value.as_ref()).as_ref(), Ok(&Some(event.clone())));
    }
    Some(read)
}

fn transactions() -> Vec<transactions::Event> {
    let transaction = |state, partitions: &[(&str, i32)]| Transaction {
        producer: TransactionalProducer { id: 7, epoch: 3 },
        previous_producer_id: -1,
        next_producer_id: 9,
        last_epoch: 2,
        timeout_ms: 60_000,
        state,
        partitions: partitions
            .iter()
            .map(|(topic, index)| ((*topic).to_owned(), [*index, 5].into()))
            .collect(),
        started_ms: 1_700_000_000_000,
        updated_ms: 1_700_000_000_500,
        version: Version::V2,
    };
    let event = |transaction| transactions::Event { transactional_id: "t".into(), transaction };
    vec![
        event(Some(transaction(State::Ongoing, &[("a", 0), ("b", 1)]))),
        event(Some(transaction(State::Empty, &[]))),
        event(None),
    ]
}

fn seeds() -> Vec<Event> {
    let committed = CommittedOffset {
        offset: 42,
        leader_epoch: 3,
        metadata: "m".into(),
        commit_timestamp_ms: 1_700_000_000_000,
    };
    let member = MemberSnapshot {
        member_id: "c-1".into(),
        instance_id: Some("i".into()),
        client_id: "c".into(),
        client_host: "/127.0.0.1".into(),
        session_timeout_ms: 45_000,
        rebalance_timeout_ms: 60_000,
        subscription: Bytes::from_static(&[1, 2, 3]),
        assignment: Bytes::from_static(&[4]),
    };
    let snapshot = GroupSnapshot {
        protocol_type: "consumer".into(),
        generation: 7,
        protocol: Some("range".into()),
        leader: Some("c-1".into()),
        state_timestamp_ms: 1_700_000_000_000,
        members: vec![member.clone(), member],
    };
    let offset =
        |committed| Event::Offset { group_id: "g".into(), topic: "t".into(), partition_index: 3, committed };
    let pending = |committed| Event::PendingOffset {
        producer_id: 7,
        group_id: "g".into(),
        topic: "t".into(),
        partition_index: 3,
        committed,
    };
    let mut events = vec![
        offset(Some(committed.clone())),
        offset(None),
        pending(Some(committed)),
        Event::Group { group_id: "g".into(), snapshot: Some(snapshot) },
        Event::Group { group_id: "g".into(), snapshot: None },
    ];
    let consumer = |event| Event::Consumer { group_id: "g".into(), event };
    events.extend(consumer_events().into_iter().map(consumer));
    events
}

fn consumer_events() -> Vec<ConsumerEvent> {
    let profile = MemberProfile {
        instance_id: Some("i".into()),
        rack_id: None,
        client_id: "c".into(),
        client_host: "/127.0.0.1".into(),
        topic_names: ["a".into(), "b".into()].into(),
        topic_pattern: Some("a.*".into()),
        rebalance_timeout_ms: 60_000,
        assignor: Some("uniform".into()),
        classic: Some(ClassicProtocols {
            session_timeout_ms: 10_000,
            protocols: vec![("range".into(), Bytes::from_static(b"topics"))],
        }),
    };
    let some: Assignment = (0..4).map(|index| (Uuid::from_u128(u128::from(index % 2 == 0)), index)).collect();
    let current = CurrentAssignment {
        epoch: 3,
        previous_epoch: 2,
        state: MemberState::Unrevoked,
        assigned: some.clone(),
        revoking: some.clone(),
    };
    let member_id = || "m".to_owned();
    vec![
        ConsumerEvent::Group { epoch: Some((4, 0x1234_5678)) },
        ConsumerEvent::Member { member_id: member_id(), profile: Some(profile) },
        ConsumerEvent::TargetEpoch { epoch: Some(4) },
        ConsumerEvent::Target { member_id: member_id(), assignment: Some(some) },
        ConsumerEvent::Current { member_id: member_id(), current: Some(current) },
    ]
}

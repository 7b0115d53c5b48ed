//! What `groups` reads back from `__consumer_offsets`.

use bytes::Bytes;
use groups::{CommittedOffset, Event, GroupSnapshot, MemberSnapshot};

use super::{Allowance, Target};

/// A member of a group is some 200 bytes in memory, and at least 24 in a record.
const ALLOWANCE: Allowance = Allowance { per_byte: 32, fixed: 16 * 1024 };

pub(super) fn targets() -> Vec<Target> {
    vec![Target::new("group-events", ALLOWANCE, seeds(), event)]
}

/// The first byte of an input is the length of the key; the rest is the value.
fn event(input: &Bytes) -> Option<Result<Option<Event>, groups::DecodeError>> {
    let length = usize::from(*input.first()?);
    let end = (1 + length).min(input.len());
    let (key, value) = (input.slice(1..end), input.slice(end..));
    let read = Event::decode(&key, (!value.is_empty()).then_some(&value));
    if let Ok(Some(event)) = &read {
        let (key, value) = event.encode();
        assert_eq!(Event::decode(&key, value.as_ref()).as_ref(), Ok(&Some(event.clone())));
    }
    Some(read)
}

fn seeds() -> Vec<Bytes> {
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
    let events = [
        offset(Some(committed)),
        offset(None),
        Event::Group { group_id: "g".into(), snapshot: Some(snapshot) },
        Event::Group { group_id: "g".into(), snapshot: None },
    ];
    events.iter().map(input).collect()
}

fn input(event: &Event) -> Bytes {
    let (key, value) = event.encode();
    let mut input = vec![u8::try_from(key.len()).expect("a short key")];
    input.extend_from_slice(&key);
    input.extend_from_slice(&value.unwrap_or_default());
    Bytes::from(input)
}

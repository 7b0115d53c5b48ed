//! A group with a few named members, and shorthands for what they ask.

use bytes::Bytes;
use groups::{
    CommitRequest, CommittedOffset, Config, Effect, Event, Groups, JoinRefusal, JoinReply, JoinRequest,
    MemberIdentity, SyncReply, SyncRequest, Ticket,
};

pub(crate) const GROUP: &str = "readers";
pub(crate) const SESSION_MS: i32 = 10_000;
pub(crate) const REBALANCE_MS: i32 = 60_000;

pub(crate) fn groups() -> Groups {
    Groups::new(Config::default())
}

/// Somebody new who supports `range`; `name` becomes the member id.
pub(crate) fn newcomer(name: &str) -> JoinRequest {
    JoinRequest {
        group_id: GROUP.into(),
        new_member_id: name.into(),
        client_id: "test".into(),
        protocol_type: "consumer".into(),
        protocols: vec![("range".into(), Bytes::from(format!("topics of {name}")))],
        session_timeout_ms: SESSION_MS,
        rebalance_timeout_ms: REBALANCE_MS,
        ..JoinRequest::default()
    }
}

pub(crate) fn member(name: &str) -> JoinRequest {
    JoinRequest { member_id: name.into(), ..newcomer(name) }
}

pub(crate) fn identity(name: &str, generation: i32) -> MemberIdentity {
    MemberIdentity { member_id: name.into(), instance_id: None, generation }
}

pub(crate) fn sync(name: &str, generation: i32, assignments: &[(&str, &'static str)]) -> SyncRequest {
    let owned = |(id, bytes): &(&str, &'static str)| (id.to_string(), Bytes::from_static(bytes.as_bytes()));
    SyncRequest {
        group_id: GROUP.into(),
        member: identity(name, generation),
        assignments: assignments.iter().map(owned).collect(),
        ..SyncRequest::default()
    }
}

pub(crate) fn commit(member: MemberIdentity, offset: i64) -> CommitRequest {
    let committed = CommittedOffset {
        offset,
        leader_epoch: 3,
        metadata: format!("note {offset}"),
        commit_timestamp_ms: offset,
    };
    CommitRequest { group_id: GROUP.into(), member, offsets: vec![("t".into(), 0, committed)] }
}

/// The replies to joins among some effects.
pub(crate) fn joined(effects: &[Effect]) -> Vec<(Ticket, Result<JoinReply, JoinRefusal>)> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Joined { ticket, reply } => Some((*ticket, reply.clone())),
            Effect::Synced { .. } | Effect::Persist(_) => None,
        })
        .collect()
}

pub(crate) fn synced(effects: &[Effect]) -> Vec<(Ticket, Result<SyncReply, groups::Error>)> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Synced { ticket, reply } => Some((*ticket, reply.clone())),
            Effect::Joined { .. } | Effect::Persist(_) => None,
        })
        .collect()
}

pub(crate) fn persisted(effects: &[Effect]) -> Vec<Event> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Persist(event) => Some(event.clone()),
            Effect::Joined { .. } | Effect::Synced { .. } => None,
        })
        .collect()
}

/// A stable group of `a` (leader) and `b` in generation 2, at time 0.
pub(crate) fn stable_pair(groups: &mut Groups) -> Vec<Event> {
    let mut effects = groups.join(newcomer("a"), Ticket(1), &(), 0);
    effects.extend(groups.join(newcomer("b"), Ticket(2), &(), 0));
    effects.extend(groups.join(member("a"), Ticket(3), &(), 0));
    assert_eq!(joined(&effects).len(), 3);
    effects.extend(groups.sync(sync("b", 2, &[]), Ticket(4), &(), 0));
    effects.extend(groups.sync(sync("a", 2, &[("a", "p0"), ("b", "p1")]), Ticket(5), &(), 0));
    assert_eq!(synced(&effects).len(), 2);
    persisted(&effects)
}

/// Somebody who assigns partitions by hand.
pub(crate) fn outsider() -> MemberIdentity {
    MemberIdentity { generation: -1, ..MemberIdentity::default() }
}

/// The groups as a restart finds them.
pub(crate) fn reopen(events: &[Event], now_ms: i64) -> Groups {
    let mut groups = Groups::new(Config::default());
    for event in events {
        let (key, value) = event.encode();
        let value: Option<Bytes> = value;
        let decoded = Event::decode(&key, value.as_ref()).expect("we wrote it").expect("it is a known kind");
        groups.replay(decoded, now_ms);
    }
    groups.replayed(now_ms);
    groups
}

/// What the compaction of a topic leaves: the last record of each key, and none that says that something is gone.
pub(crate) fn compacted(events: &[Event]) -> Vec<Event> {
    let last = |at: usize, key: &Bytes| events[at + 1..].iter().all(|later| later.encode().0 != *key);
    let kept = events.iter().enumerate().filter(|(at, event)| {
        let (key, value) = event.encode();
        value.is_some() && last(*at, &key)
    });
    kept.map(|(_, event)| event.clone()).collect()
}

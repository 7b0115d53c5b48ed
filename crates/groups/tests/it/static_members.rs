//! Members with a `group.instance.id` keep their place over a restart of the client.

use groups::{Error, JoinRequest, LeaveRequest, LeavingMember, MemberIdentity, Ticket};

use crate::support::*;

fn instance(name: &str, id: &str) -> JoinRequest {
    let mut request = newcomer(id);
    request.instance_id = Some(name.into());
    request.protocols[0].1 = bytes::Bytes::from_static(b"same");
    request
}

fn at(name: &str, id: &str, generation: i32) -> MemberIdentity {
    MemberIdentity { member_id: id.into(), instance_id: Some(name.into()), generation }
}

#[test]
fn a_restarted_client_gets_its_place_without_a_rebalance() {
    let mut groups = groups();
    groups.join(instance("one", "one-1"), Ticket(1), &(), 0);
    groups.sync(sync("one-1", 1, &[("one-1", "p0")]), Ticket(2), &(), 0);
    let effects = groups.join(instance("one", "one-2"), Ticket(3), &(), 1);
    let reply = joined(&effects).remove(0).1.unwrap();
    assert_eq!((reply.generation, reply.member_id.as_str()), (1, "one-2"));
    assert_eq!((reply.leader.as_str(), reply.members.len()), ("one-1", 0), "it must not assign anew");
    assert_eq!(persisted(&effects).len(), 1);
    let reply = synced(&groups.sync(sync("one-2", 1, &[]), Ticket(4), &(), 1)).remove(0).1.unwrap();
    assert_eq!(&reply.assignment[..], b"p0");
    assert_eq!(groups.heartbeat(GROUP, &at("one", "one-1", 1), &(), 2).1, Err(Error::FencedInstanceId));
    assert_eq!(groups.heartbeat(GROUP, &at("one", "one-2", 1), &(), 2).1, Ok(()));

    let newer = JoinRequest { supports_skipping_assignment: true, ..instance("one", "one-3") };
    let reply = joined(&groups.join(newer, Ticket(5), &(), 3)).remove(0).1.unwrap();
    assert_eq!((reply.leader.as_str(), reply.skip_assignment, reply.members.len()), ("one-3", true, 1));
}

#[test]
fn a_changed_subscription_makes_a_rebalance() {
    let mut groups = groups();
    groups.join(instance("one", "one-1"), Ticket(1), &(), 0);
    groups.sync(sync("one-1", 1, &[]), Ticket(2), &(), 0);
    let mut changed = instance("one", "one-2");
    changed.protocols[0].1 = bytes::Bytes::from_static(b"other");
    let reply = joined(&groups.join(changed, Ticket(3), &(), 1)).remove(0).1.unwrap();
    assert_eq!((reply.generation, reply.members.len()), (2, 1));
}

#[test]
fn the_former_self_is_fenced_while_it_waits() {
    let mut groups = groups();
    stable_pair(&mut groups);
    groups.join(instance("one", "one-1"), Ticket(10), &(), 0);
    let effects = groups.join(instance("one", "one-2"), Ticket(11), &(), 0);
    let (ticket, reply) = joined(&effects).remove(0);
    assert_eq!((ticket, reply.unwrap_err().error), (Ticket(10), Error::FencedInstanceId));
    groups.join(member("a"), Ticket(12), &(), 1);
    let replies = joined(&groups.join(member("b"), Ticket(13), &(), 1));
    assert_eq!(replies.len(), 3);
}

#[test]
fn an_administrator_removes_by_instance() {
    let mut groups = groups();
    groups.join(instance("one", "one-1"), Ticket(1), &(), 0);
    let leave = |member_id: &str, instance: &str| LeaveRequest {
        group_id: GROUP.into(),
        members: vec![LeavingMember { member_id: member_id.into(), instance_id: Some(instance.into()) }],
    };
    assert_eq!(groups.leave(&leave("", "two"), 1).1, [Err(Error::UnknownMemberId)]);
    assert_eq!(groups.leave(&leave("one-0", "one"), 1).1, [Err(Error::FencedInstanceId)]);
    assert_eq!(groups.leave(&leave("", "one"), 1).1, [Ok(())]);
}

#[test]
fn a_group_of_absent_static_members_keeps_waiting_until_their_sessions_end() {
    let mut groups = groups();
    groups.join(instance("one", "one-1"), Ticket(1), &(), 0);
    groups.sync(sync("one-1", 1, &[]), Ticket(2), &(), 0);
    groups.join(newcomer("b"), Ticket(3), &(), 1);
    assert!(joined(&groups.tick(9_999)).is_empty());
    let reply = joined(&groups.tick(10_000)).remove(0).1.unwrap();
    assert_eq!((reply.member_id.as_str(), reply.members.len()), ("b", 1));
}

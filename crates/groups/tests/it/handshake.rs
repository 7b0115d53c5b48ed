//! Joining, leading, syncing.

use groups::{Config, Error, Groups, JoinRequest, LeaveRequest, LeavingMember, State, Ticket};

use crate::support::*;

#[test]
fn two_members_get_what_the_leader_assigned() {
    let mut groups = groups();
    let effects = groups.join(newcomer("a"), Ticket(1), &(), 0);
    let (_, reply) = joined(&effects).remove(0);
    assert_eq!(reply.unwrap().generation, 1);

    assert!(joined(&groups.join(newcomer("b"), Ticket(2), &(), 0)).is_empty(), "b waits for a");
    assert_eq!(groups.heartbeat(GROUP, &identity("a", 1), &(), 1).1, Err(Error::RebalanceInProgress));
    let replies = joined(&groups.join(member("a"), Ticket(3), &(), 1));
    let of = |ticket| replies.iter().find(|(t, _)| *t == ticket).unwrap().1.clone().unwrap();
    let (leader, follower) = (of(Ticket(3)), of(Ticket(2)));
    assert_eq!((leader.generation, follower.generation), (2, 2));
    assert_eq!((leader.leader.as_str(), follower.leader.as_str()), ("a", "a"));
    assert_eq!(leader.members.len(), 2);
    assert_eq!(&leader.members[1].metadata[..], b"topics of b");
    assert!(follower.members.is_empty());

    assert!(synced(&groups.sync(sync("b", 2, &[]), Ticket(4), &(), 2)).is_empty(), "b waits for the leader");
    let effects = groups.sync(sync("a", 2, &[("a", "p0"), ("b", "p1")]), Ticket(5), &(), 2);
    assert_eq!(persisted(&effects).len(), 1);
    for (ticket, reply) in synced(&effects) {
        let expected: &[u8] = if ticket == Ticket(4) { b"p1" } else { b"p0" };
        assert_eq!(&reply.unwrap().assignment[..], expected);
    }
    assert_eq!(groups.describe(GROUP).unwrap().state, State::Stable);
    assert_eq!(groups.heartbeat(GROUP, &identity("a", 2), &(), 3).1, Ok(()));
}

#[test]
fn an_id_is_given_before_the_member_counts() {
    let mut groups = groups();
    let request = JoinRequest { requires_known_member_id: true, ..newcomer("a") };
    let (_, reply) = joined(&groups.join(request, Ticket(1), &(), 0)).remove(0);
    let refusal = reply.unwrap_err();
    assert_eq!((refusal.error, refusal.member_id.as_str()), (Error::MemberIdRequired, "a"));
    assert_eq!(groups.describe(GROUP).unwrap().state, State::Empty);
    let (_, reply) = joined(&groups.join(member("a"), Ticket(2), &(), 1)).remove(0);
    assert_eq!(reply.unwrap().generation, 1);
}

#[test]
fn a_group_waits_for_those_on_the_way_in_until_they_are_late() {
    let mut groups = groups();
    stable_pair(&mut groups);
    let request = JoinRequest { requires_known_member_id: true, ..newcomer("c") };
    groups.join(request, Ticket(10), &(), 0);
    assert_eq!(groups.heartbeat(GROUP, &identity("a", 2), &(), 1).1, Ok(()), "no rebalance for an id alone");
    groups.join(member("a"), Ticket(11), &(), 2);
    assert!(joined(&groups.join(member("b"), Ticket(12), &(), 2)).is_empty(), "c may still come");
    let effects = groups.tick(i64::from(SESSION_MS));
    assert_eq!(joined(&effects).len(), 2);
}

#[test]
fn the_wrong_ones_are_refused() {
    let mut groups = groups();
    let error = |groups: &mut Groups, request| {
        joined(&groups.join(request, Ticket(9), &(), 0)).remove(0).1.unwrap_err().error
    };
    let request = |change: fn(&mut JoinRequest)| {
        let mut request = newcomer("x");
        change(&mut request);
        request
    };
    assert_eq!(error(&mut groups, request(|r| r.group_id.clear())), Error::InvalidGroupId);
    assert_eq!(error(&mut groups, request(|r| r.session_timeout_ms = 1)), Error::InvalidSessionTimeout);
    assert_eq!(error(&mut groups, request(|r| r.protocols.clear())), Error::InconsistentGroupProtocol);
    assert_eq!(error(&mut groups, member("nobody")), Error::UnknownMemberId);
    assert_eq!(groups.list().count(), 0, "refusals leave no group behind");

    stable_pair(&mut groups);
    assert_eq!(error(&mut groups, member("nobody")), Error::UnknownMemberId);
    assert_eq!(
        error(&mut groups, request(|r| r.protocol_type = "connect".into())),
        Error::InconsistentGroupProtocol
    );
    assert_eq!(
        error(&mut groups, request(|r| r.protocols[0].0 = "sticky".into())),
        Error::InconsistentGroupProtocol
    );
    let long = "x".repeat(40_000);
    assert_eq!(
        error(&mut groups, JoinRequest { group_id: long.clone(), ..newcomer("x") }),
        Error::InvalidGroupId
    );
    let instance = JoinRequest { instance_id: Some(long), ..newcomer("x") };
    assert_eq!(error(&mut groups, instance), Error::GroupTooLarge);
}

#[test]
fn a_full_group_and_a_full_house_say_so() {
    let config = Config { max_members: 1, max_groups: 1, ..Config::default() };
    let mut groups = Groups::new(config);
    groups.join(newcomer("a"), Ticket(1), &(), 0);
    let second = joined(&groups.join(newcomer("b"), Ticket(2), &(), 0)).remove(0).1;
    assert_eq!(second.unwrap_err().error, Error::GroupMaxSizeReached);
    let elsewhere = JoinRequest { group_id: "other".into(), ..newcomer("c") };
    let third = joined(&groups.join(elsewhere, Ticket(3), &(), 0)).remove(0).1;
    assert_eq!(third.unwrap_err().error, Error::GroupMaxSizeReached);
}

#[test]
fn metadata_and_assignments_are_bounded() {
    let config = Config { max_group_bytes: 4_000, ..Config::default() };
    let mut groups = Groups::new(config);
    let mut large = newcomer("a");
    large.protocols[0].1 = vec![0; 3_000].into();
    let reply = joined(&groups.join(large, Ticket(1), &(), 0)).remove(0).1;
    assert_eq!(reply.unwrap_err().error, Error::GroupMaxSizeReached);
    groups.join(newcomer("a"), Ticket(2), &(), 0);
    let mut request = sync("a", 1, &[]);
    request.assignments = vec![("a".into(), vec![0; 5_000].into())];
    let reply = synced(&groups.sync(request, Ticket(3), &(), 0)).remove(0).1;
    assert_eq!(reply.unwrap_err(), Error::GroupTooLarge);
}

#[test]
fn the_protocol_with_the_most_votes_wins() {
    let mut groups = groups();
    let with = |name: &str, protocols: &[&str]| JoinRequest {
        protocols: protocols.iter().map(|p| (p.to_string(), Default::default())).collect(),
        ..newcomer(name)
    };
    groups.join(with("a", &["range", "sticky"]), Ticket(1), &(), 0);
    groups.join(with("b", &["sticky", "range"]), Ticket(2), &(), 0);
    groups.join(with("c", &["sticky", "range", "mine"]), Ticket(3), &(), 0);
    let again = JoinRequest { member_id: "a".into(), ..with("a", &["range", "sticky"]) };
    let replies = joined(&groups.join(again, Ticket(4), &(), 0));
    assert_eq!(replies.len(), 3);
    assert!(replies.iter().all(|(_, reply)| reply.as_ref().unwrap().protocol == "sticky"));
}

#[test]
fn late_generations_are_fenced() {
    let mut groups = groups();
    stable_pair(&mut groups);
    assert_eq!(groups.heartbeat(GROUP, &identity("a", 1), &(), 0).1, Err(Error::IllegalGeneration));
    assert_eq!(groups.heartbeat(GROUP, &identity("x", 2), &(), 0).1, Err(Error::UnknownMemberId));
    assert_eq!(groups.heartbeat("other", &identity("a", 2), &(), 0).1, Err(Error::UnknownMemberId));
    let reply = synced(&groups.sync(sync("a", 1, &[]), Ticket(9), &(), 0)).remove(0).1;
    assert_eq!(reply.unwrap_err(), Error::IllegalGeneration);
    let mut wrong = sync("a", 2, &[]);
    wrong.protocol = Some("sticky".into());
    let reply = synced(&groups.sync(wrong, Ticket(9), &(), 0)).remove(0).1;
    assert_eq!(reply.unwrap_err(), Error::InconsistentGroupProtocol);
}

#[test]
fn lost_answers_are_given_again() {
    let mut groups = groups();
    stable_pair(&mut groups);
    let reply = joined(&groups.join(member("b"), Ticket(9), &(), 1)).remove(0).1.unwrap();
    assert_eq!((reply.generation, reply.members.len()), (2, 0));
    let reply = synced(&groups.sync(sync("b", 2, &[]), Ticket(10), &(), 1)).remove(0).1.unwrap();
    assert_eq!(&reply.assignment[..], b"p1");
}

#[test]
fn a_second_join_answers_the_first() {
    let mut groups = groups();
    stable_pair(&mut groups);
    groups.join(newcomer("c"), Ticket(9), &(), 1);
    groups.join(member("a"), Ticket(10), &(), 1);
    let replies = joined(&groups.join(member("a"), Ticket(11), &(), 1));
    assert_eq!(replies.len(), 1);
    assert_eq!(replies[0].0, Ticket(10));
    assert_eq!(replies[0].1.as_ref().unwrap_err().error, Error::RebalanceInProgress);
}

#[test]
fn the_last_to_leave_empties_the_group() {
    let mut groups = groups();
    stable_pair(&mut groups);
    let leaving = |name: &str| LeavingMember { member_id: name.into(), instance_id: None };
    let request =
        LeaveRequest { group_id: GROUP.into(), members: vec![leaving("a"), leaving("nobody"), leaving("b")] };
    let (effects, results) = groups.leave(&request, 1);
    assert_eq!(results, [Ok(()), Err(Error::UnknownMemberId), Ok(())]);
    assert_eq!(persisted(&effects).len(), 1);
    assert_eq!(groups.describe(GROUP).unwrap().state, State::Empty);
    let reply = joined(&groups.join(newcomer("c"), Ticket(9), &(), 2)).remove(0).1.unwrap();
    assert_eq!(reply.generation, 4);
}

//! Members that fall silent.

use groups::{Config, Error, Groups, LeaveRequest, LeavingMember, State, Ticket};

use crate::support::*;

#[test]
fn a_silent_member_is_gone_after_its_session() {
    let mut groups = groups();
    stable_pair(&mut groups);
    groups.heartbeat(GROUP, &identity("a", 2), &(), 9_000).1.unwrap();
    assert_eq!(groups.next_deadline(), Some(10_000));
    assert!(groups.tick(9_999).is_empty());
    groups.tick(10_000);
    assert_eq!(groups.heartbeat(GROUP, &identity("b", 2), &(), 10_001).1, Err(Error::UnknownMemberId));
    assert_eq!(groups.heartbeat(GROUP, &identity("a", 2), &(), 10_001).1, Err(Error::RebalanceInProgress));
    let reply = joined(&groups.join(member("a"), Ticket(9), &(), 10_002)).remove(0).1.unwrap();
    assert_eq!((reply.generation, reply.members.len()), (3, 1));
}

#[test]
fn a_rebalance_does_not_wait_for_ever() {
    let mut groups = groups();
    stable_pair(&mut groups);
    groups.join(newcomer("c"), Ticket(8), &(), 1);
    groups.join(member("a"), Ticket(9), &(), 1);
    // b keeps its session alive but never joins again.
    for at in (5_000..60_000).step_by(5_000) {
        assert!(groups.tick(at).is_empty());
        assert_eq!(groups.heartbeat(GROUP, &identity("b", 2), &(), at).1, Err(Error::RebalanceInProgress));
    }
    let replies = joined(&groups.tick(60_001));
    assert_eq!(replies.len(), 2);
    assert!(replies.iter().all(|(_, reply)| reply.as_ref().unwrap().generation == 3));
    assert_eq!(groups.heartbeat(GROUP, &identity("b", 2), &(), 60_002).1, Err(Error::UnknownMemberId));
}

#[test]
fn a_leader_that_never_assigns_loses_its_place() {
    let mut groups = groups();
    stable_pair(&mut groups);
    groups.join(newcomer("c"), Ticket(8), &(), 1);
    groups.join(member("b"), Ticket(9), &(), 1);
    groups.join(member("a"), Ticket(10), &(), 1);
    assert!(groups.sync(sync("c", 3, &[]), Ticket(11), &(), 2).is_empty());
    assert!(groups.sync(sync("b", 3, &[]), Ticket(12), &(), 2).is_empty());
    let effects = groups.tick(10_001);
    let replies = synced(&effects);
    assert_eq!(replies.len(), 2);
    assert!(replies.iter().all(|(_, reply)| *reply == Err(Error::RebalanceInProgress)));
    groups.join(member("b"), Ticket(13), &(), 10_002);
    let replies = joined(&groups.join(member("c"), Ticket(14), &(), 10_002));
    assert!(replies.iter().all(|(_, reply)| reply.as_ref().unwrap().leader == "b"));
}

#[test]
fn waiting_for_an_answer_is_not_silence() {
    let mut groups = groups();
    stable_pair(&mut groups);
    groups.join(newcomer("c"), Ticket(8), &(), 1);
    assert!(joined(&groups.tick(i64::from(SESSION_MS))).len() == 1, "a and b are gone, c is served");
    assert_eq!(groups.describe(GROUP).unwrap().state, State::CompletingRebalance);
}

#[test]
fn an_id_never_used_is_forgotten_with_its_group() {
    let mut groups = groups();
    let request = groups::JoinRequest { requires_known_member_id: true, ..newcomer("a") };
    groups.join(request, Ticket(1), &(), 0);
    assert_eq!(groups.list().count(), 1);
    groups.tick(i64::from(SESSION_MS));
    assert_eq!((groups.list().count(), groups.next_deadline()), (0, None));
}

#[test]
fn an_id_given_back_unused_is_forgotten_with_its_group() {
    let mut groups = groups();
    let request = groups::JoinRequest { requires_known_member_id: true, ..newcomer("a") };
    groups.join(request, Ticket(1), &(), 0);
    let members = vec![LeavingMember { member_id: "a".into(), instance_id: None }];
    let (effects, outcomes) = groups.leave(&LeaveRequest { group_id: GROUP.into(), members }, 1);
    assert_eq!((effects.len(), outcomes), (0, vec![Ok(())]));
    assert_eq!((groups.list().count(), groups.next_deadline()), (0, None));
}

#[test]
fn the_first_generation_may_wait_for_company() {
    let config = Config { initial_rebalance_delay_ms: 3_000, ..Config::default() };
    let mut groups = Groups::new(config);
    assert!(groups.join(newcomer("a"), Ticket(1), &(), 0).is_empty());
    assert!(groups.join(newcomer("b"), Ticket(2), &(), 2_000).is_empty());
    assert!(groups.tick(3_000).is_empty(), "b extended the wait");
    assert_eq!(joined(&groups.tick(5_000)).len(), 2);
}

//! Committed offsets, before and after a restart.

use groups::{Error, State, Ticket};

use crate::support::*;

#[test]
fn members_commit_in_their_generation_only() {
    let mut groups = groups();
    stable_pair(&mut groups);
    assert!(groups.commit(commit(identity("a", 2), 5), 1).is_ok());
    assert_eq!(groups.commit(commit(identity("a", 1), 6), 1).unwrap_err(), Error::IllegalGeneration);
    assert_eq!(groups.commit(commit(identity("x", 2), 6), 1).unwrap_err(), Error::UnknownMemberId);
    assert_eq!(groups.commit(commit(outsider(), 6), 1).unwrap_err(), Error::UnknownMemberId);
    groups.join(member("a"), Ticket(9), &(), 2);
    assert!(groups.commit(commit(identity("b", 2), 7), 2).is_ok(), "before it gives its partitions up");
    groups.join(member("b"), Ticket(10), &(), 2);
    assert_eq!(groups.commit(commit(identity("a", 3), 8), 2).unwrap_err(), Error::RebalanceInProgress);
    let committed = groups.offsets(GROUP).unwrap().get("t", 0).unwrap();
    assert_eq!((committed.offset, committed.metadata.as_str(), committed.leader_epoch), (7, "note 7", 3));
}

#[test]
fn without_members_anybody_may_commit() {
    let mut groups = groups();
    assert_eq!(groups.commit(commit(identity("a", 1), 5), 0).unwrap_err(), Error::IllegalGeneration);
    assert_eq!(groups.list().count(), 0);
    groups.commit(commit(outsider(), 5), 0).unwrap();
    assert_eq!(groups.describe(GROUP).unwrap().state, State::Empty);
}

#[test]
fn long_metadata_is_refused_alone() {
    let mut groups = groups();
    let mut request = commit(outsider(), 5);
    request.offsets.push(("u".into(), 1, request.offsets[0].2.clone()));
    request.offsets[0].2.metadata = "x".repeat(4_097);
    let (effects, results) = groups.commit(request, 0).unwrap();
    assert_eq!(results, [Err(Error::OffsetMetadataTooLarge), Ok(())]);
    assert_eq!(persisted(&effects).len(), 1);
}

#[test]
fn a_restart_remembers_members_generation_and_offsets() {
    let mut groups = groups();
    let mut events = stable_pair(&mut groups);
    events.extend(persisted(&groups.commit(commit(identity("a", 2), 5), 1).unwrap().0));
    events.extend(persisted(&groups.commit(commit(identity("a", 2), 9), 1).unwrap().0));
    let mut reopened = reopen(&events, 1_000_000);
    assert_eq!(reopened.offsets(GROUP), groups.offsets(GROUP));
    assert_eq!(reopened.describe(GROUP), groups.describe(GROUP));
    assert_eq!(reopened.heartbeat(GROUP, &identity("b", 2), &(), 1_000_001).1, Ok(()));
    assert_eq!(reopened.next_deadline(), Some(1_010_000), "a is expected within its session");
    let reply = synced(&reopened.sync(sync("b", 2, &[]), Ticket(1), &(), 1_000_002)).remove(0).1.unwrap();
    assert_eq!(&reply.assignment[..], b"p1");
}

#[test]
fn what_was_deleted_stays_deleted() {
    let mut groups = groups();
    let mut events = stable_pair(&mut groups);
    assert_eq!(groups.delete(GROUP, 1).unwrap_err(), Error::NonEmptyGroup);
    assert_eq!(groups.delete("other", 1).unwrap_err(), Error::GroupIdNotFound);
    events.extend(persisted(&groups.commit(commit(identity("a", 2), 5), 1).unwrap().0));
    events.extend(persisted(&groups.forget_topic("t", 1)));
    assert!(reopen(&events, 0).offsets(GROUP).unwrap().is_empty());
    events.extend(persisted(&groups.commit(commit(identity("a", 2), 6), 1).unwrap().0));
    events.extend(persisted(&groups.tick(10_001)));
    events.extend(persisted(&groups.delete(GROUP, 1).unwrap()));
    assert!(groups.offsets(GROUP).is_none());
    assert_eq!(reopen(&events, 0).list().count(), 0);
}

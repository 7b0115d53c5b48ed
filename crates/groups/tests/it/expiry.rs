//! Groups that nobody uses any more.

use groups::{Config, TransactionalProducer};

use crate::support::*;

#[test]
fn an_empty_group_is_forgotten_after_the_retention() {
    let mut groups = groups();
    groups.commit(commit(outsider(), 1_000), 1_000).unwrap();
    let retention = Config::default().offsets_retention_ms;
    assert!(groups.expire(1_000 + retention).is_empty());
    let events = persisted(&groups.expire(1_001 + retention));
    assert_eq!(events.len(), 2, "the offset and the group");
    assert_eq!(groups.list().count(), 0);
}

#[test]
fn a_group_with_members_is_never_forgotten() {
    let mut groups = groups();
    stable_pair(&mut groups);
    assert!(groups.expire(i64::MAX / 2).is_empty());
}

#[test]
fn each_position_has_its_own_time() {
    let mut groups = groups();
    let retention = Config::default().offsets_retention_ms;
    groups.commit(commit(outsider(), 1_000), 1_000).unwrap();
    let mut later = commit(outsider(), 2_000);
    later.offsets[0].1 = 1;
    groups.commit(later, 2_000).unwrap();
    assert_eq!(persisted(&groups.expire(1_001 + retention)).len(), 1);
    let offsets = groups.offsets(GROUP).unwrap();
    assert_eq!((offsets.get("t", 0), offsets.get("t", 1).map(|one| one.offset)), (None, Some(2_000)));
}

/// A consumer's subscription to topic `u`, as Kafka's clients write it.
const READS_U: &[u8] = b"\0\0\0\0\0\x01\0\x01u\xff\xff\xff\xff";

#[test]
fn a_topic_that_nobody_reads_any_more_expires_while_the_group_lives() {
    let mut groups = groups();
    let retention = Config::default().offsets_retention_ms;
    let mut request = newcomer("a");
    request.protocols[0].1 = READS_U.into();
    request.session_timeout_ms = 1_800_000;
    groups.join(request, groups::Ticket(1), &(), 0);
    let mut both = commit(identity("a", 1), 1_000);
    both.offsets.push(("u".into(), 0, both.offsets[0].2.clone()));
    groups.sync(sync("a", 1, &[("a", "p0")]), groups::Ticket(2), &(), 0);
    groups.commit(both, 1_000).unwrap();
    assert_eq!(persisted(&groups.expire(1_001 + retention)).len(), 1);
    let offsets = groups.offsets(GROUP).unwrap();
    assert!(offsets.get("t", 0).is_none() && offsets.get("u", 0).is_some());

    let wanted = [("u".to_owned(), 0), ("t".to_owned(), 0)];
    let (_, outcomes) = groups.delete_offsets(GROUP, &wanted, 2_000).unwrap();
    assert_eq!(outcomes, [Err(groups::Error::GroupSubscribedToTopic), Ok(())]);
}

#[test]
fn a_group_whose_reading_is_unknown_keeps_all() {
    let mut groups = groups();
    stable_pair(&mut groups);
    groups.commit(commit(identity("a", 2), 1_000), 1_000).unwrap();
    assert!(groups.expire(i64::MAX / 2).is_empty());
    let wanted = [("t".to_owned(), 0)];
    assert_eq!(groups.delete_offsets(GROUP, &wanted, 1).unwrap_err(), groups::Error::NonEmptyGroup);
    assert_eq!(groups.delete_offsets("other", &wanted, 1).unwrap_err(), groups::Error::GroupIdNotFound);
}

#[test]
fn what_a_transaction_may_still_move_stays() {
    let mut groups = groups();
    groups.commit(commit(outsider(), 1_000), 1_000).unwrap();
    let producer = TransactionalProducer { id: 7, epoch: 0 };
    groups.commit_transactional(commit(outsider(), 2_000), producer, 2_000).unwrap();
    assert!(groups.expire(i64::MAX / 2).is_empty());
}

#[test]
fn single_positions_are_forgotten_on_request() {
    let mut groups = groups();
    let (effects, _) = groups.commit(commit(outsider(), 1_000), 1_000).unwrap();
    let mut events = persisted(&effects);
    let wanted = [("t".to_owned(), 0), ("nowhere".to_owned(), 3)];
    let (effects, outcomes) = groups.delete_offsets(GROUP, &wanted, 2_000).unwrap();
    assert_eq!(outcomes, [Ok(()), Ok(())]);
    events.extend(persisted(&effects));
    assert!(reopen(&events, 0).offsets(GROUP).is_none());
}

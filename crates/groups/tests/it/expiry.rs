//! Groups that nobody uses any more.

use groups::{Config, MemberIdentity};

use crate::support::*;

#[test]
fn an_empty_group_is_forgotten_after_the_retention() {
    let mut groups = groups();
    let outsider = MemberIdentity { generation: -1, ..MemberIdentity::default() };
    groups.commit(commit(outsider, 1_000), 1_000).unwrap();
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

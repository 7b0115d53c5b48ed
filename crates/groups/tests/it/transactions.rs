//! Offsets that are committed by transactions.

use groups::{CommitRequest, Error, Event, Groups, MemberIdentity, Ticket, TransactionalProducer};
use proptest::prelude::*;

use crate::support::*;

fn producer(id: i64) -> TransactionalProducer {
    TransactionalProducer { id, epoch: 0 }
}

fn anonymous(offset: i64) -> CommitRequest {
    commit(outsider(), offset)
}

fn position(groups: &Groups) -> Option<i64> {
    Some(groups.offsets(GROUP)?.get("t", 0)?.offset)
}

fn unstable(groups: &Groups) -> bool {
    groups.offsets(GROUP).is_some_and(|offsets| offsets.is_unstable("t", 0))
}

#[test]
fn a_transaction_moves_the_position_when_it_is_committed() {
    let mut groups = groups();
    groups.commit_transactional(anonymous(5), producer(7), 0).unwrap();
    assert_eq!((position(&groups), unstable(&groups)), (None, true));
    groups.end_transaction(producer(7), true, 1);
    assert_eq!((position(&groups), unstable(&groups)), (Some(5), false));
    groups.commit_transactional(anonymous(9), producer(7), 2).unwrap();
    assert_eq!((position(&groups), unstable(&groups)), (Some(5), true));
    groups.end_transaction(producer(7), false, 3);
    assert_eq!((position(&groups), unstable(&groups)), (Some(5), false));
    assert!(groups.end_transaction(producer(7), true, 4).is_empty(), "it is over already");
}

#[test]
fn nothing_is_left_of_an_aborted_transaction_in_a_new_group() {
    let mut groups = groups();
    let (effects, _) = groups.commit_transactional(anonymous(5), producer(7), 0).unwrap();
    let mut events = persisted(&effects);
    events.extend(persisted(&groups.end_transaction(producer(7), false, 1)));
    assert_eq!(groups.list().count(), 0);
    assert_eq!(reopen(&events, 2).list().count(), 0);
}

#[test]
fn what_asked_earlier_does_not_move_a_position_back() {
    let mut groups = groups();
    groups.commit_transactional(anonymous(5), producer(7), 0).unwrap();
    groups.commit(anonymous(6), 1).unwrap();
    assert!(!unstable(&groups), "the open transaction cannot change it any more");
    groups.end_transaction(producer(7), true, 2);
    assert_eq!(position(&groups), Some(6));

    groups.commit_transactional(anonymous(7), producer(7), 3).unwrap();
    groups.commit_transactional(anonymous(8), producer(8), 3).unwrap();
    groups.end_transaction(producer(8), true, 4);
    groups.end_transaction(producer(7), true, 5);
    assert_eq!(position(&groups), Some(8));
}

/// KIP-447: whoever names a member must be one, and in the present generation.
#[test]
fn zombies_of_a_group_are_fenced() {
    let mut groups = groups();
    stable_pair(&mut groups);
    let of = |name: &str, generation| commit(identity(name, generation), 5);
    let mut ask = |request| groups.commit_transactional(request, producer(7), 1).map(|_| ());
    assert_eq!(ask(of("a", 1)), Err(Error::IllegalGeneration));
    assert_eq!(ask(of("x", 2)), Err(Error::UnknownMemberId));
    assert_eq!(ask(of("a", 2)), Ok(()));
    assert_eq!(ask(anonymous(5)), Ok(()), "clients from before that name nobody");
    let static_member = MemberIdentity { instance_id: Some("i".into()), ..identity("a", 2) };
    assert_eq!(ask(commit(static_member, 5)), Err(Error::UnknownMemberId));
    groups.join(member("a"), Ticket(9), &(), 2);
    groups.join(member("b"), Ticket(10), &(), 2);
    let during_sync = groups.commit_transactional(of("a", 3), producer(7), 2);
    assert!(during_sync.is_ok(), "a rebalance does not abort a transaction");
    let elsewhere = CommitRequest { group_id: "other".into(), ..of("a", 2) };
    assert_eq!(groups.commit_transactional(elsewhere, producer(7), 2), Err(Error::IllegalGeneration));
}

#[test]
fn a_late_request_of_an_ended_epoch_is_fenced() {
    let mut groups = groups();
    groups.commit_transactional(anonymous(5), producer(7), 0).unwrap();
    groups.end_transaction(TransactionalProducer { id: 7, epoch: 1 }, true, 1);
    let late = groups.commit_transactional(anonymous(6), producer(7), 2);
    assert_eq!(late, Err(Error::InvalidProducerEpoch));
    let next = TransactionalProducer { id: 7, epoch: 1 };
    assert!(groups.commit_transactional(anonymous(6), next, 2).is_ok());
}

#[test]
fn a_deleted_group_takes_its_open_transactions_along() {
    let mut groups = groups();
    let (effects, _) = groups.commit_transactional(anonymous(5), producer(7), 0).unwrap();
    let mut events = persisted(&effects);
    events.extend(persisted(&groups.delete(GROUP, 1).unwrap()));
    assert!(groups.end_transaction(producer(7), true, 2).is_empty());
    assert_eq!(reopen(&events, 2).list().count(), 0);
}

#[derive(Clone, Debug)]
enum Op {
    Commit(i64),
    Transactional(i64, i64),
    End(i64, bool),
    Delete,
    Restart,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => (0..100i64).prop_map(Op::Commit),
        4 => (0..3i64, 0..100i64).prop_map(|(producer, offset)| Op::Transactional(producer, offset)),
        3 => (0..3i64, any::<bool>()).prop_map(|(producer, commit)| Op::End(producer, commit)),
        1 => Just(Op::Delete),
        1 => Just(Op::Restart),
    ]
}

/// The rule in one line each: the latest request that counts says where the position is.
#[derive(Default)]
struct Model {
    asked: i64,
    position: Option<(i64, i64)>,
    open: std::collections::BTreeMap<i64, (i64, i64)>,
}

impl Model {
    fn apply(&mut self, op: &Op) {
        self.asked += 1;
        match *op {
            Op::Commit(offset) => self.position = Some((self.asked, offset)),
            Op::Transactional(producer, offset) => {
                self.open.insert(producer, (self.asked, offset));
            }
            Op::End(producer, commit) => {
                let ended = self.open.remove(&producer).filter(|_| commit);
                self.position = self.position.max(ended);
            }
            Op::Delete => *self = Self { asked: self.asked, ..Self::default() },
            Op::Restart => {}
        }
    }
}

proptest! {
    #[test]
    fn transactions_follow_the_model_through_restarts(ops in prop::collection::vec(op(), 1..60)) {
        let mut groups = groups();
        let mut model = Model::default();
        let mut events: Vec<Event> = Vec::new();
        for op in &ops {
            let effects = match *op {
                Op::Commit(offset) => groups.commit(anonymous(offset), 0).unwrap().0,
                Op::Transactional(id, offset) => {
                    groups.commit_transactional(anonymous(offset), producer(id), 0).unwrap().0
                }
                Op::End(id, commit) => groups.end_transaction(producer(id), commit, 0),
                Op::Delete => groups.delete(GROUP, 0).unwrap_or_default(),
                Op::Restart => {
                    let reopened = reopen(&events, 0);
                    let empty = Default::default();
                    let before = groups.offsets(GROUP).unwrap_or(&empty);
                    prop_assert_eq!(reopened.offsets(GROUP).unwrap_or(&empty), before);
                    groups = reopened;
                    Vec::new()
                }
            };
            events.extend(persisted(&effects));
            model.apply(op);
            prop_assert_eq!(position(&groups), model.position.map(|(_, offset)| offset));
            let later = |(asked, _): &(i64, i64)| Some(*asked) > model.position.map(|(at, _)| at);
            prop_assert_eq!(unstable(&groups), model.open.values().any(later));
        }
    }
}

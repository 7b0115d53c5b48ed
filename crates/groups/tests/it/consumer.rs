//! Members of the consumer protocol (KIP-848).

use groups::{
    Assignor, Config, ConsumerHeartbeat, Error, Groups, MemberIdentity, Ticket, TransactionalProducer,
};

use crate::consumer_world::{Client, Scene};
use crate::support::*;

fn epochs(scene: &Scene) -> (i32, i32) {
    let group = scene.groups.describe_consumer(GROUP).expect("a group");
    (group.epoch, group.assignment_epoch)
}

#[test]
fn a_lone_member_gets_all_at_once() {
    let mut scene = Scene::new(&[("t", 3)]);
    let mut a = Client::new("a", &["t"]);
    scene.beat(&mut a).unwrap();
    assert_eq!((a.epoch, scene.owned(&a)), (1, vec!["t-0".into(), "t-1".into(), "t-2".into()]));
    let quiet = scene.events.len();
    scene.beat(&mut a).unwrap();
    scene.beat(&mut a).unwrap();
    assert_eq!(scene.events.len(), quiet, "heartbeats write nothing");
    let reply = scene.ask(a.request()).unwrap();
    assert_eq!((reply.assignment, reply.heartbeat_interval_ms), (None, 5_000));
}

#[test]
fn a_partition_is_given_back_before_somebody_else_gets_it() {
    let mut scene = Scene::new(&[("t", 2)]);
    let (mut a, mut b) = (Client::new("a", &["t"]), Client::new("b", &["t"]));
    scene.settle(&mut [&mut a]);
    scene.beat(&mut b).unwrap();
    assert_eq!((b.epoch, b.owned.len()), (2, 0), "a has not given back yet");
    let before = a.owned.clone();
    let reply = scene.ask(a.request()).unwrap();
    assert_eq!(reply.epoch, 1, "it stays in its epoch until it has");
    a.owned = reply.assignment.unwrap();
    assert_eq!(a.owned.len(), 1);
    scene.beat(&mut b).unwrap();
    assert_eq!(b.owned.len(), 0);

    // Its client still says that it owns both.
    let unchanged = ConsumerHeartbeat { owned: Some(before), ..a.request() };
    assert_eq!(scene.ask(unchanged).unwrap().epoch, 1);
    scene.beat(&mut a).unwrap();
    scene.beat(&mut b).unwrap();
    assert_eq!((a.epoch, b.epoch, b.owned.len()), (2, 2, 1));
    scene.settle(&mut [&mut a, &mut b]);
}

#[test]
fn whoever_does_not_give_back_in_time_is_out() {
    let mut scene = Scene::new(&[("t", 2)]);
    let (mut a, mut b) = (Client::new("a", &["t"]), Client::new("b", &["t"]));
    scene.settle(&mut [&mut a]);
    scene.beat(&mut b).unwrap();
    scene.ask(a.request()).unwrap();
    for _ in 0..4 {
        scene.pass(14_000);
        scene.ask(a.request()).unwrap();
        scene.beat(&mut b).unwrap();
    }
    scene.pass(14_000);
    assert_eq!(scene.ask(a.request()), Err(Error::UnknownMemberId));
    scene.settle(&mut [&mut b]);
    assert_eq!(b.owned.len(), 2);
}

#[test]
fn the_silent_lose_their_place() {
    let mut scene = Scene::new(&[("t", 2)]);
    let (mut a, mut b) = (Client::new("a", &["t"]), Client::new("b", &["t"]));
    scene.settle(&mut [&mut a]);
    scene.settle(&mut [&mut b, &mut a]);
    scene.pass(44_000);
    scene.beat(&mut b).unwrap();
    scene.pass(1_000);
    scene.settle(&mut [&mut b]);
    assert_eq!(b.owned.len(), 2);
    let late = commit(identity("a", a.epoch), 5);
    assert_eq!(scene.groups.commit(late, scene.now_ms).unwrap_err(), Error::UnknownMemberId);
    assert_eq!(scene.beat(&mut a), Err(Error::UnknownMemberId));
}

#[test]
fn epochs_fence() {
    let mut scene = Scene::new(&[("t", 2)]);
    let mut a = Client::new("a", &["t"]);
    scene.settle(&mut [&mut a]);
    let lost = a.clone();
    a.told = None;
    a.topic_names.insert("u".into());
    scene.beat(&mut a).unwrap();
    assert_eq!((lost.epoch, a.epoch), (1, 2));
    // The answer was lost: the same again, with what it owns, is accepted.
    let again = ConsumerHeartbeat { owned: Some(lost.owned.clone()), ..lost.request() };
    assert_eq!(scene.ask(again).unwrap().epoch, 2);
    assert_eq!(scene.ask(lost.request()), Err(Error::FencedMemberEpoch), "it must say what it owns");
    a.told = None;
    a.topic_names.insert("v".into());
    scene.beat(&mut a).unwrap();
    let long_ago = ConsumerHeartbeat { owned: Some(lost.owned.clone()), ..lost.request() };
    assert_eq!(scene.ask(long_ago), Err(Error::FencedMemberEpoch), "only the epoch before is forgiven");
    let ahead = ConsumerHeartbeat { epoch: 4, ..a.request() };
    assert_eq!(scene.ask(ahead), Err(Error::FencedMemberEpoch));

    let commits =
        |scene: &mut Scene, epoch| scene.groups.commit(commit(identity("a", epoch), 5), 0).map(drop);
    assert_eq!(commits(&mut scene, 2), Err(Error::StaleMemberEpoch));
    assert_eq!(commits(&mut scene, -1), Err(Error::StaleMemberEpoch));
    assert_eq!(commits(&mut scene, 3), Ok(()));
    assert_eq!(scene.groups.commit(commit(outsider(), 5), 0), Err(Error::UnknownMemberId));
    let mut in_transaction = |member| {
        let producer = TransactionalProducer { id: 1, epoch: 0 };
        scene.groups.commit_transactional(commit(member, 5), producer, 0).map(drop)
    };
    assert_eq!(in_transaction(identity("a", 2)), Err(Error::IllegalGeneration));
    assert_eq!(in_transaction(identity("a", 3)), Ok(()));
    assert_eq!(in_transaction(outsider()), Ok(()), "clients from before KIP-447 name nobody");
    let asks = |member_id: &str, generation| MemberIdentity {
        member_id: member_id.into(),
        generation,
        ..MemberIdentity::default()
    };
    assert_eq!(scene.groups.may_fetch(GROUP, &asks("a", 3)), Ok(()));
    assert_eq!(scene.groups.may_fetch(GROUP, &asks("a", 2)), Err(Error::StaleMemberEpoch));
    assert_eq!(scene.groups.may_fetch(GROUP, &asks("x", 1)), Err(Error::UnknownMemberId));
    assert_eq!(scene.groups.may_fetch(GROUP, &asks("", -1)), Ok(()));
}

#[test]
fn a_member_that_joins_again_gets_its_partitions_again() {
    let mut scene = Scene::new(&[("t", 2)]);
    let mut a = Client::new("a", &["t"]);
    scene.settle(&mut [&mut a]);
    a.start_over();
    scene.beat(&mut a).unwrap();
    assert_eq!((a.epoch, a.owned.len(), epochs(&scene)), (1, 2, (1, 1)));
}

#[test]
fn a_static_member_keeps_its_partitions_while_it_is_away() {
    let mut scene = Scene::new(&[("t", 4)]);
    let (mut a, mut b) = (Client::new("a", &["t"]), Client::new("b", &["t"]));
    a.instance_id = Some("one".into());
    scene.settle(&mut [&mut a]);
    scene.settle(&mut [&mut b, &mut a]);
    let mut other = Client { instance_id: Some("one".into()), ..Client::new("c", &["t"]) };
    assert_eq!(scene.beat(&mut other), Err(Error::UnreleasedInstanceId));
    let speaks = ConsumerHeartbeat { epoch: 2, ..other.request() };
    assert_eq!(scene.ask(speaks), Err(Error::FencedInstanceId));

    let before = epochs(&scene);
    let away = scene.ask(ConsumerHeartbeat { epoch: -2, ..a.request() }).unwrap();
    assert_eq!(away.epoch, -2);
    scene.settle_without_state(&mut [&mut b]);
    assert_eq!(b.owned.len(), 2);
    scene.beat(&mut other).unwrap();
    assert_eq!((scene.owned(&other), epochs(&scene)), (scene.owned(&a), before));
    assert_eq!(scene.beat(&mut a), Err(Error::FencedInstanceId));
    scene.settle(&mut [&mut b, &mut other]);

    scene.ask(ConsumerHeartbeat { epoch: -2, ..other.request() }).unwrap();
    scene.pass(40_000);
    scene.beat(&mut b).unwrap();
    scene.pass(10_000);
    scene.settle(&mut [&mut b]);
    assert_eq!(b.owned.len(), 4, "it did not come back in time");
}

#[test]
fn whoever_leaves_frees_its_partitions_at_once() {
    let mut scene = Scene::new(&[("t", 2)]);
    let (mut a, mut b) = (Client::new("a", &["t"]), Client::new("b", &["t"]));
    scene.settle(&mut [&mut a]);
    scene.settle(&mut [&mut b, &mut a]);
    assert_eq!(scene.ask(ConsumerHeartbeat { epoch: -1, ..b.request() }).unwrap().epoch, -1);
    assert_eq!(scene.ask(ConsumerHeartbeat { epoch: -1, ..b.request() }), Err(Error::UnknownMemberId));
    scene.beat(&mut a).unwrap();
    assert_eq!(a.owned.len(), 2);
    scene.ask(ConsumerHeartbeat { epoch: -1, ..a.request() }).unwrap();
    assert_eq!(scene.groups.describe_consumer(GROUP).unwrap().state.name(), "Empty");
    assert_eq!(scene.groups.next_deadline(), None);
}

#[test]
fn topics_that_come_grow_and_go_are_followed() {
    let mut scene = Scene::new(&[("t", 1)]);
    let mut a = Client::new("a", &["t"]);
    a.topic_pattern = Some("n[a-z]+".into());
    scene.settle(&mut [&mut a]);
    let mut sees = |change: &dyn Fn(&mut crate::consumer_world::Topics)| {
        change(&mut scene.topics);
        scene.settle(&mut [&mut a]);
        scene.owned(&a)
    };
    assert_eq!(sees(&|topics| topics.grow("t")), ["t-0", "t-1"]);
    assert_eq!(sees(&|topics| topics.set("news", 1)), ["t-0", "t-1", "news-0"]);
    assert_eq!(sees(&|topics| topics.set("n", 1)), ["t-0", "t-1", "news-0"], "the whole name must match");
    assert_eq!(sees(&|topics| topics.set("other", 1)), ["t-0", "t-1", "news-0"]);
    assert_eq!(sees(&|topics| topics.set("t", 0)), ["news-0"]);
    assert_eq!(sees(&|topics| topics.set("t", 1)), ["news-0", "t-0"], "another topic of that name");
    let epochs_before = epochs(&scene);
    scene.topics.set("unrelated", 5);
    scene.settle(&mut [&mut a]);
    assert_eq!(epochs(&scene), epochs_before);

    a.told = None;
    a.topic_pattern = Some(String::new());
    scene.settle(&mut [&mut a]);
    assert_eq!(scene.owned(&a), ["t-0"], "an empty pattern drops it");
}

#[test]
fn the_assignor_that_most_ask_for_is_taken() {
    let mut scene = Scene::new(&[("t", 2)]);
    let ask = |scene: &mut Scene, name: &str, assignor: Option<&str>| {
        let request = Client::new(name, &["t"]).request();
        scene.ask(ConsumerHeartbeat { assignor: assignor.map(str::to_owned), ..request }).map(drop)
    };
    assert_eq!(ask(&mut scene, "a", Some("mine")), Err(Error::UnsupportedAssignor));
    assert_eq!(scene.groups.list().count(), 0, "a refusal leaves no group behind");
    let assignor = |scene: &Scene| scene.groups.describe_consumer(GROUP).unwrap().assignor;
    ask(&mut scene, "a", None).unwrap();
    assert_eq!(assignor(&scene), Assignor::Uniform);
    ask(&mut scene, "b", Some("range")).unwrap();
    assert_eq!(assignor(&scene), Assignor::Range);
}

#[test]
fn wrong_requests_are_refused() {
    let mut scene = Scene::new(&[("t", 2)]);
    let mut refused = |change: fn(&mut ConsumerHeartbeat)| {
        let mut request = Client::new("a", &["t"]).request();
        change(&mut request);
        scene.ask(request).unwrap_err()
    };
    assert_eq!(refused(|r| r.group_id.clear()), Error::InvalidGroupId);
    assert_eq!(refused(|r| r.topic_pattern = Some("a(".into())), Error::InvalidRegularExpression);
    assert_eq!(
        refused(|r| r.topic_pattern = Some("(a{1000}){1000}".into())),
        Error::InvalidRegularExpression
    );
    assert_eq!(refused(|r| r.epoch = 1), Error::UnknownMemberId);
    assert_eq!(refused(|r| r.epoch = -1), Error::UnknownMemberId);
    assert_eq!(refused(|r| r.topic_names = Some(["x".repeat(600_000)].into())), Error::GroupTooLarge);
    let changes: [fn(&mut ConsumerHeartbeat); 6] = [
        |r| r.epoch = -3,
        |r| r.epoch = -2,
        |r| r.rebalance_timeout_ms = None,
        |r| r.topic_names = None,
        |r| r.instance_id = Some(String::new()),
        |r| (r.member_id, r.epoch) = (String::new(), 1),
    ];
    for change in changes {
        assert!(matches!(refused(change), Error::InvalidRequest { .. }));
    }
    assert_eq!(scene.groups.list().count(), 0);
}

#[test]
fn a_full_group_says_so() {
    let mut scene = Scene::new(&[("t", 2)]);
    scene.groups = Groups::new(Config { consumer_max_members: 1, ..Config::default() });
    let (mut a, mut b) = (Client::new("a", &["t"]), Client::new("b", &["t"]));
    scene.beat(&mut a).unwrap();
    assert_eq!(scene.beat(&mut b), Err(Error::GroupMaxSizeReached));
}

/// The first version of the protocol lets the broker choose the id.
#[test]
fn an_unnamed_member_is_given_a_name() {
    let mut scene = Scene::new(&[("t", 1)]);
    let request = Client::new("", &["t"]).request();
    let reply = scene.ask(ConsumerHeartbeat { new_member_id: "made".into(), ..request }).unwrap();
    assert_eq!((reply.member_id.as_str(), reply.epoch), ("made", 1));
}

#[test]
fn an_empty_group_changes_its_protocol_and_keeps_its_offsets() {
    let mut scene = Scene::new(&[("t", 1)]);
    let mut a = Client::new("a", &["t"]);
    let effects = scene.groups.join(newcomer("old"), Ticket(1), &(), 0);
    scene.wrote(&effects);
    assert_eq!(
        scene.beat(&mut a),
        Err(Error::GroupIdNotFound),
        "its member speaks of topics that nobody can read"
    );
    let effects = scene.groups.sync(sync("old", 1, &[("old", "p")]), Ticket(2), &(), 0);
    scene.wrote(&effects);
    let effects = scene.groups.commit(commit(identity("old", 1), 5), 0).unwrap().0;
    scene.wrote(&effects);
    scene.pass(10_000);
    scene.beat(&mut a).unwrap();
    assert_eq!(scene.groups.list().next().unwrap().group_type.name(), "consumer");

    let reply = joined(&scene.groups.join(newcomer("new"), Ticket(3), &(), 0)).remove(0).1;
    assert_eq!(reply.unwrap_err().error, Error::InconsistentGroupProtocol);
    let beaten = scene.groups.heartbeat(GROUP, &identity("a", 1), &(), 0).1;
    assert_eq!(beaten, Err(Error::UnknownMemberId));
    scene.ask(ConsumerHeartbeat { epoch: -1, ..a.request() }).unwrap();
    let effects = scene.groups.join(newcomer("new"), Ticket(4), &(), 0);
    scene.wrote(&effects);
    let effects = scene.groups.sync(sync("new", 1, &[("new", "p")]), Ticket(5), &(), 0);
    scene.wrote(&effects);
    let reopened = reopen(&scene.events, 0);
    assert_eq!(reopened.offsets(GROUP).unwrap().get("t", 0).unwrap().offset, 5);
    assert_eq!(reopened.describe(GROUP), scene.groups.describe(GROUP));
    assert_eq!(reopened.list().next().unwrap().group_type.name(), "classic");
}

#[test]
fn offsets_of_topics_that_nobody_reads_expire_while_the_group_lives() {
    let mut scene = Scene::new(&[("t", 1), ("u", 1)]);
    let mut a = Client::new("a", &["u"]);
    scene.settle(&mut [&mut a]);
    let mut request = commit(identity("a", a.epoch), 0);
    request.offsets.push(("u".into(), 0, request.offsets[0].2.clone()));
    scene.groups.commit(request, 0).unwrap();
    let wanted = [("t".to_owned(), 0), ("u".to_owned(), 0)];
    let (_, outcomes) = scene.groups.delete_offsets(GROUP, &wanted[1..], 0).unwrap();
    assert_eq!(outcomes, [Err(Error::GroupSubscribedToTopic)]);
    scene.groups.expire(Config::default().offsets_retention_ms + 1);
    let offsets = scene.groups.offsets(GROUP).unwrap();
    assert!(offsets.get("t", 0).is_none() && offsets.get("u", 0).is_some());
    assert_eq!(scene.groups.delete(GROUP, 0), Err(Error::NonEmptyGroup));
}

#[test]
fn times_are_set_for_single_groups() {
    let mut scene = Scene::new(&[("t", 1)]);
    let set = |scene: &mut Scene, name: &str, value: Option<&str>| {
        let changes = [(name.to_owned(), value.map(str::to_owned))];
        let effects = scene.groups.alter_settings(GROUP, &changes)?;
        scene.wrote(&effects);
        Ok(())
    };
    let (session, heartbeat) = ("consumer.session.timeout.ms", "consumer.heartbeat.interval.ms");
    assert_eq!(set(&mut scene, session, Some("60000")), Ok(()));
    assert_eq!(set(&mut scene, heartbeat, Some("15000")), Ok(()));
    assert_eq!(set(&mut scene, session, Some("1000")), Err(Error::InvalidSetting));
    assert_eq!(set(&mut scene, session, Some("soon")), Err(Error::InvalidSetting));
    assert_eq!(set(&mut scene, "retention.ms", Some("1")), Err(Error::UnknownSetting));
    scene.groups = reopen(&scene.events, 0);
    let mut a = Client::new("a", &["t"]);
    assert_eq!(scene.ask(a.request()).unwrap().heartbeat_interval_ms, 15_000);
    assert_eq!(scene.groups.next_deadline(), Some(60_000));
    assert_eq!(set(&mut scene, session, None), Ok(()));
    scene.beat(&mut a).unwrap();
    assert_eq!(scene.groups.next_deadline(), Some(45_000));
    let described = scene.groups.settings(GROUP).describe(&Config::default());
    assert_eq!(described, [(heartbeat, 15_000, true), (session, 45_000, false)]);
}

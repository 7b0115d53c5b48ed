//! A group that is rolled from one protocol to the other, member by member.

use groups::{
    Config, ConsumerHeartbeat, Effect, Error, Groups, LeaveRequest, LeavingMember, MigrationPolicy, Ticket,
};

use crate::classic_client::{ClassicClient, read_assignment};
use crate::consumer_world::{Client, Scene};
use crate::support::*;

/// A classic client acts, and syncs if it got in. Answers for others are not delivered.
fn turn(scene: &mut Scene, client: &mut ClassicClient) {
    let ticket = Ticket(u64::try_from(scene.events.len()).expect("a number") + 1_000);
    let effects = client.poll(&mut scene.groups, &scene.topics, ticket, scene.now_ms);
    scene.wrote(&effects);
    for effect in &effects {
        let Some(request) = client.hear(effect, &scene.topics) else { continue };
        client.asks_to_sync(ticket);
        let effects = scene.groups.sync(request, ticket, &scene.topics, scene.now_ms);
        scene.wrote(&effects);
        for effect in &effects {
            assert_eq!(client.hear(effect, &scene.topics), None);
        }
    }
}

fn group_type(groups: &Groups) -> &'static str {
    groups.list().next().expect("a group").group_type.name()
}

/// A group of `old`, which has the four partitions of `t`.
fn classic_group(cooperative: bool) -> (Scene, ClassicClient) {
    let mut scene = Scene::new(&[("t", 4)]);
    let mut old = ClassicClient::new("old", &["t"], cooperative);
    turn(&mut scene, &mut old);
    assert_eq!((old.is_member(), old.owned.len()), (true, 4));
    (scene, old)
}

fn settle(scene: &mut Scene, old: &mut ClassicClient, new: &mut Client) {
    for _ in 0..8 {
        turn(scene, old);
        scene.beat(new).expect("a member");
    }
    assert_eq!((old.owned.len(), new.owned.len()), (2, 2));
    assert_eq!(scene.groups.describe_consumer(GROUP).expect("a group").state.name(), "Stable");
}

#[test]
fn a_group_is_rolled_over_and_back() {
    for cooperative in [false, true] {
        let (mut scene, mut old) = classic_group(cooperative);
        let effects = scene.groups.commit(commit(identity("old", old.generation), 5), 0).unwrap().0;
        scene.wrote(&effects);
        let mut new = Client::new("new", &["t"]);
        scene.beat(&mut new).unwrap();
        assert_eq!(group_type(&scene.groups), "consumer");
        assert!(new.owned.is_empty() && old.owned.len() == 4, "nobody gives its partitions away but itself");
        settle(&mut scene, &mut old, &mut new);
        let reopened = reopen(&compacted(&scene.events), 0);
        assert_eq!(reopened.describe_consumer(GROUP), scene.groups.describe_consumer(GROUP));
        assert_eq!(reopened.offsets(GROUP).unwrap().get("t", 0).unwrap().offset, 5);

        scene.ask(ConsumerHeartbeat { epoch: -1, ..new.request() }).unwrap();
        let listed = scene.groups.list().next().unwrap();
        assert_eq!((listed.group_type.name(), listed.state), ("classic", "PreparingRebalance"));
        for _ in 0..4 {
            turn(&mut scene, &mut old);
        }
        assert_eq!((old.is_member(), old.owned.len()), (true, 4));
        let reopened = reopen(&compacted(&scene.events), 0);
        assert_eq!(reopened.describe(GROUP), scene.groups.describe(GROUP));
        assert_eq!(reopened.describe_consumer(GROUP), None);
        assert_eq!(reopened.offsets(GROUP).unwrap().get("t", 0).unwrap().offset, 5);

        let members = vec![LeavingMember { member_id: old.member_id.clone(), instance_id: None }];
        let (effects, _) = scene.groups.leave(&LeaveRequest { group_id: GROUP.into(), members }, 0);
        scene.wrote(&effects);
        let effects = scene.groups.delete(GROUP, 0).unwrap();
        scene.wrote(&effects);
        assert_eq!(compacted(&scene.events), [], "nothing is left of it on the disk");
    }
}

#[test]
fn members_that_wait_for_the_others_are_asked_to_join_again() {
    let (mut scene, mut old) = classic_group(true);
    let effects = scene.groups.join(newcomer("waiting"), Ticket(1), &scene.topics, 0);
    assert_eq!(joined(&effects)[0].1.clone().unwrap_err().error, Error::InconsistentGroupProtocol);
    let request = ClassicClient::new("waiting", &["t"], true).join_request();
    let effects = scene.groups.join(request, Ticket(2), &scene.topics, 0);
    assert_eq!(joined(&effects), []);
    let new = Client::new("new", &["t"]);
    let (effects, reply) = scene.groups.consumer_heartbeat(new.request(), &scene.topics, 0);
    assert_eq!(reply.unwrap().epoch, 2);
    let (ticket, refusal) = joined(&effects).remove(0);
    assert_eq!((ticket, refusal.unwrap_err().error), (Ticket(2), Error::RebalanceInProgress));
    turn(&mut scene, &mut old);
    assert!(!old.is_member(), "its heartbeat told it so");
}

#[test]
fn a_policy_may_forbid_either_way() {
    for (policy, upgrades, downgrades) in [
        (MigrationPolicy::Disabled, false, false),
        (MigrationPolicy::Upgrade, true, false),
        (MigrationPolicy::Downgrade, false, true),
    ] {
        let mut scene = Scene::new(&[("t", 4)]);
        scene.groups = Groups::new(Config { migration_policy: policy, ..Config::default() });
        let mut old = ClassicClient::new("old", &["t"], true);
        turn(&mut scene, &mut old);
        let mut new = Client::new("new", &["t"]);
        assert_eq!(scene.beat(&mut new).is_ok(), upgrades, "{policy:?}");

        let mut scene = Scene::new(&[("t", 4)]);
        scene.groups = Groups::new(Config { migration_policy: policy, ..Config::default() });
        new.start_over();
        scene.beat(&mut new).unwrap();
        let mut old = ClassicClient::new("old", &["t"], true);
        turn(&mut scene, &mut old);
        assert!(old.is_member(), "any member may come");
        scene.ask(ConsumerHeartbeat { epoch: -1, ..new.request() }).unwrap();
        let expected = if downgrades { "classic" } else { "consumer" };
        assert_eq!(group_type(&scene.groups), expected, "{policy:?}");
    }
}

#[test]
fn whoever_is_refused_changes_nothing() {
    let (mut scene, mut old) = classic_group(true);
    let wrong = ConsumerHeartbeat { assignor: Some("mine".into()), ..Client::new("new", &["t"]).request() };
    let (effects, reply) = scene.groups.consumer_heartbeat(wrong, &scene.topics, 0);
    assert_eq!((effects, reply), (Vec::new(), Err(Error::UnsupportedAssignor)));
    assert_eq!(group_type(&scene.groups), "classic");
    turn(&mut scene, &mut old);
    assert!(old.is_member());
}

#[test]
fn a_group_of_others_than_consumers_stays_what_it_is() {
    let mut scene = Scene::new(&[("t", 1)]);
    let worker = groups::JoinRequest { protocol_type: "connect".into(), ..newcomer("worker") };
    scene.groups.join(worker.clone(), Ticket(1), &scene.topics, 0);
    let mut new = Client::new("new", &["t"]);
    assert_eq!(scene.beat(&mut new), Err(Error::GroupIdNotFound));

    let mut scene = Scene::new(&[("t", 1)]);
    scene.beat(&mut new).unwrap();
    let effects = scene.groups.join(worker, Ticket(2), &scene.topics, 0);
    assert_eq!(joined(&effects)[0].1.clone().unwrap_err().error, Error::InconsistentGroupProtocol);
}

#[test]
fn a_newcomer_of_the_classic_protocol_is_given_its_id_first() {
    let mut scene = Scene::new(&[("t", 2)]);
    scene.beat(&mut Client::new("new", &["t"])).unwrap();
    let old = ClassicClient::new("old", &["t"], true);
    let mut request = old.join_request();
    request.requires_known_member_id = true;
    let effects = scene.groups.join(request.clone(), Ticket(1), &scene.topics, 0);
    let refusal = joined(&effects).remove(0).1.unwrap_err();
    assert_eq!((refusal.error, refusal.member_id.as_str()), (Error::MemberIdRequired, "old"));
    request.member_id = "old".into();
    let effects = scene.groups.join(request, Ticket(2), &scene.topics, 0);
    let reply = joined(&effects).remove(0).1.unwrap();
    assert_eq!((reply.member_id.as_str(), reply.leader.as_str(), reply.generation), ("old", "", 2));
}

#[test]
fn a_static_member_changes_its_protocol_and_keeps_its_place() {
    let (mut scene, mut old) = classic_group(true);
    let mut stays = Client::new("stays", &["t"]);
    settle(&mut scene, &mut old, &mut stays);

    // From the consumer protocol to the classic one, without a goodbye.
    let mut one = Client::new("one", &["t"]);
    one.instance_id = Some("i".into());
    for _ in 0..8 {
        scene.beat(&mut one).unwrap();
        scene.beat(&mut stays).unwrap();
        turn(&mut scene, &mut old);
    }
    let had = scene.owned(&one);
    assert!(!had.is_empty());
    let mut again = ClassicClient::new("again", &["t"], true);
    again.instance_id = Some("i".into());
    turn(&mut scene, &mut again);
    let has: Vec<String> = again.owned.iter().map(|(topic, index)| format!("{topic}-{index}")).collect();
    assert_eq!(has, had, "it syncs for what its predecessor had");
    assert_eq!(scene.beat(&mut one.clone()), Err(Error::FencedInstanceId));

    // And back.
    one.start_over();
    one.member_id = "one-2".into();
    scene.beat(&mut one).unwrap();
    scene.beat(&mut one).unwrap();
    assert_eq!(scene.owned(&one), had);
    turn(&mut scene, &mut again);
    assert!(!again.is_member(), "another has its place");
}

#[test]
fn whoever_does_not_take_its_next_step_in_time_is_out() {
    let (mut scene, mut old) = classic_group(true);
    let mut new = Client::new("new", &["t"]);
    scene.beat(&mut new).unwrap();
    let member = identity("old", old.generation);
    let beat = |scene: &mut Scene| scene.groups.heartbeat(GROUP, &member, &scene.topics, scene.now_ms).1;
    for _ in 0..REBALANCE_MS / 5_000 {
        assert_eq!(beat(&mut scene), Err(Error::RebalanceInProgress));
        scene.pass(5_000);
        let _ = scene.beat(&mut new);
    }
    assert_eq!(beat(&mut scene), Err(Error::UnknownMemberId), "it was alive but did not join");
    scene.beat(&mut new).unwrap();
    assert_eq!(new.owned.len(), 4);

    // Nor is somebody waited for that joins and does not sync, or that says nothing at all.
    old = ClassicClient::new("old-2", &["t"], true);
    scene.groups.join(old.join_request(), Ticket(1), &scene.topics, scene.now_ms);
    assert_eq!(scene.groups.describe_consumer(GROUP).unwrap().members.len(), 2);
    scene.pass(i64::from(SESSION_MS));
    assert_eq!(scene.groups.describe_consumer(GROUP).unwrap().members.len(), 1);
}

#[test]
fn members_of_the_classic_protocol_leave_and_commit_under_their_own_rules() {
    let (mut scene, mut old) = classic_group(true);
    let mut new = Client::new("new", &["t"]);
    scene.beat(&mut new).unwrap();
    settle(&mut scene, &mut old, &mut new);
    let late = scene.groups.commit(commit(identity("old", old.generation - 1), 1), 0);
    assert_eq!(late.unwrap_err(), Error::IllegalGeneration);
    let late = scene.groups.commit(commit(identity("new", new.epoch - 1), 1), 0);
    assert_eq!(late.unwrap_err(), Error::StaleMemberEpoch);
    scene.groups.commit(commit(identity("old", old.generation), 1), 0).unwrap();

    let leaves = |scene: &mut Scene, member_id: &str| {
        let members = vec![LeavingMember { member_id: member_id.into(), instance_id: None }];
        scene.groups.leave(&LeaveRequest { group_id: GROUP.into(), members }, 0).1.remove(0)
    };
    assert_eq!(leaves(&mut scene, "new"), Err(Error::UnknownMemberId), "it says goodbye another way");
    assert_eq!(leaves(&mut scene, "old"), Ok(()));
    scene.beat(&mut new).unwrap();
    assert_eq!(new.owned.len(), 4);
}

/// A leader that gives a partition to two, and one that speaks of partitions that there are not.
#[test]
fn what_a_leader_made_up_is_not_taken_over() {
    let mut scene = Scene::new(&[("t", 1)]);
    let first = ClassicClient::new("a", &["t"], true);
    let second = ClassicClient::new("b", &["t"], true);
    let mut known = first.join_request();
    known.member_id = "a".into();
    scene.groups.join(first.join_request(), Ticket(1), &scene.topics, 0);
    scene.groups.join(second.join_request(), Ticket(2), &scene.topics, 0);
    scene.groups.join(known, Ticket(3), &scene.topics, 0);
    let everything = "\0\x01\0\0\0\x01\0\x01t\0\0\0\x02\0\0\0\0\0\0\0\x07\u{0}\0\0\0";
    let effects =
        scene.groups.sync(sync("a", 2, &[("a", everything), ("b", everything)]), Ticket(4), &scene.topics, 0);
    let given = synced(&effects).remove(0).1.unwrap().assignment;
    assert_eq!(&given[..], everything.as_bytes());
    scene.beat(&mut Client::new("new", &["t"])).unwrap();
    let group = scene.groups.describe_consumer(GROUP).unwrap();
    let owned: usize = group.members.iter().map(|member| member.assigned.len()).sum();
    assert_eq!(owned, 1);
    let kinds: Vec<bool> = group.members.iter().map(|member| member.profile.classic.is_some()).collect();
    assert_eq!(kinds, [true, true, false]);
}

#[test]
fn a_name_that_could_not_be_written_is_refused() {
    let mut scene = Scene::new(&[("t", 1)]);
    scene.beat(&mut Client::new("new", &["t"])).unwrap();
    let mut request = ClassicClient::new("old", &["t"], false).join_request();
    request.protocols.push(("x".repeat(40_000), bytes::Bytes::new()));
    let effects = scene.groups.join(request.clone(), Ticket(1), &scene.topics, 0);
    assert_eq!(joined(&effects).remove(0).1.unwrap_err().error, Error::InconsistentGroupProtocol);
    request.protocols.clear();
    let effects = scene.groups.join(request, Ticket(2), &scene.topics, 0);
    assert_eq!(joined(&effects).remove(0).1.unwrap_err().error, Error::InconsistentGroupProtocol);
}

#[test]
fn the_assignment_has_the_version_of_the_subscription() {
    let mut scene = Scene::new(&[("t", 1)]);
    scene.beat(&mut Client::new("new", &[])).unwrap();
    let mut request = ClassicClient::new("old", &["t"], false).join_request();
    request.protocols[0].1 = bytes::Bytes::from_static(b"\0\0\0\0\0\x01\0\x01t\xff\xff\xff\xff");
    let effects = scene.groups.join(request, Ticket(1), &scene.topics, 0);
    let reply = joined(&effects).remove(0).1.unwrap();
    let effects = scene.groups.sync(sync("old", reply.generation, &[]), Ticket(2), &scene.topics, 0);
    let [Effect::Synced { reply: Ok(reply), .. }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(&reply.assignment[..2], [0, 0]);
    let mut newer = bytes::BytesMut::from(&reply.assignment[..]);
    newer[1] = 1;
    assert_eq!(read_assignment(&newer.freeze()).len(), 1);
}

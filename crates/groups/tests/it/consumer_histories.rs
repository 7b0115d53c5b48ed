//! Generated histories of members of the consumer protocol: answers get lost, clients vanish, topics change, the broker
//! starts again.

use std::collections::BTreeMap;

use groups::{Assignment, ConsumerHeartbeat, Error};
use proptest::prelude::*;

use crate::consumer_world::{Client, Scene};
use crate::support::*;

const CLIENTS: usize = 4;
const TOPICS: [&str; 3] = ["t", "u", "v"];

#[derive(Clone, Debug)]
enum Op {
    Beat {
        client: usize,
        answer_lost: bool,
    },
    /// Its process is started again: another id, or the same instance.
    Replace {
        client: usize,
        is_static: bool,
    },
    Leave {
        client: usize,
        for_a_while: bool,
    },
    Subscribe {
        client: usize,
        topics: Vec<usize>,
        by_pattern: bool,
    },
    Commit {
        client: usize,
        late: bool,
    },
    Topic {
        topic: usize,
        partitions: u32,
    },
    Grow {
        topic: usize,
    },
    Pass {
        ms: i64,
    },
    Restart,
}

fn op() -> impl Strategy<Value = Op> {
    let client = 0..CLIENTS;
    prop_oneof![
        12 => (client.clone(), prop::bool::weighted(0.2))
            .prop_map(|(client, answer_lost)| Op::Beat { client, answer_lost }),
        1 => (client.clone(), any::<bool>()).prop_map(|(client, is_static)| Op::Replace { client, is_static }),
        1 => (client.clone(), any::<bool>()).prop_map(|(client, for_a_while)| Op::Leave { client, for_a_while }),
        1 => (client.clone(), prop::collection::vec(0..TOPICS.len(), 0..3), any::<bool>())
            .prop_map(|(client, topics, by_pattern)| Op::Subscribe { client, topics, by_pattern }),
        1 => (client, any::<bool>()).prop_map(|(client, late)| Op::Commit { client, late }),
        1 => (0..TOPICS.len(), 0..5u32).prop_map(|(topic, partitions)| Op::Topic { topic, partitions }),
        1 => (0..TOPICS.len()).prop_map(|topic| Op::Grow { topic }),
        1 => prop_oneof![1..500i64, 5_000..70_000i64].prop_map(|ms| Op::Pass { ms }),
        1 => Just(Op::Restart),
    ]
}

struct World {
    scene: Scene,
    clients: Vec<Client>,
    named: u32,
    group_epoch: i32,
    /// The epochs of members, which never go back while a member is one.
    epochs: BTreeMap<String, i32>,
    committed: Option<i64>,
}

impl World {
    fn new() -> Self {
        let clients = (0..CLIENTS).map(|at| Client::new(&format!("c{at}"), &["t", "u"])).collect();
        let scene = Scene::new(&[("t", 3), ("u", 2)]);
        Self { scene, clients, named: 0, group_epoch: 0, epochs: BTreeMap::new(), committed: None }
    }

    fn apply(&mut self, op: &Op) -> Result<(), TestCaseError> {
        match op {
            Op::Beat { client, answer_lost } => self.beat(*client, *answer_lost),
            Op::Replace { client, is_static } => {
                self.named += 1;
                let name = format!("n{}", self.named);
                let old = std::mem::replace(&mut self.clients[*client], Client::new(&name, &["t"]));
                let instance_id = is_static.then(|| format!("i{}", client % 2));
                self.clients[*client].instance_id = instance_id;
                self.clients[*client].topic_names = old.topic_names;
            }
            Op::Leave { client, for_a_while } => {
                let client = &mut self.clients[*client];
                let epoch = if *for_a_while && client.instance_id.is_some() { -2 } else { -1 };
                let _ = self.scene.ask(ConsumerHeartbeat { epoch, ..client.request() });
                client.start_over();
            }
            Op::Subscribe { client, topics, by_pattern } => {
                let client = &mut self.clients[*client];
                let names = topics.iter().map(|at| TOPICS[*at]);
                client.topic_pattern = Some(if *by_pattern {
                    names.clone().collect::<Vec<_>>().join("|")
                } else {
                    String::new()
                });
                client.topic_names = if *by_pattern { Vec::new() } else { names.collect() }
                    .into_iter()
                    .map(str::to_owned)
                    .collect();
                client.told = None;
            }
            Op::Commit { client, late } => self.commit(*client, *late)?,
            Op::Topic { topic, partitions } => self.scene.topics.set(TOPICS[*topic], *partitions),
            Op::Grow { topic } => self.scene.topics.grow(TOPICS[*topic]),
            Op::Pass { ms } => self.scene.pass(*ms),
            Op::Restart => self.restart()?,
        }
        self.check()
    }

    fn beat(&mut self, client: usize, answer_lost: bool) {
        let client = &mut self.clients[client];
        let reply = self.scene.ask(client.request());
        match reply {
            // A client that misses an answer says everything the next time.
            Ok(_) if answer_lost => client.told = None,
            reply => client.take(reply),
        }
    }

    fn commit(&mut self, client: usize, late: bool) -> Result<(), TestCaseError> {
        let client = &self.clients[client];
        let epoch = client.epoch - i32::from(late);
        let offset = i64::try_from(self.scene.events.len()).expect("histories are short");
        let request = commit(identity(&client.member_id, epoch), offset);
        let Ok((effects, _)) = self.scene.groups.commit(request, self.scene.now_ms) else { return Ok(()) };
        self.scene.wrote(&effects);
        self.committed = Some(offset);
        let group = self.scene.groups.describe_consumer(GROUP);
        let members = group.map(|group| group.members).unwrap_or_default();
        let present = members.iter().any(|one| one.member_id == client.member_id && one.epoch == epoch);
        prop_assert!(present || (members.is_empty() && epoch < 0), "a fenced member's commit went through");
        Ok(())
    }

    fn restart(&mut self) -> Result<(), TestCaseError> {
        let reopened = reopen(&self.scene.events, self.scene.now_ms);
        let before = &self.scene.groups;
        prop_assert_eq!(reopened.describe_consumer(GROUP), before.describe_consumer(GROUP));
        prop_assert_eq!(reopened.offsets(GROUP), before.offsets(GROUP));
        self.scene.groups = reopened;
        Ok(())
    }

    fn check(&mut self) -> Result<(), TestCaseError> {
        let Some(group) = self.scene.groups.describe_consumer(GROUP) else { return Ok(()) };
        prop_assert!(group.epoch >= self.group_epoch && group.epoch >= group.assignment_epoch);
        self.group_epoch = group.epoch;
        self.epochs.retain(|member_id, _| group.members.iter().any(|member| member.member_id == *member_id));
        for member in group.members.iter().filter(|member| member.epoch >= 0) {
            let before = self.epochs.insert(member.member_id.clone(), member.epoch);
            prop_assert!(before.is_none_or(|before| before <= member.epoch), "an epoch went back");
            prop_assert!(member.epoch <= group.assignment_epoch);
        }
        // Clients that the group believes in never share a partition, whatever they have missed.
        let believed = |client: &&Client| {
            let known = |epoch| epoch == client.epoch || client.told.is_none();
            group.members.iter().any(|one| one.member_id == client.member_id && known(one.epoch))
        };
        let mut owners: BTreeMap<(uuid::Uuid, i32), &str> = BTreeMap::new();
        for client in self.clients.iter().filter(believed) {
            for partition in client.owned.iter() {
                let other = owners.insert(partition, &client.member_id);
                prop_assert!(other.is_none(), "{partition:?} is owned by {other:?} and {}", client.member_id);
            }
        }
        Ok(())
    }

    /// After all that, those who keep speaking share everything they want.
    fn calm_down(&mut self) -> Result<(), TestCaseError> {
        for _ in 0..40 {
            self.scene.pass(5_000);
            for client in 0..CLIENTS {
                self.beat(client, false);
                self.check()?;
            }
        }
        let group = self.scene.groups.describe_consumer(GROUP).expect("everybody joined");
        prop_assert_eq!(group.state.name(), "Stable");
        let owned: Assignment = self.clients.iter().flat_map(|client| client.owned.iter()).collect();
        let wanted: Assignment = self
            .scene
            .topics
            .all_names()
            .iter()
            .filter(|name| self.clients.iter().any(|client| wants(client, name)))
            .flat_map(|name| self.scene.topics.partitions(name).iter().collect::<Vec<_>>())
            .collect();
        prop_assert_eq!(owned, wanted);
        Ok(())
    }
}

fn wants(client: &Client, topic: &str) -> bool {
    let pattern = client.topic_pattern.as_deref().unwrap_or_default();
    client.topic_names.contains(topic) || pattern.split('|').any(|name| name == topic)
}

/// Clients of one instance fight for it for ever, as they would with Kafka.
fn one_client_per_instance(clients: &mut [Client]) {
    for at in 0..clients.len() {
        let (before, rest) = clients.split_at_mut(at);
        let own = &mut rest[0];
        if own.instance_id.is_some() && before.iter().any(|other| other.instance_id == own.instance_id) {
            own.instance_id = None;
            own.member_id.push_str("-free");
            own.start_over();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn no_history_gives_a_partition_to_two(ops in prop::collection::vec(op(), 1..80)) {
        let mut world = World::new();
        for op in &ops {
            world.apply(op)?;
        }
        one_client_per_instance(&mut world.clients);
        world.calm_down()?;
        world.restart()?;
        let committed = world.scene.groups.offsets(GROUP).and_then(|all| all.get("t", 0)).map(|one| one.offset);
        prop_assert_eq!(committed, world.committed);
        prop_assert_eq!(world.scene.groups.commit(commit(outsider(), 1), 0), Err(Error::UnknownMemberId));
    }
}

//! Generated histories of a group whose members are started again with the other protocol, one by one or all at once,
//! while others leave, fall silent and come back, and the broker starts again.

use std::collections::BTreeMap;

use groups::{ConsumerHeartbeat, Effect, Error, LeaveRequest, LeavingMember, Ticket};
use proptest::prelude::*;

use crate::classic_client::{ClassicClient, Owned};
use crate::consumer_world::{Client, Scene};
use crate::support::*;

const CLIENTS: usize = 4;

#[derive(Clone, Debug)]
enum Op {
    Poll {
        client: usize,
    },
    /// Its process is started again, by the one or the other protocol; it may have said goodbye.
    Restart {
        client: usize,
        by_consumer_protocol: bool,
        leaves: bool,
    },
    Pass {
        ms: i64,
    },
    RestartBroker,
}

fn op() -> impl Strategy<Value = Op> {
    let client = 0..CLIENTS;
    prop_oneof![
        20 => client.clone().prop_map(|client| Op::Poll { client }),
        3 => (client, any::<bool>(), any::<bool>()).prop_map(|(client, by_consumer_protocol, leaves)| {
            Op::Restart { client, by_consumer_protocol, leaves }
        }),
        1 => prop_oneof![1..500i64, 5_000..70_000i64].prop_map(|ms| Op::Pass { ms }),
        1 => Just(Op::RestartBroker),
    ]
}

enum Process {
    Classic(ClassicClient),
    Consumer(Client),
}

struct World {
    scene: Scene,
    processes: Vec<Process>,
    cooperative: bool,
    started: u64,
    tickets: u64,
}

impl World {
    fn new(cooperative: bool) -> Self {
        let scene = Scene::new(&[("t", 3), ("u", 2)]);
        let mut world = Self { scene, processes: Vec::new(), cooperative, started: 0, tickets: 0 };
        for _ in 0..CLIENTS {
            let process = world.start(false);
            world.processes.push(process);
        }
        world
    }

    fn start(&mut self, by_consumer_protocol: bool) -> Process {
        self.started += 1;
        let name = format!("p{}", self.started);
        if by_consumer_protocol {
            Process::Consumer(Client::new(&name, &["t", "u"]))
        } else {
            Process::Classic(ClassicClient::new(&name, &["t", "u"], self.cooperative))
        }
    }

    fn apply(&mut self, op: &Op) -> Result<(), TestCaseError> {
        match *op {
            Op::Poll { client } => self.poll(client),
            Op::Restart { client, by_consumer_protocol, leaves } => {
                if leaves {
                    self.leave(client);
                }
                self.processes[client] = self.start(by_consumer_protocol);
            }
            Op::Pass { ms } => self.pass(ms),
            Op::RestartBroker => self.restart_broker()?,
        }
        self.check()
    }

    fn poll(&mut self, client: usize) {
        let ticket = self.ticket();
        let Scene { groups, topics, now_ms, .. } = &mut self.scene;
        match &mut self.processes[client] {
            Process::Classic(classic) => {
                let effects = classic.poll(groups, topics, ticket, *now_ms);
                self.deliver(effects);
            }
            Process::Consumer(consumer) => {
                let (effects, reply) = groups.consumer_heartbeat(consumer.request(), topics, *now_ms);
                consumer.take(reply);
                self.deliver(effects);
            }
        }
    }

    /// Brings answers to those who wait, who may ask at once for more.
    fn deliver(&mut self, effects: Vec<Effect>) {
        self.scene.wrote(&effects);
        for effect in effects {
            for at in 0..self.processes.len() {
                let Process::Classic(classic) = &mut self.processes[at] else { continue };
                let Some(request) = classic.hear(&effect, &self.scene.topics) else { continue };
                self.tickets += 1;
                let ticket = Ticket(self.tickets);
                classic.asks_to_sync(ticket);
                let Scene { groups, topics, now_ms, .. } = &mut self.scene;
                let more = groups.sync(request, ticket, topics, *now_ms);
                self.deliver(more);
            }
        }
    }

    fn leave(&mut self, client: usize) {
        let Scene { groups, topics, now_ms, .. } = &mut self.scene;
        let effects = match &mut self.processes[client] {
            Process::Classic(classic) => {
                let member_id = classic.member_id.clone();
                let members = vec![LeavingMember { member_id, instance_id: None }];
                groups.leave(&LeaveRequest { group_id: GROUP.into(), members }, *now_ms).0
            }
            Process::Consumer(consumer) => {
                let request = ConsumerHeartbeat { epoch: -1, ..consumer.request() };
                groups.consumer_heartbeat(request, topics, *now_ms).0
            }
        };
        self.deliver(effects);
    }

    fn pass(&mut self, ms: i64) {
        self.scene.now_ms += ms;
        let effects = self.scene.groups.tick(self.scene.now_ms);
        self.deliver(effects);
    }

    /// Those who waited for an answer ask again.
    fn restart_broker(&mut self) -> Result<(), TestCaseError> {
        let reopened = reopen(&self.scene.events, self.scene.now_ms);
        prop_assert_eq!(reopened.describe_consumer(GROUP), self.scene.groups.describe_consumer(GROUP));
        self.scene.groups = reopened;
        for process in &mut self.processes {
            if let Process::Classic(classic) = process {
                classic.loses_connection();
            }
        }
        Ok(())
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    /// What the clients that the group believes in own, by name.
    fn owned(&self) -> Vec<(&str, Owned)> {
        let consumer = self.scene.groups.describe_consumer(GROUP);
        let epochs: BTreeMap<String, Option<i32>> = match (&consumer, self.scene.groups.describe(GROUP)) {
            (Some(group), _) => {
                group.members.iter().map(|one| (one.member_id.clone(), Some(one.epoch))).collect()
            }
            (None, Some(group)) => group.members.into_iter().map(|one| (one.member_id, None)).collect(),
            (None, None) => BTreeMap::new(),
        };
        let believed = |member_id: &str, epoch: i32| {
            epochs.get(member_id).is_some_and(|known| known.is_none_or(|known| known == epoch))
        };
        let name = |(id, index)| {
            let named = self.scene.topics.show(&[(id, index)].into_iter().collect());
            let (topic, _) = named[0].rsplit_once('-').expect("a topic and a number");
            (topic.to_owned(), index)
        };
        let owned = self.processes.iter().filter_map(|process| match process {
            Process::Classic(one) if believed(&one.member_id, one.generation) => {
                Some((one.member_id.as_str(), one.owned.clone()))
            }
            Process::Consumer(one) if believed(&one.member_id, one.epoch) => {
                Some((one.member_id.as_str(), one.owned.iter().map(name).collect()))
            }
            Process::Classic(_) | Process::Consumer(_) => None,
        });
        owned.collect()
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let mut owners: BTreeMap<(String, i32), String> = BTreeMap::new();
        for (member_id, owned) in self.owned() {
            for partition in owned {
                let other = owners.insert(partition.clone(), member_id.to_owned());
                prop_assert!(other.is_none(), "{partition:?} is owned by {other:?} and {member_id}");
            }
        }
        Ok(())
    }

    /// After all that, those who keep speaking share everything.
    fn calm_down(&mut self) -> Result<(), TestCaseError> {
        for _ in 0..60 {
            self.pass(3_000);
            for client in 0..CLIENTS {
                self.poll(client);
                self.check()?;
            }
        }
        let owned: Vec<(String, i32)> = self.owned().into_iter().flat_map(|(_, owned)| owned).collect();
        prop_assert_eq!(owned.len(), 5, "everything is read: {:?}", owned);
        let by_consumer_protocol =
            self.processes.iter().any(|process| matches!(process, Process::Consumer(_)));
        let listed = self.scene.groups.list().next().expect("a group");
        let expected = if by_consumer_protocol { "consumer" } else { "classic" };
        prop_assert_eq!((listed.group_type.name(), listed.state), (expected, "Stable"));
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn a_group_changes_its_protocol_and_nobody_shares_a_partition(
        ops in prop::collection::vec(op(), 1..80),
        cooperative in any::<bool>(),
    ) {
        let mut world = World::new(cooperative);
        for op in &ops {
            world.apply(op)?;
        }
        world.calm_down()?;
        world.restart_broker()?;
        prop_assert_eq!(world.scene.groups.commit(commit(outsider(), 1), 0), Err(Error::UnknownMemberId));
    }
}

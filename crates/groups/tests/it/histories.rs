//! Generated histories of clients that join, fall silent, come back, mix up and lie about their generation.

use std::collections::{BTreeMap, HashMap, HashSet};

use bytes::Bytes;
use groups::{
    Config, Effect, Groups, JoinRequest, LeaveRequest, LeavingMember, MemberIdentity, SyncRequest, Ticket,
};
use proptest::prelude::*;

use crate::support::*;

const CLIENTS: usize = 4;

#[derive(Clone, Debug)]
enum Op {
    Join { client: usize, knows_handshake: bool, other_metadata: bool },
    JoinStatic { client: usize },
    Sync { client: usize, late: bool },
    Heartbeat { client: usize, late: bool },
    Leave { client: usize },
    Commit { client: usize, late: bool },
    Forget { client: usize },
    Pass { ms: i64 },
}

fn op() -> impl Strategy<Value = Op> {
    let client = 0..CLIENTS;
    prop_oneof![
        4 => (client.clone(), any::<bool>(), prop::bool::weighted(0.1))
            .prop_map(|(client, knows_handshake, other_metadata)| Op::Join { client, knows_handshake, other_metadata }),
        1 => client.clone().prop_map(|client| Op::JoinStatic { client }),
        4 => (client.clone(), prop::bool::weighted(0.1)).prop_map(|(client, late)| Op::Sync { client, late }),
        2 => (client.clone(), prop::bool::weighted(0.1)).prop_map(|(client, late)| Op::Heartbeat { client, late }),
        1 => client.clone().prop_map(|client| Op::Leave { client }),
        1 => (client.clone(), prop::bool::weighted(0.3)).prop_map(|(client, late)| Op::Commit { client, late }),
        1 => client.prop_map(|client| Op::Forget { client }),
        2 => prop_oneof![1..500i64, 5_000..70_000i64].prop_map(|ms| Op::Pass { ms }),
    ]
}

/// What a client believes.
#[derive(Clone, Debug, Default)]
struct Client {
    member_id: String,
    instance_id: Option<String>,
    generation: i32,
    leads: Vec<String>,
}

#[derive(Default)]
struct World {
    now_ms: i64,
    next: u64,
    clients: Vec<Client>,
    /// Requests without an answer: who asked, and for syncs the generation they named.
    joins: HashMap<Ticket, usize>,
    syncs: HashMap<Ticket, (usize, i32)>,
    answered: HashSet<Ticket>,
    /// The leader of each generation, by member id, and the protocol.
    leaders: BTreeMap<i32, (String, String)>,
    newest: i32,
    committed: Option<i64>,
    events: Vec<groups::Event>,
}

impl World {
    fn ticket(&mut self) -> Ticket {
        self.next += 1;
        Ticket(self.next)
    }

    fn identity(&self, client: usize, late: bool) -> MemberIdentity {
        let client = &self.clients[client];
        MemberIdentity {
            member_id: client.member_id.clone(),
            instance_id: client.instance_id.clone(),
            generation: client.generation - i32::from(late),
        }
    }

    fn settle(&mut self, effects: Vec<Effect>) -> Result<(), TestCaseError> {
        for effect in effects {
            match effect {
                Effect::Joined { ticket, reply } => {
                    prop_assert!(self.answered.insert(ticket), "answered twice");
                    let client = self.joins.remove(&ticket).expect("only waiting joins are answered");
                    self.joined(client, reply)?;
                }
                Effect::Synced { ticket, reply } => {
                    prop_assert!(self.answered.insert(ticket), "answered twice");
                    let (client, generation) =
                        self.syncs.remove(&ticket).expect("only waiting syncs are answered");
                    if let Ok(reply) = reply {
                        self.synced(client, generation, &reply.assignment)?;
                    }
                }
                Effect::Persist(event) => self.events.push(event),
            }
        }
        Ok(())
    }

    fn joined(
        &mut self,
        client: usize,
        reply: Result<groups::JoinReply, groups::JoinRefusal>,
    ) -> Result<(), TestCaseError> {
        let client = &mut self.clients[client];
        match reply {
            Err(refusal) if refusal.error == groups::Error::MemberIdRequired => {
                client.member_id = refusal.member_id;
            }
            Err(_) => *client = Client::default(),
            Ok(reply) => {
                prop_assert!(reply.generation >= self.newest, "generations never go back");
                self.newest = reply.generation;
                client.member_id.clone_from(&reply.member_id);
                client.generation = reply.generation;
                client.leads = reply.members.iter().map(|member| member.member_id.clone()).collect();
                if reply.members.is_empty() {
                    prop_assert!(reply.leader != reply.member_id, "a leader is told of all members");
                } else {
                    prop_assert_eq!(&reply.leader, &reply.member_id);
                    prop_assert!(client.leads.contains(&reply.member_id));
                }
                self.one_leader(&reply)?;
            }
        }
        Ok(())
    }

    /// Within a generation everybody hears of the same leader and protocol. A static leader's successor is
    /// told of its former self, and is the same leader.
    fn one_leader(&mut self, reply: &groups::JoinReply) -> Result<(), TestCaseError> {
        let same = |a: &str, b: &str| a.split('#').next() == b.split('#').next();
        let (leader, protocol) =
            self.leaders.entry(reply.generation).or_insert((reply.leader.clone(), reply.protocol.clone()));
        let is_static = reply.leader.starts_with("static");
        prop_assert!(*leader == reply.leader || (is_static && same(leader, &reply.leader)));
        prop_assert_eq!(&*protocol, &reply.protocol);
        Ok(())
    }

    fn synced(&self, client: usize, generation: i32, assignment: &Bytes) -> Result<(), TestCaseError> {
        let text = std::str::from_utf8(assignment).expect("assignments are text here");
        if let Some((given_in, given_to)) = text.split_once(' ') {
            prop_assert_eq!(given_in, generation.to_string(), "an assignment of another generation");
            let own = &self.clients[client].member_id;
            let place = |id: &str| id.split('#').next().map(str::to_owned);
            let is_own = given_to == own || (own.starts_with("static") && place(given_to) == place(own));
            // A client that has asked for a new place since does not look at this answer any more.
            prop_assert!(is_own || own.is_empty() || self.clients[client].generation != generation);
        }
        Ok(())
    }

    fn join(
        &mut self,
        groups: &mut Groups,
        client: usize,
        change: impl FnOnce(&mut JoinRequest),
    ) -> Result<(), TestCaseError> {
        let ticket = self.ticket();
        let believes = &self.clients[client];
        let stem =
            believes.instance_id.as_ref().map_or_else(|| format!("m{client}"), |id| format!("static{id}"));
        let mut request = newcomer(&format!("{stem}#{}", ticket.0));
        request.member_id.clone_from(&believes.member_id);
        request.instance_id.clone_from(&believes.instance_id);
        request.protocols[0].1 = Bytes::from_static(b"topics");
        change(&mut request);
        self.joins.insert(ticket, client);
        let effects = groups.join(request, ticket, &(), self.now_ms);
        self.settle(effects)
    }

    fn sync(&mut self, groups: &mut Groups, client: usize, late: bool) -> Result<(), TestCaseError> {
        let ticket = self.ticket();
        let member = self.identity(client, late);
        let generation = member.generation;
        let give = |id: &String| (id.clone(), Bytes::from(format!("{generation} {id}")));
        let assignments = self.clients[client].leads.iter().map(give).collect();
        let request = SyncRequest { group_id: GROUP.into(), member, assignments, ..SyncRequest::default() };
        self.syncs.insert(ticket, (client, generation));
        let effects = groups.sync(request, ticket, &(), self.now_ms);
        self.settle(effects)
    }

    fn apply(&mut self, groups: &mut Groups, op: &Op) -> Result<(), TestCaseError> {
        match *op {
            Op::Join { client, knows_handshake, other_metadata } => self.join(groups, client, |request| {
                request.requires_known_member_id = knows_handshake && request.instance_id.is_none();
                if other_metadata {
                    request.protocols[0].1 = Bytes::from_static(b"others");
                }
            }),
            Op::JoinStatic { client } => {
                let instance_id = Some(format!("{}", client % 2));
                self.clients[client] = Client { instance_id, ..Client::default() };
                self.join(groups, client, |_| ())
            }
            Op::Sync { client, late } => self.sync(groups, client, late),
            Op::Heartbeat { client, late } => {
                let _ = groups.heartbeat(GROUP, &self.identity(client, late), &(), self.now_ms).1;
                Ok(())
            }
            Op::Leave { client } => {
                let Client { member_id, instance_id, .. } = std::mem::take(&mut self.clients[client]);
                let members = vec![LeavingMember { member_id, instance_id }];
                let (effects, _) =
                    groups.leave(&LeaveRequest { group_id: GROUP.into(), members }, self.now_ms);
                self.settle(effects)
            }
            Op::Commit { client, late } => self.commit(groups, client, late),
            Op::Forget { client } => {
                self.clients[client] = Client::default();
                Ok(())
            }
            Op::Pass { ms } => {
                self.now_ms += ms;
                let effects = groups.tick(self.now_ms);
                self.settle(effects)
            }
        }
    }

    fn commit(&mut self, groups: &mut Groups, client: usize, late: bool) -> Result<(), TestCaseError> {
        let offset = i64::try_from(self.next).expect("histories are short");
        let member = self.identity(client, late);
        let generation = member.generation;
        if let Ok((effects, _)) = groups.commit(commit(member, offset), self.now_ms) {
            let empty = groups.describe(GROUP).is_none_or(|group| group.members.is_empty());
            let outsider = generation < 0 && empty;
            prop_assert!(
                generation == self.newest || outsider,
                "a commit from generation {generation} went through"
            );
            self.committed = Some(offset);
            self.settle(effects)?;
        }
        Ok(())
    }

    /// Time alone answers everything that waits.
    fn finish(&mut self, groups: &mut Groups) -> Result<(), TestCaseError> {
        for _ in 0..100 {
            let Some(at) = groups.next_deadline() else { break };
            self.now_ms = self.now_ms.max(at);
            let effects = groups.tick(self.now_ms);
            self.settle(effects)?;
        }
        prop_assert!(self.joins.is_empty(), "joins without an answer: {:?}", self.joins);
        prop_assert!(self.syncs.is_empty(), "syncs without an answer: {:?}", self.syncs);
        prop_assert_eq!(groups.next_deadline(), None, "all members have gone in the end");
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn no_history_breaks_a_group(ops in prop::collection::vec(op(), 1..80), delay in prop_oneof![Just(0), Just(3_000)]) {
        let config = Config { initial_rebalance_delay_ms: delay, ..Config::default() };
        let mut groups = Groups::new(config.clone());
        let mut world = World { clients: vec![Client::default(); CLIENTS], ..World::default() };
        for op in &ops {
            world.apply(&mut groups, op)?;
        }
        world.finish(&mut groups)?;
        let committed = groups.offsets(GROUP).and_then(|offsets| offsets.get("t", 0)).map(|c| c.offset);
        prop_assert_eq!(committed, world.committed);

        let mut reopened = Groups::new(config);
        for event in world.events.drain(..) {
            reopened.replay(event, world.now_ms);
        }
        reopened.replayed(world.now_ms);
        let committed = reopened.offsets(GROUP).and_then(|offsets| offsets.get("t", 0)).map(|c| c.offset);
        prop_assert_eq!(committed, world.committed);
        let generation = |groups: &Groups| groups.describe(GROUP).map(|d| (d.state, d.members.len()));
        prop_assert_eq!(generation(&reopened), generation(&groups));
    }
}

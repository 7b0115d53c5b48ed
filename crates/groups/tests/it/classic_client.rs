//! A consumer of the classic protocol as its client sees it, in a group of either protocol.

use std::collections::BTreeSet;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use groups::{
    Effect, Error, Groups, JoinRefusal, JoinReply, JoinRequest, JoinedMember, SyncReply, SyncRequest, Ticket,
};

use crate::consumer_world::Topics;
use crate::support::*;

pub(crate) type Owned = BTreeSet<(String, i32)>;

#[derive(Clone, Debug, PartialEq)]
enum Phase {
    /// It has to join.
    Out,
    Joining(Ticket),
    Syncing(Ticket),
    Member,
}

/// A consumer of the classic protocol with what it believes.
#[derive(Clone, Debug)]
pub(crate) struct ClassicClient {
    /// What the broker is to call it.
    name: String,
    pub(crate) member_id: String,
    pub(crate) instance_id: Option<String>,
    pub(crate) generation: i32,
    pub(crate) owned: Owned,
    /// It keeps what it has while it joins, and gives back only what it must (KIP-429).
    cooperative: bool,
    topics: Vec<String>,
    phase: Phase,
}

impl ClassicClient {
    pub(crate) fn new(name: &str, topics: &[&str], cooperative: bool) -> Self {
        Self {
            name: name.to_owned(),
            member_id: String::new(),
            instance_id: None,
            generation: -1,
            owned: Owned::new(),
            cooperative,
            topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
            phase: Phase::Out,
        }
    }

    pub(crate) fn is_member(&self) -> bool {
        self.phase == Phase::Member
    }

    /// Nobody answers any more what it waits for.
    pub(crate) fn loses_connection(&mut self) {
        if !self.is_member() {
            self.phase = Phase::Out;
        }
    }

    pub(crate) fn protocol(&self) -> &'static str {
        if self.cooperative { "cooperative-sticky" } else { "range" }
    }

    pub(crate) fn join_request(&self) -> JoinRequest {
        JoinRequest {
            member_id: self.member_id.clone(),
            instance_id: self.instance_id.clone(),
            protocols: vec![(self.protocol().to_owned(), subscription(&self.topics, &self.owned))],
            ..newcomer(&self.name)
        }
    }

    /// The next thing that a client does. What it is told comes back as effects, some of them for others.
    pub(crate) fn poll(
        &mut self,
        groups: &mut Groups,
        topics: &Topics,
        ticket: Ticket,
        now_ms: i64,
    ) -> Vec<Effect> {
        match self.phase {
            Phase::Out => {
                if !self.cooperative {
                    self.owned.clear();
                }
                self.phase = Phase::Joining(ticket);
                groups.join(self.join_request(), ticket, topics, now_ms)
            }
            Phase::Member => {
                let member = groups::MemberIdentity {
                    instance_id: self.instance_id.clone(),
                    ..identity(&self.member_id, self.generation)
                };
                let (effects, beaten) = groups.heartbeat(GROUP, &member, topics, now_ms);
                if let Err(error) = beaten {
                    self.refused(error);
                }
                effects
            }
            Phase::Joining(_) | Phase::Syncing(_) => Vec::new(),
        }
    }

    /// An answer that may be its own; what it asks next, if anything, comes back.
    pub(crate) fn hear(&mut self, effect: &Effect, topics: &Topics) -> Option<SyncRequest> {
        match effect {
            Effect::Joined { ticket, reply } if self.phase == Phase::Joining(*ticket) => {
                self.joined(reply, topics)
            }
            Effect::Synced { ticket, reply } if self.phase == Phase::Syncing(*ticket) => {
                self.synced(reply);
                None
            }
            Effect::Joined { .. } | Effect::Synced { .. } | Effect::Persist(_) => None,
        }
    }

    pub(crate) fn asks_to_sync(&mut self, ticket: Ticket) {
        self.phase = Phase::Syncing(ticket);
    }

    fn joined(&mut self, reply: &Result<JoinReply, JoinRefusal>, topics: &Topics) -> Option<SyncRequest> {
        match reply {
            Err(refusal) => {
                self.refused(refusal.error);
                if refusal.error == Error::MemberIdRequired {
                    self.member_id.clone_from(&refusal.member_id);
                }
                None
            }
            Ok(reply) => {
                self.member_id.clone_from(&reply.member_id);
                self.generation = reply.generation;
                let leads = reply.leader == reply.member_id;
                let assignments = if leads { self.assign(&reply.members, topics) } else { Vec::new() };
                Some(SyncRequest {
                    assignments,
                    protocol: Some(reply.protocol.clone()),
                    ..sync(&self.member_id, self.generation, &[])
                })
            }
        }
    }

    /// Everybody in turn; by the cooperative protocol nobody is given what somebody else has.
    fn assign(&self, members: &[JoinedMember], topics: &Topics) -> Vec<(String, Bytes)> {
        let wants: Vec<(Vec<String>, Owned)> =
            members.iter().map(|one| read_subscription(&one.metadata)).collect();
        let mut given = vec![Owned::new(); members.len()];
        for name in topics.all_names() {
            let readers: Vec<usize> = (0..members.len()).filter(|at| wants[*at].0.contains(&name)).collect();
            for (_, index) in topics.partitions(&name).iter().filter(|_| !readers.is_empty()) {
                let reader = readers[usize::try_from(index).expect("an index") % readers.len()];
                let partition = (name.clone(), index);
                let has = |at: usize| wants[at].1.contains(&partition);
                let taken = self.cooperative && !has(reader) && (0..members.len()).any(has);
                if !taken {
                    given[reader].insert(partition);
                }
            }
        }
        let ids = members.iter().map(|member| member.member_id.clone());
        ids.zip(given.iter().map(assignment)).collect()
    }

    fn synced(&mut self, reply: &Result<SyncReply, Error>) {
        match reply {
            Err(error) => self.refused(*error),
            Ok(reply) => {
                let assigned = read_assignment(&reply.assignment);
                let gives_back = self.owned.iter().any(|partition| !assigned.contains(partition));
                self.owned = assigned;
                self.phase = if gives_back && self.cooperative { Phase::Out } else { Phase::Member };
            }
        }
    }

    fn refused(&mut self, error: Error) {
        self.phase = Phase::Out;
        if error != Error::RebalanceInProgress {
            self.owned.clear();
            self.generation = -1;
        }
        if matches!(error, Error::UnknownMemberId | Error::FencedInstanceId) {
            self.member_id.clear();
            self.name.push('\'');
        }
    }
}

fn put_text(bytes: &mut BytesMut, text: &str) {
    bytes.put_i16(i16::try_from(text.len()).expect("it is short"));
    bytes.put_slice(text.as_bytes());
}

fn put_partitions(bytes: &mut BytesMut, partitions: &Owned) {
    bytes.put_i32(i32::try_from(partitions.len()).expect("it is short"));
    for (topic, index) in partitions {
        put_text(bytes, topic);
        bytes.put_i32(1);
        bytes.put_i32(*index);
    }
}

/// `ConsumerProtocolSubscription` 1.
fn subscription(topics: &[String], owned: &Owned) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_i16(1);
    bytes.put_i32(i32::try_from(topics.len()).expect("it is short"));
    topics.iter().for_each(|topic| put_text(&mut bytes, topic));
    bytes.put_i32(-1);
    put_partitions(&mut bytes, owned);
    bytes.freeze()
}

/// `ConsumerProtocolAssignment` 1.
fn assignment(partitions: &Owned) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_i16(1);
    put_partitions(&mut bytes, partitions);
    bytes.put_i32(-1);
    bytes.freeze()
}

fn get_text(bytes: &mut Bytes) -> String {
    let length = usize::try_from(bytes.get_i16()).expect("a length");
    String::from_utf8(bytes.split_to(length).to_vec()).expect("a name")
}

fn get_partitions(bytes: &mut Bytes) -> Owned {
    let mut partitions = Owned::new();
    for _ in 0..bytes.get_i32() {
        let topic = get_text(bytes);
        for _ in 0..bytes.get_i32() {
            partitions.insert((topic.clone(), bytes.get_i32()));
        }
    }
    partitions
}

fn read_subscription(bytes: &Bytes) -> (Vec<String>, Owned) {
    let mut bytes = bytes.clone();
    assert_eq!(bytes.get_i16(), 1);
    let topics = (0..bytes.get_i32()).map(|_| get_text(&mut bytes)).collect();
    assert_eq!(bytes.get_i32(), -1);
    (topics, get_partitions(&mut bytes))
}

pub(crate) fn read_assignment(bytes: &Bytes) -> Owned {
    let mut bytes = bytes.clone();
    if bytes.is_empty() {
        return Owned::new();
    }
    assert_eq!(bytes.get_i16(), 1, "in the version of the subscription");
    let partitions = get_partitions(&mut bytes);
    assert_eq!(bytes.get_i32(), -1);
    partitions
}

//! Membership in a group of the classic protocol, which every broker serves: join, be alive, leave.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use protocol::ErrorCode;
use protocol::messages::join_group::{JoinGroupRequestProtocol, JoinGroupResponseMember};
use protocol::messages::leave_group::MemberIdentity;
use protocol::messages::sync_group::SyncGroupRequestAssignment;
use protocol::messages::{
    HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, SyncGroupRequest,
};

use super::call::Call;
use super::cluster::Cluster;
use super::connection::Connection;
use super::groups::{CONSUMER_PROTOCOL, Committer};
use super::offsets::Place;
use super::refusal::Refusal;
use super::subscription;
use crate::stop::Stop;

const SESSION_TIMEOUT_MS: i32 = 30_000;
/// Below the time that a connection waits for a reply.
const REBALANCE_TIMEOUT_MS: i32 = 45_000;
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(3);
/// Java's consumers offer it too, so both can be in one group.
const ASSIGNOR: &str = "range";

/// A member of a group.
pub(crate) struct Membership {
    group: String,
    topics: Vec<String>,
    committer: Committer,
    /// Set when the group hands out partitions anew.
    rejoin: Arc<AtomicBool>,
    heartbeats: Option<Heartbeats>,
}

struct Heartbeats {
    stop: Stop,
    thread: JoinHandle<()>,
}

impl Membership {
    /// Not yet in the group.
    pub(crate) fn new(group: &str, topics: Vec<String>) -> Self {
        Self {
            group: group.to_owned(),
            topics,
            committer: Committer::outside(),
            rejoin: Arc::new(AtomicBool::new(true)),
            heartbeats: None,
        }
    }

    /// Who commits.
    pub(crate) fn committer(&self) -> &Committer {
        &self.committer
    }

    /// Whether partitions are handed out anew: commit, then [`Membership::join`].
    pub(crate) fn must_join(&self) -> bool {
        self.rejoin.load(Ordering::Acquire)
    }

    /// Enters the group, or a new generation of it. Returns what this member reads.
    pub(crate) fn join(&mut self, cluster: &mut Cluster) -> anyhow::Result<Vec<Place>> {
        self.silence();
        loop {
            let joined = self.enter(cluster)?;
            self.committer =
                Committer { generation: joined.generation_id, member: joined.member_id.to_string() };
            let assignments = if joined.leader == joined.member_id {
                self.hand_out(cluster, &joined.members)?
            } else {
                Vec::new()
            };
            let request = SyncGroupRequest {
                group_id: self.group.as_str().into(),
                generation_id: self.committer.generation,
                member_id: self.committer.member.as_str().into(),
                protocol_type: Some(CONSUMER_PROTOCOL.into()),
                protocol_name: Some(ASSIGNOR.into()),
                assignments,
                ..SyncGroupRequest::default()
            };
            let answer = self.ask(cluster, &request, |answer| answer.error_code)?;
            match self.judge(answer.error_code)? {
                Next::Go => {
                    self.rejoin.store(false, Ordering::Release);
                    self.beat(cluster)?;
                    return subscription::read_assignment(&answer.assignment)
                        .context("the group's leader sent an assignment that is none");
                }
                Next::JoinAgain => {}
            }
        }
    }

    fn enter(&mut self, cluster: &mut Cluster) -> anyhow::Result<JoinGroupResponse> {
        loop {
            let protocol = JoinGroupRequestProtocol {
                name: ASSIGNOR.into(),
                metadata: subscription::write_subscription(&self.topics),
            };
            let request = JoinGroupRequest {
                group_id: self.group.as_str().into(),
                session_timeout_ms: SESSION_TIMEOUT_MS,
                rebalance_timeout_ms: REBALANCE_TIMEOUT_MS,
                member_id: self.committer.member.as_str().into(),
                protocol_type: CONSUMER_PROTOCOL.into(),
                protocols: vec![protocol],
                ..JoinGroupRequest::default()
            };
            let answer = self.ask(cluster, &request, |answer| answer.error_code)?;
            if ErrorCode::from_code(answer.error_code) == ErrorCode::MemberIdRequired {
                self.committer.member = answer.member_id.to_string();
            } else if matches!(self.judge(answer.error_code)?, Next::Go) {
                return Ok(answer);
            }
        }
    }

    /// As the group's leader: who reads what.
    fn hand_out(
        &self,
        cluster: &mut Cluster,
        members: &[JoinGroupResponseMember],
    ) -> anyhow::Result<Vec<SyncGroupRequestAssignment>> {
        let mut wishes = BTreeMap::new();
        let mut partitions = BTreeMap::new();
        for member in members {
            let topics = subscription::read_subscription(&member.metadata).with_context(|| {
                format!("member {} subscribes to nothing that can be read", member.member_id)
            })?;
            for topic in &topics {
                if let Ok(found) = cluster.topic(topic) {
                    partitions.insert(topic.clone(), i32::try_from(found.partitions.len())?);
                }
            }
            wishes.insert(member.member_id.to_string(), topics);
        }
        let assigned = subscription::range(&wishes, &partitions);
        let assignment = |(member, places): (String, Vec<Place>)| SyncGroupRequestAssignment {
            member_id: member.into(),
            assignment: subscription::write_assignment(&places),
        };
        Ok(assigned.into_iter().map(assignment).collect())
    }

    /// Asks the coordinator, again while it moves or loads.
    fn ask<Q: Call>(
        &self,
        cluster: &mut Cluster,
        request: &Q,
        code: impl Fn(&Q::Answer) -> i16,
    ) -> anyhow::Result<Q::Answer> {
        cluster.patiently(|cluster| {
            let answer = cluster.ask_group(&self.group, request)?;
            match Refusal::check(code(&answer), None, || format!("join group {}", self.group)) {
                Err(refusal) if refusal.is_passing() => Err(refusal.into()),
                // What else there is to say, `judge` knows.
                _ => Ok(answer),
            }
        })
    }

    fn judge(&mut self, code: i16) -> anyhow::Result<Next> {
        match ErrorCode::from_code(code) {
            ErrorCode::None => Ok(Next::Go),
            ErrorCode::RebalanceInProgress | ErrorCode::IllegalGeneration => Ok(Next::JoinAgain),
            ErrorCode::UnknownMemberId => {
                self.committer = Committer::outside();
                Ok(Next::JoinAgain)
            }
            _ => {
                Refusal::check(code, None, || format!("join group {}", self.group))?;
                Ok(Next::Go)
            }
        }
    }

    /// Says every few seconds that it is alive, on a connection and a thread of its own.
    fn beat(&mut self, cluster: &mut Cluster) -> anyhow::Result<()> {
        let mut connection = cluster.group_connection(&self.group)?;
        let request = HeartbeatRequest {
            group_id: self.group.as_str().into(),
            generation_id: self.committer.generation,
            member_id: self.committer.member.as_str().into(),
            ..HeartbeatRequest::default()
        };
        let (stop, rejoin) = (Stop::default(), self.rejoin.clone());
        let stopped = stop.clone();
        let thread = env::spawn_thread("heartbeats", move || {
            while !stopped.pause(HEARTBEAT_INTERVAL) && is_well(&mut connection, &request) {}
            rejoin.store(true, Ordering::Release);
        })
        .context("start the thread of heartbeats")?;
        self.heartbeats = Some(Heartbeats { stop, thread });
        Ok(())
    }

    fn silence(&mut self) {
        if let Some(heartbeats) = self.heartbeats.take() {
            heartbeats.stop.say();
            let _ = heartbeats.thread.join();
        }
    }

    /// Leaves, so that the others need not wait until it is missed.
    pub(crate) fn leave(mut self, cluster: &mut Cluster) -> anyhow::Result<()> {
        self.silence();
        if self.committer.member.is_empty() {
            return Ok(());
        }
        let identity = MemberIdentity {
            member_id: self.committer.member.as_str().into(),
            reason: Some("the consumer ends".into()),
            ..MemberIdentity::default()
        };
        let request = LeaveGroupRequest {
            group_id: self.group.as_str().into(),
            members: vec![identity],
            ..LeaveGroupRequest::default()
        };
        let answer = cluster.ask_group(&self.group, &request)?;
        Refusal::check(answer.error_code, None, || format!("leave group {}", self.group))?;
        Ok(())
    }
}

/// What an answer of the coordinator asks for.
enum Next {
    Go,
    JoinAgain,
}

fn is_well(connection: &mut Connection, request: &HeartbeatRequest) -> bool {
    connection.call(request).is_ok_and(|answer| answer.error_code == 0)
}

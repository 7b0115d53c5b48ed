//! One member of a group.

use bytes::Bytes;

use crate::{JoinRequest, MemberSnapshot, Ticket};

/// One member of a group, and the request of it that waits for an answer.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) instance_id: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    pub(crate) session_timeout_ms: i32,
    pub(crate) rebalance_timeout_ms: i32,
    pub(crate) protocols: Vec<(String, Bytes)>,
    pub(crate) assignment: Bytes,
    pub(crate) session_deadline_ms: i64,
    pub(crate) waiting: Waiting,
    /// Got into the present generation but has not asked for its assignment yet.
    pub(crate) owes_sync: bool,
}

/// The one request that a member may have waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    Nothing,
    Join(Ticket),
    Sync(Ticket),
}

/// A member as `DescribeGroups` shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberDescription {
    /// The member.
    pub member_id: String,
    /// Its `group.instance.id`.
    pub instance_id: Option<String>,
    /// The client's own name for itself.
    pub client_id: String,
    /// Where it comes from.
    pub client_host: String,
    /// Its metadata for the chosen protocol.
    pub metadata: Bytes,
    /// Its assignment.
    pub assignment: Bytes,
}

impl Member {
    pub(crate) fn new(id: String, request: JoinRequest) -> Self {
        Self {
            id,
            instance_id: request.instance_id,
            client_id: request.client_id,
            client_host: request.client_host,
            session_timeout_ms: request.session_timeout_ms,
            rebalance_timeout_ms: request.rebalance_timeout_ms,
            protocols: request.protocols,
            assignment: Bytes::new(),
            session_deadline_ms: i64::MAX,
            waiting: Waiting::Nothing,
            owes_sync: false,
        }
    }

    pub(crate) fn from_snapshot(snapshot: MemberSnapshot, protocol: &str, now_ms: i64) -> Self {
        Self {
            id: snapshot.member_id,
            instance_id: snapshot.instance_id,
            client_id: snapshot.client_id,
            client_host: snapshot.client_host,
            session_timeout_ms: snapshot.session_timeout_ms,
            rebalance_timeout_ms: snapshot.rebalance_timeout_ms,
            protocols: vec![(protocol.to_owned(), snapshot.subscription)],
            assignment: snapshot.assignment,
            session_deadline_ms: now_ms + i64::from(snapshot.session_timeout_ms),
            waiting: Waiting::Nothing,
            owes_sync: false,
        }
    }

    /// The member was heard of.
    pub(crate) fn touch(&mut self, now_ms: i64) {
        self.session_deadline_ms = now_ms + i64::from(self.session_timeout_ms);
    }

    /// When the member counts as gone; somebody who waits for our answer never does.
    pub(crate) fn session_deadline(&self) -> Option<i64> {
        (self.waiting == Waiting::Nothing).then_some(self.session_deadline_ms)
    }

    pub(crate) fn waits_for_join(&self) -> bool {
        matches!(self.waiting, Waiting::Join(_))
    }

    pub(crate) fn supports(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|(name, _)| name == protocol)
    }

    pub(crate) fn metadata(&self, protocol: &str) -> Bytes {
        self.protocols
            .iter()
            .find(|(name, _)| name == protocol)
            .map(|(_, metadata)| metadata.clone())
            .unwrap_or_default()
    }

    /// Bytes this member takes in the group's record at most, its assignment aside.
    pub(crate) fn size(&self) -> usize {
        let protocols =
            self.protocols.iter().map(|(name, metadata)| name.len() + metadata.len()).sum::<usize>();
        size_without_protocols(self.id.len(), self.instance_id.as_deref())
            + self.client_id.len()
            + self.client_host.len()
            + protocols
    }

    pub(crate) fn snapshot(&self, protocol: &str) -> MemberSnapshot {
        MemberSnapshot {
            member_id: self.id.clone(),
            instance_id: self.instance_id.clone(),
            client_id: self.client_id.clone(),
            client_host: self.client_host.clone(),
            session_timeout_ms: self.session_timeout_ms,
            rebalance_timeout_ms: self.rebalance_timeout_ms,
            subscription: self.metadata(protocol),
            assignment: self.assignment.clone(),
        }
    }

    pub(crate) fn describe(&self, protocol: Option<&str>) -> MemberDescription {
        MemberDescription {
            member_id: self.id.clone(),
            instance_id: self.instance_id.clone(),
            client_id: self.client_id.clone(),
            client_host: self.client_host.clone(),
            metadata: protocol.map(|name| self.metadata(name)).unwrap_or_default(),
            assignment: self.assignment.clone(),
        }
    }
}

/// Fixed fields and ids of a member in the group's record.
fn size_without_protocols(id_len: usize, instance_id: Option<&str>) -> usize {
    const FIXED: usize = 32;
    FIXED + id_len + instance_id.map_or(0, str::len)
}

/// Bytes that a join brings along.
pub(crate) fn request_size(request: &JoinRequest) -> usize {
    let protocols =
        request.protocols.iter().map(|(name, metadata)| name.len() + metadata.len()).sum::<usize>();
    let id_len = request.member_id.len().max(request.new_member_id.len());
    size_without_protocols(id_len, request.instance_id.as_deref())
        + request.client_id.len()
        + request.client_host.len()
        + protocols
}

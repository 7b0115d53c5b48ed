//! What the owner of the groups can be asked, and the handle to ask it with.

use std::collections::BTreeMap;

use groups::{
    CommitRequest, CommittedOffset, ConsumerGroupDescription, ConsumerHeartbeat, ConsumerHeartbeatReply,
    Description, GroupSettings, Groups, JoinRefusal, JoinReply, JoinRequest, LeaveRequest, Listing,
    MemberIdentity, Outcomes, SyncReply, SyncRequest, TransactionalProducer,
};
use tokio::sync::mpsc;

use crate::mailbox::{Asked, Mailbox, Reply};

pub(crate) type Joined = Result<JoinReply, JoinRefusal>;
/// New values by name; nothing for the broker's own.
pub(crate) type SettingChanges = Vec<(String, Option<String>)>;
pub(crate) type AlterReply = Result<(), groups::Error>;
pub(crate) type LeaveReply = Outcomes;
pub(crate) type DeleteReply = Outcomes;
pub(crate) type DescribeReply = Vec<Option<Description>>;
pub(crate) type DescribeConsumerReply = Vec<Option<ConsumerGroupDescription>>;

/// Which offsets of a group are wanted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OffsetsQuery {
    pub(crate) group_id: String,
    /// `None` for all that there are.
    pub(crate) topics: Option<Vec<(String, Vec<i32>)>>,
    /// A position that an open transaction may still move is not told.
    pub(crate) require_stable: bool,
    /// Who asks; the default with a negative generation for somebody who is no member.
    pub(crate) member: MemberIdentity,
}

/// By topic, in the order asked: each partition with its position. Or why the asking member is not told.
pub(crate) type FetchedOffsets = Result<Vec<(String, Vec<(i32, Position)>)>, groups::Error>;

/// Where a group stands in a partition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Position {
    Committed(CommittedOffset),
    None,
    /// An open transaction may still move it.
    Unstable,
}

impl OffsetsQuery {
    pub(super) fn answer(self, groups: &Groups) -> FetchedOffsets {
        groups.may_fetch(&self.group_id, &self.member)?;
        let Some(offsets) = groups.offsets(&self.group_id) else {
            let none = |indexes: Vec<i32>| indexes.into_iter().map(|index| (index, Position::None)).collect();
            let asked = self.topics.into_iter().flatten();
            return Ok(asked.map(|(topic, indexes)| (topic, none(indexes))).collect());
        };
        let wanted = self.topics.unwrap_or_else(|| {
            let all = |of_topic: &BTreeMap<i32, _>| of_topic.keys().copied().collect();
            offsets.topics().map(|(topic, of_topic)| (topic.to_owned(), all(of_topic))).collect()
        });
        let position = |topic: &str, index: i32| match offsets.get(topic, index) {
            _ if self.require_stable && offsets.is_unstable(topic, index) => Position::Unstable,
            Some(committed) => Position::Committed(committed.clone()),
            None => Position::None,
        };
        let found = |(topic, indexes): (String, Vec<i32>)| {
            let found = indexes.into_iter().map(|index| (index, position(&topic, index))).collect();
            (topic, found)
        };
        Ok(wanted.into_iter().map(found).collect())
    }
}

/// What members ask.
pub(super) enum Command {
    Join(Box<JoinRequest>, Reply<Joined>),
    Sync(SyncRequest, Reply<Result<SyncReply, groups::Error>>),
    Heartbeat(String, MemberIdentity, Reply<Result<(), groups::Error>>),
    Leave(LeaveRequest, Reply<LeaveReply>),
    ConsumerHeartbeat(Box<ConsumerHeartbeat>, Reply<Result<ConsumerHeartbeatReply, groups::Error>>),
    Commit(CommitRequest, Reply<Result<Outcomes, groups::Error>>),
    CommitTransactional(CommitRequest, TransactionalProducer, Reply<Result<Outcomes, groups::Error>>),
    EndTransaction(TransactionalProducer, bool, Reply<()>),
    Administer(Administration),
}

/// What administrators ask.
pub(super) enum Administration {
    Offsets(Vec<OffsetsQuery>, Reply<Vec<FetchedOffsets>>),
    DeleteOffsets(String, Vec<(String, i32)>, Reply<Result<Outcomes, groups::Error>>),
    Describe(Vec<String>, Reply<DescribeReply>),
    DescribeConsumer(Vec<String>, Reply<DescribeConsumerReply>),
    List(Reply<Vec<Listing>>),
    Delete(Vec<String>, Reply<DeleteReply>),
    Settings(Vec<String>, Reply<Vec<GroupSettings>>),
    AlterSettings { group_id: String, changes: SettingChanges, validate_only: bool, reply: Reply<AlterReply> },
    ForgetTopic(String),
}

/// The handle to the owner of the groups. A call enqueues at once; the future it returns waits.
#[derive(Clone, Debug)]
pub(crate) struct Coordinator {
    queue: Mailbox<Command>,
}

impl Coordinator {
    pub(super) fn new(queue: mpsc::Sender<Command>) -> Self {
        Self { queue: Mailbox::new(queue) }
    }

    pub(crate) fn join(&self, request: JoinRequest) -> impl Future<Output = Asked<Joined>> + Send + use<> {
        self.queue.ask(|reply| Command::Join(Box::new(request), reply))
    }

    pub(crate) fn sync(
        &self,
        request: SyncRequest,
    ) -> impl Future<Output = Asked<Result<SyncReply, groups::Error>>> + Send + use<> {
        self.queue.ask(|reply| Command::Sync(request, reply))
    }

    pub(crate) fn heartbeat(
        &self,
        group_id: String,
        member: MemberIdentity,
    ) -> impl Future<Output = Asked<Result<(), groups::Error>>> + Send + use<> {
        self.queue.ask(|reply| Command::Heartbeat(group_id, member, reply))
    }

    pub(crate) fn leave(
        &self,
        request: LeaveRequest,
    ) -> impl Future<Output = Asked<LeaveReply>> + Send + use<> {
        self.queue.ask(|reply| Command::Leave(request, reply))
    }

    pub(crate) fn consumer_heartbeat(
        &self,
        request: ConsumerHeartbeat,
    ) -> impl Future<Output = Asked<Result<ConsumerHeartbeatReply, groups::Error>>> + Send + use<> {
        self.queue.ask(|reply| Command::ConsumerHeartbeat(Box::new(request), reply))
    }

    pub(crate) fn describe_consumer(
        &self,
        group_ids: Vec<String>,
    ) -> impl Future<Output = Asked<DescribeConsumerReply>> + Send + use<> {
        self.queue.ask(|reply| Command::Administer(Administration::DescribeConsumer(group_ids, reply)))
    }

    pub(crate) fn commit(
        &self,
        request: CommitRequest,
    ) -> impl Future<Output = Asked<Result<Outcomes, groups::Error>>> + Send + use<> {
        self.queue.ask(|reply| Command::Commit(request, reply))
    }

    /// Offsets that count once the producer's transaction is committed. Whether the producer may is checked before, and
    /// may change at once, so this is enqueued now or not at all.
    pub(crate) fn commit_transactional(
        &self,
        request: CommitRequest,
        producer: TransactionalProducer,
    ) -> impl Future<Output = Asked<Result<Outcomes, groups::Error>>> + Send + use<> {
        self.queue.ask_now(move |reply| Command::CommitTransactional(request, producer, reply))
    }

    /// A transaction is decided: its offsets count, or are dropped, durably when this is answered. Doing it again
    /// changes nothing.
    pub(crate) fn end_transaction(
        &self,
        producer: TransactionalProducer,
        commit: bool,
    ) -> impl Future<Output = Asked<()>> + Send + use<> {
        self.queue.ask(move |reply| Command::EndTransaction(producer, commit, reply))
    }

    pub(crate) fn delete_offsets(
        &self,
        group_id: String,
        partitions: Vec<(String, i32)>,
    ) -> impl Future<Output = Asked<Result<Outcomes, groups::Error>>> + Send + use<> {
        self.queue
            .ask(|reply| Command::Administer(Administration::DeleteOffsets(group_id, partitions, reply)))
    }

    pub(crate) fn offsets(
        &self,
        queries: Vec<OffsetsQuery>,
    ) -> impl Future<Output = Asked<Vec<FetchedOffsets>>> + Send + use<> {
        self.queue.ask(|reply| Command::Administer(Administration::Offsets(queries, reply)))
    }

    pub(crate) fn describe(
        &self,
        group_ids: Vec<String>,
    ) -> impl Future<Output = Asked<DescribeReply>> + Send + use<> {
        self.queue.ask(|reply| Command::Administer(Administration::Describe(group_ids, reply)))
    }

    pub(crate) fn list(&self) -> impl Future<Output = Asked<Vec<Listing>>> + Send + use<> {
        self.queue.ask(|reply| Command::Administer(Administration::List(reply)))
    }

    pub(crate) fn delete(
        &self,
        group_ids: Vec<String>,
    ) -> impl Future<Output = Asked<DeleteReply>> + Send + use<> {
        self.queue.ask(|reply| Command::Administer(Administration::Delete(group_ids, reply)))
    }

    pub(crate) fn settings(
        &self,
        group_ids: Vec<String>,
    ) -> impl Future<Output = Asked<Vec<GroupSettings>>> + Send + use<> {
        self.queue.ask(|reply| Command::Administer(Administration::Settings(group_ids, reply)))
    }

    pub(crate) fn alter_settings(
        &self,
        group_id: String,
        changes: SettingChanges,
        validate_only: bool,
    ) -> impl Future<Output = Asked<AlterReply>> + Send + use<> {
        self.queue.ask(move |reply| {
            Command::Administer(Administration::AlterSettings { group_id, changes, validate_only, reply })
        })
    }

    /// A deleted topic's offsets are not kept.
    pub(crate) async fn forget_topic(&self, topic: String) {
        let command = Command::Administer(Administration::ForgetTopic(topic));
        self.queue.tell(command).await;
    }
}

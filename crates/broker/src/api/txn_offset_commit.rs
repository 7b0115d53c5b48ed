//! TxnOffsetCommit, key 28, versions 0 to 5.
//!
//! Remembers offsets that count when the producer's transaction is committed. Up to version 4 the group has to be in the
//! transaction already; from version 5 (KIP-890) this takes it in. From version 3 (KIP-447) the member and its generation are
//! looked at, too.
//!
//! While the last transaction is still being ended, clients before version 5 hear COORDINATOR_LOAD_IN_PROGRESS, later ones
//! CONCURRENT_TRANSACTIONS. Before version 5 TRANSACTION_ABORTABLE is said as INVALID_TXN_STATE.

use futures::future::Either;
use groups::transactions::{AddRequest, Version};
use groups::{CommitRequest, CommittedOffset, MemberIdentity, Outcomes, TransactionalProducer};
use protocol::ErrorCode;
use protocol::messages::txn_offset_commit::{
    TxnOffsetCommitRequestTopic, TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use protocol::messages::{TxnOffsetCommitRequest, TxnOffsetCommitResponse};

use crate::context::{Context, partition};
use crate::coordinator::Coordinator;
use crate::error_code;
use crate::journal::OFFSETS_TOPIC;
use crate::transactions::{TransactionCoordinator, VerifyRequest};

const FIRST_TAKING_IN: i16 = 5;

pub(crate) fn handle(
    context: &Context,
    request: TxnOffsetCommitRequest,
) -> impl Future<Output = TxnOffsetCommitResponse> + Send + use<> {
    let producer = TransactionalProducer { id: request.producer_id, epoch: request.producer_epoch };
    let add = AddRequest {
        transactional_id: request.transactional_id.to_string(),
        producer,
        partitions: vec![(OFFSETS_TOPIC.to_owned(), 0)],
        version: if context.api_version >= FIRST_TAKING_IN { Version::V2 } else { Version::V1 },
    };
    let mut wanted = Wanted::default();
    for topic in request.topics {
        wanted.take(context, topic);
    }
    let commit = CommitRequest {
        group_id: request.group_id.to_string(),
        member: MemberIdentity {
            member_id: request.member_id.to_string(),
            instance_id: request.group_instance_id.as_deref().map(str::to_owned),
            generation: request.generation_id,
        },
        offsets: wanted.offsets,
    };
    let committing = commit_in_transaction(context.transactions(), context.coordinator(), add, commit);
    let mut topics = wanted.topics;
    let places = wanted.places;
    async move {
        let outcomes = committing.await;
        for (position, (topic, partition)) in places.into_iter().enumerate() {
            let error = match &outcomes {
                Ok(outcomes) => outcomes[position].err().map_or(ErrorCode::None, error_code::group),
                Err(error) => *error,
            };
            topics[topic].partitions[partition].error_code = error.code();
        }
        TxnOffsetCommitResponse { topics, ..Default::default() }
    }
}

/// Commits while the gate is open for the producer's offsets; opens it first where that is needed.
fn commit_in_transaction(
    transactions: &TransactionCoordinator,
    groups: &Coordinator,
    add: AddRequest,
    commit: CommitRequest,
) -> impl Future<Output = Result<Outcomes, ErrorCode>> + Send + use<> {
    let producer = add.producer;
    let (transactions, groups) = (transactions.clone(), groups.clone());
    let version = add.version;
    let begun = transactions
        .gate()
        .while_offsets_open(producer, || groups.commit_transactional(commit.clone(), producer));
    let asking = if begun.is_some() { None } else { Some(take_in(&transactions, add)) };
    async move {
        let begun = match (begun, asking) {
            (Some(begun), _) => Some(begun),
            (None, Some(asking)) => {
                asking.await?;
                let commit = || groups.commit_transactional(commit, producer);
                transactions.gate().while_offsets_open(producer, commit)
            }
            (None, None) => None,
        };
        // It was ended in between.
        let begun = begun.ok_or(if version == Version::V2 {
            ErrorCode::TransactionAbortable
        } else {
            ErrorCode::InvalidTxnState
        })?;
        drop((groups, transactions));
        error_code::coordinated(begun.await)
    }
}

fn take_in(
    transactions: &TransactionCoordinator,
    request: AddRequest,
) -> impl Future<Output = Result<(), ErrorCode>> + Send + use<> {
    let version = request.version;
    let asking = match version {
        Version::V2 => Either::Left(transactions.add(request)),
        Version::V1 => {
            let AddRequest { transactional_id, producer, partitions, .. } = request;
            let verifying = transactions.verify(VerifyRequest { transactional_id, producer, partitions });
            Either::Right(async move { Ok(verifying.await?.into_iter().collect()) })
        }
    };
    async move {
        error_code::transacted(asking.await, false).map_err(|error| match error {
            ErrorCode::ConcurrentTransactions if version == Version::V1 => {
                ErrorCode::CoordinatorLoadInProgress
            }
            ErrorCode::TransactionAbortable if version == Version::V1 => ErrorCode::InvalidTxnState,
            other => other,
        })
    }
}

/// What can be committed, and the answer with a place for each result.
#[derive(Default)]
struct Wanted {
    offsets: Vec<(String, i32, CommittedOffset)>,
    /// Where in the answer the result of each offset belongs.
    places: Vec<(usize, usize)>,
    topics: Vec<TxnOffsetCommitResponseTopic>,
}

impl Wanted {
    fn take(&mut self, context: &Context, wanted: TxnOffsetCommitRequestTopic) {
        let found = context.topics().topic(&wanted.name);
        let mut partitions = Vec::with_capacity(wanted.partitions.len());
        for one in wanted.partitions {
            let index = one.partition_index;
            let exists = found.as_ref().is_some_and(|topic| partition(topic, index).is_some());
            let mut result =
                TxnOffsetCommitResponsePartition { partition_index: index, ..Default::default() };
            if exists {
                self.places.push((self.topics.len(), partitions.len()));
                let committed = CommittedOffset {
                    offset: one.committed_offset,
                    leader_epoch: one.committed_leader_epoch,
                    metadata: one.committed_metadata.as_deref().unwrap_or_default().to_owned(),
                    commit_timestamp_ms: -1,
                };
                self.offsets.push((wanted.name.to_string(), index, committed));
            } else {
                result.error_code = ErrorCode::UnknownTopicOrPartition.code();
            }
            partitions.push(result);
        }
        self.topics.push(TxnOffsetCommitResponseTopic { name: wanted.name, partitions });
    }
}

//! AddPartitionsToTxn, key 24, versions 0 to 5.
//!
//! Takes partitions into a transaction, durably, before anything is written to them. All of them are added, or none: with
//! one that does not exist the others are answered with OPERATION_NOT_ATTEMPTED.
//!
//! From version 4 on, the form of brokers, several transactions come at once, and may only be asked about. Before version 2
//! PRODUCER_FENCED is said as INVALID_PRODUCER_EPOCH, before version 5 TRANSACTION_ABORTABLE as INVALID_TXN_STATE.

use futures::future::{Either, join_all, ready};
use groups::TransactionalProducer;
use groups::transactions::{AddRequest, Version};
use protocol::messages::add_partitions_to_txn::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnResult, AddPartitionsToTxnTopic,
    AddPartitionsToTxnTopicResult, AddPartitionsToTxnTransaction,
};
use protocol::messages::{AddPartitionsToTxnRequest, AddPartitionsToTxnResponse};
use protocol::{ErrorCode, StrBytes};

use crate::context::{Context, is_internal, partition};
use crate::error_code;
use crate::transactions::VerifyRequest;

const FIRST_WITH_FENCING: i16 = 2;
const FIRST_WITH_SEVERAL: i16 = 4;
const FIRST_WITH_ABORTABLE: i16 = 5;

pub(crate) fn handle(
    context: &Context,
    request: AddPartitionsToTxnRequest,
) -> impl Future<Output = AddPartitionsToTxnResponse> + Send + use<> {
    let several = context.api_version >= FIRST_WITH_SEVERAL;
    let transactions = if several {
        request.transactions
    } else {
        vec![AddPartitionsToTxnTransaction {
            transactional_id: request.transactional_id,
            producer_id: request.producer_id,
            producer_epoch: request.producer_epoch,
            verify_only: false,
            topics: request.topics,
        }]
    };
    let adding = join_all(transactions.into_iter().map(|transaction| add(context, transaction)));
    async move {
        let mut results = adding.await;
        if several {
            return AddPartitionsToTxnResponse { results_by_transaction: results, ..Default::default() };
        }
        let results_by_topic = results.pop().map(|result| result.topic_results).unwrap_or_default();
        AddPartitionsToTxnResponse { results_by_topic, ..Default::default() }
    }
}

/// Works on one transaction; the outcome of each partition comes in the order asked.
fn add(
    context: &Context,
    transaction: AddPartitionsToTxnTransaction,
) -> impl Future<Output = AddPartitionsToTxnResult> + Send + use<> {
    let AddPartitionsToTxnTransaction { transactional_id, producer_id, producer_epoch, verify_only, topics } =
        transaction;
    let producer = TransactionalProducer { id: producer_id, epoch: producer_epoch };
    let places: Vec<(String, i32)> = topics
        .iter()
        .flat_map(|topic| topic.partitions.iter().map(|index| (topic.name.to_string(), *index)))
        .collect();
    let id = transactional_id.to_string();
    let outcomes = if verify_only {
        Either::Left(verify(context, id, producer, places))
    } else {
        let missing: Vec<bool> =
            places.iter().map(|(topic, index)| !exists(context, topic, *index)).collect();
        Either::Right(if missing.contains(&true) {
            Either::Left(ready(missing.into_iter().map(untried).collect()))
        } else {
            Either::Right(take_in(context, id, producer, places))
        })
    };
    async move { result(transactional_id, topics, outcomes.await) }
}

fn untried(missing: bool) -> ErrorCode {
    if missing { ErrorCode::UnknownTopicOrPartition } else { ErrorCode::OperationNotAttempted }
}

fn exists(context: &Context, topic: &str, index: i32) -> bool {
    let found = context.topics().topic(topic).and_then(|topic| partition(&topic, index));
    found.is_some() && !is_internal(topic)
}

fn take_in(
    context: &Context,
    transactional_id: String,
    producer: TransactionalProducer,
    partitions: Vec<(String, i32)>,
) -> impl Future<Output = Vec<ErrorCode>> + Send + use<> {
    let knows_fencing = context.api_version >= FIRST_WITH_FENCING;
    let count = partitions.len();
    let request = AddRequest { transactional_id, producer, partitions, version: Version::V1 };
    let adding = context.transactions().add(request);
    async move {
        let added = error_code::transacted(adding.await, knows_fencing);
        vec![added.err().unwrap_or_default(); count]
    }
}

fn verify(
    context: &Context,
    transactional_id: String,
    producer: TransactionalProducer,
    partitions: Vec<(String, i32)>,
) -> impl Future<Output = Vec<ErrorCode>> + Send + use<> {
    let count = partitions.len();
    let knows_abortable = context.api_version >= FIRST_WITH_ABORTABLE;
    let verifying = context.transactions().verify(VerifyRequest { transactional_id, producer, partitions });
    async move {
        let Ok(outcomes) = verifying.await else { return vec![ErrorCode::CoordinatorNotAvailable; count] };
        let code = |outcome: Result<(), _>| match outcome.map_err(error_code::transaction) {
            Err(ErrorCode::TransactionAbortable) if !knows_abortable => ErrorCode::InvalidTxnState,
            outcome => outcome.err().unwrap_or_default(),
        };
        outcomes.into_iter().map(code).collect()
    }
}

fn result(
    transactional_id: StrBytes,
    topics: Vec<AddPartitionsToTxnTopic>,
    outcomes: Vec<ErrorCode>,
) -> AddPartitionsToTxnResult {
    let mut outcomes = outcomes.into_iter();
    let mut one = |partition_index| AddPartitionsToTxnPartitionResult {
        partition_index,
        partition_error_code: outcomes.next().unwrap_or(ErrorCode::UnknownServerError).code(),
    };
    let topic_results = topics
        .into_iter()
        .map(|topic| AddPartitionsToTxnTopicResult {
            name: topic.name,
            results_by_partition: topic.partitions.into_iter().map(&mut one).collect(),
        })
        .collect();
    AddPartitionsToTxnResult { transactional_id, topic_results }
}

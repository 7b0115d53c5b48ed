//! DescribeTransactions, key 65, version 0.
//!
//! Tells of each transactional id where its transaction stands, and which partitions are in it.

use groups::transactions::{State, Transaction};
use protocol::messages::describe_transactions::{TopicData, TransactionState};
use protocol::messages::{DescribeTransactionsRequest, DescribeTransactionsResponse};
use protocol::{ErrorCode, StrBytes};

use crate::context::Context;

pub(crate) fn handle(
    context: &Context,
    request: DescribeTransactionsRequest,
) -> impl Future<Output = DescribeTransactionsResponse> + Send + use<> {
    let ids = request.transactional_ids;
    let describing = context.transactions().describe(ids.iter().map(ToString::to_string).collect());
    async move {
        let described = describing.await;
        let state = |(position, id): (usize, StrBytes)| match &described {
            Ok(_) if id.is_empty() => failed(id, ErrorCode::InvalidRequest),
            Ok(found) => match &found[position] {
                Some(transaction) if transaction.state != State::Dead => describe(id, transaction),
                _ => failed(id, ErrorCode::TransactionalIdNotFound),
            },
            Err(_) => failed(id, ErrorCode::CoordinatorNotAvailable),
        };
        let transaction_states = ids.into_iter().enumerate().map(state).collect();
        DescribeTransactionsResponse { transaction_states, ..Default::default() }
    }
}

fn describe(transactional_id: StrBytes, transaction: &Transaction) -> TransactionState {
    let topics = transaction.partitions.iter().map(|(topic, indexes)| TopicData {
        topic: StrBytes::from(topic),
        partitions: indexes.iter().copied().collect(),
    });
    TransactionState {
        transactional_id,
        transaction_state: StrBytes::from_static(transaction.state.name()),
        transaction_timeout_ms: transaction.timeout_ms,
        transaction_start_time_ms: transaction.started_ms,
        producer_id: transaction.producer.id,
        producer_epoch: transaction.producer.epoch,
        topics: topics.collect(),
        ..Default::default()
    }
}

fn failed(transactional_id: StrBytes, error: ErrorCode) -> TransactionState {
    TransactionState { transactional_id, error_code: error.code(), ..Default::default() }
}

//! InitProducerId, key 22, versions 0 to 5.
//!
//! Gives an idempotent producer an id that was never given before, with epoch 0. A producer that asks again after an
//! error (from version 3 it says which id it had) gets a new one, as from Kafka.
//!
//! A transactional id keeps its producer id and gets a higher epoch each time, which fences the producer before; what
//! that one left open is aborted first. From version 3 a producer may go on after an error by saying whom it takes itself
//! to be (KIP-360). Before version 4 PRODUCER_FENCED is said as INVALID_PRODUCER_EPOCH.

use futures::future::{Either, ready};
use groups::TransactionalProducer;
use groups::transactions::InitRequest;
use protocol::ErrorCode;
use protocol::messages::{InitProducerIdRequest, InitProducerIdResponse};
use tokio::task::spawn_blocking;
use topics::Topics;

use crate::context::Context;
use crate::error_code;

const FIRST_WITH_FENCING: i16 = 4;
const NO_ID: i64 = -1;
const NO_EPOCH: i16 = -1;

pub(crate) fn handle(
    context: &Context,
    request: InitProducerIdRequest,
) -> impl Future<Output = InitProducerIdResponse> + Send + use<> {
    let Some(transactional_id) = request.transactional_id else {
        return Either::Left(idempotent(context.topics().clone()));
    };
    let expected = TransactionalProducer { id: request.producer_id, epoch: request.producer_epoch };
    if (expected.id == NO_ID) != (expected.epoch == NO_EPOCH) {
        return Either::Right(Either::Left(ready(failed(ErrorCode::InvalidRequest))));
    }
    let initialising = context.transactions().init(InitRequest {
        transactional_id: transactional_id.to_string(),
        timeout_ms: request.transaction_timeout_ms,
        expected: (expected.id != NO_ID).then_some(expected),
    });
    let knows_fencing = context.api_version >= FIRST_WITH_FENCING;
    Either::Right(Either::Right(async move {
        match error_code::transacted(initialising.await, knows_fencing) {
            Ok(TransactionalProducer { id, epoch }) => {
                InitProducerIdResponse { producer_id: id, producer_epoch: epoch, ..Default::default() }
            }
            Err(error) => failed(error),
        }
    }))
}

async fn idempotent(topics: Topics) -> InitProducerIdResponse {
    // Now and then this reserves a range of ids on disk.
    let next = spawn_blocking(move || topics.next_producer_id()).await.expect("counting does not panic");
    match next {
        Ok(producer_id) => InitProducerIdResponse { producer_id, ..Default::default() },
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "no producer id could be given");
            failed(ErrorCode::KafkaStorageError)
        }
    }
}

fn failed(error: ErrorCode) -> InitProducerIdResponse {
    InitProducerIdResponse { error_code: error.code(), producer_epoch: NO_EPOCH, ..Default::default() }
}

//! InitProducerId, key 22, versions 0 to 5.
//!
//! Gives an idempotent producer an id that was never given before, with epoch 0. A producer that asks again after an
//! error (from version 3 it says which id it had) gets a new one, as from Kafka.
//!
//! Not done: transactions. A transactional id is answered with TRANSACTIONAL_ID_AUTHORIZATION_FAILED: nobody may use one
//! here, and every client reports that at once, where it would retry most other errors until it runs out of time.

use protocol::ErrorCode;
use protocol::messages::{InitProducerIdRequest, InitProducerIdResponse};
use tokio::task::spawn_blocking;

use crate::context::Context;

pub(crate) fn handle(
    context: &Context,
    request: InitProducerIdRequest,
) -> impl Future<Output = InitProducerIdResponse> + Send + use<> {
    let topics = context.topics().clone();
    async move {
        if request.transactional_id.is_some() {
            return failed(ErrorCode::TransactionalIdAuthorizationFailed);
        }
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
}

fn failed(error: ErrorCode) -> InitProducerIdResponse {
    InitProducerIdResponse { error_code: error.code(), producer_epoch: -1, ..Default::default() }
}

//! EndTxn, key 26, versions 0 to 5.
//!
//! Commits or aborts a transaction. Answered when that is decided durably and its markers are written, so that the
//! producer can go on at once. Asking again gets the same answer.
//!
//! From version 5 (KIP-890) every end raises the producer's epoch; the answer says whom the producer is from then on. Before
//! version 2 PRODUCER_FENCED is said as INVALID_PRODUCER_EPOCH.

use groups::TransactionalProducer;
use groups::transactions::{EndRequest, Version};
use protocol::messages::{EndTxnRequest, EndTxnResponse};

use crate::context::Context;
use crate::error_code;

const FIRST_WITH_FENCING: i16 = 2;
const FIRST_RAISING_EPOCH: i16 = 5;

pub(crate) fn handle(
    context: &Context,
    request: EndTxnRequest,
) -> impl Future<Output = EndTxnResponse> + Send + use<> {
    let raises = context.api_version >= FIRST_RAISING_EPOCH;
    let knows_fencing = context.api_version >= FIRST_WITH_FENCING;
    let EndTxnRequest { transactional_id, producer_id, producer_epoch, committed } = request;
    let ending = context.transactions().end(EndRequest {
        transactional_id: transactional_id.to_string(),
        producer: TransactionalProducer { id: producer_id, epoch: producer_epoch },
        commit: committed,
        version: if raises { Version::V2 } else { Version::V1 },
    });
    async move {
        match error_code::transacted(ending.await, knows_fencing) {
            Ok(TransactionalProducer { id, epoch }) => {
                EndTxnResponse { producer_id: id, producer_epoch: epoch, ..Default::default() }
            }
            Err(error) => EndTxnResponse {
                error_code: error.code(),
                producer_id: -1,
                producer_epoch: -1,
                ..Default::default()
            },
        }
    }
}

//! AddOffsetsToTxn, key 25, versions 0 to 4.
//!
//! Takes the partition that keeps a group's offsets into a transaction. Before version 2 PRODUCER_FENCED is said as
//! INVALID_PRODUCER_EPOCH.

use groups::TransactionalProducer;
use groups::transactions::{AddRequest, Version};
use protocol::ErrorCode;
use protocol::messages::{AddOffsetsToTxnRequest, AddOffsetsToTxnResponse};

use crate::context::Context;
use crate::error_code;
use crate::journal::OFFSETS_TOPIC;

const FIRST_WITH_FENCING: i16 = 2;

pub(crate) fn handle(
    context: &Context,
    request: AddOffsetsToTxnRequest,
) -> impl Future<Output = AddOffsetsToTxnResponse> + Send + use<> {
    let knows_fencing = context.api_version >= FIRST_WITH_FENCING;
    let AddOffsetsToTxnRequest { transactional_id, producer_id, producer_epoch, group_id } = request;
    let nameless = group_id.is_empty();
    let adding = (!nameless).then(|| {
        context.transactions().add(AddRequest {
            transactional_id: transactional_id.to_string(),
            producer: TransactionalProducer { id: producer_id, epoch: producer_epoch },
            partitions: vec![(OFFSETS_TOPIC.to_owned(), 0)],
            version: Version::V1,
        })
    });
    async move {
        let added = match adding {
            Some(adding) => error_code::transacted(adding.await, knows_fencing),
            None => Err(ErrorCode::InvalidGroupId),
        };
        let error = added.err().unwrap_or_default();
        AddOffsetsToTxnResponse { error_code: error.code(), ..Default::default() }
    }
}

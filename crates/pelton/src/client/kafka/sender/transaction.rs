//! One transaction from begin to end, in the versions where the producer names each partition first.

use anyhow::Context;
use protocol::messages::add_partitions_to_txn::AddPartitionsToTxnTopic;
use protocol::messages::{AddPartitionsToTxnRequest, EndTxnRequest, InitProducerIdRequest};

use crate::client::kafka::cluster::Cluster;
use crate::client::kafka::refusal::Refusal;

/// As long as the broker keeps a transaction that nobody ends.
const TIMEOUT_MS: i32 = 60_000;

/// Takes over a transactional id. Whoever had it before is fenced off.
pub(super) fn begin(cluster: &mut Cluster, id: &str) -> anyhow::Result<record::Producer> {
    let request = InitProducerIdRequest {
        transactional_id: Some(id.into()),
        transaction_timeout_ms: TIMEOUT_MS,
        ..InitProducerIdRequest::default()
    };
    cluster.patiently(|cluster| {
        let given = cluster.ask_transaction(id, &request)?;
        Refusal::check(given.error_code, None, || format!("take transactional id {id}"))?;
        Ok(record::Producer { id: given.producer_id, epoch: given.producer_epoch, base_sequence: 0 })
    })
}

/// Names partitions that are written to next.
pub(super) fn add(
    cluster: &mut Cluster,
    id: &str,
    producer: record::Producer,
    topic: &str,
    partitions: &[i32],
) -> anyhow::Result<()> {
    let topics = vec![AddPartitionsToTxnTopic { name: topic.into(), partitions: partitions.to_vec() }];
    let request = AddPartitionsToTxnRequest {
        transactional_id: id.into(),
        producer_id: producer.id,
        producer_epoch: producer.epoch,
        topics,
        ..AddPartitionsToTxnRequest::default()
    };
    cluster.patiently(|cluster| {
        let answer = cluster.ask_transaction(id, &request)?;
        for partition in answer.results_by_topic.iter().flat_map(|topic| &topic.results_by_partition) {
            Refusal::check(partition.partition_error_code, None, || {
                format!("add {topic}-{} to transaction {id}", partition.partition_index)
            })?;
        }
        Ok(())
    })
}

/// Makes everything count, or nothing.
pub(super) fn end(
    cluster: &mut Cluster,
    id: &str,
    producer: record::Producer,
    committed: bool,
) -> anyhow::Result<()> {
    let request = EndTxnRequest {
        transactional_id: id.into(),
        producer_id: producer.id,
        producer_epoch: producer.epoch,
        committed,
    };
    let verb = if committed { "commit" } else { "abort" };
    cluster
        .patiently(|cluster| {
            let answer = cluster.ask_transaction(id, &request)?;
            Refusal::check(answer.error_code, None, || format!("{verb} transaction {id}"))?;
            Ok(())
        })
        .with_context(|| format!("{verb} transaction {id}"))
}

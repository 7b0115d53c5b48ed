//! A topic beside the one that a query writes: of its dead letters, or of rows that came too late.

use std::collections::BTreeMap;

use topics::{CreateError, Topics};

use crate::error::SinkError;
use crate::query::journal::Numbers;
use crate::sink::outgoing::Outgoing;
use crate::sink::outside::transactions::Transactions;
use crate::sink::topic::TopicSink;

/// The topic, here or in another cluster.
#[derive(Debug)]
pub(crate) enum SideTopic {
    Here { topics: Topics, sink: TopicSink },
    Outside { topic: String, transactions: Transactions },
}

/// Which rows they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    pub(crate) batch: u64,
    /// Of the batch, in Unix milliseconds.
    pub(crate) time_ms: i64,
    /// The number of the first row among all that the query writes there.
    pub(crate) first: u64,
}

impl SideTopic {
    /// Makes the topic if there is none.
    pub(crate) async fn create(&self, partitions: u32) -> Result<(), SinkError> {
        match self {
            SideTopic::Here { topics, sink } => {
                if topics.topic(sink.name()).is_some() {
                    return Ok(());
                }
                match topics.create(sink.name(), partitions, BTreeMap::new()) {
                    Ok(_) | Err(CreateError::Exists { .. }) => Ok(()),
                    Err(source) => Err(SinkError::Create { topic: sink.name().to_owned(), source }),
                }
            }
            SideTopic::Outside { topic, transactions } => {
                Ok(transactions.outside().prepare(&[topic], Some(partitions)).await?)
            }
        }
    }

    /// Writes the rows and waits until they are durable. A batch that runs again leaves no second trace.
    pub(crate) async fn write(
        &mut self,
        rows: Outgoing,
        part: Part,
        numbers: &mut Numbers,
    ) -> Result<(), SinkError> {
        match self {
            SideTopic::Here { sink, .. } => {
                let partitions = sink.partition_count()?;
                sink.write(rows, part.first, partitions, part.time_ms, numbers).await
            }
            SideTopic::Outside { topic, transactions } => {
                let records = BTreeMap::from([(topic.clone(), rows)]);
                transactions.write(&records, part.batch, part.time_ms).await
            }
        }
    }
}

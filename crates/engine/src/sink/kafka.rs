//! Rows as records of a topic of the embedded log.

use datafusion::arrow::array::RecordBatch;
use futures::future::BoxFuture;
use topics::Topics;

use crate::error::SinkError;
use crate::sink::json::encode;
use crate::sink::topic::TopicSink;
use crate::sink::{Delivery, Sink};

/// A topic whose values are JSON objects.
#[derive(Debug)]
pub(crate) struct KafkaSink {
    topic: TopicSink,
    /// The column that becomes the record's key.
    key: Option<String>,
}

impl KafkaSink {
    pub(crate) fn new(topics: &Topics, topic: &str, producer_id: i64, key: Option<String>) -> Self {
        KafkaSink { topic: TopicSink::new(topics, topic, producer_id), key }
    }
}

impl Sink for KafkaSink {
    fn description(&self) -> String {
        format!("kafka[{}]", self.topic.name())
    }

    fn partitions(&self) -> Result<u32, SinkError> {
        self.topic.partition_count()
    }

    fn write<'a>(
        &'a mut self,
        rows: &'a [RecordBatch],
        delivery: Delivery<'a>,
    ) -> BoxFuture<'a, Result<u64, SinkError>> {
        Box::pin(async move {
            let records = encode(rows, self.key.as_deref())?;
            let written = records.len() as u64;
            let Delivery { first, partitions, time_ms, numbers, .. } = delivery;
            self.topic.write(records, first, partitions, time_ms, numbers).await?;
            Ok(written)
        })
    }
}

//! Rows as records of topics of the embedded log.

use std::collections::BTreeMap;

use datafusion::arrow::array::RecordBatch;
use futures::future::BoxFuture;
use topics::{CreateError, Topics};

use crate::error::SinkError;
use crate::sink::columns::{TopicBy, records};
use crate::sink::json::encode;
use crate::sink::topic::TopicSink;
use crate::sink::{Delivery, Sink, rows_of};

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

/// Topics whose records the rows are, column by column.
#[derive(Debug)]
pub(crate) struct RecordSink {
    topics: Topics,
    /// For rows that name no other.
    topic: TopicSink,
    by: TopicBy,
    producer_id: i64,
}

impl RecordSink {
    pub(crate) fn new(topics: &Topics, topic: &str, by: TopicBy, producer_id: i64) -> Self {
        let default = TopicSink::new(topics, topic, producer_id);
        RecordSink { topics: topics.clone(), topic: default, by, producer_id }
    }

    /// Makes the topic that a row names, if nobody has.
    fn other(&self, name: &str) -> Result<TopicSink, SinkError> {
        if self.topics.topic(name).is_none() {
            let partitions = self.topics.config().default_partitions;
            match self.topics.create(name, partitions, BTreeMap::new()) {
                Ok(_) | Err(CreateError::Exists { .. }) => {}
                Err(source) => return Err(SinkError::Create { topic: name.to_owned(), source }),
            }
        }
        Ok(TopicSink::new(&self.topics, name, self.producer_id))
    }
}

impl Sink for RecordSink {
    fn description(&self) -> String {
        format!("kafka[{}]", self.topic.name())
    }

    fn partitions(&self) -> Result<u32, SinkError> {
        // Without a name of its own every row says its topic.
        if self.topic.name().is_empty() { Ok(0) } else { self.topic.partition_count() }
    }

    fn write<'a>(
        &'a mut self,
        rows: &'a [RecordBatch],
        delivery: Delivery<'a>,
    ) -> BoxFuture<'a, Result<u64, SinkError>> {
        Box::pin(async move {
            let Delivery { first, partitions, time_ms, numbers, .. } = delivery;
            for (topic, records) in records(rows, self.topic.name(), self.by)? {
                if topic.is_empty() {
                    return Err(SinkError::Unaddressed);
                }
                if topic == self.topic.name() {
                    self.topic.write(records, first, partitions, time_ms, numbers).await?;
                } else {
                    let topic = self.other(&topic)?;
                    let partitions = topic.partition_count()?;
                    topic.write(records, first, partitions, time_ms, numbers).await?;
                }
            }
            Ok(rows_of(rows))
        })
    }
}

//! Rows as records of topics of an outside Kafka.

use std::collections::BTreeMap;

use datafusion::arrow::array::RecordBatch;
use futures::future::BoxFuture;

use crate::error::SinkError;
use crate::sink::columns::{TopicBy, records};
use crate::sink::json::encode;
use crate::sink::outside::transactions::Transactions;
use crate::sink::{Delivery, Sink, rows_of};

pub(crate) mod transactions;

/// Topics of an outside Kafka as a sink.
#[derive(Debug)]
pub(crate) struct OutsideSink {
    topic: String,
    form: Form,
    transactions: Transactions,
}

/// What becomes of a row.
#[derive(Debug)]
pub(crate) enum Form {
    /// A JSON object; a column may become the key.
    Json { key: Option<String> },
    /// A record, column by column.
    Record(TopicBy),
}

impl OutsideSink {
    pub(crate) fn new(topic: &str, form: Form, transactions: Transactions) -> Self {
        OutsideSink { topic: topic.to_owned(), form, transactions }
    }
}

impl Sink for OutsideSink {
    fn description(&self) -> String {
        format!("kafka[{}]", self.transactions.outside().log(&self.topic))
    }

    fn write<'a>(
        &'a mut self,
        rows: &'a [RecordBatch],
        delivery: Delivery<'a>,
    ) -> BoxFuture<'a, Result<u64, SinkError>> {
        Box::pin(async move {
            let records = match &self.form {
                Form::Json { key } => BTreeMap::from([(self.topic.clone(), encode(rows, key.as_deref())?)]),
                Form::Record(by) => records(rows, &self.topic, *by)?,
            };
            self.transactions.write(&records, delivery.batch, delivery.time_ms).await?;
            Ok(rows_of(rows))
        })
    }
}

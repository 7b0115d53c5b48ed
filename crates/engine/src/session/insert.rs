//! `INSERT INTO`: rows put into a table by hand.

use std::collections::BTreeMap;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::error::ArrowError;

use crate::answer::Answer;
use crate::error::{SqlError, chain};
use crate::query::journal::Numbers;
use crate::session::Inner;
use crate::session::catalog::Table;
use crate::session::sinks::holds_records;
use crate::sink::aligned::Alignment;
use crate::sink::json::encode;
use crate::sink::outgoing::Outgoing;
use crate::sink::topic::TopicSink;
use crate::source::format::Format;
use crate::sql::options::TableOptions;
use crate::sql::options::kafka::Subscription;
use crate::sql::options::source::SourceOptions;
use crate::sql::statement::Insert;

/// Rows of one statement: they are in memory together.
const ROWS_MAX: usize = 1_000_000;

impl Inner {
    /// Runs the query once and appends its rows to the table's topic. When it returns they are durable.
    pub(super) async fn insert(&self, insert: &Insert, zone: &str) -> Result<Answer, SqlError> {
        if let Some(stream) = insert.query.streams().first() {
            let reason = "a statement reads it once; CREATE FLOW f AS INSERT INTO ... goes on reading";
            return Err(SqlError::invalid(format!("STREAM {}", stream.table), reason));
        }
        let catalog = self.catalog();
        let table = catalog.table(&insert.table)?;
        check_takes_rows(table)?;
        let rows = self.rows(&insert.query, ROWS_MAX, zone).await?;
        if rows.cut {
            let reason = format!("the query has more than {ROWS_MAX} rows; insert them in parts");
            return Err(SqlError::invalid(format!("INSERT INTO {}", table.name), reason));
        }
        let alignment = Alignment::new((&table.name, &table.columns), &insert.columns, &rows.schema)?;
        let aligned = rows.batches.iter().map(|rows| alignment.apply(rows));
        let aligned = aligned.collect::<Result<Vec<RecordBatch>, _>>();
        let wrong =
            |error: ArrowError| SqlError::invalid(format!("INSERT INTO {}", table.name), chain(&error));
        let records = encode(&aligned.map_err(wrong)?, table.options.key.as_deref()).map_err(wrong)?;
        let written = records.len();
        self.append(&table.options, records).await?;
        let rows = if written == 1 { "row is" } else { "rows are" };
        Ok(Answer::message(format!("{written} {rows} in {}", table.name)))
    }

    /// Writes records to a table's topic, as nobody's repetition.
    async fn append(&self, options: &TableOptions, records: Outgoing) -> Result<(), SqlError> {
        let attempt = || format!("write to topic {}", options.log());
        let shared = &self.shared;
        if let Some(outside) = options.outside() {
            shared.prepare_outside(options).await?;
            let records = BTreeMap::from([(options.topic.clone(), records)]);
            let written = shared.write_outside(outside, &options.topic, records).await;
            return written.map_err(|error| SqlError::failed(attempt(), error));
        }
        shared.prepare(options)?;
        let producer =
            shared.topics.next_producer_id().map_err(|error| SqlError::failed(attempt(), error))?;
        let sink = TopicSink::new(&shared.topics, &options.topic, producer);
        let failed = |error| SqlError::failed(attempt(), error);
        let partitions = sink.partition_count().map_err(failed)?;
        let now = shared.env.clock.now_ms();
        let mut numbers = Numbers::default();
        sink.write(records, 0, partitions, now, &mut numbers).await.map_err(failed)
    }
}

/// Refuses what is no topic of JSON objects that rows could be added to.
pub(crate) fn check_takes_rows(table: &Table) -> Result<(), SqlError> {
    if table.sink.view {
        let reason = "is a view: its rows follow from its query";
        return Err(SqlError::invalid(table.name.clone(), reason));
    }
    let json_topic = match &table.options.source {
        SourceOptions::Kafka(kafka) => {
            let one = matches!(&kafka.topics, Subscription::Topics(topics) if topics.len() == 1);
            one && kafka.format == Format::Json && !holds_records(table)
        }
        _ => false,
    };
    if json_topic {
        return Ok(());
    }
    let reason = "takes no rows by hand; tables USING kafka over one topic of JSON do";
    Err(SqlError::invalid(table.name.clone(), reason))
}

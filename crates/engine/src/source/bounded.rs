//! A streaming table read once, from the log's start to its end of now, as far as somebody asks for rows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;

use crate::source::json::JsonDecoder;
use crate::source::topic::{Limits, TopicSource};
use crate::status::SourceOffset;

/// What is decoded at once.
const CHUNK: Limits = Limits { rows: 8192, bytes: 4 * 1024 * 1024 };

/// The leaf of a bounded query.
#[derive(Debug)]
pub(crate) struct BoundedStream {
    source: TopicSource,
    decoder: JsonDecoder,
    /// From each partition's start to its end of now.
    ranges: BTreeMap<u32, SourceOffset>,
    refused: Arc<AtomicU64>,
}

impl BoundedStream {
    /// Reads up to what the log holds now; counts unreadable records in `refused`.
    pub(crate) fn new(source: TopicSource, decoder: JsonDecoder, refused: &Arc<AtomicU64>) -> Self {
        let ranges = source.progress(&BTreeMap::new());
        BoundedStream { source, decoder, ranges, refused: Arc::clone(refused) }
    }
}

/// Where a reader stands.
struct Reader {
    source: TopicSource,
    decoder: JsonDecoder,
    /// What is left of each partition; the last comes first.
    left: Vec<(u32, SourceOffset)>,
    refused: Arc<AtomicU64>,
}

impl Reader {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        let Some((partition, range)) = self.left.last_mut() else { return Ok(None) };
        let external = |error| DataFusionError::External(Box::new(error));
        let pinned = self.source.pin_one(*partition, range.offset, range.end, CHUNK).map_err(external)?;
        range.offset = pinned.end(*partition).unwrap_or(range.end);
        if range.offset >= range.end {
            self.left.pop();
        }
        let (batch, refused) = self.decoder.decode(&pinned.records().map_err(external)?)?;
        self.refused.fetch_add(refused.len() as u64, Ordering::Relaxed);
        Ok(Some(batch))
    }
}

impl PartitionStream for BoundedStream {
    fn schema(&self) -> &SchemaRef {
        self.decoder.schema()
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let ranges = self.ranges.iter().rev().map(|(partition, range)| (*partition, *range));
        let reader = Reader {
            source: self.source.clone(),
            decoder: self.decoder.clone(),
            left: ranges.filter(|(_, range)| range.offset < range.end).collect(),
            refused: Arc::clone(&self.refused),
        };
        let batches = futures::stream::unfold(reader, |mut reader| async move {
            reader.next().transpose().map(|batch| (batch, reader))
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(self.schema()), batches))
    }
}

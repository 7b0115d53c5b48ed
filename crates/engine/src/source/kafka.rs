//! Reads topics of an outside Kafka, through librdkafka.
//!
//! A stream keeps one consumer that fetches ahead; a batch is what has come. Ranges, of a batch that runs again or
//! of a bounded read, are read by a consumer of their own. No consumer group is joined and nothing is committed
//! there: the query's journal holds the offsets.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use env::Clock;
use futures::FutureExt;
use futures::future::BoxFuture;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::error::SourceError;
use crate::outside::{apart, is_passing};
use crate::query::journal::Ranges;
use crate::source::kafka::cluster::Cluster;
use crate::source::kafka::stream::Stream;
use crate::source::records::{LoneRecord, SourceRecords};
use crate::source::{Bounds, Limits, Pinned, Source, Standing, Taken};
use crate::sql::options::kafka::{KafkaOptions, Place};
use crate::status::{Offsets, SourceOffset};

mod cluster;
mod stream;

/// How often it is asked for new partitions, and for where partitions end.
const REFRESH: Duration = Duration::from_secs(2);

/// How long to wait before an outside Kafka that did not answer is asked again.
const PAUSE: Duration = Duration::from_millis(500);

/// Topics of an outside Kafka as a source.
#[derive(Debug)]
pub(crate) struct KafkaSource {
    name: String,
    cluster: Arc<Cluster>,
    clock: Arc<dyn Clock>,
    stream: tokio::sync::Mutex<Stream>,
    /// Where partitions end, as far as it is known.
    ends: Mutex<Offsets>,
}

impl KafkaSource {
    /// `options` name an outside Kafka.
    pub(crate) fn new(options: KafkaOptions, clock: &Arc<dyn Clock>) -> Self {
        KafkaSource {
            name: options.topics.describe(),
            cluster: Arc::new(Cluster::new(options)),
            clock: Arc::clone(clock),
            stream: tokio::sync::Mutex::default(),
            ends: Mutex::default(),
        }
    }

    fn options(&self) -> &KafkaOptions {
        &self.cluster.options
    }

    /// Puts the stream where the positions are, if it is not there, and looks for what is new now and then.
    async fn follow(&self, stream: &mut Stream, positions: &Offsets) -> Result<(), SourceError> {
        let now = self.clock.monotonic();
        if stream.is_at(&self.cluster.own(positions)) {
            if now.saturating_sub(stream.refreshed) >= REFRESH {
                stream.refreshed = now;
                self.refresh(stream).await?;
            }
            return Ok(());
        }
        stream.begin(&self.cluster, self.cluster.own(positions))?;
        (stream.taken, stream.refreshed) = (now, now);
        self.refresh(stream).await?;
        stream.begun();
        Ok(())
    }

    /// Reads partitions that are not read yet, asks where all of them end, and passes over what holds no records.
    async fn refresh(&self, stream: &mut Stream) -> Result<(), SourceError> {
        let partitions = self.asked(Cluster::partitions).await?;
        stream.assign(&self.cluster, &partitions)?;
        let ends = self.asked(move |cluster| cluster.ends(&partitions)).await?;
        let mut missed = false;
        if stream.is_quiet() {
            for (log, partition, range) in stream.gaps(&ends) {
                let asked = log.clone();
                if self.asked(move |cluster| cluster.is_empty(&asked, partition, range)).await? {
                    stream.pass(log, partition, range);
                } else {
                    missed = true;
                }
            }
        }
        if stream.is_stuck(missed) {
            tracing::warn!(source = %self.name, "there are records, and none come: connecting anew");
            *stream = Stream::default();
        }
        *self.ends.lock().unwrap_or_else(PoisonError::into_inner) = ends;
        Ok(())
    }

    /// The answer to what makes a thread wait.
    async fn asked<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Cluster) -> Result<T, SourceError> + Send + 'static,
    ) -> Result<T, SourceError> {
        let cluster = Arc::clone(&self.cluster);
        apart(move || question(&cluster)).await
    }

    /// Nothing if the outside Kafka is not there for now: a broker that starts again ends no query.
    fn reached<T>(&self, answer: Result<T, SourceError>) -> Result<Option<T>, SourceError> {
        match answer {
            Err(SourceError::Outside(error)) if error.is_passing() => {
                tracing::warn!(source = %self.name, error = %crate::error::chain(&error), "no answer; trying on");
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    async fn wait(&self, positions: &Offsets) -> Result<(), SourceError> {
        let mut stream = self.stream.lock().await;
        loop {
            if self.reached(self.follow(&mut stream, positions).await)?.is_none() {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            if stream.has_passed() {
                return Ok(());
            }
            let mut patience = REFRESH;
            if stream.waiting() > 0 {
                let wanted = self.options().rows_min.unwrap_or(1);
                let since = self.clock.monotonic().saturating_sub(stream.taken);
                let left = self.options().delay_max.saturating_sub(since);
                if stream.waiting() as u64 >= wanted || left.is_zero() {
                    return Ok(());
                }
                patience = patience.min(left);
            }
            if let Ok(received) = tokio::time::timeout(patience, stream.next()).await {
                self.receive(&mut stream, received)?;
            }
        }
    }

    fn receive(
        &self,
        stream: &mut Stream,
        received: Result<LoneRecord, KafkaError>,
    ) -> Result<(), SourceError> {
        use RDKafkaErrorCode as Code;
        match received {
            Ok(record) => stream.receive(record),
            Err(KafkaError::MessageConsumption(code)) if is_passing(code) => {
                tracing::debug!(source = %self.name, %code, "the outside Kafka does not answer; trying on");
            }
            Err(KafkaError::MessageConsumption(Code::AutoOffsetReset | Code::OffsetOutOfRange)) => {
                return Err(SourceError::Gone { logs: self.name.clone() });
            }
            Err(error) => return Err(self.cluster.failed(format!("read {}", self.name), error)),
        }
        Ok(())
    }

    async fn take(&self, positions: &Offsets, limits: &Limits) -> Result<Pinned, SourceError> {
        let mut stream = self.stream.lock().await;
        if self.reached(self.follow(&mut stream, positions).await)?.is_none() {
            return Ok(self.pinned(Ranges::new(), Vec::new()));
        }
        let rows_max = usize::try_from(limits.rows).unwrap_or(usize::MAX);
        while stream.waiting() < rows_max
            && let Some(received) = stream.next().now_or_never()
        {
            self.receive(&mut stream, received)?;
        }
        stream.taken = self.clock.monotonic();
        let (ranges, records) = stream.take(&self.cluster, rows_max, limits.bytes);
        Ok(self.pinned(ranges, records))
    }

    fn pinned(&self, ranges: Ranges, records: Vec<LoneRecord>) -> Pinned {
        Pinned::new(ranges, Taken::new(SourceRecords::gather(records), &self.options().format))
    }
}

impl Source for KafkaSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn start(&self) -> BoxFuture<'_, Result<Offsets, SourceError>> {
        self.asked(|cluster| cluster.at(&cluster.options.starting, true)).boxed()
    }

    fn ready<'a>(&'a self, positions: &'a Offsets) -> BoxFuture<'a, Result<(), SourceError>> {
        self.wait(positions).boxed()
    }

    fn pin<'a>(
        &'a self,
        positions: &'a Offsets,
        limits: &'a Limits,
        _: u64,
    ) -> BoxFuture<'a, Result<Pinned, SourceError>> {
        let Some(until) = &limits.until else { return self.take(positions, limits).boxed() };
        let (positions, until, limits) = (positions.clone(), Arc::clone(until), limits.clone());
        async move {
            let read = self.asked(move |cluster| cluster.read_until(&positions, &until, &limits)).await?;
            Ok(self.pinned(read.0, read.1))
        }
        .boxed()
    }

    fn reread<'a>(&'a self, ranges: &'a Ranges) -> BoxFuture<'a, Result<Pinned, SourceError>> {
        async {
            let own = self.cluster.own(ranges);
            loop {
                let again = own.clone();
                match self.reached(self.asked(move |cluster| cluster.reread(&again)).await)? {
                    Some(records) => return Ok(self.pinned(own, records)),
                    None => tokio::time::sleep(PAUSE).await,
                }
            }
        }
        .boxed()
    }

    /// What the outside Kafka has acknowledged to its producers is for it to keep.
    fn secure<'a>(&'a self, _: &'a Pinned) -> BoxFuture<'a, Result<bool, SourceError>> {
        futures::future::ready(Ok(true)).boxed()
    }

    fn bounds(&self) -> BoxFuture<'_, Result<Option<Bounds>, SourceError>> {
        let bounds = |cluster: &Cluster| {
            // `latest` is where a stream begins; everything that is there comes before it.
            let from = match &cluster.options.starting {
                Place::Latest => &Place::Earliest,
                other => other,
            };
            let from = cluster.at(from, true)?;
            Ok(Some(Bounds { from, until: cluster.at(&cluster.options.ending, false)? }))
        };
        self.asked(bounds).boxed()
    }

    fn progress(&self, positions: &Offsets) -> Standing {
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let standing = self.cluster.own(positions).into_iter().map(|(log, partitions)| {
            let ends = ends.get(&log);
            let standing = partitions.into_iter().map(|(partition, offset)| {
                // Until somebody has looked there may be more.
                let end = ends.and_then(|ends| ends.get(&partition)).copied().unwrap_or(offset + 1);
                (partition, SourceOffset { offset, end: end.max(offset) })
            });
            (log, standing.collect())
        });
        standing.collect()
    }
}

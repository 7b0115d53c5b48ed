//! The topics that keep coordinators' state: events in, durable before their replies leave; all of them out again at
//! the start.

use std::collections::{BTreeMap, VecDeque};
use std::marker::PhantomData;

use bytes::Bytes;
use groups::DecodeError;
use record::{BatchBuilder, Compression, Producer};
use topics::{Acks, AppendFuture, Partition, Topics};
use uuid::Uuid;

/// Kafka's name for the topic that keeps the groups.
pub(crate) const OFFSETS_TOPIC: &str = "__consumer_offsets";
/// Kafka's name for the topic that keeps the transactions.
pub(crate) const TRANSACTIONS_TOPIC: &str = "__transaction_state";

const READ_BYTES: usize = 1 << 20;
const MAX_UNCOMPRESSED: usize = 64 << 20;
/// A batch is closed at this size; the largest single event stays below `max.message.bytes` by `groups::Config`.
const BATCH_BYTES: usize = 64 << 10;

/// What is asked cannot be kept any more, or the broker is shutting down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the coordinator is not available")]
pub(crate) struct Unavailable;

/// Something that a coordinator writes down.
pub(crate) trait Event: Sized {
    /// Where it is written.
    const TOPIC: &'static str;

    /// Key and value of its record.
    fn encode(&self) -> (Bytes, Option<Bytes>);

    /// Reads a record back; `None` for kinds that are not kept.
    fn decode(key: &Bytes, value: Option<&Bytes>) -> Result<Option<Self>, DecodeError>;
}

impl Event for groups::Event {
    const TOPIC: &'static str = OFFSETS_TOPIC;

    fn encode(&self) -> (Bytes, Option<Bytes>) {
        self.encode()
    }

    fn decode(key: &Bytes, value: Option<&Bytes>) -> Result<Option<Self>, DecodeError> {
        Self::decode(key, value)
    }
}

impl Event for groups::transactions::Event {
    const TOPIC: &'static str = TRANSACTIONS_TOPIC;

    fn encode(&self) -> (Bytes, Option<Bytes>) {
        self.encode()
    }

    fn decode(key: &Bytes, value: Option<&Bytes>) -> Result<Option<Self>, DecodeError> {
        Self::decode(key, value)
    }
}

/// A reply that leaves once everything before it is durable, or says that it is not.
pub(crate) type Release = Box<dyn FnOnce(Result<(), Unavailable>) + Send>;

/// Why a coordinator's state could not be read back.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The topic could not be created.
    #[error("creating {topic}")]
    Create {
        /// The topic.
        topic: &'static str,
        /// What the store says.
        source: topics::CreateError,
    },
    /// The topic has no partition 0.
    #[error("{topic} has no partition")]
    NoPartition {
        /// The topic.
        topic: &'static str,
    },
    /// The topic could not be read.
    #[error("reading {topic} at offset {offset}")]
    Read {
        /// The topic.
        topic: &'static str,
        /// Where.
        offset: i64,
        /// What the log says.
        source: topics::ReadError,
    },
}

/// The writing end of a coordinator's topic.
pub(crate) struct Journal<E> {
    partition: Partition,
    topic_id: Uuid,
    open: Option<BatchBuilder>,
    /// Replies to the events of the open batch, and to those who only wait for them.
    open_releases: Vec<Release>,
    in_flight: VecDeque<(AppendFuture, Vec<Release>)>,
    health: Health,
    events: PhantomData<fn(E)>,
}

/// Whether what is in memory is also in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Health {
    Sound,
    /// Something could not be written, though more can be tried: memory is ahead and must be read again.
    Ahead,
    /// The log takes no more writes until a restart.
    Broken,
}

/// Settings of a coordinator's topic: only the last word on each key counts, and segments are small, so that a start
/// reads little more than that.
fn settings() -> BTreeMap<String, String> {
    let settings =
        [("cleanup.policy", "compact"), ("compression.type", "producer"), ("segment.bytes", "4194304")];
    settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

impl<E: Event> Journal<E> {
    /// Opens the topic, created when missing, and hands out every event in it.
    pub(crate) fn open(topics: &Topics, mut replay: impl FnMut(E)) -> Result<Self, JournalError> {
        let topic = match topics.topic(E::TOPIC) {
            Some(topic) => topic,
            None => {
                let created = topics.create(E::TOPIC, 1, settings());
                created.map_err(|source| JournalError::Create { topic: E::TOPIC, source })?
            }
        };
        let partition = topic.partition(0).ok_or(JournalError::NoPartition { topic: E::TOPIC })?;
        replay_all(&partition, &mut replay)?;
        let topic_id = topic.id();
        Ok(Self {
            partition,
            topic_id,
            open: None,
            open_releases: Vec::new(),
            in_flight: VecDeque::new(),
            health: Health::Sound,
            events: PhantomData,
        })
    }

    pub(crate) fn topic_id(&self) -> Uuid {
        self.topic_id
    }

    /// Whether changes can still be kept.
    pub(crate) fn check(&self) -> Result<(), Unavailable> {
        if self.health == Health::Sound { Ok(()) } else { Err(Unavailable) }
    }

    /// Everything on its way has been decided, and memory must be read again.
    pub(crate) fn wants_reload(&self) -> bool {
        self.health == Health::Ahead && self.in_flight.is_empty()
    }

    /// Hands out every event again, to a fresh memory.
    pub(crate) fn reload(&mut self, mut replay: impl FnMut(E)) -> Result<(), JournalError> {
        replay_all(&self.partition, &mut replay)?;
        self.health = Health::Sound;
        Ok(())
    }

    /// Takes events, and replies that must not leave before them.
    pub(crate) fn push(&mut self, events: &[E], releases: Vec<Release>, now_ms: i64) {
        for event in events {
            let builder =
                self.open.get_or_insert_with(|| BatchBuilder::new(Compression::None, Producer::NONE));
            let (key, value) = event.encode();
            builder.push(now_ms, Some(&key[..]), value.as_deref(), &[]);
            if builder.uncompressed_bytes() >= BATCH_BYTES {
                self.close_batch();
            }
        }
        self.open_releases.extend(releases);
    }

    /// Sends what was pushed on its way. Replies that wait for nothing leave at once.
    pub(crate) fn flush(&mut self) {
        self.close_batch();
        let releases = std::mem::take(&mut self.open_releases);
        match self.in_flight.back_mut() {
            Some((_, waiting)) if self.health == Health::Sound => waiting.extend(releases),
            _ => answer(releases, self.check()),
        }
    }

    fn close_batch(&mut self) {
        let Some(builder) = self.open.take() else { return };
        if self.health != Health::Sound {
            return;
        }
        match self.partition.enqueue(builder.build(), Acks::All) {
            Ok(append) => self.in_flight.push_back((append, Vec::new())),
            Err(error) => self.fail(&error),
        }
    }

    pub(crate) fn is_waiting(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// Waits for the oldest batch and lets its replies go. Dropping the future loses nothing.
    pub(crate) async fn settle(&mut self) {
        let Some((append, _)) = self.in_flight.front_mut() else { return };
        let written = append.await;
        let (_, releases) = self.in_flight.pop_front().expect("it was there a moment ago");
        match written {
            Ok(_) => answer(releases, self.check()),
            Err(error) => {
                self.fail(&error);
                answer(releases, Err(Unavailable));
            }
        }
    }

    /// Waits for everything that is on its way.
    pub(crate) async fn finish(&mut self) {
        self.flush();
        while self.is_waiting() {
            self.settle().await;
        }
    }

    /// From here on every answer would be a guess, until memory is read from the disk again.
    fn fail(&mut self, error: &topics::AppendError) {
        let health = if error.kind() == topics::ErrorKind::Retry { Health::Ahead } else { Health::Broken };
        if self.health != Health::Broken {
            tracing::error!(
                topic = E::TOPIC,
                error = error as &dyn std::error::Error,
                "what a coordinator decided cannot be written"
            );
            self.health = health;
        }
        answer(std::mem::take(&mut self.open_releases), Err(Unavailable));
    }
}

fn answer(releases: Vec<Release>, written: Result<(), Unavailable>) {
    for release in releases {
        release(written);
    }
}

fn replay_all<E: Event>(partition: &Partition, replay: &mut impl FnMut(E)) -> Result<(), JournalError> {
    let mut offset = partition.log_start_offset();
    while offset < partition.high_watermark() {
        offset = read_some(partition, offset, replay)?;
    }
    Ok(())
}

/// Replays some batches and says where the next ones begin.
fn read_some<E: Event>(
    partition: &Partition,
    offset: i64,
    replay: &mut impl FnMut(E),
) -> Result<i64, JournalError> {
    let read = match partition.read(offset, READ_BYTES, true) {
        Ok(read) => read,
        Err(topics::ReadError::Corrupt { next_offset, path, position }) if next_offset > offset => {
            tracing::error!(path = %path.display(), position, next_offset, "what a coordinator wrote is lost to a rotten range");
            return Ok(next_offset);
        }
        Err(source) => return Err(JournalError::Read { topic: E::TOPIC, offset, source }),
    };
    let mut next = offset;
    for batch in record::batches(&read.bytes).map_while(Result::ok) {
        next = batch.header.next_offset();
        let records = batch.records(MAX_UNCOMPRESSED).into_iter().flatten().map_while(Result::ok);
        for record in records.filter(|record| record.offset >= offset) {
            replay_record(record.offset, record.key.as_ref(), record.value.as_ref(), replay);
        }
    }
    if next == offset {
        tracing::error!(
            offset,
            end = partition.high_watermark(),
            "what a coordinator wrote from here on cannot be read"
        );
        return Ok(partition.high_watermark());
    }
    Ok(next)
}

fn replay_record<E: Event>(
    offset: i64,
    key: Option<&Bytes>,
    value: Option<&Bytes>,
    replay: &mut impl FnMut(E),
) {
    let Some(key) = key else { return };
    match E::decode(key, value) {
        Ok(Some(event)) => replay(event),
        Ok(None) => tracing::debug!(offset, "a record of a kind that is not kept"),
        Err(error) => {
            tracing::error!(
                offset,
                error = &error as &dyn std::error::Error,
                "what a coordinator wrote cannot be read"
            );
        }
    }
}

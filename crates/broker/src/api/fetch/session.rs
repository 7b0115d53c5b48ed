//! Fetch sessions (KIP-227): the broker remembers what a consumer asks for and what it was told.
//!
//! A full fetch with epoch 0 opens a session; later ones name only what changed, and are answered with only what
//! changed. A session is remembered by its number alone: whoever was answered knows it, whichever connection it uses.
//!
//! The cache is bounded in sessions and in partitions. When it is full, the session that was silent for longest makes
//! room if it was silent for two minutes; otherwise the new one is answered without a session, which costs its
//! client longer requests and nothing else.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol::messages::fetch::{FetchPartition, FetchTopic, FetchableTopicResponse, PartitionData};
use protocol::messages::{FetchRequest, FetchResponse};
use protocol::{ErrorCode, StrBytes, Uuid};

/// `max.incremental.fetch.session.cache.slots`.
const SESSIONS_MAX: usize = 1_000;
/// What all sessions together remember, about 100 bytes each.
const PARTITIONS_MAX: usize = 200_000;
/// `min.incremental.fetch.session.eviction.ms`.
const SILENT: Duration = Duration::from_secs(120);

const NO_SESSION: i32 = 0;
/// Opens a session.
const INITIAL_EPOCH: i32 = 0;
/// Has none, or ends it.
const FINAL_EPOCH: i32 = -1;
const FIRST_WITH_TOPIC_IDS: i16 = 13;

/// All sessions of the broker.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    cache: Mutex<Cache>,
}

#[derive(Debug, Default)]
struct Cache {
    by_id: HashMap<i32, Session>,
    partitions: usize,
}

#[derive(Debug)]
struct Session {
    /// The epoch of the next request.
    epoch: i32,
    /// Whether topics go by id.
    by_id: bool,
    used_at: Duration,
    partitions: Vec<Remembered>,
    places: HashMap<Key, usize>,
    /// Where the next answer begins: behind what the last one had, so that nobody goes hungry.
    first: usize,
}

/// A topic, by whichever it goes by, and a partition.
type Key = (StrBytes, Uuid, i32);

/// What one partition is asked for, and what was told of it.
#[derive(Debug)]
struct Remembered {
    topic: StrBytes,
    topic_id: Uuid,
    wanted: FetchPartition,
    told: Option<Told>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Told {
    high_watermark: i64,
    last_stable_offset: i64,
    log_start_offset: i64,
}

/// What a request is to the sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It stands for itself.
    Sessionless,
    /// The first of a session.
    First,
    /// A later one.
    Next {
        /// Of which session.
        id: i32,
    },
}

impl Sessions {
    /// Says what a request is, and fills in what its session remembers.
    pub(super) fn begin(
        &self,
        request: &mut FetchRequest,
        version: i16,
        now: Duration,
    ) -> Result<Kind, ErrorCode> {
        let (id, epoch) = (request.session_id, request.session_epoch);
        if epoch == INITIAL_EPOCH || epoch == FINAL_EPOCH {
            if id != NO_SESSION {
                self.lock().forget(id);
            }
            return Ok(if epoch == INITIAL_EPOCH { Kind::First } else { Kind::Sessionless });
        }
        let mut cache = self.lock();
        let session = cache.by_id.get_mut(&id).ok_or(ErrorCode::FetchSessionIdNotFound)?;
        if session.epoch != epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        if session.by_id != (version >= FIRST_WITH_TOPIC_IDS) {
            return Err(ErrorCode::FetchSessionTopicIdError);
        }
        let before = session.partitions.len();
        session.used_at = now;
        session.epoch = next_epoch(epoch);
        session.change(request);
        let after = session.partitions.len();
        request.topics = session.topics();
        cache.partitions = cache.partitions + after - before;
        Ok(Kind::Next { id })
    }

    /// Leaves out of an answer what its session knows, or opens the session.
    pub(super) fn end(
        &self,
        kind: Kind,
        topics: Vec<FetchTopic>,
        version: i16,
        now: Duration,
        response: &mut FetchResponse,
    ) {
        match kind {
            Kind::Sessionless => {}
            Kind::First => {
                let mut session = Session::new(topics, version >= FIRST_WITH_TOPIC_IDS, now);
                session.note(&response.responses);
                response.session_id = self.lock().insert(session, now);
            }
            Kind::Next { id } => {
                response.session_id = id;
                // It may be gone: then the client hears so with its next request, and has missed nothing.
                if let Some(session) = self.lock().by_id.get_mut(&id) {
                    session.leave_out_known(&mut response.responses);
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    /// The number of the new session, or of none if there is no room.
    fn insert(&mut self, session: Session, now: Duration) -> i32 {
        let more = session.partitions.len();
        if more == 0 {
            return NO_SESSION;
        }
        while self.by_id.len() >= SESSIONS_MAX || self.partitions + more > PARTITIONS_MAX {
            let oldest = self.by_id.iter().min_by_key(|(_, session)| session.used_at);
            match oldest.map(|(id, session)| (*id, session.used_at)) {
                Some((id, used_at)) if now.saturating_sub(used_at) >= SILENT => self.forget(id),
                _ => return NO_SESSION,
            }
        }
        let id = loop {
            let id = random_id();
            if !self.by_id.contains_key(&id) {
                break id;
            }
        };
        self.partitions += more;
        self.by_id.insert(id, session);
        id
    }

    fn forget(&mut self, id: i32) {
        if let Some(session) = self.by_id.remove(&id) {
            self.partitions -= session.partitions.len();
        }
    }
}

impl Session {
    fn new(topics: Vec<FetchTopic>, by_id: bool, now: Duration) -> Self {
        let mut session = Session {
            epoch: next_epoch(INITIAL_EPOCH),
            by_id,
            used_at: now,
            partitions: Vec::new(),
            places: HashMap::new(),
            first: 0,
        };
        session.ask_for(topics);
        session
    }

    /// Takes in what a later request changes.
    fn change(&mut self, request: &mut FetchRequest) {
        for topic in &request.forgotten_topics_data {
            for index in &topic.partitions {
                self.places.remove(&(topic.topic.clone(), topic.topic_id, *index));
            }
        }
        if self.places.len() < self.partitions.len() {
            let places = std::mem::take(&mut self.places);
            self.partitions.retain(|one| places.contains_key(&one.key()));
            self.places = self.partitions.iter().enumerate().map(|(place, one)| (one.key(), place)).collect();
            self.first = 0;
        }
        self.ask_for(std::mem::take(&mut request.topics));
    }

    fn ask_for(&mut self, topics: Vec<FetchTopic>) {
        for topic in topics {
            for wanted in topic.partitions {
                let one =
                    Remembered { topic: topic.topic.clone(), topic_id: topic.topic_id, wanted, told: None };
                match self.places.get(&one.key()) {
                    Some(place) => self.partitions[*place].wanted = one.wanted,
                    None => {
                        self.places.insert(one.key(), self.partitions.len());
                        self.partitions.push(one);
                    }
                }
            }
        }
    }

    /// Everything that is asked for, neighbours of one topic together.
    fn topics(&self) -> Vec<FetchTopic> {
        let mut topics: Vec<FetchTopic> = Vec::new();
        let (before, behind) = self.partitions.split_at(self.first.min(self.partitions.len()));
        for one in behind.iter().chain(before) {
            match topics.last_mut() {
                Some(last) if (&last.topic, last.topic_id) == (&one.topic, one.topic_id) => {
                    last.partitions.push(one.wanted.clone());
                }
                _ => topics.push(FetchTopic {
                    topic: one.topic.clone(),
                    topic_id: one.topic_id,
                    partitions: vec![one.wanted.clone()],
                }),
            }
        }
        topics
    }

    fn place(&self, topic: &FetchableTopicResponse, index: i32) -> Option<usize> {
        self.places.get(&(topic.topic.clone(), topic.topic_id, index)).copied()
    }

    /// Remembers what an answer tells.
    fn note(&mut self, responses: &[FetchableTopicResponse]) {
        for topic in responses {
            for data in &topic.partitions {
                if let Some(place) = self.place(topic, data.partition_index) {
                    self.tell(place, data);
                }
            }
        }
    }

    /// Notes what is told of a partition; says whether it is worth telling.
    fn tell(&mut self, place: usize, data: &PartitionData) -> bool {
        let told = Told {
            high_watermark: data.high_watermark,
            last_stable_offset: data.last_stable_offset,
            log_start_offset: data.log_start_offset,
        };
        let has_records = data.records.as_ref().is_some_and(|records| !records.is_empty());
        let is_error = data.error_code != ErrorCode::None.code();
        let count = self.partitions.len();
        let remembered = &mut self.partitions[place];
        let is_new = remembered.told != Some(told);
        // An error is told every time: nothing the client knows of the partition holds then.
        remembered.told = (!is_error).then_some(told);
        if has_records {
            self.first = (place + 1) % count;
        }
        is_new || has_records || is_error
    }

    fn leave_out_known(&mut self, responses: &mut Vec<FetchableTopicResponse>) {
        for topic in responses.iter_mut() {
            let partitions = std::mem::take(&mut topic.partitions);
            let worth_it = |data: &PartitionData| match self.place(topic, data.partition_index) {
                Some(place) => self.tell(place, data),
                None => true,
            };
            topic.partitions = partitions.into_iter().filter(worth_it).collect();
        }
        responses.retain(|topic| !topic.partitions.is_empty());
    }
}

impl Remembered {
    fn key(&self) -> Key {
        (self.topic.clone(), self.topic_id, self.wanted.partition)
    }
}

/// Epochs go round without 0, which opens sessions.
fn next_epoch(epoch: i32) -> i32 {
    if epoch == i32::MAX { 1 } else { epoch + 1 }
}

/// A number that nobody guesses by counting.
fn random_id() -> i32 {
    let (high, _) = uuid::Uuid::new_v4().as_u64_pair();
    i32::try_from(high >> 33).expect("31 bits").max(1)
}

#[cfg(test)]
mod tests;

//! The models that learn, and their versions.
//!
//! A version is published only after it is durable in its query's journal, and stays as long as a batch
//! that has not committed pins it: a batch that runs again after a crash gets the model it had.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use ml::Model;
use serde_json::Value;

use crate::error::SqlError;
use crate::models::contest::Contest;
use crate::models::reference::At;
use crate::models::shape::Shape;
use crate::query::journal::{ModelRecord, VERSION_BYTES_KEPT, VERSIONS_KEPT};
use crate::session::catalog::{ModelDef, known_names};
use crate::status::{ModelStatus, ModelVersion};

pub(crate) mod contest;
pub(crate) mod reference;
pub(crate) mod serve;
pub(crate) mod shape;

/// One version of a model: it never changes.
pub(crate) struct Version {
    pub(crate) number: u64,
    pub(crate) record: ModelRecord,
    pub(crate) snapshot: Bytes,
    /// Read from the snapshot when it is first asked.
    model: OnceLock<Arc<Model>>,
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "version {}", self.number)
    }
}

impl Version {
    /// A version just learnt.
    pub(crate) fn learnt(record: ModelRecord, snapshot: Bytes, model: Model) -> Self {
        let version = Version { number: record.version, record, snapshot, model: OnceLock::new() };
        let _ = version.model.set(Arc::new(model));
        version
    }

    /// A version read from a journal.
    ///
    /// # Errors
    /// If the snapshot cannot be read.
    pub(crate) fn stored(record: ModelRecord, snapshot: Bytes) -> Result<Self, ml::SnapshotError> {
        Model::restore(&snapshot)?;
        Ok(Version { number: record.version, record, snapshot, model: OnceLock::new() })
    }

    pub(crate) fn model(&self) -> &Arc<Model> {
        self.model.get_or_init(|| {
            Arc::new(Model::restore(&self.snapshot).expect("checked when it was written or read"))
        })
    }

    /// The same without the model, which is in the snapshot.
    fn folded(&self) -> Self {
        let (record, snapshot) = (self.record.clone(), self.snapshot.clone());
        Version { number: self.number, record, snapshot, model: OnceLock::new() }
    }

    fn status(&self) -> ModelVersion {
        ModelVersion {
            version: self.number,
            committed_ms: self.record.committed_ms,
            rows_learned: self.record.rows_learned,
            recent: self.record.recent,
            offsets: self.record.offsets.clone(),
        }
    }
}

/// How many of the oldest versions are one too many, by the lengths of all snapshots, the oldest first.
pub(crate) fn surplus(lengths: impl DoubleEndedIterator<Item = usize> + ExactSizeIterator) -> usize {
    let (count, mut bytes) = (lengths.len(), 0);
    let fits = |(place, length): &(usize, usize)| {
        bytes += length;
        *place < 2 || *place < VERSIONS_KEPT && bytes <= VERSION_BYTES_KEPT
    };
    count - lengths.rev().enumerate().take_while(fits).count()
}

/// All models by name in lower case.
#[derive(Default, Debug)]
pub(crate) struct Registry {
    models: Mutex<BTreeMap<String, Arc<Entry>>>,
    contests: Mutex<BTreeMap<String, Arc<Contest>>>,
}

/// A model that learns.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) algorithm: String,
    pub(crate) shape: Shape,
    /// The query that teaches it.
    query: u64,
    versions: Mutex<Versions>,
}

#[derive(Default, Debug)]
struct Versions {
    /// The oldest first.
    kept: VecDeque<Arc<Version>>,
    /// How often each is pinned.
    pinned: BTreeMap<u64, (Arc<Version>, usize)>,
    /// The newest number that was ever given.
    newest: u64,
    /// The version that answers, if it is not to be the latest.
    serving: Option<Arc<Version>>,
}

impl Registry {
    /// Adds a model with its versions.
    pub(crate) fn insert(&self, model: &ModelDef, versions: Vec<Version>) {
        let kept = versions.into_iter().map(Arc::new).collect();
        let versions = Versions::of(kept);
        let serving = model.settings.serving.and_then(|number| versions.find(number));
        self.put(model, Versions { serving, ..versions });
    }

    /// Tells what a model answers; its versions follow.
    pub(crate) fn declare(&self, name: &str, algorithm: &str, query: u64, shape: Shape) {
        let (name, algorithm, versions) = (name.to_owned(), algorithm.to_owned(), Mutex::default());
        let key = name.to_lowercase();
        self.lock().insert(key, Arc::new(Entry { name, algorithm, shape, query, versions }));
    }

    /// Adds a model. If there was one of the name and of this shape, its history goes on: until the new one has
    /// learnt, the old one's last version answers. Numbers of versions go on in any case.
    pub(crate) fn replace(&self, model: &ModelDef, history: Vec<Arc<Version>>) -> Arc<Entry> {
        self.put(model, Versions::of(history.into_iter().collect()))
    }

    fn put(&self, model: &ModelDef, versions: Versions) -> Arc<Entry> {
        let entry = Arc::new(Entry {
            name: model.name.clone(),
            algorithm: model.algorithm.clone(),
            shape: model.shape.clone(),
            query: model.id,
            versions: Mutex::new(versions),
        });
        self.lock().insert(model.name.to_lowercase(), Arc::clone(&entry));
        entry
    }

    /// Gives a model another name; its versions stay.
    pub(crate) fn rename(&self, name: &str, new: &str) {
        let mut models = self.lock();
        let Some(entry) = models.remove(&name.to_lowercase()) else { return };
        let versions = std::mem::take(&mut *entry.lock());
        let renamed = Entry {
            name: new.to_owned(),
            algorithm: entry.algorithm.clone(),
            shape: entry.shape.clone(),
            query: entry.query,
            versions: Mutex::new(versions),
        };
        models.insert(new.to_lowercase(), Arc::new(renamed));
    }

    pub(crate) fn remove(&self, name: &str) {
        self.lock().remove(&name.to_lowercase());
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<Entry>> {
        self.lock().get(&name.to_lowercase()).map(Arc::clone)
    }

    /// The model that answers under this name now: of several that contend for it, the champion.
    pub(crate) fn answering(&self, name: &str) -> Option<Arc<Entry>> {
        match self.contest(name) {
            Some(contest) => contest.champion(self),
            None => self.get(name),
        }
    }

    pub(crate) fn contest(&self, name: &str) -> Option<Arc<Contest>> {
        self.contests().get(&name.to_lowercase()).map(Arc::clone)
    }

    pub(crate) fn add_contest(&self, contest: Arc<Contest>) {
        self.contests().insert(contest.name.to_lowercase(), contest);
    }

    pub(crate) fn remove_contest(&self, name: &str) {
        self.contests().remove(&name.to_lowercase());
    }

    fn contests(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Contest>>> {
        self.contests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// # Errors
    /// There is no such model; what there is.
    pub(crate) fn known(&self, name: &str) -> Result<Arc<Entry>, SqlError> {
        self.answering(name).ok_or_else(|| {
            let known = self.entries().iter().map(|entry| entry.name.clone()).collect();
            SqlError::Unknown { what: "model", name: name.to_owned(), known: known_names(known) }
        })
    }

    pub(crate) fn entries(&self) -> Vec<Arc<Entry>> {
        self.lock().values().map(Arc::clone).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Entry>>> {
        self.models.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    pub(crate) fn latest(&self) -> Option<Arc<Version>> {
        self.lock().kept.back().map(Arc::clone)
    }

    /// The version that its query made last: what it learns on with.
    pub(crate) fn learns_on(&self) -> Option<Arc<Version>> {
        self.latest().filter(|version| version.record.query == self.query)
    }

    /// The number of the next version.
    pub(crate) fn next_number(&self) -> u64 {
        self.lock().newest + 1
    }

    /// Lets this version answer, or again the latest one.
    pub(crate) fn serve(&self, version: Option<Arc<Version>>) {
        self.lock().serving = version;
    }

    /// The version that answers when none is named.
    pub(crate) fn serving(&self) -> Option<Arc<Version>> {
        let versions = self.lock();
        versions.serving.as_ref().or(versions.kept.back()).map(Arc::clone)
    }

    /// Makes a durable version the one to predict with.
    pub(crate) fn publish(&self, version: Version) {
        let mut versions = self.lock();
        versions.newest = versions.newest.max(version.number);
        // Only the latest is asked often: those before it are read from their snapshots when they are asked.
        if let Some(previous) = versions.kept.pop_back() {
            versions.kept.push_back(Arc::new(previous.folded()));
        }
        versions.kept.push_back(Arc::new(version));
        let surplus = surplus(versions.kept.iter().map(|version| version.snapshot.len()));
        versions.kept.drain(..surplus);
    }

    /// Holds the version that is meant.
    pub(crate) fn pin(self: &Arc<Self>, at: At) -> Option<Pin> {
        let mut versions = self.lock();
        let version = match at {
            At::Current => versions.serving.as_ref().or(versions.kept.back()).map(Arc::clone),
            At::Version(number) => versions.find(number),
            At::Time(time) => {
                let before = |version: &&Arc<Version>| version.record.committed_ms <= time;
                versions.kept.iter().rev().find(before).map(Arc::clone)
            }
        }?;
        let pinned = versions.pinned.entry(version.number).or_insert_with(|| (Arc::clone(&version), 0));
        pinned.1 += 1;
        Some(Pin { entry: Arc::clone(self), version: Arc::clone(&version) })
    }

    /// What a journal must go on holding, the oldest first.
    pub(crate) fn to_keep(&self) -> Vec<Arc<Version>> {
        let versions = self.lock();
        let mut keep: BTreeMap<u64, Arc<Version>> =
            versions.kept.iter().map(|version| (version.number, Arc::clone(version))).collect();
        keep.extend(versions.pinned.iter().map(|(number, (version, _))| (*number, Arc::clone(version))));
        keep.extend(versions.serving.iter().map(|version| (version.number, Arc::clone(version))));
        keep.into_values().collect()
    }

    /// What to say to who asks for a version that is not there.
    pub(crate) fn no_such_version(&self) -> String {
        let kept = self.to_keep();
        match (kept.first(), kept.last()) {
            (Some(first), Some(last)) => {
                format!("there is no such version; kept are {} to {}", first.number, last.number)
            }
            _ => "the model has no version yet".to_owned(),
        }
    }

    pub(crate) fn history(&self) -> Vec<ModelVersion> {
        self.lock().kept.iter().map(|version| version.status()).collect()
    }

    pub(crate) fn status(&self, options: &BTreeMap<String, String>) -> ModelStatus {
        let latest = self.latest();
        let serving = self.lock().serving.as_ref().map(|version| version.number);
        let record = latest.as_ref().map(|version| version.record.clone()).unwrap_or_default();
        ModelStatus {
            name: self.name.clone(),
            algorithm: self.algorithm.clone(),
            options: options.clone(),
            features: self.shape.feature_names(),
            label: self.shape.label.as_ref().map(|label| label.column.clone()),
            version: record.version,
            serving,
            rows_learned: record.rows_learned,
            updated_ms: latest.as_ref().map(|version| version.record.committed_ms),
            offsets: record.offsets,
            evaluation: latest.as_ref().map_or(Value::Null, |version| version.model().evaluation()),
            detail: latest.map_or(Value::Null, |version| version.model().describe()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Versions> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Versions {
    fn of(kept: VecDeque<Arc<Version>>) -> Self {
        let newest = kept.back().map_or(0, |version| version.number);
        Versions { kept, newest, ..Versions::default() }
    }

    fn find(&self, number: u64) -> Option<Arc<Version>> {
        let kept = self.kept.iter().rev().find(|version| version.number == number);
        kept.or_else(|| self.pinned.get(&number).map(|(version, _)| version)).map(Arc::clone)
    }
}

/// Holds a version until the batch that uses it has committed.
#[derive(Debug)]
pub(crate) struct Pin {
    entry: Arc<Entry>,
    pub(crate) version: Arc<Version>,
}

/// What a batch has pinned, by the references that its query asks.
pub(crate) type Pins = BTreeMap<String, Pin>;

impl Pin {
    /// The model's name.
    pub(crate) fn model(&self) -> &str {
        &self.entry.name
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut versions = self.entry.lock();
        if let Some((_, pins)) = versions.pinned.get_mut(&self.version.number) {
            *pins -= 1;
            if *pins == 0 {
                versions.pinned.remove(&self.version.number);
            }
        }
    }
}

#[cfg(test)]
mod tests;

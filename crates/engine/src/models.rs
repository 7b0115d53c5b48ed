//! The models that learn, and their versions.
//!
//! A version is published only after it is durable in its query's journal, and stays as long as a batch
//! that has not committed pins it: a batch that runs again after a crash gets the model it had.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use ml::Model;

use crate::error::SqlError;
use crate::query::journal::{ModelRecord, VERSIONS_KEPT};
use crate::session::catalog::known_names;
use crate::status::{ModelStatus, ModelVersion};

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
        let model = Model::restore(&snapshot)?;
        Ok(Version::learnt(record, snapshot, model))
    }

    pub(crate) fn model(&self) -> &Arc<Model> {
        self.model.get_or_init(|| {
            Arc::new(Model::restore(&self.snapshot).expect("checked when it was written or read"))
        })
    }

    fn status(&self) -> ModelVersion {
        ModelVersion {
            version: self.number,
            committed_ms: self.record.committed_ms,
            rows_learned: self.record.rows_learned,
            offsets: self.record.offsets.clone(),
        }
    }
}

/// All models by name in lower case.
#[derive(Default, Debug)]
pub(crate) struct Registry {
    models: Mutex<BTreeMap<String, Arc<Entry>>>,
}

/// A model that learns.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) algorithm: String,
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
}

impl Registry {
    /// Adds a model with its versions.
    pub(crate) fn insert(&self, name: &str, algorithm: &str, query: u64, versions: Vec<Version>) {
        let kept = versions.into_iter().map(Arc::new).collect();
        self.put(name, algorithm, query, Versions { kept, pinned: BTreeMap::new() });
    }

    /// Adds a model. If there was one of the name, its history goes on: until the new one has learnt,
    /// the old one's last version answers.
    pub(crate) fn replace(&self, name: &str, algorithm: &str, query: u64) -> Arc<Entry> {
        let history = self.get(name).map(|old| old.to_keep()).unwrap_or_default();
        let kept = history.into_iter().collect();
        self.put(name, algorithm, query, Versions { kept, pinned: BTreeMap::new() })
    }

    fn put(&self, name: &str, algorithm: &str, query: u64, versions: Versions) -> Arc<Entry> {
        let (name, algorithm) = (name.to_owned(), algorithm.to_owned());
        let key = name.to_lowercase();
        let entry = Arc::new(Entry { name, algorithm, query, versions: Mutex::new(versions) });
        self.lock().insert(key, Arc::clone(&entry));
        entry
    }

    pub(crate) fn remove(&self, name: &str) {
        self.lock().remove(&name.to_lowercase());
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<Entry>> {
        self.lock().get(&name.to_lowercase()).map(Arc::clone)
    }

    /// # Errors
    /// There is no such model; what there is.
    pub(crate) fn known(&self, name: &str) -> Result<Arc<Entry>, SqlError> {
        self.get(name).ok_or_else(|| {
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

    /// Makes a durable version the one to predict with.
    pub(crate) fn publish(&self, version: Version) {
        let mut versions = self.lock();
        versions.kept.push_back(Arc::new(version));
        while versions.kept.len() > VERSIONS_KEPT {
            versions.kept.pop_front();
        }
    }

    /// Holds the latest version, or the one of that number.
    pub(crate) fn pin(self: &Arc<Self>, number: Option<u64>) -> Option<Pin> {
        let mut versions = self.lock();
        let version = match number {
            None => versions.kept.back().map(Arc::clone),
            Some(number) => versions.find(number),
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
        keep.into_values().collect()
    }

    pub(crate) fn history(&self) -> Vec<ModelVersion> {
        self.lock().kept.iter().map(|version| version.status()).collect()
    }

    pub(crate) fn status(&self, options: &BTreeMap<String, String>) -> ModelStatus {
        let latest = self.latest();
        let record = latest.as_ref().map(|version| version.record.clone()).unwrap_or_default();
        ModelStatus {
            name: self.name.clone(),
            algorithm: self.algorithm.clone(),
            options: options.clone(),
            version: record.version,
            rows_learned: record.rows_learned,
            updated_ms: latest.as_ref().map(|version| version.record.committed_ms),
            offsets: record.offsets,
            detail: latest.map_or(serde_json::Value::Null, |version| version.model().describe()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Versions> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Versions {
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

impl Pin {
    pub(crate) fn is_of(&self, model: &str) -> bool {
        self.entry.name.eq_ignore_ascii_case(model)
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

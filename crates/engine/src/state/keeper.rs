//! A store that goes on from batch to batch: staged, written down, committed, brought back.

use datafusion::arrow::array::{AsArray, BooleanArray};
use datafusion::arrow::compute::{filter_record_batch, max, not};
use datafusion::arrow::datatypes::UInt64Type;
use datafusion::arrow::record_batch::RecordBatch;

use super::StateError;
use super::record::{Kind, Owner, Reader, Record, Writer, framed, unframed};
use super::store::StateStore;
use super::store::groups::Located;

/// Rows per batch when many state rows are read or written.
pub(crate) const CHUNK_ROWS: usize = 8192;

/// State rows with whose they are and up to which batch.
#[derive(Debug)]
pub(crate) struct Keeper {
    store: StateStore,
    owner: Owner,
    bytes_max: usize,
    last_batch: Option<u64>,
    staged: Option<Staged>,
}

/// A batch that is not decided.
#[derive(Debug, Clone, Copy)]
struct Staged {
    batch: u64,
    /// The watermark that will end keys, if it ends any.
    evicting: Option<i64>,
}

impl Keeper {
    /// Keeps an empty store for a query's operator; it may take so many bytes in memory.
    pub(crate) fn new(store: StateStore, query: String, operator: u32, bytes_max: usize) -> Self {
        let owner = Owner { query, operator, key_groups: store.groups().count() };
        Keeper { store, owner, bytes_max, last_batch: None, staged: None }
    }

    /// The committed rows.
    pub(crate) fn store(&self) -> &StateStore {
        &self.store
    }

    /// Refuses a batch while another is undecided, and one that is not newer than what was committed.
    pub(crate) fn check(&self, batch: u64) -> Result<(), StateError> {
        self.store.check_unstaged(batch)?;
        match self.last_batch.filter(|last| *last >= batch) {
            Some(last) => Err(StateError::Old { batch, last }),
            None => Ok(()),
        }
    }

    /// The rows that the watermark ends, and the others.
    pub(crate) fn split(
        &self,
        rows: &RecordBatch,
        watermark: Option<i64>,
    ) -> Result<(RecordBatch, RecordBatch), StateError> {
        let (Some(time), Some(watermark)) = (self.store.time(), watermark) else {
            return Ok((rows.slice(0, 0), rows.clone()));
        };
        let staying: BooleanArray = time.ends(rows).into_iter().map(|end| Some(end > watermark)).collect();
        Ok((filter_record_batch(rows, &not(&staying)?)?, filter_record_batch(rows, &staying)?))
    }

    /// One more than the highest number that a row has in this column of `UInt64`.
    pub(crate) fn next_number(&self, column: usize) -> Result<u64, StateError> {
        let mut next = 0;
        for rows in self.store.untouched(CHUNK_ROWS) {
            let highest = max(rows?.column(column).as_primitive::<UInt64Type>());
            next = next.max(highest.map_or(0, |number| number + 1));
        }
        Ok(next)
    }

    /// Keeps the new state rows of a batch aside, and which rows will go: those of `removed`, then those that
    /// `watermark` ends. Who knows already where the keys of `rows` are says so.
    ///
    /// # Errors
    /// Also when the state would grow too large; [`Keeper::abort`] then.
    pub(crate) fn stage(
        &mut self,
        batch: u64,
        rows: &RecordBatch,
        located: Option<Located>,
        removed: Option<&RecordBatch>,
        watermark: Option<i64>,
    ) -> Result<(), StateError> {
        self.store.stage(batch, rows, located)?;
        if let Some(removed) = removed {
            self.store.stage_removal(removed)?;
        }
        let evicting = watermark.filter(|watermark| self.store.ends_any(*watermark));
        self.staged = Some(Staged { batch, evicting });
        let (needed, limit) = (self.store.size(), self.bytes_max);
        if needed > limit { Err(StateError::Full { needed, limit }) } else { Ok(()) }
    }

    /// Whether this batch is staged.
    pub(crate) fn has_staged(&self, batch: u64) -> bool {
        self.staged.is_some_and(|staged| staged.batch == batch)
    }

    /// The staged changes as a record; none when nothing changed.
    pub(crate) fn changelog(&self) -> Result<Option<Vec<u8>>, StateError> {
        let evicting = self.staged.and_then(|staged| staged.evicting);
        let Some((batch, rows, groups)) = self.store.staged() else { return Ok(None) };
        let removed = self.store.staged_removal().filter(|(rows, _)| rows.num_rows() > 0);
        if rows.num_rows() == 0 && evicting.is_none() && removed.is_none() {
            return Ok(None);
        }
        let record = Record {
            kind: Kind::Changelog,
            batch: Some(batch),
            watermark: evicting,
            removed: removed.as_ref().map_or(0, |(rows, _)| rows.num_rows()),
        };
        let mut writer = Writer::try_new(record, &self.owner, self.store.layout())?;
        if let Some((rows, groups)) = removed {
            writer.push(rows, groups)?;
        }
        writer.push(rows, groups)?;
        writer.finish().map(Some)
    }

    /// Makes the staged batch the state.
    pub(crate) fn commit(&mut self) {
        if let Some(Staged { batch, evicting }) = self.staged.take() {
            self.store.commit();
            if let Some(watermark) = evicting {
                self.store.evict(watermark);
            }
            self.last_batch = Some(batch);
        }
    }

    /// Forgets the staged batch.
    pub(crate) fn abort(&mut self) {
        self.staged = None;
        self.store.abort();
    }

    /// All committed state as a record.
    pub(crate) fn snapshot(&self) -> Result<Vec<u8>, StateError> {
        let record = Record { kind: Kind::Snapshot, batch: self.last_batch, watermark: None, removed: 0 };
        let mut writer = Writer::try_new(record, &self.owner, self.store.layout())?;
        for chunk in self.store.by_group(CHUNK_ROWS) {
            let (rows, groups) = chunk?;
            writer.push(&rows, groups)?;
        }
        writer.finish()
    }

    /// Replaces the state by a snapshot and the changelogs after it; those that the snapshot already holds are
    /// passed over. Gives the batch of the newest record.
    ///
    /// # Errors
    /// The state is as it was.
    pub(crate) fn restore(
        &mut self,
        snapshot: Option<&[u8]>,
        changelogs: &[&[u8]],
    ) -> Result<Option<u64>, StateError> {
        let mut store = self.store.emptied()?;
        let mut newest = None;
        if let Some(bytes) = snapshot {
            newest = self.replay(&mut store, bytes, Kind::Snapshot, None)?;
        }
        let covered = newest;
        for bytes in changelogs {
            let batch = self.replay(&mut store, bytes, Kind::Changelog, covered)?;
            let Some(found) = batch else { continue };
            if let Some(last) = newest.filter(|last| *last >= found) {
                return Err(StateError::Order { last, found });
            }
            newest = batch;
        }
        self.store = store;
        self.staged = None;
        self.last_batch = newest;
        Ok(newest)
    }

    /// Puts one record into `store`. Gives its batch, or nothing when `covered` already includes it.
    fn replay(
        &self,
        store: &mut StateStore,
        bytes: &[u8],
        kind: Kind,
        covered: Option<u64>,
    ) -> Result<Option<u64>, StateError> {
        let corrupt = |reason| StateError::Corrupt { position: 0, reason };
        let mut reader = Reader::try_new(bytes, &self.owner, self.store.layout())?;
        let Record { kind: found, batch, watermark, mut removed } = reader.record;
        if found != kind {
            return Err(corrupt("a snapshot stands where a changelog belongs, or the other way round"));
        }
        if kind == Kind::Changelog && batch.is_none() {
            return Err(corrupt("a changelog without a batch"));
        }
        if covered.is_some() && batch <= covered {
            return Ok(None);
        }
        while let Some((rows, groups)) = reader.next_rows()? {
            if store.key_groups(&rows)? != groups.values().to_vec() {
                return Err(corrupt("a key lies in another key group than it should"));
            }
            let going = removed.min(rows.num_rows());
            removed -= going;
            store.stage(batch.unwrap_or(0), &rows.slice(going, rows.num_rows() - going), None)?;
            store.stage_removal(&rows.slice(0, going))?;
            store.commit();
        }
        if let Some(watermark) = watermark {
            store.evict(watermark);
        }
        Ok(batch)
    }
}

/// The staged changes of two stores as one record; none when nothing changed.
pub(crate) fn changelog(keepers: [&Keeper; 2]) -> Result<Option<Vec<u8>>, StateError> {
    let [first, second] = keepers.map(Keeper::changelog);
    match [first?, second?] {
        [None, None] => Ok(None),
        records => Ok(Some(framed(&records.map(Option::unwrap_or_default)).into())),
    }
}

/// All committed state of two stores as one record.
pub(crate) fn snapshot(keepers: [&Keeper; 2]) -> Result<Vec<u8>, StateError> {
    let [first, second] = keepers.map(Keeper::snapshot);
    Ok(framed(&[first?, second?]).into())
}

/// Replaces the state of two stores; see [`Keeper::restore`].
pub(crate) fn restore(
    keepers: [&mut Keeper; 2],
    snapshot: Option<&[u8]>,
    changelogs: &[&[u8]],
) -> Result<Option<u64>, StateError> {
    let snapshot = snapshot.map(|bytes| unframed(bytes, 2)).transpose()?;
    let changelogs = changelogs.iter().map(|bytes| unframed(bytes, 2)).collect::<Result<Vec<_>, _>>()?;
    let mut newest = None;
    for (index, keeper) in keepers.into_iter().enumerate() {
        let snapshot = snapshot.as_ref().map(|records| records[index]);
        let own = changelogs.iter().map(|records| records[index]).filter(|record| !record.is_empty());
        newest = newest.max(keeper.restore(snapshot, &own.collect::<Vec<_>>())?);
    }
    Ok(newest)
}

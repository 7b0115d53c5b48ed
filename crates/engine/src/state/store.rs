//! The state rows of one operator: found by key, replaced batch by batch, never half.
//!
//! Every key has a slot while it lives: its bytes, and the place (block, row) of its newest state row. A batch is
//! staged first and touches nothing; [`StateStore::commit`] then appends its rows as a block and points the
//! slots there. The rows they leave are dead, and [`StateStore::commit`] also copies what is alive in
//! crowded or mostly dead blocks together, a bounded number of rows per batch: so a batch costs in
//! proportion to the keys it touches, and the dead never outweigh the living for long.
//!
//! Where the key holds a time ([`crate::state::expiry`]), slots are also listed by the watermark that ends them:
//! [`StateStore::evict`] costs in proportion to what it removes. Where rows are wanted by a part of their key
//! ([`crate::state::related`]), slots are also listed by that part.

use std::hash::BuildHasher;

use datafusion::arrow::array::{ArrayRef, BooleanArray};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::record_batch::RecordBatch;
use hashbrown::{DefaultHashBuilder, HashTable};

use super::StateError;
use super::arena::Arena;
use super::block::{gather, owned};
use super::expiry::{Expiry, TimeKey};
use super::key::{KeyEncoder, KeyGroups, Keys};
use super::layout::Layout;
use super::related::Related;
use groups::Located;

pub(crate) mod groups;
mod tidy;

/// Stands for a key that has no slot yet.
const NO_SLOT: u32 = u32::MAX;

/// State rows by key.
#[derive(Debug)]
pub(crate) struct StateStore {
    layout: Layout,
    groups: KeyGroups,
    encoder: KeyEncoder,
    /// Seeded per store, so that nobody outside can pick keys that collide. Nothing that leaves the store
    /// depends on the seed: everything is ordered by slot.
    hasher: DefaultHashBuilder,
    index: HashTable<u32>,
    keys: Arena,
    /// By slot.
    places: Vec<Place>,
    /// When slots end, if their keys tell.
    expiry: Option<Expiry>,
    /// Which slots share a part of their key, if that is asked.
    related: Option<Related>,
    blocks: Vec<Option<Block>>,
    block_bytes: usize,
    staged: Option<Staged>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    block: u32,
    row: u32,
}

#[derive(Debug)]
struct Block {
    rows: RecordBatch,
    /// By row. The row is alive while its slot points here.
    slots: Vec<u32>,
    live: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Staged {
    batch: u64,
    rows: RecordBatch,
    keys: Keys,
    located: Located,
    /// Whether each key is known to occur once.
    distinct: bool,
    /// Rows that go, and their slots; none of them among those above.
    removed: Option<(RecordBatch, Vec<u32>)>,
}

impl StateStore {
    /// An empty store for rows of this layout; `time` is the key column that says when a key ends.
    pub(crate) fn try_new(
        layout: Layout,
        groups: KeyGroups,
        time: Option<TimeKey>,
    ) -> Result<Self, StateError> {
        let encoder = KeyEncoder::try_new(&layout.schema.fields()[..layout.keys])?;
        Ok(Self {
            layout,
            groups,
            encoder,
            hasher: DefaultHashBuilder::default(),
            index: HashTable::new(),
            keys: Arena::default(),
            places: Vec::new(),
            expiry: time.map(Expiry::new),
            related: None,
            blocks: Vec::new(),
            block_bytes: 0,
            staged: None,
        })
    }

    /// Lists the keys, of which there are none yet, by what they have in these key columns.
    pub(crate) fn relate(mut self, columns: Vec<usize>) -> Result<Self, StateError> {
        self.related = Some(Related::try_new(&self.layout, columns)?);
        Ok(self)
    }

    /// An empty store like this one.
    pub(crate) fn emptied(&self) -> Result<Self, StateError> {
        let store = StateStore::try_new(self.layout.clone(), self.groups, self.time())?;
        match &self.related {
            Some(related) => store.relate(related.columns().to_vec()),
            None => Ok(store),
        }
    }

    /// What a row consists of.
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Into how many groups the keys fall.
    pub(crate) fn groups(&self) -> KeyGroups {
        self.groups
    }

    /// How many keys have state.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Bytes held: rows, keys, index, and what is staged.
    pub(crate) fn size(&self) -> usize {
        let staged = self.staged.as_ref().map_or(0, |staged| {
            staged.rows.get_array_memory_size() + staged.keys.size() + staged.located.slots.len() * 12
        });
        self.block_bytes
            + self.keys.size()
            + self.expiry.as_ref().map_or(0, Expiry::size)
            + self.related.as_ref().map_or(0, Related::size)
            + self.places.capacity() * size_of::<Place>()
            + self.index.allocation_size()
            + self.encoder.size()
            + staged
    }

    /// The state rows of the keys in `rows` that have one: each once, in the order in which their keys first
    /// occur. Slots differ between a store and its restored twin, so their order must not show: a batch that
    /// runs again after a restart has to give the same rows in the same order.
    pub(crate) fn find(&self, rows: &[RecordBatch]) -> Result<Option<RecordBatch>, StateError> {
        let mut found: Vec<(u32, usize)> = Vec::new();
        for batch in rows {
            let keys = self.encode(batch)?;
            for row in 0..keys.len() {
                let key = keys.get(row);
                if let Some(slot) = self.slot(key, self.hash(key)) {
                    found.push((slot, found.len()));
                }
            }
        }
        found.sort_unstable();
        found.dedup_by_key(|(slot, _)| *slot);
        found.sort_unstable_by_key(|(_, order)| *order);
        let slots: Vec<u32> = found.into_iter().map(|(slot, _)| slot).collect();
        if slots.is_empty() { Ok(None) } else { self.rows_of(&slots).map(Some) }
    }

    /// The columns that were named to [`StateStore::relate`].
    pub(crate) fn relation(&self) -> &[usize] {
        self.related.as_ref().map_or(&[], Related::columns)
    }

    /// What the rows have in those columns.
    pub(crate) fn families(&self, rows: &RecordBatch) -> Result<Keys, StateError> {
        match &self.related {
            Some(related) => Ok(related.names(rows)?),
            None => Ok(Keys::Empty(rows.num_rows())),
        }
    }

    /// All state rows that have, in the columns that were named to [`StateStore::relate`], the values of any of so
    /// many rows: by the first row that they agree with, and among those of one by their keys.
    pub(crate) fn related_to(
        &self,
        values: &[ArrayRef],
        rows: usize,
    ) -> Result<Option<RecordBatch>, StateError> {
        let Some(related) = &self.related else { return Ok(None) };
        let names = related.named(values, rows)?;
        let mut slots: Vec<u32> = Vec::new();
        let mut seen = hashbrown::HashSet::new();
        for row in 0..names.len() {
            let members = related.members(names.get(row));
            if members.first().is_some_and(|first| seen.insert(*first)) {
                let begin = slots.len();
                slots.extend_from_slice(members);
                slots[begin..].sort_unstable_by_key(|slot| self.keys.get(*slot));
            }
        }
        if slots.is_empty() { Ok(None) } else { self.rows_of(&slots).map(Some) }
    }

    /// Keeps the new state rows of `batch` aside. Every key occurs once. Who knows already where the keys are says so.
    pub(crate) fn stage(
        &mut self,
        batch: u64,
        rows: &RecordBatch,
        located: Option<Located>,
    ) -> Result<(), StateError> {
        self.check_unstaged(batch)?;
        let rows = owned(rows, &self.layout.schema)?;
        let keys = self.encode(&rows)?;
        let distinct = located.is_some();
        let located = located.unwrap_or_else(|| self.locate(&keys));
        let limit = NO_SLOT as usize;
        if self.len() + rows.num_rows() > limit {
            return Err(StateError::Full { needed: self.len() + rows.num_rows(), limit });
        }
        self.staged = Some(Staged { batch, rows, keys, located, distinct, removed: None });
        Ok(())
    }

    fn locate(&self, keys: &Keys) -> Located {
        let hashes: Vec<u64> = (0..keys.len()).map(|row| self.hash(keys.get(row))).collect();
        let slot = |(row, hash): (usize, &u64)| self.slot(keys.get(row), *hash).unwrap_or(NO_SLOT);
        let slots = hashes.iter().enumerate().map(slot).collect();
        Located { hashes, slots }
    }

    /// Lets go of these state rows together with what is staged, except those whose key is staged again.
    pub(crate) fn stage_removal(&mut self, rows: &RecordBatch) -> Result<(), StateError> {
        let keys = self.encode(rows)?;
        let Some(staged) = &self.staged else { return Ok(()) };
        let mut kept = staged.located.slots.clone();
        kept.sort_unstable();
        let slot = |row| {
            let slot = self.slot(keys.get(row), self.hash(keys.get(row)));
            slot.filter(|slot| kept.binary_search(slot).is_err())
        };
        let slots: Vec<Option<u32>> = (0..keys.len()).map(slot).collect();
        let going: BooleanArray = slots.iter().map(|slot| Some(slot.is_some())).collect();
        let rows = filter_record_batch(rows, &going)?;
        let slots = slots.into_iter().flatten().collect();
        if let Some(staged) = &mut self.staged {
            staged.removed = Some((rows, slots));
        }
        Ok(())
    }

    /// Refuses to go on while another batch is undecided.
    pub(crate) fn check_unstaged(&self, asked: u64) -> Result<(), StateError> {
        match &self.staged {
            Some(staged) => Err(StateError::Staged { staged: staged.batch, asked }),
            None => Ok(()),
        }
    }

    /// The staged batch: its id, its rows and the key group of each.
    pub(crate) fn staged(&self) -> Option<(u64, &RecordBatch, Vec<u16>)> {
        let staged = self.staged.as_ref()?;
        Some((staged.batch, &staged.rows, self.groups_of(&staged.keys)))
    }

    /// The rows that go with the staged batch, and the key group of each.
    pub(crate) fn staged_removal(&self) -> Option<(&RecordBatch, Vec<u16>)> {
        let (rows, slots) = self.staged.as_ref()?.removed.as_ref()?;
        let groups = slots.iter().map(|slot| self.groups.of(self.keys.get(*slot))).collect();
        Some((rows, groups))
    }

    /// The key group of each row.
    pub(crate) fn key_groups(&self, rows: &RecordBatch) -> Result<Vec<u16>, StateError> {
        Ok(self.groups_of(&self.encode(rows)?))
    }

    fn groups_of(&self, keys: &Keys) -> Vec<u16> {
        (0..keys.len()).map(|row| self.groups.of(keys.get(row))).collect()
    }

    /// Makes the staged rows the state. Nothing happens without any.
    pub(crate) fn commit(&mut self) {
        let Some(staged) = self.staged.take() else { return };
        let Staged { rows, keys, located: Located { hashes, mut slots }, distinct, removed, .. } = staged;
        if let Some((rows, slots)) = removed.filter(|(_, slots)| !slots.is_empty()) {
            if let Some(expiry) = &mut self.expiry {
                expiry.remove(&rows, &slots);
            }
            slots.into_iter().for_each(|slot| self.remove(slot));
        }
        let touched = rows.num_rows();
        if touched == 0 {
            self.tidy(0);
            return;
        }
        let ends = self.expiry.as_ref().map(|expiry| expiry.ends(&rows));
        // These very columns were encoded when they were staged; to encode them again cannot fail.
        let names = self.related.as_ref().and_then(|related| related.names(&rows).ok());
        let new = slots.iter().filter(|slot| **slot == NO_SLOT).count();
        let (known, hasher) = (&self.keys, &self.hasher);
        self.index.reserve(new, |slot| hasher.hash_one(known.get(*slot)));
        for row in 0..touched {
            if slots[row] == NO_SLOT {
                let is_new = distinct || self.slot(keys.get(row), hashes[row]).is_none();
                assert!(is_new, "a batch of state rows holds every key once");
                slots[row] = self.insert(keys.get(row), hashes[row]);
                if let (Some(expiry), Some(ends)) = (&mut self.expiry, &ends) {
                    expiry.add(slots[row], ends[row]);
                }
                if let (Some(related), Some(names)) = (&mut self.related, &names) {
                    related.add(slots[row], names.get(row));
                }
            }
        }
        self.append(rows, slots);
        self.tidy(touched);
    }

    /// Forgets the staged rows.
    pub(crate) fn abort(&mut self) {
        self.staged = None;
    }

    /// Removes the keys that `watermark` ends; none is staged.
    pub(crate) fn evict(&mut self, watermark: i64) {
        let Some(expiry) = &mut self.expiry else { return };
        expiry.take(watermark).into_iter().for_each(|slot| self.remove(slot));
        self.tidy(0);
    }

    /// Frees a slot that is listed by time no more.
    fn remove(&mut self, slot: u32) {
        let hash = self.hash(self.keys.get(slot));
        if let Ok(entry) = self.index.find_entry(hash, |found| *found == slot) {
            entry.remove();
        }
        let left = std::mem::replace(&mut self.places[slot as usize], Place { block: NO_SLOT, row: 0 });
        self.leave(left.block as usize);
        if let Some(related) = &mut self.related {
            related.remove(slot);
        }
        self.keys.remove(slot);
    }

    /// The rows of the keys that `watermark` ends, in the order of their keys, without those that also occur in
    /// `except`.
    pub(crate) fn ended(
        &self,
        watermark: i64,
        except: &RecordBatch,
    ) -> Result<Option<RecordBatch>, StateError> {
        let Some(expiry) = &self.expiry else { return Ok(None) };
        let keys = self.encode(except)?;
        let mut newer: Vec<u32> =
            (0..keys.len()).filter_map(|row| self.slot(keys.get(row), self.hash(keys.get(row)))).collect();
        newer.extend(self.going());
        newer.sort_unstable();
        let mut slots: Vec<u32> =
            expiry.until(watermark).filter(|slot| newer.binary_search(slot).is_err()).collect();
        slots.sort_unstable_by_key(|slot| self.keys.get(*slot));
        if slots.is_empty() { Ok(None) } else { self.rows_of(&slots).map(Some) }
    }

    /// The slots whose removal is staged.
    fn going(&self) -> impl Iterator<Item = u32> {
        let removed = self.staged.as_ref().and_then(|staged| staged.removed.as_ref());
        removed.into_iter().flat_map(|(_, slots)| slots.iter().copied())
    }

    /// Whether `watermark` ends any key.
    pub(crate) fn ends_any(&self, watermark: i64) -> bool {
        self.expiry.as_ref().is_some_and(|expiry| expiry.until(watermark).next().is_some())
    }

    /// Which key column tells time.
    pub(crate) fn time(&self) -> Option<TimeKey> {
        self.expiry.as_ref().map(Expiry::key)
    }

    /// All rows in the order of their keys, without those whose key is staged, in batches of at most
    /// `rows_max`.
    pub(crate) fn untouched(&self, rows_max: usize) -> impl Iterator<Item = Result<RecordBatch, StateError>> {
        let mut touched: Vec<u32> =
            self.staged.as_ref().map_or_else(Vec::new, |staged| staged.located.slots.clone());
        touched.extend(self.going());
        touched.sort_unstable();
        let mut slots: Vec<u32> =
            self.all_slots().filter(|slot| touched.binary_search(slot).is_err()).collect();
        slots.sort_unstable_by_key(|slot| self.keys.get(*slot));
        (0..slots.len()).step_by(rows_max).map(move |start| {
            let end = slots.len().min(start + rows_max);
            self.rows_of(&slots[start..end])
        })
    }

    /// All rows ordered by key group and slot, in batches of at most `rows_max`, with their key groups.
    pub(crate) fn by_group(
        &self,
        rows_max: usize,
    ) -> impl Iterator<Item = Result<(RecordBatch, Vec<u16>), StateError>> {
        let mut order: Vec<(u16, u32)> =
            self.all_slots().map(|slot| (self.groups.of(self.keys.get(slot)), slot)).collect();
        order.sort_unstable();
        (0..order.len()).step_by(rows_max).map(move |start| {
            let part = &order[start..order.len().min(start + rows_max)];
            let slots: Vec<u32> = part.iter().map(|(_, slot)| *slot).collect();
            Ok((self.rows_of(&slots)?, part.iter().map(|(group, _)| *group).collect()))
        })
    }

    fn all_slots(&self) -> impl Iterator<Item = u32> {
        let slots = 0..u32::try_from(self.places.len()).expect("slots are u32");
        slots.filter(|slot| self.places[*slot as usize].block != NO_SLOT)
    }

    fn encode(&self, rows: &RecordBatch) -> Result<Keys, StateError> {
        Ok(self.encoder.encode(&rows.columns()[..self.layout.keys], rows.num_rows())?)
    }

    fn hash(&self, key: &[u8]) -> u64 {
        self.hasher.hash_one(key)
    }

    fn slot(&self, key: &[u8], hash: u64) -> Option<u32> {
        self.index.find(hash, |slot| self.keys.get(*slot) == key).copied()
    }

    /// A slot for a new key. Its place is set by the append that follows.
    fn insert(&mut self, key: &[u8], hash: u64) -> u32 {
        let slot = self.keys.push(key);
        let (keys, hasher) = (&self.keys, &self.hasher);
        self.index.insert_unique(hash, slot, |slot| hasher.hash_one(keys.get(*slot)));
        if slot as usize == self.places.len() {
            self.places.push(Place { block: NO_SLOT, row: 0 });
        }
        slot
    }

    /// The newest rows of `slots`, in that order.
    fn rows_of(&self, slots: &[u32]) -> Result<RecordBatch, StateError> {
        let mut blocks: Vec<&RecordBatch> = Vec::new();
        let mut position = vec![usize::MAX; self.blocks.len()];
        let mut places = Vec::with_capacity(slots.len());
        for slot in slots {
            let place = self.places[*slot as usize];
            let block = place.block as usize;
            if position[block] == usize::MAX {
                position[block] = blocks.len();
                blocks.push(&self.block(block).rows);
            }
            places.push((position[block], place.row as usize));
        }
        Ok(gather(&self.layout.schema, &blocks, &places)?)
    }

    fn block(&self, block: usize) -> &Block {
        self.blocks[block].as_ref().expect("a place points to a block that is there")
    }
}

#[cfg(test)]
mod tests;

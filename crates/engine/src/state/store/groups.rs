//! Which rows of a batch have the same key, and where the store has it: found once, for all that follows.

use datafusion::arrow::array::{ArrayRef, UInt32Array};
use datafusion::arrow::compute::take_arrays;
use datafusion::arrow::record_batch::RecordBatch;
use hashbrown::HashTable;

use super::{NO_SLOT, StateStore};
use crate::state::StateError;

/// The keys of some rows, numbered.
#[derive(Debug)]
pub(crate) struct Groups {
    of_row: Vec<usize>,
    /// By key: the row in which it comes first.
    first: Vec<u32>,
    located: Located,
}

/// Where the keys of some rows are: all that asks the index again.
#[derive(Debug, Clone)]
pub(crate) struct Located {
    pub(super) hashes: Vec<u64>,
    /// Without one, the key is new.
    pub(super) slots: Vec<u32>,
}

impl Groups {
    /// By row, the number of its key.
    pub(crate) fn of_row(&self) -> &[usize] {
        &self.of_row
    }

    /// How many keys there are.
    pub(crate) fn len(&self) -> usize {
        self.first.len()
    }

    /// Whether the keys are those of the rows, one by one.
    pub(crate) fn is_each_row(&self) -> bool {
        self.len() == self.of_row.len() && self.first.is_sorted()
    }

    pub(crate) fn located(self) -> Located {
        self.located
    }

    /// How many keys have state, of keys in the order of [`Groups::known_first`].
    pub(crate) fn known(&self) -> usize {
        self.located.slots.partition_point(|slot| *slot != NO_SLOT)
    }

    /// What the first row of each key has in these columns, which are those of the rows.
    pub(crate) fn first_of(&self, columns: &[ArrayRef]) -> Result<Vec<ArrayRef>, StateError> {
        if self.is_each_row() {
            return Ok(columns.to_vec());
        }
        Ok(take_arrays(columns, &UInt32Array::from(self.first.clone()), None)?)
    }

    /// The same keys, numbered so that those with state come first. Slots differ between a store and its restored
    /// twin, so their order must not show: a batch that runs again has to give the same rows in the same order.
    pub(crate) fn known_first(self) -> Groups {
        let Groups { mut of_row, first, located } = self;
        let known = |group: &u32| located.slots[*group as usize] != NO_SLOT;
        let every = 0..u32::try_from(first.len()).unwrap_or(NO_SLOT);
        let (mut order, new): (Vec<u32>, Vec<u32>) = every.partition(known);
        if order.is_empty() || new.is_empty() {
            return Groups { of_row, first, located };
        }
        order.extend(new);
        let mut number = vec![0; order.len()];
        order.iter().enumerate().for_each(|(place, group)| number[*group as usize] = place);
        of_row.iter_mut().for_each(|group| *group = number[*group]);
        let located = located.picked(&order);
        Groups { of_row, first: order.iter().map(|group| first[*group as usize]).collect(), located }
    }

    /// The numbers of the keys that have no state, as rows in which they come first, and where they will be.
    pub(crate) fn unknown(&self) -> (UInt32Array, Located) {
        let every = 0..u32::try_from(self.len()).unwrap_or(NO_SLOT);
        let new: Vec<u32> = every.filter(|group| self.located.slots[*group as usize] == NO_SLOT).collect();
        let rows = new.iter().map(|group| self.first[*group as usize]);
        (UInt32Array::from_iter_values(rows), self.located.picked(&new))
    }
}

impl Located {
    fn picked(&self, groups: &[u32]) -> Located {
        Located {
            hashes: groups.iter().map(|group| self.hashes[*group as usize]).collect(),
            slots: groups.iter().map(|group| self.slots[*group as usize]).collect(),
        }
    }
}

impl StateStore {
    /// Numbers the keys of these rows in the order in which they first occur.
    pub(crate) fn group(&self, rows: &RecordBatch) -> Result<Groups, StateError> {
        let keys = self.encode(rows)?;
        let count = keys.len();
        let mut table: HashTable<u32> = HashTable::with_capacity(count);
        let (mut of_row, mut first) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut located = Located { hashes: Vec::with_capacity(count), slots: Vec::with_capacity(count) };
        for row in 0..count {
            let key = keys.get(row);
            let hash = self.hash(key);
            let same = |group: &u32| keys.get(first[*group as usize] as usize) == key;
            if let Some(group) = table.find(hash, same) {
                of_row.push(*group as usize);
                continue;
            }
            let group = u32::try_from(first.len()).unwrap_or(NO_SLOT);
            table.insert_unique(hash, group, |group| located.hashes[*group as usize]);
            of_row.push(first.len());
            first.push(u32::try_from(row).unwrap_or(NO_SLOT));
            located.hashes.push(hash);
            located.slots.push(self.slot(key, hash).unwrap_or(NO_SLOT));
        }
        Ok(Groups { of_row, first, located })
    }

    /// The state rows of the first so many keys, all of which have some, in their order.
    pub(crate) fn rows_of_known(&self, groups: &Groups) -> Result<Option<RecordBatch>, StateError> {
        let known = &groups.located.slots[..groups.known()];
        if known.is_empty() { Ok(None) } else { self.rows_of(known).map(Some) }
    }
}

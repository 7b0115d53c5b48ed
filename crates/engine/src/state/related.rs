//! Slots that belong together: those whose keys agree in some of their columns.

use std::hash::BuildHasher;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;
use hashbrown::{DefaultHashBuilder, HashTable};

use super::arena::Arena;
use super::key::{KeyEncoder, Keys};
use super::layout::Layout;

/// Families of slots.
#[derive(Debug)]
pub(super) struct Related {
    /// In which columns the members of a family agree.
    columns: Vec<usize>,
    encoder: KeyEncoder,
    hasher: DefaultHashBuilder,
    /// Families by name: the bytes of those columns.
    index: HashTable<u32>,
    names: Arena,
    members: Vec<Vec<u32>>,
    /// By slot: its family, and its place among the members.
    places: Vec<(u32, u32)>,
}

impl Related {
    pub(super) fn try_new(layout: &Layout, columns: Vec<usize>) -> Result<Self, ArrowError> {
        let fields: Vec<_> = columns.iter().map(|column| &layout.schema.fields()[*column]).collect();
        Ok(Related {
            encoder: KeyEncoder::try_new(&fields)?,
            columns,
            hasher: DefaultHashBuilder::default(),
            index: HashTable::new(),
            names: Arena::default(),
            members: Vec::new(),
            places: Vec::new(),
        })
    }

    pub(super) fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// The names of the families that these rows belong to.
    pub(super) fn names(&self, rows: &RecordBatch) -> Result<Keys, ArrowError> {
        let columns: Vec<_> = self.columns.iter().map(|column| rows.column(*column).clone()).collect();
        self.named(&columns, rows.num_rows())
    }

    /// The names that so many rows with these values have.
    pub(super) fn named(&self, values: &[ArrayRef], rows: usize) -> Result<Keys, ArrowError> {
        self.encoder.encode(values, rows)
    }

    /// The slots of a family.
    pub(super) fn members(&self, name: &[u8]) -> &[u32] {
        self.family(name).map_or(&[], |family| &self.members[family as usize])
    }

    fn family(&self, name: &[u8]) -> Option<u32> {
        self.index.find(self.hasher.hash_one(name), |family| self.names.get(*family) == name).copied()
    }

    pub(super) fn add(&mut self, slot: u32, name: &[u8]) {
        let family = self.family(name).unwrap_or_else(|| {
            let family = self.names.push(name);
            let (names, hasher) = (&self.names, &self.hasher);
            self.index.insert_unique(hasher.hash_one(name), family, |f| hasher.hash_one(names.get(*f)));
            if family as usize == self.members.len() {
                self.members.push(Vec::new());
            }
            family
        });
        let members = &mut self.members[family as usize];
        let place = u32::try_from(members.len()).expect("there are fewer members than slots");
        members.push(slot);
        if self.places.len() <= slot as usize {
            self.places.resize(slot as usize + 1, (0, 0));
        }
        self.places[slot as usize] = (family, place);
    }

    pub(super) fn remove(&mut self, slot: u32) {
        let (family, place) = self.places[slot as usize];
        let members = &mut self.members[family as usize];
        members.swap_remove(place as usize);
        if let Some(moved) = members.get(place as usize) {
            self.places[*moved as usize].1 = place;
        }
        if members.is_empty() {
            *members = Vec::new();
            let hash = self.hasher.hash_one(self.names.get(family));
            if let Ok(entry) = self.index.find_entry(hash, |found| *found == family) {
                entry.remove();
            }
            self.names.remove(family);
        }
    }

    /// Bytes held, about.
    pub(super) fn size(&self) -> usize {
        self.names.size()
            + self.places.capacity() * size_of::<(u32, u32)>()
            + self.members.capacity() * size_of::<Vec<u32>>()
            + self.places.len() * size_of::<u32>()
            + self.index.allocation_size()
    }
}

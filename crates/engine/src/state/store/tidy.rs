//! Blocks: added whole, emptied row by row, and copied together when they have become crowded or mostly dead.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;

use super::{Block, NO_SLOT, Place, StateStore};
use crate::state::block::owned;

/// Rows that one tidying copies at most, unless the batch itself is larger.
const TIDY_ROWS: usize = 65_536;
/// Blocks of about the same size that may wait before they become one.
pub(super) const FAN_IN: usize = 8;

impl StateStore {
    /// Adds a block and points its slots there.
    pub(super) fn append(&mut self, rows: RecordBatch, slots: Vec<u32>) {
        let free = self.blocks.iter().position(Option::is_none).unwrap_or(self.blocks.len());
        let number = u32::try_from(free).expect("there are fewer blocks than rows");
        for (row, slot) in slots.iter().enumerate() {
            let row = u32::try_from(row).expect("stage checked the number of keys");
            let left = std::mem::replace(&mut self.places[*slot as usize], Place { block: number, row });
            if left.block != NO_SLOT {
                self.leave(left.block as usize);
            }
        }
        let bytes = rows.get_array_memory_size() + slots.len() * size_of::<u32>();
        self.block_bytes += bytes;
        let block = Block { live: slots.len(), rows, slots, bytes };
        // Rows that left may have emptied a block before `free`; the number chosen above stays valid.
        if free == self.blocks.len() {
            self.blocks.push(Some(block));
        } else {
            self.blocks[free] = Some(block);
        }
    }

    /// One row of a block died; a block without living rows goes.
    pub(super) fn leave(&mut self, number: usize) {
        let block = self.blocks[number].as_mut().expect("a place points to a block that is there");
        block.live -= 1;
        if block.live == 0 {
            self.block_bytes -= block.bytes;
            self.blocks[number] = None;
        }
    }

    /// Copies the living rows of crowded and of mostly dead blocks into one new block, at most about as many
    /// rows as [`TIDY_ROWS`] or four times the batch. A failing copy leaves everything as it is: the next
    /// commit tries again.
    pub(super) fn tidy(&mut self, touched: usize) {
        let chosen = self.untidy(TIDY_ROWS.max(4 * touched));
        if chosen.is_empty() {
            return;
        }
        let mut slots: Vec<u32> = Vec::new();
        for number in &chosen {
            let block = self.block(*number);
            let alive = block.slots.iter().enumerate().filter(|(row, slot)| {
                let place = self.places[**slot as usize];
                place.block as usize == *number && place.row as usize == *row
            });
            slots.extend(alive.map(|(_, slot)| *slot));
        }
        slots.sort_unstable();
        let schema: &SchemaRef = &self.layout.schema;
        match self.rows_of(&slots).and_then(|rows| Ok(owned(&rows, &Arc::clone(schema))?)) {
            Ok(rows) => self.append(rows, slots),
            Err(error) => tracing::warn!(%error, rows = slots.len(), "state blocks were not compacted"),
        }
    }

    /// Which blocks to copy together: those with more dead rows than living, and [`FAN_IN`] of a size.
    fn untidy(&self, budget: usize) -> Vec<usize> {
        let mut tiers: [Vec<usize>; 12] = Default::default();
        let mut chosen = Vec::new();
        for (number, block) in self.blocks.iter().enumerate() {
            let Some(block) = block else { continue };
            if block.slots.len() > 2 * block.live {
                chosen.push(number);
            } else if block.live < TIDY_ROWS / 2 {
                tiers[block.live.ilog2() as usize / 3].push(number);
            }
        }
        chosen.extend(tiers.into_iter().filter(|tier| tier.len() >= FAN_IN).flatten());
        let mut rows = 0;
        chosen.sort_unstable_by_key(|number| self.block(*number).live);
        chosen.retain(|number| {
            let live = self.block(*number).live;
            let fits = rows == 0 || rows + live <= budget;
            rows += if fits { live } else { 0 };
            fits
        });
        chosen
    }
}

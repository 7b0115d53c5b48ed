//! The last rows, and which of them are nearest to a question.

use serde::{Deserialize, Serialize};

use super::WINDOW_MAX;
use crate::row::{Rejection, VALUE_MAX};
use crate::schema::{Kind, Schema};

/// Rows that are compared at once. They lie interleaved, column by column, so that the machine subtracts and squares
/// several at a time while each row's sum still runs over its columns in order.
const LANES: usize = 8;

/// Neighbours that a search has room for without asking for memory.
const ROOM: usize = 32;

/// Columns between two looks at whether a block is too far away already.
const COLUMNS: usize = 4;

/// The largest factor, and the largest difference: sums of squares of them are finite.
const FACTOR_MAX: f64 = 1e300;
const DIFFERENCE_MAX: f64 = 1e120;

/// Numbers a window may hold, 128 MiB.
const CELLS_MAX: usize = 16 << 20;

/// The last `size` rows of one width.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Window {
    size: usize,
    /// The columns of categories, in order.
    nominal: Vec<usize>,
    /// Blocks of [`LANES`] rows; in a block, one value per row for each column.
    blocks: Vec<f64>,
    rows: usize,
    /// The oldest row's slot, once all slots are taken.
    oldest: usize,
    scaled: bool,
    /// If distances are scaled, by column the smallest and the largest value in the window.
    ranges: Vec<(f64, f64)>,
}

/// A row near a question.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Neighbor {
    pub(super) slot: usize,
    /// How many rows are older.
    order: usize,
    squared: f64,
}

impl Neighbor {
    pub(super) fn distance(&self) -> f64 {
        self.squared.sqrt()
    }
}

impl Window {
    /// An empty one; with `scaled`, differences count as shares of their column's range in the window.
    pub(super) fn new(size: usize, scaled: bool, schema: &Schema) -> Self {
        let nominal = (0..schema.columns.len()).filter(|&column| schema.kind(column) == Kind::Category);
        let (blocks, ranges) = (Vec::new(), Vec::new());
        Window { size, nominal: nominal.collect(), blocks, rows: 0, oldest: 0, scaled, ranges }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Refuses rows of which a whole window would be too much.
    pub(super) fn check(&self, dim: usize) -> Result<(), Rejection> {
        let limit = CELLS_MAX / self.size.next_multiple_of(LANES);
        if dim > limit { Err(Rejection::TooWide { limit, found: dim }) } else { Ok(()) }
    }

    /// Takes a row in, in place of the oldest if there is no other, and says where.
    pub(super) fn push(&mut self, row: &[f64]) -> usize {
        let slot = if self.rows < self.size {
            if self.rows.is_multiple_of(LANES) {
                self.blocks.resize(self.blocks.len() + row.len() * LANES, 0.0);
            }
            self.rows += 1;
            self.rows - 1
        } else {
            let slot = self.oldest;
            self.oldest = (slot + 1) % self.size;
            slot
        };
        let first = slot / LANES * row.len() * LANES + slot % LANES;
        self.ranges.resize(if self.scaled { row.len() } else { 0 }, (f64::INFINITY, f64::NEG_INFINITY));
        for (column, &value) in row.iter().enumerate() {
            let gone = std::mem::replace(&mut self.blocks[first + column * LANES], value);
            if let Some((low, high)) = self.ranges.get_mut(column) {
                let was_end = gone == *low || gone == *high;
                (*low, *high) = (low.min(value), high.max(value));
                if was_end {
                    self.measure(column, row.len());
                }
            }
        }
        slot
    }

    /// Looks for the ends of a column anew.
    fn measure(&mut self, column: usize, dim: usize) {
        let values =
            (0..self.rows).map(|slot| self.blocks[(slot / LANES * dim + column) * LANES + slot % LANES]);
        self.ranges[column] = values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    }

    /// By column, what differences are multiplied by.
    fn factors(&self, dim: usize) -> Vec<f64> {
        if !self.scaled {
            return vec![1.0; dim];
        }
        let factor = |column: &usize| match self.ranges.get(*column) {
            _ if self.nominal.binary_search(column).is_ok() => 1.0,
            Some((low, high)) if high > low => (high - low).recip().min(FACTOR_MAX),
            _ => 0.0,
        };
        (0..dim).map(|column| factor(&column)).collect()
    }

    /// Calls `take` with the `count` rows nearest to `question`, nearest first.
    pub(super) fn nearest<T>(
        &self,
        question: &[f64],
        count: usize,
        take: impl FnOnce(&[Neighbor]) -> T,
    ) -> T {
        let mut few = [Neighbor::default(); ROOM];
        match few.get_mut(..count) {
            Some(room) => take(self.search(question, room)),
            None => take(self.search(question, &mut vec![Neighbor::default(); count])),
        }
    }

    /// The nearest rows, as many as there is room for.
    fn search<'a>(&self, question: &[f64], room: &'a mut [Neighbor]) -> &'a [Neighbor] {
        let plain = self.nominal.is_empty() && !self.scaled;
        let factors = if plain { Vec::new() } else { self.factors(question.len()) };
        let (count, mut filled) = (room.len(), 0);
        for (index, block) in self.blocks.chunks_exact(question.len() * LANES).enumerate() {
            let farthest = if filled < count { f64::INFINITY } else { room[count - 1].squared };
            let sums = if plain {
                plain_distances(block, question, farthest)
            } else if self.nominal.is_empty() {
                distances(block, question, &factors)
            } else {
                self.mixed_distances(block, question, &factors)
            };
            if sums.iter().all(|&sum| sum > farthest) {
                continue;
            }
            for (lane, &squared) in sums.iter().enumerate() {
                let slot = index * LANES + lane;
                if slot < self.rows && (filled < count || squared <= room[count - 1].squared) {
                    let order = (slot + self.size - self.oldest) % self.size;
                    filled = insert(room, filled, Neighbor { slot, order, squared });
                }
            }
        }
        &room[..filled]
    }

    fn mixed_distances(&self, block: &[f64], question: &[f64], factors: &[f64]) -> [f64; LANES] {
        let mut sums = [0.0; LANES];
        let mut nominal = self.nominal.iter().copied().peekable();
        let columns = block.chunks_exact(LANES).zip(question).zip(factors);
        for (column, ((values, &asked), factor)) in columns.enumerate() {
            let other = nominal.next_if_eq(&column).is_some();
            for (sum, &value) in sums.iter_mut().zip(values) {
                let difference =
                    if other { f64::from(u8::from(value != asked)) } else { scaled(value - asked, *factor) };
                *sum += difference * difference;
            }
        }
        sums
    }

    pub(super) fn validate(&self, dim: Option<usize>) -> Result<(), &'static str> {
        let dim = dim.unwrap_or(0);
        let sized = (1..=WINDOW_MAX).contains(&self.size)
            && self.rows <= self.size
            && self.oldest < self.size
            && (self.oldest == 0 || self.rows == self.size)
            && self.nominal.windows(2).all(|pair| pair[0] < pair[1])
            && self.nominal.last().is_none_or(|&last| last < dim);
        let cells = self.rows.next_multiple_of(LANES).checked_mul(dim);
        let sound = self.blocks.iter().all(|value| value.abs() <= VALUE_MAX);
        let columns = if self.scaled && self.rows > 0 { dim } else { 0 };
        let measured = self.ranges.len() == columns
            && self.ranges.iter().all(|(low, high)| low <= high && low.is_finite() && high.is_finite());
        if sized && sound && measured && cells == Some(self.blocks.len()) && (dim > 0 || self.rows == 0) {
            Ok(())
        } else {
            Err("its window")
        }
    }
}

/// A difference as a share of a range.
fn scaled(difference: f64, factor: f64) -> f64 {
    (difference * factor).clamp(-DIFFERENCE_MAX, DIFFERENCE_MAX)
}

/// The squared distances of a block of rows.
fn distances(block: &[f64], question: &[f64], factors: &[f64]) -> [f64; LANES] {
    let mut sums = [0.0; LANES];
    for ((values, &asked), factor) in block.chunks_exact(LANES).zip(question).zip(factors) {
        for (sum, &value) in sums.iter_mut().zip(values) {
            let difference = scaled(value - asked, *factor);
            *sum += difference * difference;
        }
    }
    sums
}

/// The same where differences count as they are, which values are too small to overflow; sums that are all beyond
/// `farthest` are not finished.
fn plain_distances(block: &[f64], question: &[f64], farthest: f64) -> [f64; LANES] {
    let mut sums = [0.0; LANES];
    for (columns, asked) in block.chunks(LANES * COLUMNS).zip(question.chunks(COLUMNS)) {
        for (values, &asked) in columns.as_chunks::<LANES>().0.iter().zip(asked) {
            for lane in 0..LANES {
                let difference = values[lane] - asked;
                sums[lane] += difference * difference;
            }
        }
        if sums.iter().all(|&sum| sum > farthest) {
            break;
        }
    }
    sums
}

/// Puts a neighbour in its place among those that fill the room so far; the farthest goes if there are too many. Says
/// how many there are now.
fn insert(room: &mut [Neighbor], filled: usize, new: Neighbor) -> usize {
    let before = |old: &Neighbor| (old.squared, old.order) < (new.squared, new.order);
    let place = room[..filled].partition_point(before);
    let filled = room.len().min(filled + 1);
    if place < filled {
        room[place..filled].rotate_right(1);
        room[place] = new;
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Column;

    fn squares(found: &[Neighbor]) -> Vec<f64> {
        found.iter().map(|neighbor| neighbor.squared).collect()
    }

    /// Distances and values of the nearest rows by sorting all of them.
    fn sorted(rows: &[[f64; 3]], question: [f64; 3], count: usize) -> Vec<f64> {
        let squared =
            |row: &[f64; 3]| row.iter().zip(question).fold(0.0, |sum, (a, b)| sum + (a - b) * (a - b));
        let mut all: Vec<f64> = rows.iter().map(squared).collect();
        all.sort_by(f64::total_cmp);
        all.truncate(count);
        all
    }

    #[test]
    fn the_nearest_are_those_that_sorting_finds() {
        let mut random = crate::random::Random::new(3);
        let mut window = Window::new(21, false, &Schema::default());
        let mut rows: Vec<[f64; 3]> = Vec::new();
        for _ in 0..200 {
            let row = [random.uniform(), random.uniform(), random.uniform()];
            window.push(&row);
            rows.push(row);
            rows.drain(..rows.len().saturating_sub(21));
            for count in [1, 4, 30, 40] {
                let squared = window.nearest(&[0.5, 0.2, 0.9], count, squares);
                assert_eq!(squared, sorted(&rows, [0.5, 0.2, 0.9], count));
            }
        }
    }

    #[test]
    fn the_oldest_of_equals_comes_first() {
        let mut window = Window::new(4, false, &Schema::default());
        for value in [1.0, 3.0, 3.0, 1.0, 3.0, 1.0] {
            window.push(&[value]);
        }
        // Left are 3, 1, 3, 1, in slots 2, 3, 0, 1.
        let slots = |found: &[Neighbor]| found.iter().map(|neighbor| neighbor.slot).collect::<Vec<_>>();
        let slots = window.nearest(&[2.0], 3, slots);
        assert_eq!(slots, [2, 3, 0]);
    }

    #[test]
    fn ranges_are_those_of_the_window() {
        let mut random = crate::random::Random::new(4);
        let mut window = Window::new(11, true, &Schema::default());
        let mut rows: Vec<[f64; 2]> = Vec::new();
        for at in 0..100 {
            let row = [f64::from(at), random.uniform()];
            window.push(&row);
            rows.push(row);
            rows.drain(..rows.len().saturating_sub(11));
            for column in 0..2 {
                let low = rows.iter().map(|row| row[column]).fold(f64::INFINITY, f64::min);
                let high = rows.iter().map(|row| row[column]).fold(f64::NEG_INFINITY, f64::max);
                assert_eq!(window.ranges[column], (low, high));
            }
        }
        // 100 off in a column of range 10.
        let found = window.nearest(&[-1.0, rows[0][1]], 1, |found| found[0].distance());
        assert!((found - 9.0).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn categories_are_equal_or_not() {
        let column = |kind| Column { name: String::new(), kind };
        let columns = vec![column(Kind::Number), column(Kind::Category)];
        let mut window = Window::new(9, false, &Schema { columns, label: None });
        for row in [[0.0, 7.0], [0.5, 1.0], [0.0, 2.0]] {
            window.push(&row);
        }
        assert_eq!(window.nearest(&[0.0, 2.0], 3, squares), [0.0, 1.0, 1.25]);
    }
}

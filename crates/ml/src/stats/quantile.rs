//! A quantile of all numbers so far, in five markers (P2: Jain and Chlamtac, *The P2 algorithm for dynamic calculation
//! of quantiles and histograms without storing observations*, 1985), as River's.

use serde::{Deserialize, Serialize};

/// An estimate of a quantile.
///
/// ```
/// let mut median = ml::stats::Quantile::new(0.5);
/// (0..=1_000).for_each(|number| median.add(f64::from(number * 37 % 1_001)));
/// assert!((median.get().unwrap_or(0.0) - 500.0).abs() < 10.0);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantile {
    q: f64,
    /// The first five numbers in order, then the heights of the markers.
    heights: Vec<f64>,
    /// Where the markers are, and where they should be.
    places: [f64; 5],
    wanted: [f64; 5],
}

impl Quantile {
    /// Of no numbers yet; `q` is the share of the numbers that are smaller.
    ///
    /// # Panics
    ///
    /// If `q` is not between 0 and 1.
    #[must_use]
    pub fn new(q: f64) -> Self {
        assert!((0.0..=1.0).contains(&q), "a quantile lies between 0 and 1");
        Quantile {
            q,
            heights: Vec::new(),
            places: [0.0, 1.0, 2.0, 3.0, 4.0],
            wanted: [0.0, 2.0 * q, 4.0 * q, 2.0 + 2.0 * q, 4.0],
        }
    }

    /// Takes in a number, which is finite.
    pub fn add(&mut self, number: f64) {
        if self.heights.len() < 5 {
            let place = self.heights.partition_point(|height| *height <= number);
            return self.heights.insert(place, number);
        }
        let heights = &mut self.heights;
        let cell = if number < heights[0] {
            heights[0] = number;
            0
        } else if number >= heights[4] {
            heights[4] = number;
            3
        } else {
            heights.partition_point(|height| *height <= number) - 1
        };
        self.places[cell + 1..].iter_mut().for_each(|place| *place += 1.0);
        let steps = [0.0, self.q / 2.0, self.q, f64::midpoint(1.0, self.q), 1.0];
        self.wanted.iter_mut().zip(steps).for_each(|(wanted, step)| *wanted += step);
        (1..4).for_each(|marker| self.adjust(marker));
    }

    /// Moves a marker towards where it should be, by one place at most.
    fn adjust(&mut self, marker: usize) {
        let [before, here, after] = [marker - 1, marker, marker + 1].map(|marker| self.places[marker]);
        let lacks = self.wanted[marker] - here;
        let step = if lacks >= 1.0 && after - here > 1.0 {
            1.0
        } else if lacks <= -1.0 && before - here < -1.0 {
            -1.0
        } else {
            return;
        };
        let heights = &self.heights;
        let [low, height, high] = [marker - 1, marker, marker + 1].map(|marker| heights[marker]);
        let curved = height
            + step / (after - before)
                * ((here - before + step) * (high - height) / (after - here)
                    + (after - here - step) * (height - low) / (here - before));
        self.heights[marker] = if low < curved && curved < high {
            curved
        } else if step > 0.0 {
            height + (high - height) / (after - here)
        } else {
            height - (low - height) / (before - here)
        };
        self.places[marker] += step;
    }

    /// The estimate; `None` before the first number.
    #[must_use]
    pub fn get(&self) -> Option<f64> {
        match self.heights.len() {
            0 => None,
            // The last marker has moved on: there were more than five.
            5 if self.places[4] > 4.0 => Some(self.heights[2]),
            few => Some(self.heights[((few as f64 * self.q) as usize).min(few - 1)]),
        }
    }

    pub(crate) fn is_sound(&self) -> bool {
        (0.0..=1.0).contains(&self.q)
            && self.heights.len() <= 5
            && self.heights.iter().all(|height| height.is_finite())
            && self.heights.windows(2).all(|pair| pair[0] <= pair[1])
            && self.places.windows(2).all(|pair| pair[0] < pair[1])
            && self.wanted.iter().all(|wanted| wanted.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_markers_are_rivers() {
        let numbers = (0..200).map(|at| f64::from((at * at * 7 + at * 13) % 101) / 3.0);
        // River 0.26.1: stats.Quantile(q).update(x) over the same numbers, then .get(), after 3, 5 and 200 of them.
        for (q, few, five, many) in [
            (0.1, 0.0, 0.0, 2.642_614_359_294_759_3),
            (0.5, 6.666_666_666_666_667, 6.666_666_666_666_667, 17.383_626_463_341_674),
            (0.75, 18.0, 18.0, 24.025_622_620_580_712),
        ] {
            let mut quantile = Quantile::new(q);
            for (at, number) in numbers.clone().enumerate() {
                quantile.add(number);
                if at == 2 {
                    assert_eq!(quantile.get(), Some(few), "{q}");
                } else if at == 4 {
                    assert_eq!(quantile.get(), Some(five), "{q}");
                }
            }
            let found = quantile.get().expect("there were numbers");
            assert!((found - many).abs() < 1e-9, "{q}: {found}");
            assert!(quantile.is_sound());
        }
    }
}

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
#[serde(try_from = "Stored", into = "Stored")]
pub struct Quantile {
    q: f64,
    /// The first numbers in order, then the heights of the markers.
    heights: [f64; 5],
    /// How many heights there are.
    known: usize,
    /// Where the markers are, and where they should be.
    places: [f64; 5],
    wanted: [f64; 5],
}

/// A [`Quantile`] as it is stored: only with the heights that there are.
#[derive(Serialize, Deserialize)]
struct Stored {
    q: f64,
    heights: Vec<f64>,
    places: [f64; 5],
    wanted: [f64; 5],
}

impl TryFrom<Stored> for Quantile {
    type Error = &'static str;

    fn try_from(Stored { q, heights: stored, places, wanted }: Stored) -> Result<Self, Self::Error> {
        let mut heights = [0.0; 5];
        let known = stored.len();
        heights.get_mut(..known).ok_or("more than five markers")?.copy_from_slice(&stored);
        Ok(Quantile { q, heights, known, places, wanted })
    }
}

impl From<Quantile> for Stored {
    fn from(quantile: Quantile) -> Self {
        let Quantile { q, places, wanted, .. } = quantile;
        Stored { q, heights: quantile.known().to_vec(), places, wanted }
    }
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
            heights: [0.0; 5],
            known: 0,
            places: [0.0, 1.0, 2.0, 3.0, 4.0],
            wanted: [0.0, 2.0 * q, 4.0 * q, 2.0 + 2.0 * q, 4.0],
        }
    }

    fn known(&self) -> &[f64] {
        &self.heights[..self.known]
    }

    /// Takes in a number, which is finite.
    pub fn add(&mut self, number: f64) {
        if self.known < 5 {
            let place = self.known().partition_point(|height| *height <= number);
            self.heights.copy_within(place..self.known, place + 1);
            self.heights[place] = number;
            self.known += 1;
            return;
        }
        // Markers above the number move on by one place, the last one always.
        for marker in 1..4 {
            self.places[marker] += f64::from(u8::from(number < self.heights[marker]));
        }
        self.places[4] += 1.0;
        self.heights[0] = self.heights[0].min(number);
        self.heights[4] = self.heights[4].max(number);
        let steps = [0.0, self.q / 2.0, self.q, 0.5 + self.q / 2.0, 1.0];
        self.wanted.iter_mut().zip(steps).for_each(|(wanted, step)| *wanted += step);
        for marker in 1..4 {
            let lacks = self.wanted[marker] - self.places[marker];
            if lacks.abs() >= 1.0 {
                self.adjust(marker, lacks);
            }
        }
    }

    /// Moves a marker that lacks a place, or has one too many, by one place if its neighbours leave one.
    fn adjust(&mut self, marker: usize, lacks: f64) {
        let [before, here, after] = [marker - 1, marker, marker + 1].map(|marker| self.places[marker]);
        let step = if lacks > 0.0 && after - here > 1.0 {
            1.0
        } else if lacks < 0.0 && before - here < -1.0 {
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
        match self.known {
            0 => None,
            // The last marker has moved on: there were more than five.
            5 if self.places[4] > 4.0 => Some(self.heights[2]),
            few => Some(self.heights[((few as f64 * self.q) as usize).min(few - 1)]),
        }
    }

    pub(crate) fn is_sound(&self) -> bool {
        (0.0..=1.0).contains(&self.q)
            && self.known().iter().all(|height| height.is_finite())
            && self.known().is_sorted()
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

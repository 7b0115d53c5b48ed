//! Statistics of the last numbers.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// The last numbers, and what they come to: each in no more steps than there are numbers.
///
/// ```
/// let mut last = ml::stats::Rolling::new(3);
/// [9.0, 1.0, 2.0, 6.0].into_iter().for_each(|number| last.add(number));
/// assert_eq!((last.mean(), last.min(), last.max()), (Some(3.0), Some(1.0), Some(6.0)));
/// assert_eq!(last.quantile(0.5), Some(2.0));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rolling {
    window: usize,
    numbers: VecDeque<f64>,
    sorted: Vec<f64>,
}

impl Rolling {
    /// Of no numbers yet.
    ///
    /// # Panics
    ///
    /// If `window` is 0.
    #[must_use]
    pub fn new(window: usize) -> Self {
        assert!(window > 0, "a window has room");
        Rolling { window, numbers: VecDeque::new(), sorted: Vec::new() }
    }

    /// Takes in a number, which is finite; the oldest one goes when there are too many.
    pub fn add(&mut self, number: f64) {
        if self.numbers.len() == self.window
            && let Some(oldest) = self.numbers.pop_front()
        {
            let place = self.sorted.partition_point(|sorted| sorted.total_cmp(&oldest).is_lt());
            self.sorted.remove(place);
        }
        self.numbers.push_back(number);
        let place = self.sorted.partition_point(|sorted| sorted.total_cmp(&number).is_lt());
        self.sorted.insert(place, number);
    }

    /// The numbers, the oldest first.
    pub fn numbers(&self) -> impl Iterator<Item = f64> {
        self.numbers.iter().copied()
    }

    /// Their sum, added up in order: nothing of what has gone lingers in it.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.numbers.iter().sum()
    }

    /// Their mean.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (!self.numbers.is_empty()).then(|| self.sum() / self.numbers.len() as f64)
    }

    /// Their variance, of a sample.
    #[must_use]
    pub fn variance(&self) -> Option<f64> {
        let mean = self.mean().filter(|_| self.numbers.len() > 1)?;
        let squares: f64 = self.numbers.iter().map(|number| (number - mean) * (number - mean)).sum();
        Some(squares / (self.numbers.len() - 1) as f64)
    }

    /// The smallest.
    #[must_use]
    pub fn min(&self) -> Option<f64> {
        self.sorted.first().copied()
    }

    /// The largest.
    #[must_use]
    pub fn max(&self) -> Option<f64> {
        self.sorted.last().copied()
    }

    /// The number that a share `q` of them is smaller than, between its neighbours in proportion.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let last = self.sorted.len().checked_sub(1)?;
        let place = q.clamp(0.0, 1.0) * last as f64;
        let (low, high) = (self.sorted[place as usize], self.sorted[(place as usize + 1).min(last)]);
        Some(low + (high - low) * place.fract())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_ones_count() {
        let mut rolling = Rolling::new(4);
        assert_eq!((rolling.mean(), rolling.quantile(0.5), rolling.variance()), (None, None, None));
        let numbers: Vec<f64> = (0..50).map(|at| f64::from(at * 29 % 17)).collect();
        for (at, &number) in numbers.iter().enumerate() {
            rolling.add(number);
            let mut last = numbers[at.saturating_sub(3)..=at].to_vec();
            assert_eq!(rolling.sum(), last.iter().sum::<f64>());
            last.sort_by(f64::total_cmp);
            assert_eq!((rolling.min(), rolling.max()), (Some(last[0]), last.last().copied()));
            if last.len() == 4 {
                assert_eq!(rolling.quantile(0.5), Some(f64::midpoint(last[1], last[2])));
            }
        }
    }
}

//! Randomness that is the same on every machine, in every version, and after every restart.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde::{Deserialize, Serialize};

/// A stream of random numbers. It is part of a model's state: a restored model draws on where it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Random {
    generator: ChaCha8Rng,
}

impl Random {
    /// The stream of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Random { generator: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// Another stream of the same seed, one of 2^64 that have nothing to do with each other: a tree of a forest, say.
    #[must_use]
    pub fn stream(seed: u64, stream: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Random { generator }
    }

    /// All bits at random.
    pub fn bits(&mut self) -> u64 {
        self.generator.next_u64()
    }

    /// Uniform in [0, 1), all 53 bits of it.
    pub fn uniform(&mut self) -> f64 {
        let mantissa = (self.bits() >> 11) as f64;
        mantissa / (1_u64 << 53) as f64
    }

    /// Uniform among `0..count`.
    ///
    /// # Panics
    ///
    /// If `count` is 0.
    pub fn index(&mut self, count: usize) -> usize {
        assert!(count > 0, "nothing to choose from");
        ((self.uniform() * count as f64) as usize).min(count - 1)
    }

    /// Mean 0, variance 1. Twelve uniforms less six have a bell's shape and need only additions, whose bits are the
    /// same everywhere; logarithms and cosines differ between system libraries.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    /// A Poisson number of the given mean, by multiplying uniforms (Knuth, 1969): right for the small means of online
    /// bagging.
    pub fn poisson(&mut self, mean: f64) -> u32 {
        let floor = libm::exp(-mean);
        let mut product = self.uniform();
        let mut count = 0;
        while product > floor && count < 1_000 {
            product *= self.uniform();
            count += 1;
        }
        count
    }

    /// Puts `items` into a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restored_stream_goes_on() {
        let mut random = Random::stream(7, 3);
        random.poisson(6.0);
        let mut twin: Random = postcard::from_bytes(&postcard::to_allocvec(&random).unwrap()).unwrap();
        assert_eq!(
            (0..100).map(|_| random.bits()).collect::<Vec<_>>(),
            (0..100).map(|_| twin.bits()).collect::<Vec<_>>()
        );
        assert_ne!(Random::stream(7, 1).bits(), Random::stream(7, 2).bits());
    }

    #[test]
    fn poisson_numbers_have_their_mean_and_variance() {
        let mut random = Random::new(1);
        let numbers: Vec<f64> = (0..50_000).map(|_| f64::from(random.poisson(6.0))).collect();
        let mean = numbers.iter().sum::<f64>() / 50_000.0;
        let variance = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / 50_000.0;
        assert!((mean - 6.0).abs() < 0.05 && (variance - 6.0).abs() < 0.2, "{mean} {variance}");
        assert_eq!(Random::new(1).poisson(0.0), 0);
    }

    #[test]
    fn every_order_is_as_likely() {
        let mut random = Random::new(5);
        let mut firsts = [0_u32; 4];
        for _ in 0..8_000 {
            let mut items = [0, 1, 2, 3];
            random.shuffle(&mut items);
            firsts[items[0]] += 1;
        }
        assert!(firsts.iter().all(|&count| (1_850..2_150).contains(&count)), "{firsts:?}");
    }
}

//! A summary of numbers that tells any quantile within a promised error (Greenwald and Khanna, "Space-efficient
//! online computation of quantile summaries", SIGMOD 2001), which is what Spark keeps too.

/// Numbers that are kept before they are put into the summary.
const PENDING_MAX: usize = 50_000;

/// A number that stands for some of its neighbours.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Sample {
    value: f64,
    /// How far its lowest possible rank lies above that of the sample before.
    gap: i64,
    /// How uncertain its rank is.
    spread: i64,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quantiles {
    error: f64,
    count: i64,
    samples: Vec<Sample>,
    pending: Vec<f64>,
}

impl Quantiles {
    /// A rank is off by `error` times the number of values at most.
    pub(super) fn new(error: f64) -> Self {
        Quantiles { error, count: 0, samples: Vec::new(), pending: Vec::new() }
    }

    pub(super) fn add(&mut self, value: f64) {
        self.pending.push(value);
        if self.pending.len() >= PENDING_MAX {
            self.settle();
        }
    }

    /// Takes in what another summary knows.
    pub(super) fn merge(&mut self, mut other: Quantiles) {
        self.settle();
        other.settle();
        let (mut merged, mut left, mut right) =
            (Vec::with_capacity(self.samples.len() + other.samples.len()), 0, 0);
        while left < self.samples.len() || right < other.samples.len() {
            let first = match (self.samples.get(left), other.samples.get(right)) {
                (Some(one), Some(two)) => one.value.total_cmp(&two.value).is_le(),
                (one, _) => one.is_some(),
            };
            let (mut sample, across) = if first {
                left += 1;
                (self.samples[left - 1], other.samples.get(right).filter(|_| right > 0))
            } else {
                right += 1;
                (other.samples[right - 1], self.samples.get(left).filter(|_| left > 0))
            };
            sample.spread += across.map_or(0, |next| next.gap + next.spread - 1);
            merged.push(sample);
        }
        self.samples = merged;
        self.count += other.count;
        self.compress();
    }

    /// The quantiles at `shares`, each between 0 and 1; nothing if there are no values.
    pub(super) fn at(&mut self, shares: &[f64]) -> Option<Vec<f64>> {
        self.settle();
        let widest = self.samples.iter().map(|sample| sample.gap + sample.spread).max()?;
        Some(shares.iter().map(|share| self.one(*share, widest / 2)).collect())
    }

    fn one(&self, share: f64, tolerance: i64) -> f64 {
        let last = self.samples[self.samples.len() - 1].value;
        if share <= self.error {
            return self.samples[0].value;
        }
        if share >= 1.0 - self.error {
            return last;
        }
        let wanted = (share * self.count as f64).ceil() as i64;
        let mut lowest = 0;
        for sample in &self.samples {
            lowest += sample.gap;
            if lowest + sample.spread - tolerance <= wanted && wanted <= lowest + tolerance {
                return sample.value;
            }
        }
        last
    }

    /// Puts what is pending into the summary.
    fn settle(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let mut fresh = std::mem::take(&mut self.pending);
        fresh.sort_by(f64::total_cmp);
        let old = std::mem::take(&mut self.samples);
        let mut old = old.into_iter().peekable();
        let end = fresh.len() - 1;
        for (place, value) in fresh.into_iter().enumerate() {
            while let Some(sample) = old.next_if(|sample| sample.value.total_cmp(&value).is_le()) {
                self.samples.push(sample);
            }
            self.count += 1;
            let outermost = self.samples.is_empty() || (place == end && old.peek().is_none());
            let spread = if outermost { 0 } else { self.slack() };
            self.samples.push(Sample { value, gap: 1, spread });
        }
        self.samples.extend(old);
        self.compress();
    }

    /// How far apart ranks may lie.
    fn slack(&self) -> i64 {
        (2.0 * self.error * self.count as f64) as i64
    }

    /// Lets neighbours stand for each other as far as the error allows; the outermost values stay.
    fn compress(&mut self) {
        let slack = self.slack();
        let samples = std::mem::take(&mut self.samples);
        let mut kept: Vec<Sample> = Vec::with_capacity(samples.len());
        let total = samples.len();
        for (place, sample) in samples.into_iter().enumerate().rev() {
            let inner = place > 0 && place + 1 < total;
            match kept.last_mut() {
                Some(next) if inner && sample.gap + next.gap + next.spread < slack => next.gap += sample.gap,
                _ => kept.push(sample),
            }
        }
        kept.reverse();
        self.samples = kept;
    }

    /// The summary as bytes: error, count, then the samples, 64 bits each, little endian.
    pub(super) fn bytes(&mut self) -> Vec<u8> {
        self.settle();
        let mut out = Vec::with_capacity(16 + 24 * self.samples.len());
        out.extend(self.error.to_le_bytes());
        out.extend(self.count.to_le_bytes());
        for sample in &self.samples {
            out.extend(sample.value.to_le_bytes());
            out.extend(sample.gap.to_le_bytes());
            out.extend(sample.spread.to_le_bytes());
        }
        out
    }

    /// What [`Quantiles::bytes`] made.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (words, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() || words.len() < 2 || (words.len() - 2) % 3 != 0 {
            return None;
        }
        let (head, samples) = words.split_at(2);
        let sample = |words: &[[u8; 8]]| Sample {
            value: f64::from_le_bytes(words[0]),
            gap: i64::from_le_bytes(words[1]),
            spread: i64::from_le_bytes(words[2]),
        };
        Some(Quantiles {
            error: f64::from_le_bytes(head[0]),
            count: i64::from_le_bytes(head[1]),
            samples: samples.chunks_exact(3).map(sample).collect(),
            pending: Vec::new(),
        })
    }

    pub(super) fn size(&self) -> usize {
        size_of_val(self)
            + self.samples.capacity() * size_of::<Sample>()
            + self.pending.capacity() * size_of::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A permutation of `0..count`.
    fn mixed(count: i64) -> impl Iterator<Item = f64> {
        (0..count).map(move |index| (index * 7919 % count) as f64)
    }

    #[test]
    fn ranks_are_off_by_no_more_than_promised() {
        let (count, error) = (100_003, 0.001);
        let mut whole = Quantiles::new(error);
        let mut parts: Vec<Quantiles> = (0..7).map(|_| Quantiles::new(error)).collect();
        for (index, value) in mixed(count).enumerate() {
            whole.add(value);
            parts[index % 7].add(value);
        }
        let mut merged = Quantiles::new(error);
        for mut part in parts {
            merged.merge(Quantiles::read(&part.bytes()).unwrap());
        }
        for summary in [&mut whole, &mut merged] {
            assert!(summary.samples.len() < 10_000, "{} samples are kept", summary.samples.len());
            for share in [0.0, 0.01, 0.25, 0.5, 0.9, 0.999, 1.0] {
                let found = summary.at(&[share]).unwrap()[0];
                let off = (found - share * count as f64).abs() / count as f64;
                assert!(off <= 2.0 * error, "at {share}: {found}");
            }
        }
    }

    #[test]
    fn few_values_are_all_kept() {
        let mut few = Quantiles::new(1e-4);
        assert_eq!(few.at(&[0.5]), None);
        [3.0, 1.0, 4.0, 1.0, 5.0].into_iter().for_each(|value| few.add(value));
        assert_eq!(few.at(&[0.0, 0.2, 0.5, 0.6, 0.9, 1.0]).unwrap(), [1.0, 1.0, 3.0, 3.0, 5.0, 5.0]);
        assert_eq!(Quantiles::read(&few.bytes()), Some(few));
        assert_eq!(Quantiles::read(&[0; 20]), None);
    }
}

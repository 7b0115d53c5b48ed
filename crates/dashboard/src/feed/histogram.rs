//! Durations, counted in buckets that grow with them.

/// Buckets per doubling: the answer is at most one eighth too large.
const STEPS: u64 = 8;
/// Durations beyond this (12 days) are counted as this.
const MS_MAX: u64 = 1 << 30;
const BUCKETS: usize = (STEPS * 29) as usize;

/// A histogram of milliseconds. Its size is fixed; below 16 ms it is exact.
#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    counts: Box<[u64; BUCKETS]>,
    count: u64,
    sum_ms: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { counts: Box::new([0; BUCKETS]), count: 0, sum_ms: 0 }
    }
}

impl Histogram {
    pub(crate) fn record(&mut self, ms: u64) {
        let ms = ms.min(MS_MAX);
        self.counts[bucket(ms)] += 1;
        self.count += 1;
        self.sum_ms = self.sum_ms.saturating_add(ms);
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn sum_ms(&self) -> u64 {
        self.sum_ms
    }

    /// How many were at most `ms`, up to the width of a bucket.
    pub(crate) fn at_most(&self, ms: u64) -> u64 {
        self.counts[..=bucket(ms.min(MS_MAX))].iter().sum()
    }

    /// The smallest duration that this share of all is not above; `None` without any.
    pub(crate) fn percentile(&self, share: f64) -> Option<u64> {
        let rank = ((self.count as f64 * share).ceil() as u64).clamp(1, self.count.max(1));
        let mut seen = 0;
        let at = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        })?;
        Some(upper(at))
    }
}

/// Exact below 2 * STEPS; from there STEPS buckets per power of two.
fn bucket(ms: u64) -> usize {
    if ms < 2 * STEPS {
        return ms as usize;
    }
    let shift = ms.ilog2() - STEPS.ilog2();
    ((u64::from(shift) + 1) * STEPS + ((ms >> shift) - STEPS)) as usize
}

/// The largest duration of a bucket.
fn upper(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 * STEPS {
        return bucket;
    }
    let shift = bucket / STEPS - 1;
    ((STEPS + bucket % STEPS + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_has_a_bucket_that_is_not_much_wider() {
        let mut last = 0;
        for ms in (0..5_000).chain([1 << 16, (1 << 20) + 77, MS_MAX]) {
            let at = bucket(ms);
            assert!(at >= last && at < BUCKETS, "{ms} falls into {at}");
            assert!(upper(at) >= ms && (upper(at) - ms) * STEPS <= ms, "{ms} reads as {}", upper(at));
            last = at;
        }
    }

    #[test]
    fn percentiles_are_ranks() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.percentile(0.5), None);
        (1..=10).for_each(|ms| histogram.record(ms));
        assert_eq!((histogram.percentile(0.5), histogram.percentile(0.99)), (Some(5), Some(10)));
        assert_eq!((histogram.percentile(0.0), histogram.at_most(3)), (Some(1), 3));
        histogram.record(u64::MAX);
        assert_eq!(histogram.count(), 11);
    }
}

//! Time: the system's, or one that a test moves by hand.

use std::fmt::Debug;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The time of day, and a time that never goes back.
pub trait Clock: Send + Sync + Debug {
    /// Milliseconds since 1970-01-01 UTC. May jump in both directions when somebody sets the clock.
    fn now_ms(&self) -> i64;

    /// Time since an arbitrary start. Never goes back; use it for durations and deadlines.
    fn monotonic(&self) -> Duration;
}

/// The operating system's clocks.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

/// The start that `monotonic` counts from: the first time anybody asks.
static START: OnceLock<Instant> = OnceLock::new();

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's clock")]
    fn now_ms(&self) -> i64 {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's clock")]
    fn monotonic(&self) -> Duration {
        START.get_or_init(Instant::now).elapsed()
    }
}

/// A clock that stands still until a test moves it.
#[derive(Debug, Default)]
pub struct ManualClock {
    now_ms: AtomicI64,
    monotonic_us: AtomicU64,
}

impl ManualClock {
    /// A clock that shows `now_ms` and has run for no time at all.
    #[must_use]
    pub fn new(now_ms: i64) -> Self {
        Self { now_ms: AtomicI64::new(now_ms), monotonic_us: AtomicU64::new(0) }
    }

    /// Lets `by` pass, on both clocks. The time of day counts whole milliseconds.
    pub fn advance(&self, by: Duration) {
        let micros = u64::try_from(by.as_micros()).unwrap_or(u64::MAX);
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.monotonic_us.fetch_add(micros, Ordering::SeqCst);
        self.now_ms.fetch_add(millis, Ordering::SeqCst);
    }

    /// Sets the time of day, as an administrator would. The monotonic clock does not notice.
    pub fn set(&self, now_ms: i64) {
        self.now_ms.store(now_ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(self.monotonic_us.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = ManualClock::new(1_000);
        assert_eq!((clock.now_ms(), clock.monotonic()), (1_000, Duration::ZERO));
        clock.advance(Duration::from_millis(5));
        assert_eq!((clock.now_ms(), clock.monotonic()), (1_005, Duration::from_millis(5)));
    }

    #[test]
    fn setting_the_time_of_day_leaves_the_monotonic_clock_alone() {
        let clock = ManualClock::new(1_000);
        clock.advance(Duration::from_secs(1));
        clock.set(10);
        assert_eq!((clock.now_ms(), clock.monotonic()), (10, Duration::from_secs(1)));
    }

    #[test]
    fn the_system_clock_is_past_2020_and_does_not_go_back() {
        let before = SystemClock.monotonic();
        assert!(SystemClock.now_ms() > 1_577_836_800_000);
        assert!(SystemClock.monotonic() >= before);
    }
}

//! Wall-clock time that never jumps: sessions and transactions must not end because somebody sets the clock.

use std::time::Duration;

use env::Env;

/// Wall-clock time that never jumps.
pub(crate) struct SteadyTime {
    env: Env,
    start_ms: i64,
    start: Duration,
}

impl SteadyTime {
    pub(crate) fn new(env: &Env) -> Self {
        Self { env: env.clone(), start_ms: env.clock.now_ms(), start: env.clock.monotonic() }
    }

    /// Unix milliseconds, as the clock said at the start plus what has passed since.
    pub(crate) fn now_ms(&self) -> i64 {
        let passed = self.env.clock.monotonic().saturating_sub(self.start);
        self.start_ms + i64::try_from(passed.as_millis()).unwrap_or(i64::MAX / 2)
    }

    /// Unix milliseconds as the clock says now.
    pub(crate) fn wall_ms(&self) -> i64 {
        self.env.clock.now_ms()
    }
}

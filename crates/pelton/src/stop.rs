//! A word that ends waiting: pauses that a stop cuts short.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Shared by the threads of the demo; once said, it stays said.
#[derive(Clone, Default)]
pub(crate) struct Stop {
    shared: Arc<(Mutex<bool>, Condvar)>,
}

impl Stop {
    /// Ends every pause, now and later.
    pub(crate) fn say(&self) {
        let (said, condvar) = &*self.shared;
        *said.lock().unwrap_or_else(PoisonError::into_inner) = true;
        condvar.notify_all();
    }

    /// Whether it was said.
    pub(crate) fn said(&self) -> bool {
        *self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits `pause`, or less when stopped meanwhile. True when stopped.
    pub(crate) fn pause(&self, pause: Duration) -> bool {
        let (said, condvar) = &*self.shared;
        let guard = said.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = condvar.wait_timeout_while(guard, pause, |said| !*said);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Says it on Ctrl-C or SIGTERM.
    pub(crate) fn on_signals(&self) -> anyhow::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        let stop = self.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (mut terminate, mut interrupt) = {
            let _entered = runtime.enter();
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
        };
        env::spawn_thread("signals", move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
            });
            stop.say();
        })?;
        Ok(())
    }
}

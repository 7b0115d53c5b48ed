//! Ctrl-C and SIGTERM for the commands of a prompt: the first asks for a clean end, the second ends.

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use crate::stop::Stop;

/// What a shell reports of a process that an interrupt ended.
const INTERRUPTED: i32 = 130;

/// A word that is said at the first signal from now on.
pub(crate) fn listen() -> anyhow::Result<Stop> {
    let stop = Stop::default();
    let said = stop.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    let runtime = runtime.context("listen for Ctrl-C")?;
    // Signals are caught from here on, not from the thread's first turn.
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        let interrupt = signal(SignalKind::interrupt()).context("listen for Ctrl-C")?;
        (interrupt, signal(SignalKind::terminate()).context("listen for SIGTERM")?)
    };
    let body = move || {
        runtime.block_on(async {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if said.said() {
                    std::process::exit(INTERRUPTED);
                }
                said.say();
            }
        });
    };
    env::spawn_thread("signals", body).context("listen for Ctrl-C")?;
    Ok(stop)
}

//! Waiting for the end.

use tokio::sync::watch;

/// Returns when `stop` is true or its sender is gone: who is gone cannot ask for a stop any more.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

//! When a batch begins: as soon as there is something to read.

use tokio::sync::watch;

use crate::error::SourceError;
use crate::source::Source;
use crate::status::Offsets;

/// Waits for records after the positions; false when the query has been told to stop.
pub(crate) async fn fired(
    source: &dyn Source,
    positions: &Offsets,
    stop: &mut watch::Receiver<bool>,
) -> Result<bool, SourceError> {
    tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => Ok(false),
        ready = source.ready(positions) => ready.map(|()| true),
    }
}

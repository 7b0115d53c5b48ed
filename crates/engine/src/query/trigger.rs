//! When a batch begins: as soon as there is something to read.

use std::collections::BTreeMap;

use tokio::sync::watch;

use crate::source::topic::TopicSource;

/// Waits for records after the positions; false when the query has been told to stop.
pub(crate) async fn fired(
    source: &TopicSource,
    positions: &BTreeMap<u32, i64>,
    stop: &mut watch::Receiver<bool>,
) -> bool {
    tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => false,
        () = source.ready(positions) => true,
    }
}

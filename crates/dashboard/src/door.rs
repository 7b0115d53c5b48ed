//! What every handler can reach.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use engine::Engine;
use env::Env;
use tokio::sync::Semaphore;
use topics::Topics;

use crate::Config;
use crate::feed::Feed;

/// The parts behind the door; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    pub(crate) config: Arc<Config>,
    pub(crate) topics: Topics,
    pub(crate) engine: Engine,
    pub(crate) env: Env,
    pub(crate) feed: Feed,
    pub(crate) watchers: Arc<Semaphore>,
    /// Spreads rows over the partitions of a topic.
    pub(crate) turn: Arc<AtomicU32>,
}

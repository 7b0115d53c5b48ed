//! The engine as its callers see it.

use env::Env;
use tokio::sync::watch;
use topics::Topics;

use crate::answer::Answer;
use crate::config::Config;
use crate::error::{OpenError, SqlError};
use crate::status::{ModelStatus, ModelVersion, QueryStatus};

/// The engine: a catalog, its running queries and its models. A cheap handle.
#[derive(Debug, Clone)]
pub struct Engine {
    changed: watch::Sender<u64>,
}

impl Engine {
    /// Opens the catalog and resumes its queries from their checkpoints.
    ///
    /// # Errors
    /// If files cannot be read or are damaged.
    pub fn open(_config: Config, _topics: Topics, _env: Env) -> Result<Self, OpenError> {
        Ok(Engine { changed: watch::channel(0).0 })
    }

    /// Runs statements separated by semicolons, one after the other; stops at the first that fails.
    ///
    /// # Errors
    /// What is wrong with a statement. Those before it have taken effect.
    #[expect(clippy::unused_async, reason = "statements wait for the disk")]
    pub async fn execute(&self, _sql: &str) -> Result<Vec<Answer>, SqlError> {
        Ok(Vec::new())
    }

    /// Every query, by name.
    pub fn queries(&self) -> Vec<QueryStatus> {
        Vec::new()
    }

    /// Every model, by name.
    pub fn models(&self) -> Vec<ModelStatus> {
        Vec::new()
    }

    /// The latest versions of a model, the oldest first; empty if there is no such model.
    pub fn model_history(&self, _name: &str) -> Vec<ModelVersion> {
        Vec::new()
    }

    /// Counts up with every committed batch and every change of the catalog.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Finishes running batches and stops all queries.
    #[expect(clippy::unused_async, reason = "waits for the queries")]
    pub async fn close(self) {}
}

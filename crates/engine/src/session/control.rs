//! Stopping and starting queries by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::SqlError;
use crate::query::report::QueryProgress;
use crate::session::resume::definition_of;
use crate::session::{Engine, Inner, Running, lock};
use crate::status::QueryState;

impl Engine {
    /// The last batches of a query since it was started, the oldest first; `None` if there is no such query.
    pub fn progress(&self, query: &str) -> Option<Vec<QueryProgress>> {
        let running = lock(&self.inner.running);
        Some(running.get(&key_of(&running, query)?)?.progress.recent())
    }

    /// Ends a query after the batch that it is at. It stays, and goes on at the next start of the engine or with
    /// [`Engine::start_query`].
    ///
    /// # Errors
    /// If there is no such query.
    pub async fn stop_query(&self, query: &str) -> Result<(), SqlError> {
        self.controlled(query, |inner, query| async move { inner.halt(&query).await }).await
    }

    /// Lets a query that has stopped or failed go on where it was; one that runs is left alone.
    ///
    /// # Errors
    /// If there is no such query, or it cannot go on.
    pub async fn start_query(&self, query: &str) -> Result<(), SqlError> {
        self.controlled(query, |inner, query| async move { inner.restart(&query).await }).await
    }

    /// Does it on the engine's own threads, while nobody else changes anything.
    async fn controlled<F, R>(&self, query: &str, change: F) -> Result<(), SqlError>
    where
        F: FnOnce(Arc<Inner>, String) -> R + Send + 'static,
        R: Future<Output = Result<(), SqlError>> + Send,
    {
        let (inner, query) = (Arc::clone(&self.inner), query.to_owned());
        let changing = self.inner.handle.spawn(async move {
            let holder = Arc::clone(&inner);
            let _permit = holder.changing.acquire().await.map_err(|_| SqlError::Closed)?;
            change(inner, query).await
        });
        changing.await.map_err(|error| SqlError::failed("change a query", error))?
    }
}

/// What a query is listed under: its name, or an id if nobody may rely on its name.
fn key_of(running: &BTreeMap<String, Running>, query: &str) -> Option<String> {
    let name = query.to_lowercase();
    if running.contains_key(&name) {
        return Some(name);
    }
    let named = |running: &Running| running.progress.identity().name.to_lowercase() == name;
    running.iter().find(|(_, running)| named(running)).map(|(key, _)| key.clone())
}

impl Inner {
    fn unknown(&self, query: &str) -> SqlError {
        let running = lock(&self.running);
        let names = running.values().map(|running| running.progress.identity().name.clone()).collect();
        let known = crate::session::catalog::known_names(names);
        SqlError::Unknown { what: "query", name: query.to_owned(), known }
    }

    async fn halt(&self, query: &str) -> Result<(), SqlError> {
        let task = {
            let mut running = lock(&self.running);
            let Some(found) = key_of(&running, query).and_then(|key| running.get_mut(&key)) else {
                drop(running);
                return Err(self.unknown(query));
            };
            found.stop.send_replace(true);
            found.task.take()
        };
        if let Some(task) = task {
            // A task that panicked has said so; it is over either way.
            let _ = task.await;
        }
        Ok(())
    }

    async fn restart(&self, query: &str) -> Result<(), SqlError> {
        let name = query.to_lowercase();
        let state = lock(&self.running).get(&name).map(|running| running.progress.status().state);
        match state {
            None => return Err(self.unknown(query)),
            Some(QueryState::Running) => return Ok(()),
            Some(QueryState::Failed | QueryState::Stopped) => self.halt(query).await?,
        }
        let catalog = self.catalog();
        let object = catalog.get(query).ok_or_else(|| self.unknown(query))?;
        let asked = object.query().ok_or_else(|| self.unknown(query))?;
        let definition = definition_of(object).ok_or_else(|| self.unknown(query))?;
        let journal = self.shared.journal(object.id(), object.checkpoint());
        let query = self.shared.resume_query(definition, asked, &catalog, Some(journal)).await?;
        // The entry of the old run gives way to the new one's.
        let old: Option<Running> = lock(&self.running).remove(&name);
        drop(old);
        self.run(query);
        self.shared.changed.send_modify(|changes| *changes += 1);
        Ok(())
    }
}

//! Where queries remember: among the server's own files, or where their owner says, which may be a bucket.

use std::path::{Path, PathBuf};

use crate::error::SqlError;
use crate::query::journal::{Frame, Journal, Recovered, Start};
use crate::session::start::{Definition, Reads};
use crate::session::{Inner, Running, Shared, lock};
use crate::storage::{Checkpoint, Place, Settings, Store, waiting};

impl Shared {
    /// Where it keeps what it remembers.
    pub(crate) fn home(&self, definition: Definition<'_>) -> Result<Place, SqlError> {
        definition.home.map_or_else(|| Ok(self.own_home(definition.id)), |home| self.place_of(home))
    }

    /// Where a query of the catalog does whose statement names no place.
    fn own_home(&self, id: u64) -> Place {
        Place::here(&self.env.disk, self.query_dir(id))
    }

    /// What a query of the catalog remembers.
    pub(crate) fn journal(
        &self,
        id: u64,
        home: Option<&Checkpoint>,
    ) -> Result<(Journal, Recovered), SqlError> {
        let home = home.map_or_else(|| Ok(self.own_home(id)), |home| self.place_of(home))?;
        let opened = waiting(|| Journal::open(home.join("journal")));
        opened.map_err(|error| SqlError::failed("read the journal", error))
    }

    /// The place that a checkpoint names.
    pub(crate) fn place_of(&self, checkpoint: &Checkpoint) -> Result<Place, SqlError> {
        let Checkpoint { path, storage } = checkpoint;
        let told = Settings::named(storage);
        told.check().map_err(|error| SqlError::failed(format!("reach {path}"), error))?;
        let store = self.store_at(path, &told)?;
        let path = PathBuf::from(path);
        match store {
            Store::Local(_) => Ok(Place::new(store, std::path::absolute(&path).unwrap_or(path))),
            Store::Bucket(_) => Ok(Place::new(store, path)),
        }
    }

    /// What tells the topics that are here from those of every other data directory.
    pub(crate) fn log_id(&self) -> Result<String, SqlError> {
        let place = Place::here(&self.env.disk, self.dir().join("log-id"));
        let failed = |error| SqlError::failed(format!("read {}", place.path().display()), error);
        if let Some(id) = place.read().map_err(failed)? {
            return Ok(String::from_utf8_lossy(&id).into_owned());
        }
        let id = format!("{:032x}", u128::from_be_bytes(self.env.random.next_16_bytes()));
        place.claim(id.clone().into()).map_err(failed)?;
        Ok(id)
    }

    /// What a checkpoint tells, if there is one.
    pub(crate) fn remembered(&self, home: &Place) -> Result<Option<(Journal, Recovered)>, SqlError> {
        let failed = |error| SqlError::failed("read the checkpoint", error);
        if let Some(known) = Journal::find(home.join("journal")).map_err(failed)? {
            return Ok(Some(known));
        }
        let names = home.names().map_err(|error| SqlError::failed("read the checkpoint", error))?;
        if names.iter().any(|name| ["offsets", "commits", "metadata"].contains(&name.as_str())) {
            let reason =
                "holds a checkpoint of Apache Spark, which cannot be continued here; name another directory";
            return Err(SqlError::invalid(home.path().display().to_string(), reason));
        }
        Ok(None)
    }

    /// Goes on with what was remembered over the topics of another data directory: there, the query's rows have
    /// numbers that mean nothing here.
    pub(crate) fn move_in(
        &self,
        definition: Definition<'_>,
        known: (Journal, Recovered),
    ) -> Result<(Journal, Recovered), SqlError> {
        let (mut journal, mut recovered) = known;
        let own = self.log_id()?;
        let progress = &mut recovered.progress;
        if progress.log.as_ref().is_none_or(|log| *log == own) {
            return Ok((journal, recovered));
        }
        let Reads { sources, tables } = definition.reads;
        if let Some(table) = sources.iter().chain(tables).find(|table| table.options.reads_here()) {
            let home = self.home(definition)?.path().display().to_string();
            let reason = format!(
                "remembers how far {} was read in another data directory, whose topics are not here; name another \
                 place",
                table.options.describe()
            );
            return Err(SqlError::invalid(home, reason));
        }
        let next = self.topics.next_producer_id();
        progress.producer_id = next.map_err(|error| SqlError::failed("begin to write", error))?;
        progress.log = Some(own);
        progress.standing.numbers.clear();
        let start = Start {
            query: progress.query,
            producer_id: progress.producer_id,
            offsets: progress.standing.offsets.clone(),
            log: progress.log.clone(),
        };
        let written = waiting(|| journal.append(&Frame::Start(start)));
        written.map_err(|error| SqlError::failed("write the checkpoint", error))?;
        Ok((journal, recovered))
    }
}

impl Inner {
    /// What was remembered where a statement says, if anything; only one query remembers there.
    pub(crate) fn found(&self, checkpoint: &Checkpoint) -> Result<Option<(Journal, Recovered)>, SqlError> {
        let home = self.shared.place_of(checkpoint)?;
        self.check_nobodys(home.path())?;
        let taken = |running: &Running| running.home.as_deref() == Some(home.path());
        if let Some(running) = lock(&self.running).values().find(|running| taken(running)) {
            return Err(held(home.path(), &running.progress.identity().name));
        }
        waiting(|| self.shared.remembered(&home))
    }

    /// No query of the catalog remembers here.
    pub(crate) fn check_nobodys(&self, home: &Path) -> Result<(), SqlError> {
        for object in self.catalog().objects() {
            if let Some(checkpoint) = object.checkpoint()
                && self.shared.place_of(checkpoint)?.path() == home
            {
                return Err(held(home, object.name()));
            }
        }
        Ok(())
    }
}

fn held(home: &Path, query: &str) -> SqlError {
    let reason = format!("is where {query} remembers; drop it first, or name another place");
    SqlError::invalid(home.display().to_string(), reason)
}

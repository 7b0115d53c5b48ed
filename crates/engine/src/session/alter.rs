//! `ALTER MODEL`: the learner pauses, its model becomes another version, and it goes on from there.
//!
//! Nothing is rewritten: an older version that is to be learned on from comes back as a new one, so that whoever
//! asked a version yesterday is answered the same today.

use std::sync::Arc;

use bytes::Bytes;
use ml::Model;

use crate::answer::Answer;
use crate::error::{SqlError, chain};
use crate::models::reference::At;
use crate::models::{Entry, Version};
use crate::query::journal::{Frame, Journal, ModelRecord, Recovered};
use crate::query::progress::Progress;
use crate::session::catalog::{Catalog, ModelDef, ModelSettings, Object, known_names};
use crate::session::start::{Definition, empty};
use crate::session::{Inner, lock};
use crate::sql::renamed;
use crate::sql::statement::{AlterModel, ModelChange, Options};
use crate::status::QueryState;

impl Inner {
    pub(super) async fn alter_model(&self, alter: AlterModel) -> Result<Answer, SqlError> {
        let model = self.learning(&alter.name)?;
        let entry = self.shared.registry.known(&model.name)?;
        match alter.change {
            ModelChange::Set(options) => self.set_options(&model, &entry, &options).await,
            ModelChange::Rollback(version) => self.roll_back(&model, &entry, version).await,
            ModelChange::Pin(version) => self.pin_version(&model, &entry, version),
            ModelChange::Reset => {
                let empty = empty(&model)?;
                let version = self.amend(&model, &entry, empty).await?;
                Ok(Answer::message(format!("model {} begins anew with version {version}", model.name)))
            }
            ModelChange::Rename(name) => self.rename(&model, name).await,
        }
    }

    /// Makes a model that came from elsewhere the next version.
    pub(super) async fn import_model(&self, name: &str, imported: Model) -> Result<u64, SqlError> {
        let _permit = self.changing.acquire().await.map_err(|_| SqlError::Closed)?;
        let model = self.learning(name)?;
        let entry = self.shared.registry.known(&model.name)?;
        let same = imported.algorithm() == empty(&model)?.algorithm();
        if !same || *imported.schema() != model.shape.schema() {
            let reason =
                "learns from other columns, or by another algorithm, than the model that was exported";
            return Err(SqlError::invalid(format!("model {}", model.name), reason));
        }
        self.amend(&model, &entry, imported).await
    }

    fn learning(&self, name: &str) -> Result<Arc<ModelDef>, SqlError> {
        let catalog = self.catalog();
        match catalog.get(name) {
            Some(Object::Model(model)) => Ok(Arc::clone(model)),
            Some(Object::Network(_) | Object::Contest(_)) => {
                Err(SqlError::invalid(format!("model {name}"), "does not learn"))
            }
            _ => {
                let models = catalog.objects().filter(|object| object.what() == "model");
                let known = known_names(models.map(|object| object.name().to_owned()).collect());
                Err(SqlError::Unknown { what: "model", name: name.to_owned(), known })
            }
        }
    }

    async fn set_options(
        &self,
        model: &Arc<ModelDef>,
        entry: &Arc<Entry>,
        options: &Options,
    ) -> Result<Answer, SqlError> {
        let mut altered = match entry.learns_on() {
            Some(version) => Model::clone(version.model()),
            None => empty(model)?,
        };
        let mut settings = model.settings.clone();
        for (name, value) in &options.given {
            let name = name.to_lowercase();
            altered
                .alter(&name, &value.text)
                .map_err(|error| SqlError::Syntax { position: value.position, reason: error.to_string() })?;
            settings.altered.insert(name, value.text.clone());
        }
        let version = self.amend(model, entry, altered).await?;
        self.settle(model, settings)?;
        Ok(Answer::message(format!("model {} learns on as version {version}", model.name)))
    }

    async fn roll_back(
        &self,
        model: &Arc<ModelDef>,
        entry: &Arc<Entry>,
        version: Option<u64>,
    ) -> Result<Answer, SqlError> {
        let number = version.or_else(|| entry.latest().map(|latest| latest.number.saturating_sub(1)));
        let pin = entry.pin(At::Version(number.unwrap_or_default()));
        let gone = || SqlError::invalid(format!("model {}", model.name), entry.no_such_version());
        let old = pin.ok_or_else(gone)?;
        let again = self.amend(model, entry, Model::clone(old.version.model())).await?;
        let (name, number) = (&model.name, old.version.number);
        Ok(Answer::message(format!("model {name} learns on from version {number}, as version {again}")))
    }

    fn pin_version(
        &self,
        model: &Arc<ModelDef>,
        entry: &Arc<Entry>,
        version: Option<u64>,
    ) -> Result<Answer, SqlError> {
        let Some(number) = version else {
            self.settle(model, ModelSettings { serving: None, ..model.settings.clone() })?;
            entry.serve(None);
            return Ok(Answer::message(format!("model {} answers with its latest version", model.name)));
        };
        let gone = || SqlError::invalid(format!("model {}", model.name), entry.no_such_version());
        let pin = entry.pin(At::Version(number)).ok_or_else(gone)?;
        self.settle(model, ModelSettings { serving: Some(number), ..model.settings.clone() })?;
        entry.serve(Some(Arc::clone(&pin.version)));
        Ok(Answer::message(format!("model {} answers with version {number}, and learns on", model.name)))
    }

    async fn rename(&self, model: &Arc<ModelDef>, name: String) -> Result<Answer, SqlError> {
        let catalog = self.catalog();
        super::create::free_name(&catalog, &name)?;
        super::create::refuse_used(&catalog, &Object::Model(Arc::clone(model)))?;
        let mut changed = Catalog::clone(&catalog);
        changed.remove(&model.name);
        let sql = renamed(&model.sql, &name)?;
        let moved = Arc::new(ModelDef { name, sql, ..ModelDef::clone(model) });
        changed.insert(Object::Model(Arc::clone(&moved)));
        self.stop(&model.name).await;
        let saved = self.save(changed);
        let standing = if saved.is_ok() { &moved } else { model };
        if saved.is_ok() {
            self.shared.registry.rename(&model.name, &moved.name);
        }
        self.go_on(standing).await?;
        saved?;
        Ok(Answer::message(format!("model {} is now called {}", model.name, moved.name)))
    }

    /// Writes other settings into the catalog.
    fn settle(&self, model: &Arc<ModelDef>, settings: ModelSettings) -> Result<(), SqlError> {
        let mut changed = Catalog::clone(&self.catalog());
        changed.insert(Object::Model(Arc::new(ModelDef { settings, ..ModelDef::clone(model) })));
        self.save(changed)
    }

    /// Makes `changed` the next version, durably, while the learner pauses. Says its number.
    async fn amend(
        &self,
        model: &Arc<ModelDef>,
        entry: &Arc<Entry>,
        changed: Model,
    ) -> Result<u64, SqlError> {
        let failed = lock(&self.running)
            .get(&model.name.to_lowercase())
            .is_none_or(|query| query.progress.status().state == QueryState::Failed);
        if failed {
            let reason = "has failed and learns no more; create it again with OR REPLACE";
            return Err(SqlError::invalid(format!("model {}", model.name), reason));
        }
        self.stop(&model.name).await;
        let amended = self.add_version(model, entry, changed);
        self.go_on(model).await?;
        amended
    }

    fn add_version(&self, model: &ModelDef, entry: &Entry, changed: Model) -> Result<u64, SqlError> {
        let (mut journal, recovered) = self.journal(model)?;
        let record = ModelRecord {
            query: model.id,
            version: entry.next_number(),
            committed_ms: self.shared.env.clock.now_ms(),
            rows_learned: changed.rows_learned(),
            recent: changed.recent_figure(),
            offsets: recovered.progress.standing.offsets,
        };
        let (number, snapshot) = (record.version, Bytes::from(changed.snapshot()));
        journal
            .append(&Frame::Version(record.clone(), snapshot.clone()))
            .map_err(|error| SqlError::failed("write the journal", error))?;
        entry.publish(Version::learnt(record, snapshot, changed));
        Ok(number)
    }

    fn journal(&self, model: &ModelDef) -> Result<(Journal, Recovered), SqlError> {
        self.shared.journal(model.id, None)
    }

    /// Starts a model's query again from its journal.
    async fn go_on(&self, model: &Arc<ModelDef>) -> Result<(), SqlError> {
        let catalog = self.catalog();
        let definition = Definition::of_model(model);
        let journal = self.shared.journal(model.id, None);
        match self.shared.resume_query(definition, &model.query, &catalog, Some(journal)).await {
            Ok(query) => self.run(query),
            Err(error) => {
                let sources = self.shared.sources_once(model.query.reads_of());
                let clock = Arc::clone(&self.shared.env.clock);
                let progress = Progress::new(definition.identity(), sources, clock, Default::default());
                progress.ended(QueryState::Failed, Some(chain(&error)));
                self.list(progress);
                return Err(error);
            }
        }
        Ok(())
    }
}

//! Bringing everything back at a start.
//!
//! The order matters: networks, because plans call them; tables, because queries read them; journals, which
//! hold the models' versions and say which of them unfinished batches have pinned; then queries run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::embed::Network;
use crate::error::{OpenError, SqlError, chain};
use crate::models::Version;
use crate::models::contest::{Contest, Rules};
use crate::models::reference::{At, Reference};
use crate::plan::compile::compile;
use crate::plan::resolve::Known;
use crate::query::journal::{Journal, Recovered, Snapshot};
use crate::query::progress::Progress;
use crate::session::catalog::{
    Catalog, ContestDef, ModelDef, NetworkDef, Object, QueryDef, Stored, StoredModel, StoredObject, Table,
};
use crate::session::fit::stored_columns;
use crate::session::start::{Definition, End};
use crate::session::{Inner, Shared, lock};
use crate::sql::Statement;
use crate::sql::options::ModelOptions;
use crate::sql::sink_options::{SinkKind, SinkOptions};
use crate::sql::types::UTC;
use crate::status::QueryState;

pub(super) async fn resume(inner: &Arc<Inner>) -> Result<(), OpenError> {
    let shared = &inner.shared;
    let (disk, dir) = (shared.env.disk.as_ref(), shared.dir());
    disk.create_dir_all(&dir).map_err(OpenError::io(&dir))?;
    let stored = Stored::load(disk, &dir)?;
    let kafka = shared.kafka().map(|kafka| kafka.address().to_owned());
    if !stored.objects.is_empty() && stored.kafka != kafka {
        return Err(OpenError::OtherKafka { stored: stored.kafka, asked: kafka });
    }
    let mut catalog = Catalog::default();
    (catalog.next_id, catalog.kafka) = (stored.next_id, kafka);
    catalog.databases =
        stored.databases.iter().map(|database| (database.name.clone(), database.clone())).collect();
    catalog.notes.clone_from(&stored.notes);
    declare_models(shared, &stored);
    for object in &stored.objects {
        let restored = shared.restore(object, &catalog).await;
        catalog.insert(restored.map_err(|error| OpenError::restore(&object.name, error))?);
    }
    remove_orphans(shared, &catalog);
    let mut journals = open_journals(shared, &catalog);
    register_models(shared, &catalog, &mut journals);
    let mut objects: Vec<&Object> = catalog.objects().collect();
    objects.sort_by_key(|object| object.id());
    let mut ready = Vec::new();
    for object in objects {
        let (Some(definition), Some(query)) = (definition_of(object), object.query()) else { continue };
        let journal = journals.remove(&object.id());
        match shared.resume_query(definition, query, &catalog, journal).await {
            Ok(query) => ready.push(query),
            Err(error) => {
                let error = chain(&error);
                tracing::error!(query = definition.name, %error, "query cannot be resumed");
                let sources = shared.sources_once(definition.reads);
                let clock = Arc::clone(&shared.env.clock);
                let progress = Progress::new(definition.identity(), sources, clock, Snapshot::default());
                progress.ended(QueryState::Failed, Some(error));
                inner.list(progress);
            }
        }
    }
    *lock(&inner.catalog) = Arc::new(catalog);
    // Only now: whatever they have pinned is pinned again.
    for query in ready {
        inner.run(query);
    }
    Ok(())
}

/// Tells what models answer, before statements that ask them are read again: a replaced model has a newer id.
fn declare_models(shared: &Shared, stored: &Stored) {
    let mut contests = Vec::new();
    for object in &stored.objects {
        let parsed = crate::sql::parse(&object.sql).ok().and_then(|mut parsed| parsed.pop());
        match parsed.map(|parsed| parsed.statement) {
            Some(Statement::CreateModel(create)) => {
                let Ok(options) = ModelOptions::from(&create.options) else { continue };
                let shape = object.model.clone().unwrap_or_default().shape;
                shared.registry.declare(&create.name, &options.algorithm, object.id, shape);
            }
            Some(Statement::CreateContest(create)) => contests.push((object.id, create)),
            _ => {}
        }
    }
    for (id, create) in contests {
        let first = create.members.first().and_then(|name| shared.registry.get(name));
        let rules = first.and_then(|first| Rules::from(&create.options).ok()?.of(first.shape.task).ok());
        if let Some(rules) = rules {
            let contest = Contest::new(create.name, create.members, rules, shared.ledger(id));
            shared.registry.add_contest(Arc::new(contest));
        }
    }
}

type Opened = BTreeMap<u64, Result<(Journal, Recovered), SqlError>>;

fn open_journals(shared: &Shared, catalog: &Catalog) -> Opened {
    let queries = catalog.objects().filter(|object| object.query().is_some());
    queries.map(|object| (object.id(), shared.journal(object.id(), object.checkpoint()))).collect()
}

/// Makes the models known with the versions that may be asked for.
fn register_models(shared: &Shared, catalog: &Catalog, journals: &mut Opened) {
    let mut pinned: BTreeSet<(String, u64)> = BTreeSet::new();
    for (_, recovered) in journals.values().flatten() {
        let pins = recovered.undone.iter().flat_map(|intent| {
            intent.pins.iter().map(|(model, version)| (intent.champions.get(model).unwrap_or(model), version))
        });
        pinned.extend(
            pins.filter_map(|(model, version)| Some((Reference::parse(model).ok()?.model, (*version)?))),
        );
    }
    for object in catalog.objects() {
        let named = object.query().map(|query| query.select.strings()).unwrap_or_default();
        pinned.extend(named.iter().filter_map(|name| match Reference::parse(name).ok()? {
            Reference { model, at: At::Version(version) } => Some((model, version)),
            _ => None,
        }));
        if let Object::Model(model) = object {
            pinned.extend(model.settings.serving.map(|version| (model.name.to_lowercase(), version)));
        }
    }
    for object in catalog.objects() {
        let Object::Model(model) = object else { continue };
        let mut versions = Vec::new();
        if let Some(Ok((_, recovered))) = journals.get_mut(&model.id) {
            let name = model.name.to_lowercase();
            recovered.trim_versions(&|version| pinned.contains(&(name.clone(), version)));
            for (record, snapshot) in std::mem::take(&mut recovered.versions) {
                match Version::stored(record, snapshot) {
                    Ok(version) => versions.push(version),
                    Err(error) => tracing::error!(model = %model.name, %error, "a version cannot be read"),
                }
            }
        }
        shared.registry.insert(model, versions);
    }
}

pub(super) fn definition_of(object: &Object) -> Option<Definition<'_>> {
    match object {
        Object::Table(table) => Some(Definition {
            name: &table.name,
            id: table.id,
            sql: &table.sql,
            reads: table.query.as_ref()?.reads_of(),
            home: table.sink.checkpoint.as_ref(),
            end: End::Table(&table.options, &table.sink),
        }),
        Object::Model(model) => Some(Definition::of_model(model)),
        Object::Flow(flow) => Some(Definition::of_flow(flow)),
        Object::Network(_) | Object::Contest(_) => None,
    }
}

impl Shared {
    pub(super) async fn resume_query(
        &self,
        definition: Definition<'_>,
        query: &QueryDef,
        catalog: &Catalog,
        journal: Option<Result<(Journal, Recovered), SqlError>>,
    ) -> Result<crate::query::driver::Query, SqlError> {
        let gone = || SqlError::invalid(definition.name, "has no journal");
        let (journal, recovered) = journal.ok_or_else(gone)??;
        let definition = Definition { id: recovered.progress.query, ..definition };
        let planned = self.plan(definition, query, &catalog.networks()).await?;
        self.source_topics(definition.reads)?;
        let entry = match definition.end {
            End::Table(options, sink) => {
                if sink.kind == SinkKind::Kafka {
                    self.prepare(options)?;
                }
                None
            }
            End::Flow(flow) => {
                self.prepare(&flow.target.options)?;
                None
            }
            End::Model { .. } => Some(self.registry.known(definition.name)?),
        };
        self.assemble(definition, planned, journal, recovered, entry)
    }

    /// Reads an object's statement again.
    async fn restore(&self, stored: &StoredObject, catalog: &Catalog) -> Result<Object, SqlError> {
        let parsed = crate::sql::parse(&stored.sql)?.pop();
        let (id, sql) = (stored.id, stored.sql.clone());
        match parsed.map(|parsed| parsed.statement) {
            Some(Statement::CreateTable(mut create)) => {
                let (mut options, sink) = SinkOptions::of(&mut create)?;
                self.settle(&mut options);
                let columns = match create.query {
                    None => options.columns(&create)?,
                    Some(_) => Vec::new(),
                };
                let mut table = Table { name: create.name, id, sql, options, sink, columns, query: None };
                if let Some(select) = create.query {
                    let query = QueryDef::over(select, catalog)?;
                    let known = Known { networks: &catalog.networks(), models: &self.registry, zone: UTC };
                    let config = self.pipeline_config(id, table.options.output_mode);
                    table.columns = stored_columns(&compile(&query, known, &config).await?);
                    table.query = Some(query);
                }
                Ok(Object::Table(Arc::new(table)))
            }
            Some(Statement::CreateView(create)) => {
                let table = self.view(create, id, sql, catalog).await?;
                Ok(Object::Table(Arc::new(table)))
            }
            Some(Statement::CreateFlow(create)) => {
                Ok(Object::Flow(Arc::new(crate::session::flows::flow(create, id, sql, catalog)?)))
            }
            Some(Statement::CreateModel(create)) => {
                let options = ModelOptions::from(&create.options)?;
                let StoredModel { shape, settings } = stored.model.clone().unwrap_or_default();
                Ok(Object::Model(Arc::new(ModelDef {
                    name: create.name,
                    id,
                    sql,
                    algorithm: options.algorithm,
                    options: options.rest,
                    shape,
                    settings,
                    trigger: options.trigger,
                    query: QueryDef::over(create.query, catalog)?,
                })))
            }
            Some(Statement::CreateContest(create)) => {
                let gone = || SqlError::invalid(create.name.clone(), "has no models any more");
                let contest = self.registry.contest(&create.name).ok_or_else(gone)?;
                Ok(Object::Contest(Arc::new(ContestDef { id, sql, contest })))
            }
            Some(Statement::CreateNetwork(create)) => {
                let file = self.network_file(id);
                let attempt = || format!("read {}", file.display());
                let bytes = self.env.disk.read(&file).map_err(|e| SqlError::failed(attempt(), e))?;
                let network =
                    Network::load(&create.name, bytes).map_err(|e| SqlError::failed(attempt(), e))?;
                let network = Arc::new(network);
                Ok(Object::Network(Arc::new(NetworkDef { name: create.name, id, sql, network })))
            }
            _ => {
                Err(SqlError::invalid(stored.name.clone(), "the catalog holds another statement than CREATE"))
            }
        }
    }
}

/// Removes the journals of queries that a crash kept from being created or dropped as a whole.
fn remove_orphans(shared: &Shared, catalog: &Catalog) {
    let temporary = shared.temporary_dir();
    if shared.env.disk.exists(&temporary)
        && let Err(error) = shared.env.disk.remove_dir_all(&temporary)
    {
        tracing::warn!(dir = %temporary.display(), %error, "left temporary checkpoints");
    }
    let known: BTreeSet<String> = catalog.objects().map(|object| object.id().to_string()).collect();
    let (disk, dir) = (shared.env.disk.as_ref(), shared.dir().join("queries"));
    for entry in disk.read_dir(&dir).unwrap_or_default() {
        if !known.contains(&entry.name)
            && let Err(error) = disk.remove_dir_all(&dir.join(&entry.name))
        {
            tracing::warn!(dir = %dir.join(&entry.name).display(), %error, "left an orphaned journal");
        }
    }
}

//! `CREATE` and `DROP`: everything is checked and prepared, then the catalog changes, then the query runs.

use std::sync::Arc;

use env::write_atomically;

use crate::answer::Answer;
use crate::embed::{FILE_BYTES_MAX, Network};
use crate::error::SqlError;
use crate::models::contest::{Contest, Rules};
use crate::models::reference::{At, Reference};
use crate::models::shape::{Shape, WEIGHT};
use crate::models::{Entry, Registry, Version};
use crate::query::journal::Snapshot;
use crate::query::journal::{Frame, Journal, Progress, Recovered, Start};
use crate::session::catalog::{
    Catalog, ContestDef, ModelDef, ModelSettings, NetworkDef, Object, QueryDef, Table,
};
use crate::session::fit::stored_columns;
use crate::session::sinks::check_streamable;
use crate::session::start::{Definition, End, Planned};
use crate::session::{Inner, lock};
use crate::sql::options::ModelOptions;
use crate::sql::sink_options::{SinkKind, SinkOptions};
use crate::sql::statement::{CreateContest, Drop, IfExists};
use crate::sql::{CreateModel, CreateNetwork, CreateTable};
use crate::status::Offsets;

/// Names are as long as leaves room for a suffix in a topic's name.
const NAME_BYTES_MAX: usize = 128;

/// What a `CREATE` finds under its name.
pub(super) enum Place {
    Free,
    /// It gives way to the new one.
    Taken(Object),
    /// It stays.
    Kept(Answer),
}

pub(super) fn place(
    catalog: &Catalog,
    name: &str,
    if_exists: IfExists,
    what: &'static str,
) -> Result<Place, SqlError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(allowed) {
        let reason = format!("is not a name: up to {NAME_BYTES_MAX} letters, digits, '_', '-' and '.'");
        return Err(SqlError::invalid(format!("'{name}'"), reason));
    }
    let Some(object) = catalog.get(name) else { return Ok(Place::Free) };
    match if_exists {
        IfExists::Refuse => Err(SqlError::Exists { what: object.what(), name: object.name().to_owned() }),
        IfExists::Leave => {
            Ok(Place::Kept(Answer::message(format!("{} {name} exists already", object.what()))))
        }
        IfExists::Replace if object.what() != what => {
            Err(SqlError::Exists { what: object.what(), name: object.name().to_owned() })
        }
        IfExists::Replace => Ok(Place::Taken(object.clone())),
    }
}

/// # Errors
/// If it is not a name, or not free.
pub(super) fn free_name(catalog: &Catalog, name: &str) -> Result<(), SqlError> {
    place(catalog, name, IfExists::Refuse, "model").map(drop)
}

pub(super) fn refuse_used(catalog: &Catalog, object: &Object) -> Result<(), SqlError> {
    let users = catalog.users(object);
    if users.is_empty() {
        return Ok(());
    }
    Err(SqlError::InUse { name: object.name().to_owned(), users: users.join(", ") })
}

impl Inner {
    pub(super) async fn create_table(
        &self,
        mut create: CreateTable,
        sql: String,
    ) -> Result<Answer, SqlError> {
        let catalog = self.catalog();
        let replaced = match place(&catalog, &create.name, create.if_exists, "table")? {
            Place::Free => None,
            Place::Kept(answer) => return Ok(answer),
            Place::Taken(object) => Some(object),
        };
        if let Some(object) = &replaced {
            refuse_used(&catalog, object)?;
        }
        let (mut options, sink) = SinkOptions::of(&mut create)?;
        self.shared.settle(&mut options);
        let id = catalog.next_id;
        if create.query.is_none() {
            let columns = options.columns(&create)?;
            self.shared.prepare(&options)?;
            let table = Table { name: create.name, id, sql, options, sink, columns, query: None };
            let message = format!("streaming table {} reads {}", table.name, table.options.describe());
            self.change(replaced.as_ref(), Object::Table(Arc::new(table))).await?;
            return Ok(Answer::message(message));
        }
        let name = create.name;
        let Some(select) = create.query else { unreachable!("asked for above") };
        let query = Some(QueryDef::over(select, &catalog)?);
        let table = Table { name, id, sql, options, sink, columns: Vec::new(), query };
        self.fill_table(table, replaced.as_ref()).await
    }

    /// Starts the query that fills a table, and takes the table into the catalog.
    pub(super) async fn fill_table(
        &self,
        mut table: Table,
        replaced: Option<&Object>,
    ) -> Result<Answer, SqlError> {
        let Some(query) = &table.query else { unreachable!("only tables with a query are filled") };
        query.sources.iter().chain(&query.tables).try_for_each(|table| check_streamable(table))?;
        let end = End::Table(&table.options, &table.sink);
        let Table { name, id, sql, .. } = &table;
        let home = table.sink.checkpoint.as_ref();
        let known = home.map(|home| self.found(home)).transpose()?.flatten();
        let id = known.as_ref().map_or(*id, |(_, known)| known.progress.query);
        let definition = Definition { name, id, sql, reads: query.reads_of(), home, end };
        let planned = self.shared.plan(definition, query, &self.catalog().networks()).await?;
        check_models(&self.shared.registry, &planned)?;
        let columns = stored_columns(&planned.compiled);
        self.shared.source_topics(query.reads_of())?;
        // Files that are there already are the query's own, if it goes on.
        if known.is_none() || table.sink.kind == SinkKind::Kafka {
            self.shared.prepare_sink(&table.options, &table.sink, &columns).await?;
        }
        let (journal, recovered) = match known {
            Some(known) => self.shared.move_in(definition, known)?,
            None => self.begin(definition, &[]).await?,
        };
        let running = self.shared.assemble(definition, planned, journal, recovered, None)?;
        let (name, from) = (&table.name, query.source_names());
        let message = match table.sink.view {
            true => format!("materialized view {name} follows {from}"),
            false => {
                format!("streaming table {name} writes {} from {from}", table.sink.named(&table.options))
            }
        };
        table.columns = columns;
        self.change(replaced, Object::Table(Arc::new(table))).await?;
        self.run(running);
        Ok(Answer::message(message))
    }

    pub(super) async fn create_model(&self, create: CreateModel, sql: String) -> Result<Answer, SqlError> {
        let catalog = self.catalog();
        let replaced = match place(&catalog, &create.name, create.if_exists, "model")? {
            Place::Free => None,
            Place::Kept(answer) => return Ok(answer),
            Place::Taken(Object::Model(model)) => Some(Object::Model(model)),
            Place::Taken(object) => {
                return Err(SqlError::Exists { what: "network", name: object.name().to_owned() });
            }
        };
        let position = create.options.position;
        let given = ModelOptions::from(&create.options)?;
        let syntax = |error: ml::OptionError| SqlError::Syntax { position, reason: error.to_string() };
        let label = ml::registry::label_of(&given.algorithm).map_err(syntax)?;
        let query = QueryDef::over(create.query, &catalog)?;
        query.sources.iter().chain(&query.tables).try_for_each(|table| check_streamable(table))?;
        let mut model = ModelDef {
            name: create.name,
            id: catalog.next_id,
            sql,
            algorithm: given.algorithm,
            options: given.rest,
            shape: Shape::default(),
            settings: ModelSettings::default(),
            trigger: given.trigger,
            query,
        };
        let definition = Definition::of_model(&model);
        let planned = self.shared.plan(definition, &model.query, &catalog.networks()).await?;
        check_models(&self.shared.registry, &planned)?;
        let shape = Shape::of(&planned.compiled.output, label, given.label.as_deref(), given.beside)?;
        let empty = ml::create(&model.algorithm, &model.options, shape.schema()).map_err(syntax)?;
        if shape.beside.weight.is_some() && !empty.takes_weights() {
            let reason =
                format!("{} learns a batch at a time, in which all rows count the same", model.algorithm);
            return Err(SqlError::invalid(WEIGHT, reason));
        }
        model.shape = shape.answering(empty.prediction_type());
        self.shared.source_topics(model.query.reads_of())?;
        let same_shape = |entry: &Arc<Entry>| entry.shape.asked_like(&model.shape);
        let old = self.shared.registry.get(&model.name).filter(|_| replaced.is_some());
        if let Some(replaced) = replaced.as_ref().filter(|_| !old.as_ref().is_some_and(same_shape)) {
            // Who asks the old one would not know what to make of the new one's answers.
            refuse_used(&catalog, replaced)?;
        }
        if replaced.is_some() {
            // The old learner stops before its history is handed on.
            self.stop(&model.name).await;
        }
        let history = old.filter(same_shape).map(|entry| entry.to_keep()).unwrap_or_default();
        let definition = Definition::of_model(&model);
        let (journal, recovered) = self.begin(definition, &history).await?;
        let message = format!("model {} learns from {}", model.name, model.query.source_names());
        let entry = self.shared.registry.replace(&model, history);
        let running = self.shared.assemble(definition, planned, journal, recovered, Some(entry))?;
        self.change(replaced.as_ref(), Object::Model(Arc::new(model))).await?;
        self.run(running);
        Ok(Answer::message(message))
    }

    pub(super) async fn create_contest(
        &self,
        create: CreateContest,
        sql: String,
    ) -> Result<Answer, SqlError> {
        let catalog = self.catalog();
        let replaced = match place(&catalog, &create.name, create.if_exists, "model")? {
            Place::Free => None,
            Place::Kept(answer) => return Ok(answer),
            Place::Taken(object @ Object::Contest(_)) => Some(object),
            Place::Taken(object) => {
                return Err(SqlError::Exists { what: object.what(), name: object.name().to_owned() });
            }
        };
        let entry = |name: &String| match catalog.get(name) {
            Some(Object::Model(_)) | None => self.shared.registry.known(name),
            Some(_) => Err(SqlError::invalid(format!("model {name}"), "does not learn")),
        };
        let members: Vec<Arc<Entry>> = create.members.iter().map(entry).collect::<Result<_, _>>()?;
        let first = members.first().ok_or_else(|| SqlError::invalid("the contest", "has no models"))?;
        if let Some(other) = members.iter().find(|member| !member.shape.asked_like(&first.shape)) {
            let reason = format!("takes other features than {}, or answers in another type", first.name);
            return Err(SqlError::invalid(format!("model {}", other.name), reason));
        }
        let rules = Rules::from(&create.options)?.of(first.shape.task)?;
        let names = members.iter().map(|member| member.name.clone()).collect();
        let ledger = self.shared.ledger(catalog.next_id);
        let contest = Arc::new(Contest::new(create.name, names, rules, ledger));
        let message =
            format!("model {} answers with the best of {}", contest.name, contest.members.join(", "));
        let object = ContestDef { id: catalog.next_id, sql, contest: Arc::clone(&contest) };
        self.change(replaced.as_ref(), Object::Contest(Arc::new(object))).await?;
        self.shared.registry.add_contest(contest);
        Ok(Answer::message(message))
    }

    pub(super) async fn create_network(
        &self,
        create: CreateNetwork,
        sql: String,
    ) -> Result<Answer, SqlError> {
        let catalog = self.catalog();
        let replaced = match place(&catalog, &create.name, create.if_exists, "model")? {
            Place::Free => None,
            Place::Kept(answer) => return Ok(answer),
            Place::Taken(object) => Some(object),
        };
        if let Some(object) = &replaced {
            refuse_used(&catalog, object)?;
        }
        let (id, name) = (catalog.next_id, create.name);
        let disk = self.shared.env.disk.as_ref();
        let attempt = || format!("read {}", create.file);
        let given = std::path::Path::new(&create.file);
        let length = disk.len(given).map_err(|error| SqlError::failed(attempt(), error))?;
        if length > FILE_BYTES_MAX {
            let reason = format!("{length} bytes are more than the {FILE_BYTES_MAX} that are taken");
            return Err(SqlError::invalid(create.file, reason));
        }
        let bytes = disk.read(given).map_err(|error| SqlError::failed(attempt(), error))?;
        let network = Network::load(&name, bytes.clone())
            .map_err(|error| SqlError::invalid(create.file.clone(), crate::error::chain(&error)))?;
        let file = self.shared.network_file(id);
        let write = || {
            disk.create_dir_all(file.parent().unwrap_or(&file))?;
            write_atomically(disk, &file, &bytes)
        };
        write().map_err(|error| SqlError::failed("keep the network", error))?;
        let message = format!("function {network:?}");
        let network = NetworkDef { name, id, sql, network: Arc::new(network) };
        self.change(replaced.as_ref(), Object::Network(Arc::new(network))).await?;
        Ok(Answer::message(message))
    }

    pub(super) async fn drop_object(&self, drop: Drop, what: &'static str) -> Result<Answer, SqlError> {
        let catalog = self.catalog();
        let Some(object) = catalog.get(&drop.name).filter(|object| object.what() == what) else {
            if drop.if_exists {
                return Ok(Answer::message(format!("there is no {what} {}", drop.name)));
            }
            let names = catalog.objects().filter(|object| object.what() == what);
            let known = names.map(|object| object.name().to_owned()).collect();
            let known = crate::session::catalog::known_names(known);
            return Err(SqlError::Unknown { what, name: drop.name, known });
        };
        refuse_used(&catalog, object)?;
        let mut changed = Catalog::clone(&catalog);
        changed.remove(object.name());
        self.stop(object.name()).await;
        self.save(changed)?;
        self.forget(object);
        match object {
            Object::Model(_) => self.shared.registry.remove(object.name()),
            Object::Contest(_) => self.shared.registry.remove_contest(object.name()),
            _ => {}
        }
        if let Object::Table(table) = object {
            self.shared.remove_files(table);
        }
        let stays = match object {
            Object::Table(table) if table.sink.kind != SinkKind::Kafka || table.sink.view => "",
            Object::Flow(_) => "",
            _ => "; its topic stays",
        };
        Ok(Answer::message(format!("{what} {} is dropped{stays}", object.name())))
    }

    /// A new query's journal, with the versions its model begins with.
    pub(super) async fn begin(
        &self,
        definition: Definition<'_>,
        history: &[Arc<Version>],
    ) -> Result<(Journal, Recovered), SqlError> {
        let attempt = || format!("begin query {}", definition.name);
        let producer_id =
            self.shared.topics.next_producer_id().map_err(|error| SqlError::failed(attempt(), error))?;
        let mut offsets = Offsets::new();
        for source in self.shared.sources(definition)? {
            offsets.extend(source.start().await.map_err(|error| SqlError::failed(attempt(), error))?);
        }
        let log = definition.home.map(|_| self.shared.log_id()).transpose()?;
        let start = Start { query: definition.id, producer_id, offsets: offsets.clone(), log: log.clone() };
        let mut frames = vec![Frame::Start(start)];
        frames.extend(history.iter().map(|v| Frame::Version(v.record.clone(), v.snapshot.clone())));
        let place = self.shared.home(definition)?.join("journal");
        let journal = Journal::create(place, &frames).map_err(|error| SqlError::failed(attempt(), error))?;
        let standing = Snapshot { offsets, ..Snapshot::default() };
        let progress = Progress { query: definition.id, producer_id, log, standing };
        Ok((journal, Recovered { progress, ..Recovered::default() }))
    }

    /// Puts the object into the catalog, durably, in the place of `replaced`.
    pub(super) async fn change(&self, replaced: Option<&Object>, object: Object) -> Result<(), SqlError> {
        if let Some(replaced) = replaced {
            self.stop(replaced.name()).await;
        }
        let mut changed = Catalog::clone(&self.catalog());
        changed.insert(object);
        self.save(changed)?;
        if let Some(replaced) = replaced {
            self.forget(replaced);
        }
        Ok(())
    }

    pub(super) fn save(&self, catalog: Catalog) -> Result<(), SqlError> {
        catalog
            .save(self.shared.env.disk.as_ref(), &self.shared.dir())
            .map_err(|error| SqlError::failed("write the catalog", error))?;
        *lock(&self.catalog) = Arc::new(catalog);
        self.shared.changed.send_modify(|changes| *changes += 1);
        Ok(())
    }

    /// Removes the files of what is not in the catalog any more. What stays is removed at the next start.
    fn forget(&self, object: &Object) {
        lock(&self.shared.memory).remove(&object.id());
        if let Object::Table(table) = object
            && table.sink.view
            && table.sink.kind == SinkKind::Kafka
            && table.options.outside().is_none()
            && let Err(error) = self.shared.topics.delete(&table.options.topic)
        {
            tracing::warn!(view = table.name, %error, "left the topic of a view that was dropped");
        }
        let disk = self.shared.env.disk.as_ref();
        let removed = match object {
            Object::Network(network) => disk.remove_file(&self.shared.network_file(network.id)),
            Object::Contest(contest) => contest.contest.forget(),
            other if other.query().is_some() => disk.remove_dir_all(&self.shared.query_dir(other.id())),
            _ => Ok(()),
        };
        if let Err(error) = removed {
            tracing::warn!(name = object.name(), %error, "left files of what was dropped");
        }
    }
}

/// The models that a new query asks must be there, and so must the versions that it names.
pub(super) fn check_models(registry: &Registry, planned: &Planned) -> Result<(), SqlError> {
    planned.compiled.models.iter().try_for_each(|model| {
        let reference = Reference::parse(model)?;
        let entry = registry.known(&reference.model)?;
        match reference.at {
            At::Version(_) | At::Time(_) if entry.pin(reference.at).is_none() => {
                Err(SqlError::invalid(format!("'{model}'"), entry.no_such_version()))
            }
            _ => Ok(()),
        }
    })
}

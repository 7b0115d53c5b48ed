//! From a definition to a query that can run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use env::Env;
use ml::Model;
use topics::{CreateError, Topic};

use crate::embed::Network;
use crate::error::SqlError;
use crate::models::contest::Ledger;
use crate::models::reference::{At, Reference};
use crate::models::{Entry, Pin, Pins};
use crate::operator::aggregate::OutputMode;
use crate::plan::compile::{Compiled, Input, compile};
use crate::plan::pipeline;
use crate::plan::resolve::Known;
use crate::query::driver::{Effect, Query};
use crate::query::feed::Feed;
use crate::query::journal::{Intent, Journal, Recovered, Start};
use crate::query::lookup::Lookup;
use crate::query::progress::{Identity, Progress};
use crate::query::trigger::Trigger;
use crate::session::Shared;
use crate::session::catalog::{FlowDef, ModelDef, QueryDef, Table};
use crate::session::fit::{check_names, check_table, stored_columns};
use crate::sink::aligned::AlignedSink;
use crate::sink::dead_letter::{DeadLetterSink, SUFFIX, topic_of};
use crate::source::files::FileSource;
use crate::source::kafka::KafkaSource;
use crate::source::rate::RateSource;
use crate::source::shape::Shape;
use crate::source::socket::SocketSource;
use crate::source::topic::TopicSource;
use crate::source::{Limits, Source};
use crate::sql::options::TableOptions;
use crate::sql::options::source::SourceOptions;
use crate::sql::secrets;
use crate::sql::sink_options::SinkOptions;
use crate::sql::types::UTC;
use crate::status::QueryKind;
use crate::storage::{Checkpoint, Place};

/// Sources by the numbers of their tables.
type Opened = BTreeMap<u64, Arc<dyn Source>>;

/// A query and what it stands on.
#[derive(Clone, Copy)]
pub(crate) struct Definition<'a> {
    pub(crate) name: &'a str,
    pub(crate) id: u64,
    pub(crate) sql: &'a str,
    pub(crate) reads: Reads<'a>,
    /// Where it remembers, if not among the server's own files.
    pub(crate) home: Option<&'a Checkpoint>,
    pub(crate) end: End<'a>,
}

/// What a query reads.
#[derive(Clone, Copy)]
pub(crate) struct Reads<'a> {
    /// As streams, each once, in the order in which it names them.
    pub(crate) sources: &'a [Arc<Table>],
    /// As they are.
    pub(crate) tables: &'a [Arc<Table>],
}

/// Where its rows go.
#[derive(Clone, Copy)]
pub(crate) enum End<'a> {
    Table(&'a TableOptions, &'a SinkOptions),
    Flow(&'a FlowDef),
    Model(&'a ModelDef),
}

/// A query whose plan is made.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) compiled: Compiled,
}

impl<'a> Definition<'a> {
    pub(crate) fn of_model(model: &'a ModelDef) -> Self {
        Definition {
            name: &model.name,
            id: model.id,
            sql: &model.sql,
            reads: model.query.reads_of(),
            home: None,
            end: End::Model(model),
        }
    }

    pub(crate) fn of_flow(flow: &'a FlowDef) -> Self {
        let FlowDef { name, id, sql, query, .. } = flow;
        Definition { name, id: *id, sql, reads: query.reads_of(), home: None, end: End::Flow(flow) }
    }

    fn output_mode(&self) -> Option<OutputMode> {
        match self.end {
            End::Table(options, _) => options.output_mode,
            End::Flow(_) => None,
            // A row is a lesson once, when it is complete.
            End::Model(_) => Some(OutputMode::Append),
        }
    }

    fn trigger(&self) -> Trigger {
        match self.end {
            End::Table(_, sink) => sink.trigger,
            End::Model(model) => model.trigger,
            End::Flow(_) => Trigger::default(),
        }
    }

    /// Whether a batch writes the whole result.
    fn replaces(&self) -> bool {
        matches!(self.end, End::Table(TableOptions { output_mode: Some(OutputMode::Complete), .. }, _))
    }

    pub(crate) fn identity(&self) -> Identity {
        let (kind, sink) = match self.end {
            End::Table(options, _) => (QueryKind::Sink, Some(options.log())),
            End::Flow(flow) => (QueryKind::Sink, Some(flow.target.options.log())),
            End::Model(_) => (QueryKind::Learn, None),
        };
        Identity { name: self.name.to_owned(), id: self.id, sql: secrets::shown(self.sql), kind, sink }
    }
}

impl Shared {
    pub(crate) fn dir(&self) -> PathBuf {
        self.config.data_dir.join("engine")
    }

    /// Where a query keeps its journal.
    pub(crate) fn query_dir(&self, id: u64) -> PathBuf {
        self.dir().join("queries").join(id.to_string())
    }

    /// Where the files of tables are that are this program's to keep.
    pub(crate) fn tables_dir(&self) -> PathBuf {
        let directory = self.dir().join("tables");
        std::path::absolute(&directory).unwrap_or(directory)
    }

    pub(crate) fn network_file(&self, id: u64) -> PathBuf {
        self.dir().join("networks").join(format!("{id}.onnx"))
    }

    /// Where a contest notes who is champion.
    pub(crate) fn ledger(&self, id: u64) -> Ledger {
        let path = self.dir().join("contests").join(format!("{id}.json"));
        Ledger { disk: Arc::clone(&self.env.disk), path }
    }

    /// What a streaming query reads from.
    fn source(&self, table: &Table, list: Place) -> Result<Arc<dyn Source>, SqlError> {
        self.open_source(table, table.options.source.clone(), Some(list))
    }

    /// What is read once from beginning to end: nobody remembers where it was, so nothing can be lost.
    pub(crate) fn source_once(&self, table: &Table) -> Result<Arc<dyn Source>, SqlError> {
        let mut options = table.options.source.clone();
        if let SourceOptions::Kafka(kafka) = &mut options {
            kafka.fail_on_data_loss = false;
        }
        self.open_source(table, options, None)
    }

    fn open_source(
        &self,
        table: &Table,
        options: SourceOptions,
        list: Option<Place>,
    ) -> Result<Arc<dyn Source>, SqlError> {
        let Env { clock, .. } = &self.env;
        let failed = |error| SqlError::failed(format!("read {}", table.name), error);
        Ok(match options {
            SourceOptions::Kafka(kafka) if kafka.outside.is_some() => {
                Arc::new(KafkaSource::new(*kafka, clock))
            }
            SourceOptions::Kafka(kafka) => Arc::new(TopicSource::new(&self.topics, *kafka, clock)),
            SourceOptions::Files(files) => {
                let store = self.store_at(&files.path, &files.storage)?;
                Arc::new(FileSource::new(files, store, clock, list).map_err(failed)?)
            }
            SourceOptions::Rate(rate) => Arc::new(RateSource::new(rate, clock)),
            SourceOptions::Socket(socket) => Arc::new(SocketSource::new(&socket, clock)),
            SourceOptions::Nothing => {
                return Err(SqlError::invalid(table.name.clone(), "keeps no rows to read"));
            }
        })
    }

    /// Makes the topics of this program's own log that a table reads and nobody has made yet.
    pub(crate) fn prepare(&self, options: &TableOptions) -> Result<(), SqlError> {
        let SourceOptions::Kafka(kafka) = &options.source else { return Ok(()) };
        if kafka.outside.is_some() {
            return Ok(());
        }
        kafka.topics.names().into_iter().try_for_each(|name| self.topic(name, options.partitions).map(drop))
    }

    /// What a query reads, in the order of its tables.
    pub(crate) fn sources(&self, definition: Definition<'_>) -> Result<Vec<Arc<dyn Source>>, SqlError> {
        let mut opened = Opened::new();
        let sources = definition.reads.sources.iter();
        sources.map(|table| self.source_in(&mut opened, table, definition)).collect()
    }

    /// One source for a table that is named twice: a table over files has one list of them.
    fn source_in(
        &self,
        opened: &mut Opened,
        table: &Table,
        definition: Definition<'_>,
    ) -> Result<Arc<dyn Source>, SqlError> {
        if let Some(source) = opened.get(&table.id) {
            return Ok(Arc::clone(source));
        }
        // Elsewhere, another catalog may have the table under another number.
        let number = definition.home.map_or(table.id, |_| opened.len() as u64);
        let list = self.home(definition)?.join(&format!("files-{number}"));
        let source = self.source(table, list)?;
        opened.insert(table.id, Arc::clone(&source));
        Ok(source)
    }

    /// As much as can be opened of what a query would read that does not run.
    pub(crate) fn sources_once(&self, reads: Reads<'_>) -> Vec<Arc<dyn Source>> {
        reads.sources.iter().filter_map(|table| self.source_once(table).ok()).collect()
    }

    /// The topic, made if there is none.
    pub(crate) fn topic(&self, name: &str, partitions: Option<u32>) -> Result<Topic, SqlError> {
        if let Some(topic) = self.topics.topic(name) {
            return Ok(topic);
        }
        let partitions = partitions.unwrap_or(self.topics.config().default_partitions);
        match self.topics.create(name, partitions, BTreeMap::new()) {
            Err(CreateError::Exists { .. }) => self.topics.topic(name).ok_or(SqlError::Closed),
            other => other.map_err(|error| SqlError::failed(format!("create topic {name}"), error)),
        }
    }

    /// Plans the query and checks that its end fits.
    pub(crate) async fn plan(
        &self,
        definition: Definition<'_>,
        query: &QueryDef,
        networks: &[Arc<Network>],
    ) -> Result<Planned, SqlError> {
        let known = Known { networks, models: &self.registry, zone: UTC };
        let config = self.pipeline_config(definition.id, definition.output_mode());
        let compiled = compile(query, known, &config).await?;
        self.checked(definition, compiled)
    }

    /// Checks that the query's end fits.
    pub(crate) fn checked(
        &self,
        definition: Definition<'_>,
        compiled: Compiled,
    ) -> Result<Planned, SqlError> {
        match definition.end {
            End::Table(options, sink) => check_table(options, sink, definition.reads, &compiled)?,
            End::Flow(flow) => drop(flow.alignment(&compiled)?),
            End::Model(_) => check_names(&compiled)?,
        }
        Ok(Planned { compiled })
    }

    pub(crate) fn pipeline_config(&self, query: u64, output: Option<OutputMode>) -> pipeline::Config {
        let state_bytes_max = self.config.state_bytes_max;
        pipeline::Config { query: query.to_string(), output, state_bytes_max }
    }

    /// The topics that a query reads, made if there are none.
    pub(crate) fn source_topics(&self, reads: Reads<'_>) -> Result<(), SqlError> {
        let mut tables = reads.sources.iter().chain(reads.tables);
        tables.try_for_each(|table| self.prepare(&table.options))
    }

    /// Puts a query together where its journal says it stands.
    pub(crate) fn assemble(
        &self,
        definition: Definition<'_>,
        planned: Planned,
        journal: Journal,
        recovered: Recovered,
        entry: Option<Arc<Entry>>,
    ) -> Result<Query, SqlError> {
        let Planned { mut compiled } = planned;
        compiled
            .pipeline
            .restore(recovered.state.as_ref(), &recovered.changes)
            .map_err(|error| SqlError::failed("restore the state", error))?;
        let Recovered {
            progress: crate::query::journal::Progress { producer_id, query, log, standing },
            undone,
            ..
        } = recovered;
        let identity = definition.identity();
        let clock = Arc::clone(&self.env.clock);
        let sources = self.sources(definition)?;
        let progress = Arc::new(Progress::new(identity, sources.clone(), clock, standing.clone()));
        let lookups = self.lookups(definition, &compiled, &sources)?;
        let late = match definition.end {
            End::Table(options, _) => self.late_topic(definition, options, producer_id)?,
            End::Flow(_) | End::Model(_) => None,
        };
        let letters = topic_of(definition.name);
        let letters = (letters.as_str(), SUFFIX.trim_start_matches('.'));
        let letters = self.side_topic(definition, self.kafka().as_ref(), letters, producer_id)?;
        Ok(Query {
            undone: undone.map(|intent| self.pin_again(intent)).transpose()?,
            ended: None,
            held: self.hold(&compiled)?,
            effect: self.effect(definition, producer_id, entry, &compiled)?,
            trigger: definition.trigger(),
            replaces: definition.replaces(),
            feeds: self.feeds(definition, &compiled, sources),
            lookups,
            dead_letters: DeadLetterSink::new(definition.name, letters, &self.env.clock),
            late,
            plan: compiled,
            registry: Arc::clone(&self.registry),
            journal,
            start: Start { query, producer_id, offsets: BTreeMap::new(), log },
            standing,
            journal_bytes_max: self.config.journal_bytes_max,
            env: self.env.clone(),
            progress,
            changed: self.changed.clone(),
        })
    }

    fn feeds(
        &self,
        definition: Definition<'_>,
        compiled: &Compiled,
        sources: Vec<Arc<dyn Source>>,
    ) -> Vec<Feed> {
        let feed = |((table, input), source): ((&Arc<Table>, &Input), Arc<dyn Source>)| {
            let rows = match &table.options.source {
                SourceOptions::Kafka(kafka) => kafka.rows_max,
                _ => None,
            };
            let rows = rows.unwrap_or(self.config.batch_rows_max as u64).max(1);
            Feed {
                table: table.name.clone(),
                source,
                shape: Shape::new(Arc::clone(&input.schema)),
                limits: Limits { rows, bytes: self.config.batch_bytes_max, until: None },
                watermark: input.watermark,
            }
        };
        definition.reads.sources.iter().zip(&compiled.inputs).zip(sources).map(feed).collect()
    }

    fn lookups(
        &self,
        definition: Definition<'_>,
        compiled: &Compiled,
        sources: &[Arc<dyn Source>],
    ) -> Result<Vec<Lookup>, SqlError> {
        let Reads { sources: streams, tables } = definition.reads;
        let streams = streams.iter().map(|table| table.id).zip(sources.iter().cloned());
        let mut opened: Opened = streams.collect();
        let lookup = |(table, schema): (&Arc<Table>, &SchemaRef)| {
            let source = self.source_in(&mut opened, table, definition)?;
            Ok(Lookup::new(source, Shape::new(Arc::clone(schema)), self.config.state_bytes_max))
        };
        tables.iter().zip(&compiled.tables).map(lookup).collect()
    }

    fn effect(
        &self,
        definition: Definition<'_>,
        producer_id: i64,
        entry: Option<Arc<Entry>>,
        compiled: &Compiled,
    ) -> Result<Effect, SqlError> {
        match (definition.end, entry) {
            (End::Model(definition), Some(entry)) => {
                let model = match entry.learns_on() {
                    Some(version) => Model::clone(version.model()),
                    None => empty(definition)?,
                };
                Ok(Effect::Learn { entry, model: Box::new(model) })
            }
            (End::Table(options, sink), _) => {
                let columns = stored_columns(compiled);
                Ok(Effect::Write { sink: self.sink(definition, (options, sink), columns, producer_id)? })
            }
            (End::Flow(flow), _) => {
                let sink = self.topic_sink(definition, &flow.target.options, None, producer_id)?;
                let sink = AlignedSink::new(flow.alignment(compiled)?, sink);
                Ok(Effect::Write { sink: Box::new(sink) })
            }
            (End::Model(_), None) => unreachable!("a model's query is assembled with its entry"),
        }
    }

    /// Holds the versions that the query names, as long as it runs.
    fn hold(&self, compiled: &Compiled) -> Result<Vec<Pin>, SqlError> {
        let mut held = Vec::new();
        for model in &compiled.models {
            let reference = Reference::parse(model)?;
            if let At::Version(version) = reference.at {
                let entry = self.registry.known(&reference.model)?;
                let gone = || SqlError::invalid(format!("'{model}'"), entry.no_such_version());
                held.push(entry.pin(At::Version(version)).ok_or_else(gone)?);
            }
        }
        Ok(held)
    }

    /// Holds the versions that the unfinished batch had pinned.
    fn pin_again(&self, intent: Intent) -> Result<(Intent, Pins), SqlError> {
        let mut held = Pins::new();
        for (model, version) in &intent.pins {
            let Some(version) = version else { continue };
            let asked = Reference::parse(model)?.model;
            let entry = self.registry.get(intent.champions.get(model).unwrap_or(&asked));
            let gone = || crate::error::QueryError::NoVersion { model: model.clone(), version: *version };
            let pin = entry.and_then(|entry| entry.pin(At::Version(*version)));
            let pin = pin.ok_or_else(|| SqlError::failed("repeat the unfinished batch", gone()))?;
            held.insert(model.clone(), pin);
        }
        Ok((intent, held))
    }
}

/// A model that knows nothing yet.
pub(crate) fn empty(model: &ModelDef) -> Result<Model, SqlError> {
    ml::create(&model.algorithm, &model.options(), model.shape.schema())
        .map_err(|error| SqlError::invalid(format!("model {}", model.name), error.to_string()))
}

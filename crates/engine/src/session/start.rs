//! From a definition to a query that can run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, SchemaRef};
use env::Env;
use ml::Model;
use topics::{CreateError, Topic};

use crate::embed::Network;
use crate::error::SqlError;
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
use crate::sink::aligned::AlignedSink;
use crate::sink::columns::{self, TopicBy};
use crate::sink::dead_letter::DeadLetterSink;
use crate::sink::kafka::KafkaSink;
use crate::sink::topic::TopicSink;
use crate::source::files::FileSource;
use crate::source::rate::RateSource;
use crate::source::shape::Shape;
use crate::source::socket::SocketSource;
use crate::source::topic::TopicSource;
use crate::source::{Limits, Source};
use crate::sql::options::TableOptions;
use crate::sql::options::source::SourceOptions;
use crate::sql::sink_options::{SinkKind, SinkOptions};
use crate::status::QueryKind;

/// Sources by the numbers of their tables.
type Opened = BTreeMap<u64, Arc<dyn Source>>;

/// A query and what it stands on.
#[derive(Clone, Copy)]
pub(crate) struct Definition<'a> {
    pub(crate) name: &'a str,
    pub(crate) id: u64,
    pub(crate) sql: &'a str,
    pub(crate) query: &'a QueryDef,
    pub(crate) end: End<'a>,
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
            query: &model.query,
            end: End::Model(model),
        }
    }

    pub(crate) fn of_flow(flow: &'a FlowDef) -> Self {
        let FlowDef { name, id, sql, query, .. } = flow;
        Definition { name, id: *id, sql, query, end: End::Flow(flow) }
    }

    fn trigger(&self) -> Trigger {
        match self.end {
            End::Table(_, sink) => sink.trigger,
            End::Flow(_) | End::Model(_) => Trigger::default(),
        }
    }

    /// Whether a batch writes the whole result.
    fn replaces(&self) -> bool {
        matches!(self.end, End::Table(TableOptions { output_mode: Some(OutputMode::Complete), .. }, _))
    }

    pub(crate) fn identity(&self) -> Identity {
        let (kind, sink) = match self.end {
            End::Table(options, _) => (QueryKind::Sink, Some(options.topic.clone())),
            End::Flow(flow) => (QueryKind::Sink, Some(flow.target.options.topic.clone())),
            End::Model(_) => (QueryKind::Learn, None),
        };
        Identity { name: self.name.to_owned(), id: self.id, sql: self.sql.to_owned(), kind, sink }
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

    pub(crate) fn network_file(&self, id: u64) -> PathBuf {
        self.dir().join("networks").join(format!("{id}.onnx"))
    }

    /// What a streaming query reads from. `query` is its number.
    pub(crate) fn source(&self, table: &Table, query: u64) -> Result<Arc<dyn Source>, SqlError> {
        let list = self.query_dir(query).join(format!("files-{}", table.id));
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
        list: Option<PathBuf>,
    ) -> Result<Arc<dyn Source>, SqlError> {
        let Env { clock, disk, .. } = &self.env;
        let failed = |error| SqlError::failed(format!("read {}", table.name), error);
        Ok(match options {
            SourceOptions::Kafka(kafka) => Arc::new(TopicSource::new(&self.topics, *kafka, clock)),
            SourceOptions::Files(files) => Arc::new(FileSource::new(files, disk, list).map_err(failed)?),
            SourceOptions::Rate(rate) => Arc::new(RateSource::new(rate, clock)),
            SourceOptions::Socket(socket) => Arc::new(SocketSource::new(&socket, clock)),
            SourceOptions::Nothing => {
                return Err(SqlError::invalid(table.name.clone(), "keeps no rows to read"));
            }
        })
    }

    /// Makes the topics that a table reads and nobody has made yet.
    pub(crate) fn prepare(&self, options: &TableOptions) -> Result<(), SqlError> {
        let SourceOptions::Kafka(kafka) = &options.source else { return Ok(()) };
        kafka.topics.names().into_iter().try_for_each(|name| self.topic(name, options.partitions).map(drop))
    }

    /// What a query reads, in the order of its tables.
    pub(crate) fn sources(&self, definition: Definition<'_>) -> Result<Vec<Arc<dyn Source>>, SqlError> {
        let mut opened = Opened::new();
        let query = definition.query;
        query.sources.iter().map(|table| self.source_in(&mut opened, table, definition.id)).collect()
    }

    /// One source for a table that is named twice: a table over files has one list of them.
    fn source_in(&self, opened: &mut Opened, table: &Table, query: u64) -> Result<Arc<dyn Source>, SqlError> {
        if let Some(source) = opened.get(&table.id) {
            return Ok(Arc::clone(source));
        }
        let source = self.source(table, query)?;
        opened.insert(table.id, Arc::clone(&source));
        Ok(source)
    }

    /// As much as can be opened of what a query would read that does not run.
    pub(crate) fn sources_once(&self, query: &QueryDef) -> Vec<Arc<dyn Source>> {
        query.sources.iter().filter_map(|table| self.source_once(table).ok()).collect()
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
        networks: &[Arc<Network>],
    ) -> Result<Planned, SqlError> {
        let known = Known { networks, models: &self.registry };
        let output = match definition.end {
            End::Table(options, _) => options.output_mode,
            End::Flow(_) | End::Model(_) => None,
        };
        let compiled = compile(definition.query, known, &self.pipeline_config(definition.id, output)).await?;
        match definition.end {
            End::Table(options, sink) => check_table(options, sink, definition.query, &compiled)?,
            End::Flow(flow) => drop(flow.alignment(&compiled)?),
            End::Model(_) if compiled.pipeline.is_stateful() => {
                return Err(SqlError::Unsupported(
                    "teach a model from groups; leave GROUP BY out".to_owned(),
                ));
            }
            End::Model(_) => check_names(&compiled)?,
        }
        Ok(Planned { compiled })
    }

    pub(crate) fn pipeline_config(&self, query: u64, output: Option<OutputMode>) -> pipeline::Config {
        let state_bytes_max = self.config.state_bytes_max;
        pipeline::Config { query: query.to_string(), output, state_bytes_max }
    }

    /// The topics that a query reads, made if there are none.
    pub(crate) fn source_topics(&self, query: &QueryDef) -> Result<(), SqlError> {
        let mut tables = query.sources.iter().chain(&query.tables);
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
            progress: crate::query::journal::Progress { producer_id, query, standing },
            undone,
            ..
        } = recovered;
        let identity = definition.identity();
        let clock = Arc::clone(&self.env.clock);
        let sources = self.sources(definition)?;
        let progress = Arc::new(Progress::new(identity, sources.clone(), clock, standing.clone()));
        let lookups = self.lookups(definition, &compiled, &sources)?;
        let late = match definition.end {
            End::Table(TableOptions { late_topic: Some(topic), .. }, _) => {
                self.topic(topic, None)?;
                Some(TopicSink::new(&self.topics, topic, producer_id))
            }
            _ => None,
        };
        Ok(Query {
            undone: undone.map(|intent| self.pin_again(intent)).transpose()?,
            held: self.hold(&compiled)?,
            effect: self.effect(definition, producer_id, entry, &compiled)?,
            trigger: definition.trigger(),
            replaces: definition.replaces(),
            feeds: self.feeds(definition, &compiled, sources),
            lookups,
            dead_letters: DeadLetterSink::new(&self.topics, definition.name, producer_id, &self.env.clock),
            late,
            plan: compiled,
            registry: Arc::clone(&self.registry),
            journal,
            start: Start { query, producer_id, offsets: BTreeMap::new() },
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
        definition.query.sources.iter().zip(&compiled.inputs).zip(sources).map(feed).collect()
    }

    fn lookups(
        &self,
        definition: Definition<'_>,
        compiled: &Compiled,
        sources: &[Arc<dyn Source>],
    ) -> Result<Vec<Lookup>, SqlError> {
        let query = definition.query;
        let streams = query.sources.iter().map(|table| table.id).zip(sources.iter().cloned());
        let mut opened: Opened = streams.collect();
        let lookup = |(table, schema): (&Arc<Table>, &SchemaRef)| {
            Ok(Lookup {
                source: self.source_in(&mut opened, table, definition.id)?,
                shape: Shape::new(Arc::clone(schema)),
                bytes_max: self.config.state_bytes_max,
                rows: Vec::new(),
            })
        };
        query.tables.iter().zip(&compiled.tables).map(lookup).collect()
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
                Ok(Effect::Write { sink: self.sink(definition, (options, sink), columns, producer_id) })
            }
            (End::Flow(flow), _) => {
                let TableOptions { topic, key, .. } = &flow.target.options;
                let sink = KafkaSink::new(&self.topics, topic, producer_id, key.clone());
                let sink = AlignedSink::new(flow.alignment(compiled)?, Box::new(sink));
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

fn check_table(
    options: &TableOptions,
    sink: &SinkOptions,
    query: &QueryDef,
    compiled: &Compiled,
) -> Result<(), SqlError> {
    let mut tables = query.sources.iter().chain(&query.tables);
    let reads = |table: &Arc<Table>| table.options.source.reads_topic(&options.topic);
    if sink.kind == SinkKind::Kafka && tables.any(reads) {
        return Err(SqlError::invalid("topic", "the query would read what it writes"));
    }
    check_names(compiled)?;
    if let Some(by) = sink.records {
        let columns = stored_columns(compiled);
        if by == TopicBy::Column && !columns::name_topics(&columns) {
            let reason = "is missing, and the query has no column topic; OPTIONS (topic 'events') names one";
            return Err(SqlError::invalid("topic", reason));
        }
        if columns::are_records(&columns) {
            columns::check(&columns)?;
        }
    }
    if let SinkKind::Files(files) = &sink.kind {
        if compiled.pipeline.is_stateful() && options.output_mode != Some(OutputMode::Append) {
            return Err(SqlError::Unsupported(
                "write groups to files in this mode: each batch would add another row of a group; choose \
                 outputMode 'append', or write them to a topic, or to memory with a key"
                    .to_owned(),
            ));
        }
        files.check(&stored_columns(compiled))?;
    }
    let columns = compiled.output.fields();
    let key = match &sink.kind {
        SinkKind::Memory { key } => key,
        _ => &options.key,
    };
    match key {
        Some(key) if !columns.iter().any(|column| column.name() == key) => {
            let names: Vec<String> = columns.iter().map(|column| column.name().clone()).collect();
            Err(SqlError::invalid(
                "key",
                format!("the query has no column {key}; it has {}", names.join(", ")),
            ))
        }
        _ => Ok(()),
    }
}

/// The sink, or the model, tells columns by their names.
pub(super) fn check_names(compiled: &Compiled) -> Result<(), SqlError> {
    let columns = compiled.output.fields();
    for (index, column) in columns.iter().enumerate() {
        if columns.iter().take(index).any(|other| other.name().eq_ignore_ascii_case(column.name())) {
            let reason = "two columns have this name; give one another with AS";
            return Err(SqlError::invalid(column.name(), reason));
        }
    }
    Ok(())
}

/// A model that knows nothing yet.
pub(crate) fn empty(model: &ModelDef) -> Result<Model, SqlError> {
    ml::create(&model.algorithm, &model.options(), model.shape.schema())
        .map_err(|error| SqlError::invalid(format!("model {}", model.name), error.to_string()))
}

/// The columns of a table that a query fills: what its JSON values hold when they are read again.
pub(crate) fn stored_columns(compiled: &Compiled) -> Vec<FieldRef> {
    let fields = compiled.output.fields().iter();
    fields.map(|field| Arc::new(Field::new(field.name(), stored_type(field.data_type()), true))).collect()
}

fn stored_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 | DataType::UInt64 => DataType::Int64,
        DataType::Null => DataType::Utf8,
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            DataType::List(Arc::new(Field::new_list_field(stored_type(item.data_type()), true)))
        }
        DataType::Struct(fields) => {
            let field = |field: &FieldRef| Field::new(field.name(), stored_type(field.data_type()), true);
            DataType::Struct(fields.iter().map(field).collect())
        }
        other => other.clone(),
    }
}

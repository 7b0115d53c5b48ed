//! What has been created: tables, models, networks, each with the statement that made it.
//!
//! On disk it is one JSON file, written anew with every change, atomically: `docs/formats/checkpoint.md`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::datatypes::FieldRef;
use env::{Disk, write_atomically};
use serde::{Deserialize, Serialize};

use crate::embed::Network;
use crate::error::{OpenError, SqlError};
use crate::models::contest::Contest;
use crate::models::shape::Shape;
use crate::query::trigger::Trigger;
use crate::session::databases::{Database, TableNote};
use crate::session::start::Reads;
use crate::sql::Select;
use crate::sql::options::TableOptions;
use crate::sql::sink_options::SinkOptions;
use crate::sql::statement::Columns;
use crate::storage::Checkpoint;

/// The version of a file with databases.
const VERSION: u64 = 3;
/// That of a file without: older programs read it.
const WITHOUT_DATABASES: u64 = 2;

/// A streaming table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) id: u64,
    pub(crate) sql: String,
    pub(crate) options: TableOptions,
    /// Of the query that fills it.
    pub(crate) sink: SinkOptions,
    pub(crate) columns: Vec<FieldRef>,
    /// The query that fills it.
    pub(crate) query: Option<QueryDef>,
}

/// A query over streaming tables.
#[derive(Debug, Clone)]
pub(crate) struct QueryDef {
    pub(crate) select: Select,
    /// The tables that it reads as streams, each once, in the order in which it names them.
    pub(crate) sources: Vec<Arc<Table>>,
    /// Those that it reads as they are.
    pub(crate) tables: Vec<Arc<Table>>,
}

/// A model that learns.
#[derive(Debug, Clone)]
pub(crate) struct ModelDef {
    pub(crate) name: String,
    pub(crate) id: u64,
    pub(crate) sql: String,
    pub(crate) algorithm: String,
    /// As it was created.
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) shape: Shape,
    pub(crate) settings: ModelSettings,
    /// When a batch is learned.
    pub(crate) trigger: Trigger,
    pub(crate) query: QueryDef,
}

/// What `ALTER MODEL` has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ModelSettings {
    /// Options in the place of those it was created with.
    #[serde(default)]
    pub(crate) altered: BTreeMap<String, String>,
    /// The version that answers, if it is not to be the latest.
    #[serde(default)]
    pub(crate) serving: Option<u64>,
}

/// One more query that writes a table.
#[derive(Debug)]
pub(crate) struct FlowDef {
    pub(crate) name: String,
    pub(crate) id: u64,
    pub(crate) sql: String,
    /// The table that it writes.
    pub(crate) target: Arc<Table>,
    /// Which of its columns it fills.
    pub(crate) columns: Columns,
    pub(crate) query: QueryDef,
}

/// A network that is a function.
#[derive(Debug)]
pub(crate) struct NetworkDef {
    pub(crate) name: String,
    pub(crate) id: u64,
    pub(crate) sql: String,
    pub(crate) network: Arc<Network>,
}

/// Models that contend under one name.
#[derive(Debug)]
pub(crate) struct ContestDef {
    pub(crate) id: u64,
    pub(crate) sql: String,
    pub(crate) contest: Arc<Contest>,
}

/// Anything with a name.
#[derive(Debug, Clone)]
pub(crate) enum Object {
    Table(Arc<Table>),
    Model(Arc<ModelDef>),
    Network(Arc<NetworkDef>),
    Contest(Arc<ContestDef>),
    Flow(Arc<FlowDef>),
}

/// All objects by name in lower case. Tables, models and flows share the names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Catalog {
    pub(crate) next_id: u64,
    /// The brokers of the Kafka whose topics are meant where a table names none, if not this program's own.
    pub(crate) kafka: Option<String>,
    objects: BTreeMap<String, Object>,
    /// Those beside `default`, by name in lower case.
    pub(crate) databases: BTreeMap<String, Database>,
    /// What was noted about tables, by their names in lower case.
    pub(crate) notes: BTreeMap<String, TableNote>,
}

/// The file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Stored {
    version: u64,
    pub(crate) next_id: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kafka: Option<String>,
    /// In order of their ids: what stands on another comes after it.
    pub(crate) objects: Vec<StoredObject>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) databases: Vec<Database>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) notes: BTreeMap<String, TableNote>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredObject {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) sql: String,
    /// Of a model that learns; missing in files of version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<StoredModel>,
}

/// What the statement does not say about a model.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct StoredModel {
    pub(crate) shape: Shape,
    #[serde(default)]
    pub(crate) settings: ModelSettings,
}

impl QueryDef {
    /// # Errors
    /// No stream, or one that is not there.
    pub(crate) fn over(select: Select, catalog: &Catalog) -> Result<Self, SqlError> {
        let mut sources: Vec<Arc<Table>> = Vec::new();
        for stream in select.streams() {
            let table = catalog.table(&stream.table)?;
            let same = |known: &Arc<Table>| known.options.log() == table.options.log();
            match sources.iter().find(|known| same(known)) {
                Some(known) if known.id != table.id => {
                    let reason = format!("{} reads the same topic; read one of the two", known.name);
                    return Err(SqlError::invalid(format!("stream {}", table.name), reason));
                }
                Some(_) => {}
                None => sources.push(Arc::clone(table)),
            }
        }
        if sources.is_empty() {
            let reason = "expected FROM STREAM and a streaming table".to_owned();
            return Err(SqlError::Syntax { position: select.position(), reason });
        }
        let mut tables: Vec<Arc<Table>> = Vec::new();
        for name in select.tables()? {
            if sources.iter().any(|source| source.name.eq_ignore_ascii_case(&name)) {
                continue;
            }
            if !tables.iter().any(|known| known.name.eq_ignore_ascii_case(&name)) {
                tables.push(Arc::clone(catalog.table(&name)?));
            }
        }
        for table in &tables {
            let same = |source: &&Arc<Table>| source.options.log() == table.options.log();
            if let Some(stream) = sources.iter().find(same) {
                let reason =
                    format!("reads the same topic as stream {}; read it as a STREAM too", stream.name);
                return Err(SqlError::invalid(format!("table {}", table.name), reason));
            }
        }
        Ok(QueryDef { select, sources, tables })
    }

    /// Its tables.
    pub(crate) fn reads_of(&self) -> Reads<'_> {
        Reads { sources: &self.sources, tables: &self.tables }
    }

    /// Whether it reads a table as a stream.
    pub(crate) fn reads(&self, table: &str) -> bool {
        self.sources.iter().any(|source| source.name.eq_ignore_ascii_case(table))
    }

    /// Its tables' names.
    pub(crate) fn source_names(&self) -> String {
        let names: Vec<&str> = self.sources.iter().map(|source| source.name.as_str()).collect();
        names.join(", ")
    }
}

impl ModelDef {
    /// The options in force.
    pub(crate) fn options(&self) -> BTreeMap<String, String> {
        let mut options = self.options.clone();
        options.extend(self.settings.altered.clone());
        options
    }
}

impl Object {
    pub(crate) fn name(&self) -> &str {
        match self {
            Object::Table(table) => &table.name,
            Object::Model(model) => &model.name,
            Object::Network(network) => &network.name,
            Object::Contest(contest) => &contest.contest.name,
            Object::Flow(flow) => &flow.name,
        }
    }

    pub(crate) fn id(&self) -> u64 {
        match self {
            Object::Table(table) => table.id,
            Object::Model(model) => model.id,
            Object::Network(network) => network.id,
            Object::Contest(contest) => contest.id,
            Object::Flow(flow) => flow.id,
        }
    }

    /// Where it remembers, if its statement says so.
    pub(crate) fn checkpoint(&self) -> Option<&Checkpoint> {
        match self {
            Object::Table(table) => table.sink.checkpoint.as_ref(),
            Object::Model(_) | Object::Network(_) | Object::Contest(_) | Object::Flow(_) => None,
        }
    }

    fn sql(&self) -> &str {
        match self {
            Object::Table(table) => &table.sql,
            Object::Model(model) => &model.sql,
            Object::Network(network) => &network.sql,
            Object::Contest(contest) => &contest.sql,
            Object::Flow(flow) => &flow.sql,
        }
    }

    pub(crate) fn what(&self) -> &'static str {
        match self {
            Object::Table(_) => "table",
            Object::Model(_) | Object::Network(_) | Object::Contest(_) => "model",
            Object::Flow(_) => "flow",
        }
    }

    /// The query behind it.
    pub(crate) fn query(&self) -> Option<&QueryDef> {
        match self {
            Object::Table(table) => table.query.as_ref(),
            Object::Model(model) => Some(&model.query),
            Object::Flow(flow) => Some(&flow.query),
            Object::Network(_) | Object::Contest(_) => None,
        }
    }
}

impl Catalog {
    pub(crate) fn get(&self, name: &str) -> Option<&Object> {
        self.objects.get(&name.to_lowercase())
    }

    pub(crate) fn insert(&mut self, object: Object) {
        self.next_id = self.next_id.max(object.id() + 1);
        self.objects.insert(object.name().to_lowercase(), object);
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.objects.remove(&name.to_lowercase());
        self.notes.remove(&name.to_lowercase());
    }

    pub(crate) fn objects(&self) -> impl Iterator<Item = &Object> {
        self.objects.values()
    }

    pub(crate) fn tables(&self) -> impl Iterator<Item = &Arc<Table>> {
        self.objects().filter_map(|object| match object {
            Object::Table(table) => Some(table),
            _ => None,
        })
    }

    pub(crate) fn networks(&self) -> Vec<Arc<Network>> {
        self.objects()
            .filter_map(|object| match object {
                Object::Network(network) => Some(Arc::clone(&network.network)),
                _ => None,
            })
            .collect()
    }

    /// # Errors
    /// There is no such table; what there is.
    pub(crate) fn table(&self, name: &str) -> Result<&Arc<Table>, SqlError> {
        match self.get(name) {
            Some(Object::Table(table)) => Ok(table),
            _ => {
                let known = self.tables().map(|table| table.name.clone()).collect();
                Err(SqlError::Unknown { what: "table", name: name.to_owned(), known: known_names(known) })
            }
        }
    }

    /// The queries that stand on this object, by name.
    pub(crate) fn users(&self, object: &Object) -> Vec<String> {
        let name = object.name();
        let uses = |query: &QueryDef| match object {
            Object::Table(_) => query.reads(name) || query.select.mentions(name),
            Object::Network(_) => query.select.mentions(name),
            Object::Flow(_) => false,
            Object::Model(_) | Object::Contest(_) => query
                .select
                .strings()
                .iter()
                .any(|text| text.split('@').next().is_some_and(|model| model.eq_ignore_ascii_case(name))),
        };
        let uses = |user: &&Object| match user {
            Object::Contest(contest) => {
                contest.contest.members.iter().any(|member| member.eq_ignore_ascii_case(name))
            }
            Object::Flow(flow) if flow.target.name.eq_ignore_ascii_case(name) => true,
            _ => user.query().is_some_and(uses),
        };
        let users = self.objects().filter(|user| user.name() != name).filter(uses);
        users.map(|user| user.name().to_owned()).collect()
    }

    /// Writes the file.
    pub(crate) fn save(&self, disk: &dyn Disk, dir: &Path) -> std::io::Result<()> {
        let mut objects: Vec<StoredObject> = self
            .objects()
            .map(|object| StoredObject {
                id: object.id(),
                name: object.name().to_owned(),
                sql: object.sql().to_owned(),
                model: match object {
                    Object::Model(model) => {
                        let (shape, settings) = (model.shape.clone(), model.settings.clone());
                        Some(StoredModel { shape, settings })
                    }
                    _ => None,
                },
            })
            .collect();
        objects.sort_by_key(|object| object.id);
        let stored = Stored {
            version: if self.databases.is_empty() { WITHOUT_DATABASES } else { VERSION },
            next_id: self.next_id,
            kafka: self.kafka.clone(),
            objects,
            databases: self.databases.values().cloned().collect(),
            notes: self.notes.clone(),
        };
        let bytes = serde_json::to_vec_pretty(&stored).expect("numbers and strings");
        write_atomically(disk, &file(dir), &bytes)
    }
}

impl Stored {
    /// Reads the file; an engine that has none is new.
    pub(crate) fn load(disk: &dyn Disk, dir: &Path) -> Result<Self, OpenError> {
        let file = file(dir);
        if !disk.exists(&file) {
            return Ok(Stored {
                version: VERSION,
                next_id: 1,
                kafka: None,
                objects: Vec::new(),
                databases: Vec::new(),
                notes: BTreeMap::new(),
            });
        }
        let bytes = disk.read(&file).map_err(OpenError::io(&file))?;
        #[derive(Deserialize)]
        struct Head {
            version: u64,
        }
        let corrupt = |error: serde_json::Error| OpenError::Corrupt {
            file: file.clone(),
            position: line_start(&bytes, error.line()) + error.column() as u64,
            reason: error.to_string(),
        };
        let head: Head = serde_json::from_slice(&bytes).map_err(corrupt)?;
        if head.version > VERSION {
            return Err(OpenError::Version { file: file.clone(), version: head.version, known: VERSION });
        }
        serde_json::from_slice(&bytes).map_err(corrupt)
    }
}

fn file(dir: &Path) -> PathBuf {
    dir.join("catalog.json")
}

fn line_start(bytes: &[u8], line: usize) -> u64 {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').take(line.saturating_sub(1));
    lines.map(<[u8]>::len).sum::<usize>() as u64
}

/// `known are a, b` or `there is none`.
pub(crate) fn known_names(mut names: Vec<String>) -> String {
    names.sort();
    if names.is_empty() { "there is none".to_owned() } else { format!("known are {}", names.join(", ")) }
}

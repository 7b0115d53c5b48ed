//! The brokers behind an address: who leads what, and a connection to each that is needed.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use anyhow::{Context, anyhow};
use protocol::messages::metadata::{MetadataRequestTopic, MetadataResponseTopic};
use protocol::messages::{FindCoordinatorRequest, MetadataRequest};
use protocol::{ErrorCode, Uuid};

use super::address::KafkaAddress;
use super::call::Call;
use super::connection::Connection;
use super::refusal::Refusal;
use crate::stop::Stop;

/// Pauses between tries, and how many: about ten seconds, as long as an election takes.
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_millis(500);
const TRIES: u32 = 25;
/// The kinds of `FindCoordinator`.
const KEY_OF_GROUP: i8 = 0;
const KEY_OF_TRANSACTION: i8 = 1;

/// A cluster as a client sees it; Pelton is one of a single broker.
pub(crate) struct Cluster {
    seeds: Vec<String>,
    timeout: Duration,
    seed: Option<Connection>,
    brokers: BTreeMap<i32, String>,
    controller: i32,
    /// Connections that nobody uses at the moment.
    nodes: HashMap<i32, Vec<Connection>>,
    coordinators: HashMap<(i8, String), i32>,
    /// Ends pauses.
    stop: Stop,
}

/// A topic as the metadata tell it.
#[derive(Debug, Clone)]
pub(crate) struct Topic {
    /// Its name.
    pub(crate) name: String,
    /// Its id; nil on brokers before Kafka 2.8.
    pub(crate) id: Uuid,
    /// Whether it belongs to the broker itself.
    pub(crate) internal: bool,
    /// By index.
    pub(crate) partitions: Vec<Partition>,
}

/// A partition as the metadata tell it.
#[derive(Debug, Clone)]
pub(crate) struct Partition {
    /// Its number.
    pub(crate) index: i32,
    /// The broker that leads it; -1 when none does.
    pub(crate) leader: i32,
    /// Brokers that have a copy.
    pub(crate) replicas: Vec<i32>,
    /// Those of them that are up to date.
    pub(crate) in_sync: Vec<i32>,
}

impl Cluster {
    /// Connects to the first broker of an address that answers.
    pub(crate) fn at(address: &KafkaAddress) -> anyhow::Result<Self> {
        Self::stoppable(address, Stop::default())
    }

    /// As [`Cluster::at`]; a word to `stop` ends waiting for elections and coordinators.
    pub(crate) fn stoppable(address: &KafkaAddress, stop: Stop) -> anyhow::Result<Self> {
        let mut cluster = Self {
            seeds: address.each()?,
            timeout: address.timeout(),
            seed: None,
            brokers: BTreeMap::new(),
            controller: -1,
            nodes: HashMap::new(),
            coordinators: HashMap::new(),
            stop,
        };
        cluster.seed = Some(cluster.open_seed()?);
        Ok(cluster)
    }

    fn open_seed(&self) -> anyhow::Result<Connection> {
        let mut first = None;
        for addr in &self.seeds {
            match Connection::open(addr, self.timeout) {
                Ok(connection) => return Ok(connection),
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.unwrap_or_else(|| anyhow!("no broker is named")))
    }

    /// Asks any broker.
    pub(crate) fn ask<Q: Call>(&mut self, request: &Q) -> anyhow::Result<Q::Answer> {
        let mut connection = match self.seed.take() {
            Some(connection) => connection,
            None => self.open_seed()?,
        };
        let answer = connection.call(request)?;
        self.seed = Some(connection);
        Ok(answer)
    }

    /// Asks the broker that changes topics and settings. Brokers without ZooKeeper pass such calls on themselves.
    pub(crate) fn ask_controller<Q: Call>(&mut self, request: &Q) -> anyhow::Result<Q::Answer> {
        if self.brokers.is_empty() {
            self.topics_of(Some(&[]), Creation::Never)?;
        }
        match self.controller {
            -1 => self.ask(request),
            node => self.ask_node(node, request),
        }
    }

    /// Asks one broker by its number. A connection that fails is not used again.
    pub(crate) fn ask_node<Q: Call>(&mut self, node: i32, request: &Q) -> anyhow::Result<Q::Answer> {
        let mut connection = self.take(node)?;
        let answer = connection.call(request)?;
        self.put(node, connection);
        Ok(answer)
    }

    /// Asks the broker that keeps a group.
    pub(crate) fn ask_group<Q: Call>(&mut self, group: &str, request: &Q) -> anyhow::Result<Q::Answer> {
        let node = self.coordinator(KEY_OF_GROUP, group)?;
        self.ask_node(node, request)
    }

    /// Asks the broker that keeps a transactional id.
    pub(crate) fn ask_transaction<Q: Call>(&mut self, id: &str, request: &Q) -> anyhow::Result<Q::Answer> {
        let node = self.coordinator(KEY_OF_TRANSACTION, id)?;
        self.ask_node(node, request)
    }

    /// The number of every broker.
    pub(crate) fn node_ids(&mut self) -> anyhow::Result<Vec<i32>> {
        if self.brokers.is_empty() {
            self.topics_of(Some(&[]), Creation::Never)?;
        }
        Ok(self.brokers.keys().copied().collect())
    }

    /// Whether any broker serves a call.
    pub(crate) fn serves<Q: Call>(&mut self) -> anyhow::Result<bool> {
        if self.seed.is_none() {
            self.seed = Some(self.open_seed()?);
        }
        Ok(self.seed.as_ref().is_some_and(Connection::serves::<Q>))
    }

    /// The connection to a broker, for whoever pipelines; give it back with [`Cluster::put`] if it is sound.
    pub(crate) fn take(&mut self, node: i32) -> anyhow::Result<Connection> {
        if let Some(connection) = self.nodes.get_mut(&node).and_then(Vec::pop) {
            return Ok(connection);
        }
        let addr = self.brokers.get(&node).with_context(|| format!("broker {node} is not known"))?;
        Connection::open(addr, self.timeout).map_err(|error| {
            if self.seeds.contains(addr) {
                return error;
            }
            anyhow!(
                "the broker says that it is at {addr}, which does not answer ({error}); its advertised.listeners is wrong for this client"
            )
        })
    }

    /// Keeps a connection for later.
    pub(crate) fn put(&mut self, node: i32, connection: Connection) {
        self.nodes.entry(node).or_default().push(connection);
    }

    /// Another connection to the broker that keeps a group, for heartbeats beside long polls.
    pub(crate) fn group_connection(&mut self, group: &str) -> anyhow::Result<Connection> {
        let node = self.coordinator(KEY_OF_GROUP, group)?;
        let addr = self.brokers.get(&node).context("the coordinator is not known")?;
        Connection::open(addr, self.timeout)
    }

    fn coordinator(&mut self, kind: i8, key: &str) -> anyhow::Result<i32> {
        if let Some(node) = self.coordinators.get(&(kind, key.to_owned())) {
            return Ok(*node);
        }
        let request =
            FindCoordinatorRequest { key: key.into(), key_type: kind, ..FindCoordinatorRequest::default() };
        let found = self.patiently(|cluster| {
            let found = cluster.ask(&request)?;
            let what = if kind == KEY_OF_GROUP { "group" } else { "transactional id" };
            Refusal::check(found.error_code, found.error_message.as_deref(), || {
                format!("find the coordinator of {what} {key}")
            })?;
            Ok(found)
        })?;
        self.brokers.insert(found.node_id, join(&found.host, found.port));
        self.coordinators.insert((kind, key.to_owned()), found.node_id);
        Ok(found.node_id)
    }

    /// Forgets who coordinates what; the next question asks again.
    pub(crate) fn forget_coordinators(&mut self) {
        self.coordinators.clear();
    }

    /// Tries again while the refusal is one that passes.
    pub(crate) fn patiently<T>(
        &mut self,
        mut attempt: impl FnMut(&mut Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let mut pause = PAUSE_MIN;
        for _ in 0..TRIES {
            match attempt(self) {
                Err(error) if error.downcast_ref::<Refusal>().is_some_and(Refusal::is_passing) => {
                    if self.stop.pause(pause) {
                        return Err(error);
                    }
                    if Refusal::code_of(&error) == Some(ErrorCode::NotCoordinator) {
                        self.forget_coordinators();
                    }
                    pause = (pause * 2).min(PAUSE_MAX);
                }
                outcome => return outcome,
            }
        }
        attempt(self)
    }

    /// Every topic, by name.
    pub(crate) fn topics(&mut self) -> anyhow::Result<Vec<Topic>> {
        let mut topics: Vec<Topic> =
            self.topics_of(None, Creation::Never)?.into_iter().filter_map(Result::ok).collect();
        topics.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(topics)
    }

    /// One topic.
    ///
    /// # Errors
    /// When there is none of this name; the line names the nearest there is.
    pub(crate) fn topic(&mut self, name: &str) -> anyhow::Result<Topic> {
        let found = self.patiently(|cluster| match cluster.find(name, Creation::Never) {
            // Unknown is a passing error on the wire; a person who mistyped does not want to wait.
            Err(refusal) if refused_as(&refusal, ErrorCode::UnknownTopicOrPartition) => Ok(None),
            found => found.map(Some),
        })?;
        match found {
            Some(topic) => Ok(topic),
            None => Err(self.no_topic(name)),
        }
    }

    /// One topic, which the broker makes if it does so when asked.
    pub(crate) fn topic_or_new(&mut self, name: &str) -> anyhow::Result<Topic> {
        if let Ok(topic) = self.find(name, Creation::Never) {
            return Ok(topic);
        }
        self.patiently(|cluster| cluster.find(name, Creation::IfBrokerDoes)).map_err(|error| {
            if refused_as(&error, ErrorCode::UnknownTopicOrPartition) { self.no_topic(name) } else { error }
        })
    }

    fn find(&mut self, name: &str, creation: Creation) -> anyhow::Result<Topic> {
        let mut found = self.topics_of(Some(&[name]), creation)?;
        let topic = found.pop().context("metadata without the topic")??;
        Ok(topic)
    }

    fn no_topic(&mut self, name: &str) -> anyhow::Error {
        let names: Vec<String> =
            self.topics().unwrap_or_default().into_iter().map(|topic| topic.name).collect();
        match pelton::nearest(name, names.iter().map(String::as_str)) {
            Some(near) => anyhow!("no topic {name}; did you mean {near}?"),
            None if names.is_empty() => {
                anyhow!("no topic {name}, and no other; `pelton topic create {name}` makes it")
            }
            None => anyhow!("no topic {name}; `pelton topic list` shows those there are"),
        }
    }

    /// Asks for metadata of some topics, or of all.
    fn topics_of(
        &mut self,
        names: Option<&[&str]>,
        creation: Creation,
    ) -> anyhow::Result<Vec<Result<Topic, Refusal>>> {
        let wanted = |name: &&str| MetadataRequestTopic {
            name: Some((*name).into()),
            ..MetadataRequestTopic::default()
        };
        let request = MetadataRequest {
            topics: names.map(|names| names.iter().map(wanted).collect()),
            allow_auto_topic_creation: creation == Creation::IfBrokerDoes,
            ..MetadataRequest::default()
        };
        let answer = self.ask(&request)?;
        self.controller = answer.controller_id;
        self.brokers =
            answer.brokers.iter().map(|broker| (broker.node_id, join(&broker.host, broker.port))).collect();
        Ok(answer.topics.into_iter().map(Topic::read).collect())
    }
}

impl Topic {
    fn read(told: MetadataResponseTopic) -> Result<Self, Refusal> {
        let name = told.name.as_deref().unwrap_or_default().to_owned();
        Refusal::check(told.error_code, None, || format!("ask about topic {name}"))?;
        let mut partitions: Vec<Partition> = told
            .partitions
            .into_iter()
            .map(|partition| Partition {
                index: partition.partition_index,
                leader: partition.leader_id,
                replicas: partition.replica_nodes,
                in_sync: partition.isr_nodes,
            })
            .collect();
        partitions.sort_by_key(|partition| partition.index);
        let internal = told.is_internal || name.starts_with("__");
        Ok(Self { name, id: told.topic_id, internal, partitions })
    }
}

/// Whether asking may create.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Creation {
    Never,
    IfBrokerDoes,
}

fn refused_as(error: &anyhow::Error, code: ErrorCode) -> bool {
    Refusal::code_of(error) == Some(code)
}

fn join(host: &str, port: i32) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

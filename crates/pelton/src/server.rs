//! The wiring: rooms from the bottom up, doors last; and the way back.

use std::collections::BTreeMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use broker::Broker;
use dashboard::Dashboard;
use engine::Engine;
use env::Env;
use serde::Serialize;
use spark_connect::SparkConnect;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use topics::Topics;

use crate::config::{Config, Door};

/// A running Pelton.
pub struct Server {
    ready: Ready,
    topics: Topics,
    engine: Engine,
    shutdown: watch::Sender<bool>,
    doors: Vec<JoinHandle<()>>,
}

/// The address of each open door, as the ready file tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ready {
    /// The Kafka door.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kafka: Option<SocketAddr>,
    /// The Spark Connect door.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect: Option<SocketAddr>,
    /// The HTTP door.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<SocketAddr>,
    /// The process.
    pub pid: u32,
}

impl Server {
    /// Starts with no door open and data in `./pelton-data`.
    #[must_use]
    pub fn builder() -> ServerBuilder {
        let config = Config { kafka: Door::Off, connect: Door::Off, http: Door::Off, ..Config::default() };
        ServerBuilder { config, env: Env::real(), python: None, outside_kafka: None }
    }

    /// Where the doors are.
    #[must_use]
    pub fn ready(&self) -> Ready {
        self.ready.clone()
    }

    /// The engine, to run SQL without a door.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The log, to append and read without a door.
    #[must_use]
    pub fn topics(&self) -> &Topics {
        &self.topics
    }

    /// Stops from the doors inward: no new request, queries end at a batch boundary, the log is flushed.
    pub async fn stop(self) {
        self.shutdown.send_replace(true);
        for door in self.doors {
            if let Err(error) = door.await {
                tracing::error!(%error, "door ended badly");
            }
        }
        self.engine.close().await;
        // Joins the writers and writes the clean mark: file work, so not on a runtime thread.
        match tokio::task::spawn_blocking(move || self.topics.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "close the log"),
            Err(error) => tracing::error!(%error, "close the log"),
        }
    }
}

/// Says what a [`Server`] shall be.
pub struct ServerBuilder {
    config: Config,
    env: Env,
    python: Option<PathBuf>,
    outside_kafka: Option<BTreeMap<String, String>>,
}

impl ServerBuilder {
    /// Takes everything from `config`, doors included.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Keeps data in `dir`.
    #[must_use]
    pub fn data_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.config.data_dir = dir.into();
        self
    }

    /// Keeps everything in memory: nothing survives the server, nothing touches the disk.
    #[must_use]
    pub fn in_memory(mut self) -> Self {
        self.env.disk = Arc::new(env::SimDisk::new());
        self
    }

    /// Opens the Kafka door at `addr`.
    #[must_use]
    pub fn kafka(mut self, addr: impl Into<String>) -> Self {
        self.config.kafka = Door::At(addr.into());
        self
    }

    /// Opens the Spark Connect door at `addr`.
    #[must_use]
    pub fn connect(mut self, addr: impl Into<String>) -> Self {
        self.config.connect = Door::At(addr.into());
        self
    }

    /// Runs functions of PySpark scripts in this Python [default: `$PYSPARK_PYTHON`, or `python3`].
    #[must_use]
    pub fn python(mut self, program: impl Into<PathBuf>) -> Self {
        self.python = Some(program.into());
        self
    }

    /// Opens the HTTP door at `addr`.
    #[must_use]
    pub fn http(mut self, addr: impl Into<String>) -> Self {
        self.config.http = Door::At(addr.into());
        self
    }

    /// Lets queries read and write the topics of this Kafka, unless their tables name another: librdkafka's settings,
    /// `bootstrap.servers` at least.
    #[must_use]
    pub fn outside_kafka(mut self, settings: BTreeMap<String, String>) -> Self {
        self.outside_kafka = Some(settings);
        self
    }

    /// Starts the rooms, then the doors. When it returns, every door answers.
    ///
    /// # Errors
    /// When the data directory is locked or unreadable, or a door's address cannot be had.
    pub async fn start(self) -> Result<Server, StartError> {
        let ServerBuilder { config, env, python, outside_kafka } = self;
        let (topics, recovery) = Topics::open(topics_config(&config), env.clone())?;
        tracing::info!(?recovery, data_dir = %config.data_dir.display(), "log opened");
        if let Err(error) = topics.start_cleaner() {
            tracing::error!(%error, "nobody removes old records: starting the cleaner failed");
        }
        let engine = engine::Config { kafka: outside_kafka, ..engine_config(&config) };
        let engine = Engine::open(engine, topics.clone(), env.clone())?;
        let (shutdown, stop) = watch::channel(false);
        let mut doors = Vec::new();
        let mut ready = Ready { kafka: None, connect: None, http: None, pid: std::process::id() };
        if let Door::At(addr) = &config.kafka {
            let broker =
                Broker::bind(broker_config(&config, resolve(addr)?), topics.clone(), env.clone()).await?;
            ready.kafka = Some(broker.local_addr());
            doors.push(tokio::spawn(broker.run(stop.clone())));
        }
        if let Door::At(addr) = &config.connect {
            let door = connect_config(&config, resolve(addr)?, ready.kafka);
            let door = spark_connect::Config { python, ..door };
            let door = SparkConnect::bind(door, engine.clone(), env.clone()).await?;
            ready.connect = Some(door.local_addr());
            let stop = stop.clone();
            doors.push(tokio::spawn(async move {
                if let Err(error) = door.run(stop).await {
                    tracing::error!(%error, "serve Spark Connect");
                }
            }));
        }
        if let Door::At(addr) = &config.http {
            let page = dashboard_config(&config, resolve(addr)?);
            let page = Dashboard::bind(page, topics.clone(), engine.clone(), env).await?;
            ready.http = Some(page.local_addr());
            doors.push(tokio::spawn(async move {
                if let Err(error) = page.run(stop).await {
                    tracing::error!(%error, "serve HTTP");
                }
            }));
        }
        Ok(Server { ready, topics, engine, shutdown, doors })
    }
}

fn topics_config(config: &Config) -> topics::Config {
    topics::Config {
        default_partitions: config.broker.num_partitions,
        segment_bytes: config.broker.log_segment_bytes,
        message_bytes_max: config.broker.message_max_bytes as usize,
        defaults: config.broker.topic_defaults.clone(),
        ..topics::Config::new(&config.data_dir)
    }
}

fn engine_config(config: &Config) -> engine::Config {
    let told = &config.engine;
    let listening = match &config.kafka {
        Door::At(addr) => Some(addr.clone()),
        Door::Off => None,
    };
    let advertised = config.broker.advertised_listeners.as_ref();
    let advertised = advertised.map(|to| format!("{}:{}", to.host, to.port));
    engine::Config {
        worker_threads: told.worker_threads.get(),
        state_bytes_max: told.state_bytes_max.get(),
        answer_rows_max: told.answer_rows_max.get(),
        storage: config.storage.told(),
        kafka_addresses: listening.into_iter().chain(advertised).collect(),
        ..engine::Config::new(&config.data_dir)
    }
}

fn broker_config(config: &Config, addr: SocketAddr) -> broker::Config {
    let told = &config.broker;
    let mut broker = broker::Config {
        addr,
        advertised: told.advertised_listeners.as_ref().map(|to| (to.host.clone(), to.port)),
        exposure: if config.listen_beyond_loopback {
            broker::Exposure::Network
        } else {
            broker::Exposure::Loopback
        },
        node_id: told.node_id,
        auto_create: told.auto_create_topics_enable,
        max_connections: told.max_connections as usize,
        max_frame_bytes: told.socket_request_max_bytes as usize,
        memory_bytes: usize::try_from(told.queued_max_request_bytes).unwrap_or(usize::MAX),
        idle_timeout: Duration::from_millis(told.connections_max_idle_ms),
        max_fetch_bytes: told.fetch_max_bytes as usize,
        ..broker::Config::default()
    };
    let groups = &mut broker.groups;
    groups.min_session_timeout_ms = told.group_min_session_timeout_ms;
    groups.max_session_timeout_ms = told.group_max_session_timeout_ms;
    groups.initial_rebalance_delay_ms = told.group_initial_rebalance_delay_ms;
    groups.max_members = told.group_max_size as usize;
    groups.migration_policy = told.group_consumer_migration_policy.0;
    groups.max_offset_metadata_bytes = told.offset_metadata_max_bytes as usize;
    groups.offsets_retention_ms = i64::from(told.offsets_retention_minutes) * 60_000;
    broker.transactions.max_timeout_ms = told.transaction_max_timeout_ms;
    broker
}

fn dashboard_config(config: &Config, addr: SocketAddr) -> dashboard::Config {
    dashboard::Config {
        addr,
        gallery: config.gallery.clone(),
        exposure: if config.listen_beyond_loopback {
            dashboard::Exposure::Network
        } else {
            dashboard::Exposure::Loopback
        },
        ..dashboard::Config::default()
    }
}

fn connect_config(config: &Config, addr: SocketAddr, kafka: Option<SocketAddr>) -> spark_connect::Config {
    let exposure = if config.listen_beyond_loopback {
        spark_connect::Exposure::Network
    } else {
        spark_connect::Exposure::Loopback
    };
    spark_connect::Config { addr, exposure, python: None, kafka }
}

/// A door's address as the system resolves it.
fn resolve(addr: &str) -> Result<SocketAddr, StartError> {
    let failed = |source| StartError::Address { addr: addr.to_owned(), source };
    let mut found = addr.to_socket_addrs().map_err(failed)?;
    found.next().ok_or_else(|| failed(std::io::Error::other("the name has no address")))
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The log: a locked or unreadable data directory.
    #[error("open the log")]
    Log(#[from] topics::OpenError),
    /// The engine: its catalog or a checkpoint.
    #[error("open the engine")]
    Engine(#[from] engine::OpenError),
    /// The Kafka door.
    #[error("open the Kafka door")]
    Kafka(#[from] broker::BindError),
    /// The address of a door is not one.
    #[error("resolve the address {addr}; it is HOST:PORT")]
    Address {
        /// As it was given.
        addr: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The Spark Connect door.
    #[error("open the Spark Connect door")]
    Connect(#[from] spark_connect::BindError),
    /// The HTTP door.
    #[error("open the HTTP door")]
    Http(#[from] dashboard::BindError),
}

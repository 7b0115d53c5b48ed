//! A server in a temporary directory, and the hands of the demo's producers.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;
use dashboard::{Config, Dashboard, Gallery};
use engine::Engine;
use env::Env;
use record::{BatchBuilder, Compression, Producer};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use topics::{Acks, Topics};

use crate::client::Client;

/// Any time will do; the tests' records say what time it is.
pub(crate) const EPOCH_MS: i64 = 1_700_000_000_000;

pub(crate) struct House {
    pub(crate) topics: Topics,
    pub(crate) engine: Engine,
    pub(crate) env: Env,
    _dir: TempDir,
}

pub(crate) struct Open {
    pub(crate) addr: SocketAddr,
    stop: watch::Sender<bool>,
    served: JoinHandle<std::io::Result<()>>,
}

impl House {
    pub(crate) fn new() -> House {
        let dir = TempDir::new().unwrap();
        let env = Env::real();
        let (topics, _) = Topics::open(topics::Config::new(dir.path()), env.clone()).unwrap();
        let engine = Engine::open(engine::Config::new(dir.path()), topics.clone(), env.clone()).unwrap();
        House { topics, engine, env, _dir: dir }
    }

    /// With the topics of the demo's page, and 2x2 pixels.
    pub(crate) fn with_gallery() -> House {
        let house = House::new();
        for name in ["enrol", "placed", "uploads", "assigned", "labels"] {
            house.topics.create(name, 1, BTreeMap::new()).unwrap();
        }
        house
    }

    pub(crate) async fn open(&self, config: Config) -> Open {
        let (topics, engine) = (self.topics.clone(), self.engine.clone());
        let dashboard = Dashboard::bind(config, topics, engine, self.env.clone()).await.unwrap();
        let addr = dashboard.local_addr();
        let (stop, stopped) = watch::channel(false);
        Open { addr, stop, served: tokio::spawn(dashboard.run(stopped)) }
    }

    /// Waits until the model has learned so many rows.
    pub(crate) async fn learned(&self, model: &str, rows: u64) {
        let mut changes = self.engine.watch();
        while !self.engine.models().iter().any(|known| known.name == model && known.rows_learned == rows) {
            changes.changed().await.unwrap();
        }
    }

    /// Appends rows to partition 0, all with this timestamp.
    pub(crate) async fn append(&self, topic: &str, at_ms: i64, rows: &[Value]) {
        let texts: Vec<_> = rows.iter().map(ToString::to_string).collect();
        self.append_text(topic, at_ms, &texts.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }

    pub(crate) async fn append_text(&self, topic: &str, at_ms: i64, values: &[&str]) {
        let mut batch = BatchBuilder::new(Compression::None, Producer::NONE);
        for value in values {
            batch.push(at_ms, None, Some(value.as_bytes()), &[]);
        }
        let partition = self.topics.topic(topic).unwrap().partition(0).unwrap();
        partition.enqueue(batch.build(), Acks::Leader).unwrap().await.unwrap();
    }

    /// The values of partition 0.
    pub(crate) fn values(&self, topic: &str) -> Vec<Bytes> {
        let partition = self.topics.topic(topic).unwrap().partition(0).unwrap();
        let bytes = partition.read(0, 1 << 24, true).unwrap().bytes;
        let batches = record::batches(&bytes).map(|batch| batch.unwrap().records(1 << 24).unwrap());
        batches.flatten().map(|record| record.unwrap().value.unwrap()).collect()
    }
}

impl Open {
    pub(crate) fn client(&self) -> Client {
        Client::new(self.addr)
    }

    /// Ends as Ctrl-C does.
    pub(crate) async fn close(self) {
        self.stop.send(true).unwrap();
        self.served.await.unwrap().unwrap();
    }
}

/// On a free port of loopback.
pub(crate) fn plain() -> Config {
    Config { addr: "127.0.0.1:0".parse().unwrap(), ..Config::default() }
}

pub(crate) fn gallery() -> Config {
    let name = |name: &str| name.to_owned();
    let gallery = Gallery {
        enrol: name("enrol"),
        placed: name("placed"),
        uploads: name("uploads"),
        assigned: name("assigned"),
        labels: name("labels"),
        model: name("segments"),
        raw_model: name("segments_raw"),
        width: 2,
        height: 2,
    };
    Config { gallery: Some(gallery), ..plain() }
}

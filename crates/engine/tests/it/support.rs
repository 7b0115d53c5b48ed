//! A log and an engine over one disk, rows in, rows out.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use engine::{Answer, Engine, QueryState, QueryStatus};
use env::{Disk as _, Env, ManualClock, SimDisk};
use record::{BatchBuilder, Compression, Producer};
use serde_json::Value;
use topics::{Acks, Topics};

/// Nothing here takes this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A log with an engine.
pub(crate) struct World {
    pub(crate) topics: Topics,
    pub(crate) engine: Engine,
}

pub(crate) fn env_of(disk: &SimDisk) -> Env {
    Env::simulated(Arc::new(ManualClock::new(1_700_000_000_000)), disk, 7)
}

impl World {
    /// A new world on a new disk.
    pub(crate) fn new() -> (SimDisk, World) {
        let disk = SimDisk::new();
        let world = World::open(&disk);
        (disk, world)
    }

    pub(crate) fn open(disk: &SimDisk) -> World {
        World::try_open(disk).expect("opens")
    }

    pub(crate) fn try_open(disk: &SimDisk) -> Result<World, Box<dyn std::error::Error>> {
        World::try_open_with(disk, env_of(disk))
    }

    /// A world that begins anew where another one was, of which all is lost but what lies beside it.
    pub(crate) fn after_a_loss(disk: &SimDisk) -> World {
        disk.remove_dir_all(Path::new("/data")).expect("was there");
        let env = Env::simulated(Arc::new(ManualClock::new(1_700_000_000_000)), disk, 8);
        World::try_open_with(disk, env).expect("opens")
    }

    fn try_open_with(disk: &SimDisk, env: Env) -> Result<World, Box<dyn std::error::Error>> {
        disk.create_dir_all(Path::new("/data"))?;
        let (topics, _) = Topics::open(topics::Config::new("/data"), env.clone())?;
        // Short journals: the tests meet their rewriting too.
        let config = engine::Config { journal_bytes_max: 1_000, ..engine::Config::new("/data") };
        let engine = Engine::open(config, topics.clone(), env)?;
        Ok(World { topics, engine })
    }

    /// One statement that works.
    pub(crate) async fn sql(&self, sql: &str) -> Answer {
        match self.engine.execute(sql).await {
            Ok(mut answers) => answers.pop().unwrap_or_default(),
            Err(error) => panic!("{sql}\n{error}\n{:?}", std::error::Error::source(&error)),
        }
    }

    /// One statement that does not.
    pub(crate) async fn refused(&self, sql: &str) -> String {
        match self.engine.execute(sql).await {
            Ok(answers) => panic!("{sql}\nwas accepted: {answers:?}"),
            Err(error) => error.to_string(),
        }
    }

    /// Writes records, one batch per partition that is named.
    pub(crate) async fn write(&self, topic: &str, partition: u32, values: &[String]) {
        write(&self.topics, topic, partition, values, Acks::All).await;
    }

    /// Everything in a topic, by partition and offset.
    pub(crate) fn read(&self, topic: &str) -> Vec<Value> {
        let Some(topic) = self.topics.topic(topic) else { return Vec::new() };
        let mut values = Vec::new();
        for index in 0..topic.partition_count() {
            let partition = topic.partition(index).unwrap();
            let mut next = partition.log_start_offset();
            while next < partition.high_watermark() {
                let read = partition.read(next, 1 << 20, true).unwrap();
                for batch in record::batches(&read.bytes) {
                    let batch = batch.unwrap();
                    for record in batch.records(1 << 26).unwrap() {
                        let record = record.unwrap();
                        if record.offset >= next {
                            let value: Bytes = record.value.unwrap();
                            values.push(serde_json::from_slice(&value).unwrap());
                        }
                    }
                    next = batch.header.next_offset();
                }
            }
        }
        values
    }

    pub(crate) fn query(&self, name: &str) -> QueryStatus {
        let queries = self.engine.queries();
        queries.iter().find(|query| query.name == name).unwrap_or_else(|| panic!("no query {name}")).clone()
    }

    /// Waits until what is asked holds.
    pub(crate) async fn until(&self, what: &str, mut holds: impl FnMut(&World) -> bool) {
        let mut changes = self.engine.watch();
        let waiting = async {
            loop {
                changes.borrow_and_update();
                if holds(self) {
                    return;
                }
                changes.changed().await.unwrap();
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            panic!("{what}: never; {:#?}", self.engine.queries());
        }
    }

    /// Waits until every query has read everything, or has failed.
    pub(crate) async fn settled(&self) {
        self.until("settled", |world| world.engine.queries().iter().all(is_settled)).await;
    }

    /// As `settled`, and none has failed.
    pub(crate) async fn caught_up(&self) {
        self.settled().await;
        for query in self.engine.queries() {
            assert_eq!(query.error, None, "{}", query.name);
        }
    }

    pub(crate) async fn close(self) {
        self.engine.close().await;
        self.topics.close().unwrap();
    }
}

pub(crate) async fn write(topics: &Topics, topic: &str, partition: u32, values: &[String], acks: Acks) {
    let topic = match topics.topic(topic) {
        Some(topic) => topic,
        None => topics.create(topic, 1, Default::default()).unwrap(),
    };
    let mut batch = BatchBuilder::new(Compression::None, Producer::NONE);
    for value in values {
        batch.push(1_700_000_000_000, None, Some(value.as_bytes()), &[]);
    }
    topic.partition(partition).unwrap().enqueue(batch.build(), acks).unwrap().await.unwrap();
}

fn is_settled(query: &QueryStatus) -> bool {
    query.state != QueryState::Running
        || query.source.values().flat_map(|partitions| partitions.values()).all(|at| at.offset == at.end)
}

/// Rows of two features around a few centres, the same each time.
pub(crate) fn points(from: usize, to: usize) -> Vec<String> {
    (from..to)
        .map(|n| {
            let (cluster, jitter) = (n % 3, (n * 37 % 11) as f64 / 50.0);
            let (x, y) = ([0.0, 5.0, 9.0][cluster] + jitter, [1.0, 8.0, 2.0][cluster] - jitter);
            format!(r#"{{"id":"p{n}","point":[{x},{y}]}}"#)
        })
        .collect()
}

pub(crate) const POINTS: &str = "CREATE STREAMING TABLE points (id STRING, point ARRAY<FLOAT>)
    USING kafka OPTIONS (topic 'points', format 'json', maxOffsetsPerTrigger 10)";

pub(crate) const MODEL: &str = "CREATE MODEL IF NOT EXISTS clusters
    OPTIONS (algorithm 'streaming_kmeans', k 3, half_life '50 points', seed 7, init_rows 6, dim 2)
    AS SELECT point AS features FROM STREAM points";

pub(crate) const PLACED: &str = "CREATE STREAMING TABLE IF NOT EXISTS placed
    USING kafka OPTIONS (topic 'placed', format 'json')
    AS SELECT id, predict('clusters', point) AS cluster, model_version('clusters') AS version
    FROM STREAM points";

/// The string field of each row, sorted.
pub(crate) fn sorted(rows: &[Value], field: &str) -> Vec<String> {
    let mut values: Vec<String> = rows.iter().map(|row| row[field].as_str().unwrap().to_owned()).collect();
    values.sort();
    values
}

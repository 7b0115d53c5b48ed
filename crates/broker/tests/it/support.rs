//! A broker over a scratch directory, and a client that sends whatever it is told.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use broker::{Broker, Config};
use bytes::Bytes;
use protocol::messages::fetch::{FetchPartition, FetchTopic};
use protocol::messages::metadata::MetadataRequestTopic;
use protocol::messages::produce::{PartitionProduceData, TopicProduceData};
use protocol::messages::{
    FetchRequest, FetchResponse, MetadataRequest, MetadataResponse, ProduceRequest, ProduceResponse,
};
use protocol::{Decoder, Frame, Message, ResponseHeader};
use record::{BatchBuilder, Compression, Producer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use topics::Topics;

/// Nothing on this machine takes longer unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    pub(crate) topics: Topics,
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
    dir: Option<tempfile::TempDir>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let mut server = Self::open(dir.path(), change).await;
        server.dir = Some(dir);
        server
    }

    pub(crate) async fn open(dir: &Path, change: impl FnOnce(&mut Config)) -> Self {
        Self::open_in(dir, env::Env::real(), change).await
    }

    /// On a disk of the caller's choice.
    pub(crate) async fn open_in(dir: &Path, env: env::Env, change: impl FnOnce(&mut Config)) -> Self {
        let (topics, _) = Topics::open(topics::Config::new(dir), env.clone()).expect("the directory is ours");
        let mut config = Config { addr: ([127, 0, 0, 1], 0).into(), ..Config::default() };
        change(&mut config);
        let broker = Broker::bind(config, topics.clone(), env).await.expect("a free port");
        let addr = broker.local_addr();
        let (stop, stopped) = watch::channel(false);
        let running = tokio::spawn(broker.run(stopped));
        Self { addr, topics, stop, running, dir: None }
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.addr).await
    }

    /// Stops the door and the log behind it.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        self.running.await.expect("the door closes by itself");
        let topics = self.topics;
        tokio::task::spawn_blocking(move || topics.close()).await.expect("closing").expect("flushing");
    }
}

pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    correlation_id: i32,
}

impl Client {
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(addr).await.expect("the door is open"), correlation_id: 0 }
    }

    /// Sends without waiting and says which correlation id the answer will have.
    pub(crate) async fn send<M: Message>(&mut self, version: i16, request: &M) -> i32 {
        self.correlation_id += 1;
        let frame = Frame::request(self.correlation_id, Some("it"), version, request).into_bytes();
        self.stream.write_all(&frame).await.expect("the server reads");
        self.correlation_id
    }

    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("the server reads");
    }

    /// The next frame without its length; `None` when the server has closed.
    pub(crate) async fn frame(&mut self) -> Option<Bytes> {
        let reading = async {
            let length = self.stream.read_i32().await.ok()?;
            let mut frame = vec![0; usize::try_from(length).expect("a length")];
            self.stream.read_exact(&mut frame).await.ok()?;
            Some(Bytes::from(frame))
        };
        tokio::time::timeout(PATIENCE, reading).await.expect("an answer or an end in time")
    }

    pub(crate) async fn receive<M: Message>(&mut self, version: i16) -> (i32, M) {
        let frame = self.frame().await.expect("the server answers");
        let mut decoder = Decoder::new(frame);
        let header = ResponseHeader::decode(&mut decoder, M::KEY, version).expect("a header");
        let response = M::decode(&mut decoder, version).expect("a response");
        decoder.finish().expect("nothing behind it");
        (header.correlation_id, response)
    }

    pub(crate) async fn ask<Q: Message, A: Message>(&mut self, version: i16, request: &Q) -> A {
        let sent = self.send(version, request).await;
        let (received, response) = self.receive(version).await;
        assert_eq!(sent, received);
        response
    }

    /// Creates a topic with one partition by asking for it.
    pub(crate) async fn touch_topic(&mut self, name: &str) -> MetadataResponse {
        let topic = MetadataRequestTopic { name: Some(name.into()), ..Default::default() };
        let request = MetadataRequest { topics: Some(vec![topic]), ..Default::default() };
        self.ask(9, &request).await
    }

    pub(crate) async fn produce(&mut self, topic: &str, acks: i16, records: Bytes) -> ProduceResponse {
        self.ask(7, &produce_request(topic, acks, records)).await
    }

    pub(crate) async fn fetch(&mut self, topic: &str, offset: i64) -> FetchResponse {
        self.ask(11, &fetch_request(topic, offset, 0)).await
    }
}

pub(crate) fn produce_request(topic: &str, acks: i16, records: Bytes) -> ProduceRequest {
    ProduceRequest {
        acks,
        timeout_ms: 10_000,
        topic_data: vec![TopicProduceData {
            name: topic.into(),
            partition_data: vec![PartitionProduceData { index: 0, records: Some(records) }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

pub(crate) fn fetch_request(topic: &str, offset: i64, max_wait_ms: i32) -> FetchRequest {
    FetchRequest {
        max_wait_ms,
        min_bytes: 1,
        max_bytes: 1 << 20,
        topics: vec![FetchTopic {
            topic: topic.into(),
            partitions: vec![FetchPartition {
                fetch_offset: offset,
                partition_max_bytes: 1 << 20,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// A batch with these values.
pub(crate) fn batch(values: &[&str]) -> Bytes {
    batch_of(Compression::None, Producer::NONE, values)
}

pub(crate) fn batch_of(compression: Compression, producer: Producer, values: &[&str]) -> Bytes {
    let mut builder = BatchBuilder::new(compression, producer);
    for (position, value) in values.iter().enumerate() {
        let timestamp = 1_000 + i64::try_from(position).expect("few values");
        builder.push(timestamp, Some(b"key"), Some(value.as_bytes()), &[]);
    }
    builder.build()
}

/// Offset and value of every record in batches.
pub(crate) fn values(records: &Bytes) -> Vec<(i64, String)> {
    record::batches(records)
        .flat_map(|batch| {
            let batch = batch.expect("a whole batch");
            batch.verify_crc().expect("a sound batch");
            batch.records(1 << 20).expect("readable").collect::<Vec<_>>()
        })
        .map(|record| {
            let record = record.expect("a record");
            let value = record.value.expect("a value");
            (record.offset, String::from_utf8(value.to_vec()).expect("text"))
        })
        .collect()
}

pub(crate) fn fetched(response: &FetchResponse) -> Vec<(i64, String)> {
    let partition = &response.responses[0].partitions[0];
    assert_eq!(partition.error_code, 0);
    values(partition.records.as_ref().expect("never absent"))
}

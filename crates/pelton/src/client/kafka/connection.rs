//! One connection: requests out, replies in, and the few calls the commands need.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use protocol::messages::create_topics::CreatableTopic;
use protocol::messages::delete_topics::DeleteTopicState;
use protocol::messages::list_offsets::{ListOffsetsPartition, ListOffsetsTopic};
use protocol::messages::metadata::MetadataRequestTopic;
use protocol::messages::{
    CreateTopicsRequest, CreateTopicsResponse, DeleteTopicsRequest, DeleteTopicsResponse, ListOffsetsRequest,
    ListOffsetsResponse, MetadataRequest, MetadataResponse,
};
use protocol::{Decoder, ErrorCode, Frame, Message, ResponseHeader};

/// What brokers log of this client.
const CLIENT_ID: &str = "pelton";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longer than any long poll that is asked for here.
const REPLY_TIMEOUT: Duration = Duration::from_secs(30);
/// A reply beyond this is not one that was asked for.
const REPLY_BYTES_MAX: usize = 256 << 20;
const CALL_TIMEOUT_MS: i32 = 20_000;
const EARLIEST: i64 = -2;
const LATEST: i64 = -1;

/// Where the Kafka door is; a flag that several commands share.
#[derive(clap::Args, Debug, Clone)]
pub(crate) struct KafkaAddress {
    /// Kafka door of the server
    #[arg(long, short, env = "PELTON_KAFKA", value_name = "HOST:PORT", default_value = "127.0.0.1:9092")]
    bootstrap_server: String,
}

impl KafkaAddress {
    /// The address as the system resolves it.
    pub(crate) fn resolve(&self) -> anyhow::Result<SocketAddr> {
        let mut found = self
            .bootstrap_server
            .to_socket_addrs()
            .with_context(|| format!("resolve {}", self.bootstrap_server))?;
        found.next().with_context(|| format!("{} has no address", self.bootstrap_server))
    }
}

/// One connection to a broker.
pub(crate) struct Client {
    stream: TcpStream,
    correlation_id: i32,
}

impl Client {
    /// Connects to the address that a flag names.
    pub(crate) fn at(addr: &KafkaAddress) -> anyhow::Result<Self> {
        Self::connect(addr.resolve()?)
    }

    /// Connects.
    pub(crate) fn connect(addr: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect_timeout(&addr, CONNECT_TIMEOUT)
            .with_context(|| format!("no broker answers at {addr}; start one with `pelton serve`"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(REPLY_TIMEOUT))?;
        Ok(Self { stream, correlation_id: 0 })
    }

    /// Sends one request and waits for its reply.
    pub(crate) fn call<Q: Message, A: Message>(&mut self, version: i16, request: &Q) -> anyhow::Result<A> {
        self.correlation_id = self.correlation_id.wrapping_add(1);
        let frame = Frame::request(self.correlation_id, Some(CLIENT_ID), version, request);
        for chunk in frame.into_chunks() {
            self.stream.write_all(&chunk).context("send a request")?;
        }
        let mut reply = Decoder::new(self.read_reply()?);
        let header = ResponseHeader::decode(&mut reply, A::KEY, version).context("decode a reply")?;
        ensure!(header.correlation_id == self.correlation_id, "a reply to another request");
        let answer = A::decode(&mut reply, version).context("decode a reply")?;
        reply.finish().context("decode a reply")?;
        Ok(answer)
    }

    fn read_reply(&mut self) -> anyhow::Result<Bytes> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).context("wait for a reply")?;
        let length = usize::try_from(i32::from_be_bytes(length)).unwrap_or(usize::MAX);
        ensure!(length <= REPLY_BYTES_MAX, "a reply of {length} bytes");
        let mut reply = vec![0; length];
        self.stream.read_exact(&mut reply).context("read a reply")?;
        Ok(reply.into())
    }

    /// Creates a topic; one that exists already is fine.
    pub(crate) fn create_topic(&mut self, name: &str, partitions: i32) -> anyhow::Result<()> {
        let topic = CreatableTopic {
            name: name.into(),
            num_partitions: partitions,
            replication_factor: 1,
            ..CreatableTopic::default()
        };
        let request = CreateTopicsRequest {
            topics: vec![topic],
            timeout_ms: CALL_TIMEOUT_MS,
            ..CreateTopicsRequest::default()
        };
        let response: CreateTopicsResponse = self.call(7, &request)?;
        for topic in response.topics {
            match ErrorCode::from_code(topic.error_code) {
                ErrorCode::None | ErrorCode::TopicAlreadyExists => {}
                code => bail!(
                    "{}",
                    topic.error_message.as_deref().map_or_else(|| code.to_string(), str::to_owned)
                ),
            }
        }
        Ok(())
    }

    /// Deletes a topic.
    pub(crate) fn delete_topic(&mut self, name: &str) -> anyhow::Result<()> {
        let topic = DeleteTopicState { name: Some(name.into()), ..DeleteTopicState::default() };
        let request = DeleteTopicsRequest {
            topics: vec![topic],
            timeout_ms: CALL_TIMEOUT_MS,
            ..DeleteTopicsRequest::default()
        };
        let response: DeleteTopicsResponse = self.call(6, &request)?;
        for topic in response.responses {
            check(topic.error_code).with_context(|| format!("delete topic {name}"))?;
        }
        Ok(())
    }

    /// Every topic with how many partitions it has.
    pub(crate) fn topics(&mut self) -> anyhow::Result<Vec<(String, usize)>> {
        let request = MetadataRequest { topics: None, ..MetadataRequest::default() };
        let response: MetadataResponse = self.call(9, &request)?;
        let named = response.topics.into_iter().filter_map(|topic| Some((topic.name?, topic.partitions)));
        Ok(named.map(|(name, partitions)| (name.to_string(), partitions.len())).collect())
    }

    /// How many partitions a topic has; it is created if the broker does that.
    pub(crate) fn partitions(&mut self, topic: &str) -> anyhow::Result<i32> {
        let wanted = MetadataRequestTopic { name: Some(topic.into()), ..MetadataRequestTopic::default() };
        let request = MetadataRequest {
            topics: Some(vec![wanted]),
            allow_auto_topic_creation: true,
            ..MetadataRequest::default()
        };
        let response: MetadataResponse = self.call(9, &request)?;
        let found = response.topics.into_iter().next().context("metadata without the topic")?;
        check(found.error_code).with_context(|| format!("ask about topic {topic}"))?;
        Ok(i32::try_from(found.partitions.len())?)
    }

    /// The first offset of a partition.
    pub(crate) fn start_offset(&mut self, topic: &str, partition: i32) -> anyhow::Result<i64> {
        self.offset(topic, partition, EARLIEST)
    }

    /// The offset behind a partition's last record.
    pub(crate) fn end_offset(&mut self, topic: &str, partition: i32) -> anyhow::Result<i64> {
        self.offset(topic, partition, LATEST)
    }

    fn offset(&mut self, topic: &str, partition: i32, timestamp: i64) -> anyhow::Result<i64> {
        let wanted =
            ListOffsetsPartition { partition_index: partition, timestamp, ..ListOffsetsPartition::default() };
        let topics = vec![ListOffsetsTopic { name: topic.into(), partitions: vec![wanted] }];
        let request = ListOffsetsRequest { replica_id: -1, topics, ..ListOffsetsRequest::default() };
        let response: ListOffsetsResponse = self.call(7, &request)?;
        let found = response.topics.first().and_then(|topic| topic.partitions.first());
        let found = found.context("offsets without the partition")?;
        check(found.error_code).with_context(|| format!("ask for offsets of {topic}-{partition}"))?;
        Ok(found.offset)
    }
}

/// A code of the wire as an error.
pub(super) fn check(code: i16) -> anyhow::Result<()> {
    match ErrorCode::from_code(code) {
        ErrorCode::None => Ok(()),
        code => bail!("{code}"),
    }
}

//! Load on any Kafka broker, by batches that were encoded beforehand, so that the broker is what is measured.
//!
//! ```text
//! cargo run --release -p broker --example load -- ADDR create  topic=t partitions=100
//! cargo run --release -p broker --example load -- ADDR produce topic=t partitions=100 batch=16384 batches=100000 pid=4711
//! cargo run --release -p broker --example load -- ADDR fetch   topic=t partitions=100 bytes=1000000000 pid=4711
//! ```
//!
//! `produce` keeps `in-flight=5` requests of one batch each on each of `connections=1` connections, partitions in
//! turn, with `acks=1` (0, 1, -1). `fetch` reads each partition from its first offset on, again and again, `max=65536`
//! bytes of each partition per request. With `pid=` the processor time of that process is told too. One line of JSON
//! says what came of it. `first` waits until a broker opens, and says when one batch was acknowledged.

#![allow(clippy::print_stdout, reason = "the figures are what the caller wants to read")]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::str::FromStr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use env::{Clock, SystemClock};
use protocol::messages::create_topics::CreatableTopic;
use protocol::messages::fetch::{FetchPartition, FetchTopic};
use protocol::messages::produce::{PartitionProduceData, TopicProduceData};
use protocol::messages::{
    CreateTopicsRequest, CreateTopicsResponse, FetchRequest, FetchResponse, ProduceRequest, ProduceResponse,
};
use protocol::{Decoder, ErrorCode, Frame, Message, ResponseHeader};
use record::{BatchBuilder, Compression, Producer};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Versions that every broker of the last years takes, by topic names.
const CREATE_VERSION: i16 = 5;
const PRODUCE_VERSION: i16 = 9;
const FETCH_VERSION: i16 = 12;
const FETCH_WAIT_MS: i32 = 500;
const TIMEOUT: Duration = Duration::from_secs(60);
/// The unit of processor time in `/proc` on Linux.
const TICKS_PER_SECOND: f64 = 100.0;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let addr = arguments.next().ok_or("which address?")?;
    let mode = arguments.next().ok_or("create, produce or fetch?")?;
    let options = Arc::new(Options::parse(addr, arguments)?);
    match mode.as_str() {
        "create" => create(&options),
        "produce" => measure(&options, "produce", produce),
        "fetch" => measure(&options, "fetch", fetch),
        "first" => first(&options),
        _ => Err(format!("create, produce, fetch or first, not {mode}").into()),
    }
}

/// What the command line said.
struct Options {
    addr: String,
    topic: String,
    pid: Option<u32>,
    partitions: i32,
    connections: i32,
    batch: usize,
    record: usize,
    batches: u64,
    bytes: u64,
    in_flight: u64,
    acks: i16,
    max: i32,
}

impl Options {
    fn parse(addr: String, arguments: impl Iterator<Item = String>) -> Outcome<Self> {
        let mut given = BTreeMap::new();
        for argument in arguments {
            let (name, value) = argument.split_once('=').ok_or("options are written as name=value")?;
            given.insert(name.to_owned(), value.to_owned());
        }
        let options = Options {
            addr,
            topic: take(&mut given, "topic", "load".to_owned())?,
            pid: given.remove("pid").map(|pid| pid.parse()).transpose()?,
            partitions: take(&mut given, "partitions", 1)?,
            connections: take(&mut given, "connections", 1)?,
            batch: take(&mut given, "batch", 16_384)?,
            record: take(&mut given, "record", 100)?,
            batches: take(&mut given, "batches", 100_000)?,
            bytes: take(&mut given, "bytes", 1 << 30)?,
            in_flight: take(&mut given, "in-flight", 5)?,
            acks: take(&mut given, "acks", 1)?,
            max: take(&mut given, "max", 65_536)?,
        };
        match given.pop_first() {
            Some((name, _)) => Err(format!("unknown option {name}").into()),
            None => Ok(options),
        }
    }

    /// The partitions of one connection.
    fn share(&self, connection: i32) -> impl Iterator<Item = i32> + use<> {
        let step = usize::try_from(self.connections).unwrap_or(1);
        (connection..self.partitions).step_by(step)
    }
}

fn take<T: FromStr>(given: &mut BTreeMap<String, String>, name: &str, default: T) -> Outcome<T>
where
    T::Err: Error + Send + Sync + 'static,
{
    Ok(given.remove(name).map(|value| value.parse()).transpose()?.unwrap_or(default))
}

/// What one connection did.
#[derive(Default)]
struct Done {
    requests: u64,
    batches: u64,
    records: u64,
    bytes: u64,
}

fn measure(options: &Arc<Options>, mode: &str, work: fn(&Options, i32) -> Outcome<Done>) -> Outcome<()> {
    let clock = SystemClock;
    let (begun, spent) = (clock.monotonic(), processor_seconds(options.pid)?);
    let workers: Vec<_> = (0..options.connections)
        .map(|connection| {
            let options = Arc::clone(options);
            thread::spawn(move || work(&options, connection))
        })
        .collect();
    let mut all = Done::default();
    for worker in workers {
        let done = worker.join().map_err(|_| "a connection's thread ended in a panic")??;
        all.requests += done.requests;
        all.batches += done.batches;
        all.records += done.records;
        all.bytes += done.bytes;
    }
    let seconds = (clock.monotonic() - begun).as_secs_f64();
    let server = processor_seconds(options.pid)? - spent;
    let (batches, records) = (all.batches as f64, all.records as f64);
    println!(
        "{{\"mode\": \"{mode}\", \"requests\": {}, \"batches\": {}, \"records\": {}, \"bytes\": {}, \
         \"seconds\": {seconds:.3}, \"records_per_second\": {:.0}, \"mb_per_second\": {:.1}, \
         \"server_cpu_seconds\": {server:.2}, \"server_us_per_batch\": {:.2}, \
         \"server_cpu_seconds_per_million_records\": {:.4}}}",
        all.requests,
        all.batches,
        all.records,
        all.bytes,
        records / seconds,
        all.bytes as f64 / seconds / 1e6,
        server * 1e6 / batches,
        server * 1e6 / records,
    );
    Ok(())
}

/// Processor time, user and system, of all threads of a process so far.
fn processor_seconds(pid: Option<u32>) -> Outcome<f64> {
    let Some(pid) = pid else { return Ok(0.0) };
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name stands in brackets and may hold anything; the 12th and 13th field behind it are the times.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| -> Outcome<f64> { Ok(fields.get(index).ok_or("short stat")?.parse()?) };
    Ok((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}

fn create(options: &Options) -> Outcome<()> {
    let topic = CreatableTopic {
        name: options.topic.as_str().into(),
        num_partitions: options.partitions,
        replication_factor: 1,
        ..CreatableTopic::default()
    };
    let request =
        CreateTopicsRequest { topics: vec![topic], timeout_ms: 60_000, ..CreateTopicsRequest::default() };
    let mut connection = Connection::open(options)?;
    connection.send(&encoded(CREATE_VERSION, &request))?;
    let response: CreateTopicsResponse = connection.receive(CREATE_VERSION)?;
    response.topics.iter().try_for_each(|topic| check(topic.error_code))
}

fn produce(options: &Options, connection: i32) -> Outcome<Done> {
    let batch = batch(options);
    let records = batch.records;
    let frames: Vec<Bytes> =
        options.share(connection).map(|index| produce_frame(options, index, &batch)).collect();
    let total = if frames.is_empty() { 0 } else { options.batches / u64::try_from(options.connections)? };
    let mut stream = Connection::open(options)?;
    let (mut sent, mut answered) = (0_u64, 0_u64);
    let mut turn = frames.iter().cycle();
    while answered < total {
        let room = options.in_flight.min(total - answered) - (sent - answered);
        for frame in turn.by_ref().take(usize::try_from(room)?) {
            stream.send(frame)?;
            sent += 1;
        }
        if options.acks == 0 {
            answered = sent;
            continue;
        }
        let response: ProduceResponse = stream.receive(PRODUCE_VERSION)?;
        let partitions = response.responses.iter().flat_map(|topic| &topic.partition_responses);
        partitions.map(|partition| partition.error_code).try_for_each(check)?;
        answered += 1;
    }
    let bytes = answered * batch.bytes.len() as u64;
    Ok(Done { requests: answered, batches: answered, records: answered * records, bytes })
}

/// Waits until a broker opens, has one batch acknowledged, and says so.
#[expect(clippy::disallowed_methods, reason = "nothing tells when another process opens its door")]
fn first(options: &Options) -> Outcome<()> {
    let clock = SystemClock;
    let begun = clock.monotonic();
    let frame = produce_frame(options, 0, &batch(options));
    let mut stream = loop {
        match Connection::open(options) {
            Ok(stream) => break stream,
            Err(error) if clock.monotonic() - begun > TIMEOUT => return Err(error),
            Err(_) => thread::sleep(Duration::from_micros(200)),
        }
    };
    stream.send(&frame)?;
    let response: ProduceResponse = stream.receive(PRODUCE_VERSION)?;
    response
        .responses
        .iter()
        .flat_map(|topic| &topic.partition_responses)
        .try_for_each(|partition| check(partition.error_code))?;
    println!("acknowledged");
    Ok(())
}

/// A batch of about as many bytes as asked for.
struct Prepared {
    bytes: Bytes,
    records: u64,
}

fn batch(options: &Options) -> Prepared {
    let mut builder = BatchBuilder::new(Compression::None, Producer::NONE);
    let value: Vec<u8> = (0..options.record).map(|at| b'a' + u8::try_from(at % 26).unwrap_or(0)).collect();
    // Retention goes by the records' own times: old ones would be removed while they are read.
    let now_ms = SystemClock.now_ms();
    while builder.is_empty() || builder.uncompressed_bytes() + value.len() < options.batch {
        builder.push(now_ms, None, Some(&value), &[]);
    }
    let records = builder.len() as u64;
    Prepared { bytes: builder.build(), records }
}

fn produce_frame(options: &Options, index: i32, batch: &Prepared) -> Bytes {
    let partition = PartitionProduceData { index, records: Some(batch.bytes.clone()) };
    let topic = TopicProduceData {
        name: options.topic.as_str().into(),
        partition_data: vec![partition],
        ..TopicProduceData::default()
    };
    let request = ProduceRequest {
        acks: options.acks,
        timeout_ms: 30_000,
        topic_data: vec![topic],
        ..ProduceRequest::default()
    };
    encoded(PRODUCE_VERSION, &request)
}

fn fetch(options: &Options, connection: i32) -> Outcome<Done> {
    let mut offsets: BTreeMap<i32, i64> = options.share(connection).map(|index| (index, 0)).collect();
    let wanted = if offsets.is_empty() { 0 } else { options.bytes / u64::try_from(options.connections)? };
    let mut stream = Connection::open(options)?;
    let mut done = Done::default();
    while done.bytes < wanted {
        stream.send(&encoded(FETCH_VERSION, &fetch_request(options, &offsets)))?;
        let response: FetchResponse = stream.receive(FETCH_VERSION)?;
        done.requests += 1;
        check(response.error_code)?;
        for partition in response.responses.iter().flat_map(|topic| &topic.partitions) {
            check(partition.error_code)?;
            let next = offsets.get_mut(&partition.partition_index).ok_or("a partition nobody asked for")?;
            for batch in record::batches(&partition.records.clone().unwrap_or_default()).map_while(Result::ok)
            {
                done.batches += 1;
                done.records += u64::try_from(batch.header.records_count)?;
                done.bytes += batch.bytes.len() as u64;
                *next = batch.header.next_offset();
            }
            if *next >= partition.high_watermark {
                *next = 0;
            }
        }
    }
    Ok(done)
}

fn fetch_request(options: &Options, offsets: &BTreeMap<i32, i64>) -> FetchRequest {
    let partitions = offsets.iter().map(|(&partition, &fetch_offset)| FetchPartition {
        partition,
        fetch_offset,
        partition_max_bytes: options.max,
        ..FetchPartition::default()
    });
    let topic = FetchTopic {
        topic: options.topic.as_str().into(),
        partitions: partitions.collect(),
        ..FetchTopic::default()
    };
    FetchRequest { max_wait_ms: FETCH_WAIT_MS, min_bytes: 1, topics: vec![topic], ..FetchRequest::default() }
}

fn check(code: i16) -> Outcome<()> {
    match ErrorCode::from_code(code) {
        ErrorCode::None => Ok(()),
        code => Err(format!("the broker answered {code}").into()),
    }
}

fn encoded<M: Message>(version: i16, request: &M) -> Bytes {
    Frame::request(0, Some("load"), version, request).into_bytes()
}

/// One connection, blocking.
struct Connection {
    stream: TcpStream,
    received: BytesMut,
}

impl Connection {
    fn open(options: &Options) -> Outcome<Self> {
        let stream = TcpStream::connect(&options.addr)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        Ok(Connection { stream, received: BytesMut::new() })
    }

    fn send(&mut self, frame: &[u8]) -> Outcome<()> {
        Ok(self.stream.write_all(frame)?)
    }

    fn receive<M: Message>(&mut self, version: i16) -> Outcome<M> {
        self.fill(4)?;
        let length = usize::try_from(self.received.get_i32())?;
        self.fill(length)?;
        let mut reply = Decoder::new(self.received.split_to(length).freeze());
        ResponseHeader::decode(&mut reply, M::KEY, version)?;
        Ok(M::decode(&mut reply, version)?)
    }

    fn fill(&mut self, wanted: usize) -> Outcome<()> {
        while self.received.len() < wanted {
            let start = self.received.len();
            self.received.resize(wanted.max(start + (64 << 10)), 0);
            let read = self.stream.read(&mut self.received[start..])?;
            self.received.truncate(start + read);
            if read == 0 {
                return Err("the broker closed the connection".into());
            }
        }
        Ok(())
    }
}

//! The least that a broker can do for the load of `load.rs`, to be measured beside one:
//! `cargo run --release -p broker --example floor -- DIR ADDR PARTITIONS`.
//!
//! A thread per connection drains the socket, takes the CRC-32C of every request, writes what came with one `pwrite`
//! per partition, of which each has its file and which come in turn, and replies with one `write`; a fetch is answered
//! by one `sendfile` of a response with 64 KiB of each partition, which lies in a file. It finds nothing, checks nothing
//! and remembers nothing: what a real broker takes beyond this is what it costs to be one.
//!
//! Prints the address it listens on and serves until it is killed.

#![allow(clippy::print_stdout, reason = "the address is what the caller wants to read")]

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{fs, mem, thread};

use bytes::Bytes;
use protocol::messages::create_topics::CreatableTopicResult;
use protocol::messages::fetch::{FetchableTopicResponse, PartitionData};
use protocol::messages::produce::{PartitionProduceResponse, TopicProduceResponse};
use protocol::messages::{CreateTopicsResponse, FetchResponse, ProduceResponse};
use protocol::{ApiKey, Frame};
use record::{BatchBuilder, Compression, Producer};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// What is read at once: with what the kernel copies it to, it stays in the second cache of a core.
const DRAINED_BYTES: usize = 256 << 10;
/// The response to a fetch lies in its file again and again, so that not always the same memory is sent.
const FILE_BYTES: u64 = 32 << 20;
/// Of each partition.
const FETCHED_BYTES: usize = 64 << 10;
const RECORD_BYTES: usize = 100;
const BATCH_BYTES: usize = 16 << 10;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().ok_or("which directory?")?);
    let address = arguments.next().ok_or("which address?")?;
    let partitions: usize = arguments.next().ok_or("how many partitions?")?.parse()?;
    fs::create_dir_all(&dir)?;
    let open = |name: &str| {
        OpenOptions::new().read(true).write(true).create(true).truncate(true).open(dir.join(name))
    };
    let logs = (0..partitions).map(|partition| open(&partition.to_string())).collect::<Result<_, _>>()?;
    let floor = Arc::new(Floor::new(logs, open("fetched")?)?);
    let listener = TcpListener::bind(address)?;
    println!("{}", listener.local_addr()?);
    for stream in listener.incoming() {
        let (stream, floor) = (stream?, Arc::clone(&floor));
        thread::spawn(move || floor.serve(stream));
    }
    Ok(())
}

struct Floor {
    /// Of each partition its file, and where it ends.
    logs: Vec<(File, AtomicU64)>,
    fetched: File,
    fetched_bytes: u64,
    copies: u64,
    created: Bytes,
    produced: Bytes,
}

impl Floor {
    fn new(logs: Vec<File>, fetched: File) -> Outcome<Self> {
        let response = fetched_response(logs.len());
        let copies = (FILE_BYTES / response.len() as u64).max(1);
        for copy in 0..copies {
            fetched.write_all_at(&response, copy * response.len() as u64)?;
        }
        Ok(Self {
            logs: logs.into_iter().map(|log| (log, AtomicU64::new(0))).collect(),
            fetched,
            fetched_bytes: response.len() as u64,
            copies,
            created: created_response(),
            produced: produced_response(),
        })
    }

    fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut fetched = self.fetched.try_clone()?;
        let mut buffer = vec![0; DRAINED_BYTES];
        let (mut filled, mut turn) = (0, Turn::default());
        loop {
            let read = stream.read(&mut buffer[filled..])?;
            if read == 0 {
                return Ok(());
            }
            filled += read;
            let whole = self.answer(&mut stream, &mut fetched, &mut turn, &buffer[..filled])?;
            buffer.copy_within(whole..filled, 0);
            filled -= whole;
        }
    }

    /// Answers every whole request among these bytes. Answers how many bytes they are.
    fn answer(
        &self,
        stream: &mut TcpStream,
        fetched: &mut File,
        turn: &mut Turn,
        bytes: &[u8],
    ) -> io::Result<usize> {
        let (mut at, mut replies, mut produced) = (0, Vec::new(), 0..0);
        while let Some((key, request)) = frame(&bytes[at..]) {
            match key {
                Some(ApiKey::Produce) => {
                    std::hint::black_box(crc32c::crc32c(request));
                    replies.extend_from_slice(&self.produced);
                    produced.end = at + request.len() + 4;
                    // With one partition, everything that came is one write.
                    if self.logs.len() > 1 {
                        self.write(
                            turn,
                            &bytes[mem::replace(&mut produced.start, produced.end)..produced.end],
                        )?;
                    }
                }
                Some(ApiKey::Fetch) => {
                    fetched.seek(SeekFrom::Start(turn.fetched % self.copies * self.fetched_bytes))?;
                    // From a file to a socket this is `sendfile`.
                    io::copy(&mut Read::take(&mut *fetched, self.fetched_bytes), stream)?;
                    turn.fetched += 1;
                }
                Some(ApiKey::CreateTopics) => replies.extend_from_slice(&self.created),
                _ => return Err(io::ErrorKind::Unsupported.into()),
            }
            at += request.len() + 4;
        }
        if !produced.is_empty() {
            self.write(turn, &bytes[produced])?;
        }
        stream.write_all(&replies)?;
        Ok(at)
    }

    /// Appends to the partition whose turn it is.
    fn write(&self, turn: &mut Turn, bytes: &[u8]) -> io::Result<()> {
        let (log, end) = &self.logs[turn.partition];
        turn.partition = (turn.partition + 1) % self.logs.len();
        log.write_all_at(bytes, end.fetch_add(bytes.len() as u64, Ordering::Relaxed))
    }
}

/// What a connection's next request is about.
#[derive(Default)]
struct Turn {
    partition: usize,
    fetched: u64,
}

/// The API's key and the bytes of the first request, if it is whole.
fn frame(bytes: &[u8]) -> Option<(Option<ApiKey>, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let request = rest.get(..usize::try_from(i32::from_be_bytes(*length)).ok()?)?;
    Some((ApiKey::from_code(i16::from_be_bytes(*request.first_chunk()?)), request))
}

fn created_response() -> Bytes {
    let topics = vec![CreatableTopicResult::default()];
    Frame::response(0, 5, &CreateTopicsResponse { topics, ..Default::default() }).into_bytes()
}

fn produced_response() -> Bytes {
    let partition_responses = vec![PartitionProduceResponse::default()];
    let responses = vec![TopicProduceResponse { partition_responses, ..Default::default() }];
    Frame::response(0, 9, &ProduceResponse { responses, ..Default::default() }).into_bytes()
}

/// As many batches as a fetch takes, of logs that end where they begin: the next fetch asks for the same.
fn fetched_response(partitions: usize) -> Bytes {
    let mut records = Vec::new();
    while records.len() + BATCH_BYTES <= FETCHED_BYTES {
        let mut builder = BatchBuilder::new(Compression::None, Producer::NONE);
        while builder.is_empty() || builder.uncompressed_bytes() + RECORD_BYTES < BATCH_BYTES {
            builder.push(1_700_000_000_000, None, Some(&[b'a'; RECORD_BYTES]), &[]);
        }
        records.extend_from_slice(&builder.build());
    }
    let records = Bytes::from(records);
    let partitions = (0..partitions).map(|index| PartitionData {
        partition_index: i32::try_from(index).unwrap_or(0),
        records: Some(records.clone()),
        ..Default::default()
    });
    let partitions = partitions.collect();
    let responses = vec![FetchableTopicResponse { partitions, ..Default::default() }];
    Frame::response(0, 12, &FetchResponse { responses, ..Default::default() }).into_bytes()
}

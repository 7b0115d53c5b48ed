//! What reading and writing the frames of the busy APIs costs, in nanoseconds per frame.
//!
//! ```text
//! cargo run --release -p protocol --example codec
//! ```
//!
//! A frame's records are never looked into, so theirs is the size of the frame but not the cost of it. Each line is
//! the best of many short batches: what disturbs one only makes it slower.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement reads a clock and prints"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use protocol::messages::fetch::{FetchPartition, FetchTopic, FetchableTopicResponse, PartitionData};
use protocol::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, TopicProduceData, TopicProduceResponse,
};
use protocol::messages::{FetchRequest, FetchResponse, ProduceRequest, ProduceResponse};
use protocol::{Decoder, Frame, Message, RequestHeader};

/// How long each line is measured, in batches of about [`BATCH`].
const RUN: Duration = Duration::from_millis(200);
const BATCH: Duration = Duration::from_micros(100);
/// Versions with names and with ids.
const PRODUCE: [i16; 2] = [9, 13];
const FETCH: [i16; 2] = [12, 18];

fn main() {
    println!("{:<44} {:>10} {:>12}", "frame", "ns", "ns/partition");
    for version in PRODUCE {
        for (size, records) in [("1 KiB", 1 << 10), ("16 KiB", 16 << 10)] {
            let frame =
                Frame::request(1, Some("rdkafka"), version, &produce_request(1, records)).into_bytes();
            line(&format!("Produce {version} request, {size}: read"), 1, || {
                read::<ProduceRequest>(&frame);
            });
        }
        for partitions in [1, 100] {
            let response = produce_response(partitions);
            line(&format!("Produce {version} response: write"), partitions, || {
                black_box(Frame::response(1, version, &response).into_chunks());
            });
        }
    }
    for version in FETCH {
        for partitions in [1, 100, 1000] {
            let frame = Frame::request(1, Some("rdkafka"), version, &fetch_request(partitions)).into_bytes();
            line(&format!("Fetch {version} request: read"), partitions, || read::<FetchRequest>(&frame));
            for (size, records) in [("nothing", 0), ("1 KiB", 1 << 10), ("16 KiB", 16 << 10)] {
                let response = fetch_response(partitions, records);
                line(&format!("Fetch {version} response, {size} each: write"), partitions, || {
                    black_box(Frame::response(1, version, &response).into_chunks());
                });
            }
        }
    }
}

/// Reads a request as a broker does: the header, then what its version says.
fn read<M: Message>(frame: &Bytes) {
    let mut decoder = Decoder::new(frame.slice(4..));
    let header = RequestHeader::decode(&mut decoder).expect("an honest frame");
    black_box(M::decode(&mut decoder, header.api_version).expect("an honest frame"));
}

fn line(what: &str, partitions: i32, mut work: impl FnMut()) {
    let batch = |count: u32, work: &mut dyn FnMut()| {
        let start = Instant::now();
        for _ in 0..count {
            work();
        }
        start.elapsed()
    };
    let mut count = 1;
    while batch(count, &mut work) < BATCH {
        count *= 2;
    }
    let (start, mut best) = (Instant::now(), Duration::MAX);
    while start.elapsed() < RUN {
        best = best.min(batch(count, &mut work));
    }
    let best = best.as_secs_f64() * 1e9 / f64::from(count);
    let what = format!("{what} ({partitions})");
    println!("{what:<44} {best:>10.0} {:>12.1}", best / f64::from(partitions));
}

fn produce_request(partitions: i32, records: usize) -> ProduceRequest {
    let partition = |index| PartitionProduceData { index, records: Some(Bytes::from(vec![7; records])) };
    ProduceRequest {
        acks: -1,
        timeout_ms: 30_000,
        topic_data: vec![TopicProduceData {
            name: "measurements".into(),
            partition_data: (0..partitions).map(partition).collect(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn produce_response(partitions: i32) -> ProduceResponse {
    let partition = |index| PartitionProduceResponse { index, base_offset: 1 << 40, ..Default::default() };
    ProduceResponse {
        responses: vec![TopicProduceResponse {
            name: "measurements".into(),
            partition_responses: (0..partitions).map(partition).collect(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn fetch_request(partitions: i32) -> FetchRequest {
    let partition = |partition| FetchPartition {
        partition,
        fetch_offset: 1 << 40,
        partition_max_bytes: 1 << 20,
        ..Default::default()
    };
    FetchRequest {
        max_wait_ms: 500,
        min_bytes: 1,
        topics: vec![FetchTopic {
            topic: "measurements".into(),
            partitions: (0..partitions).map(partition).collect(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn fetch_response(partitions: i32, records: usize) -> FetchResponse {
    let records = Bytes::from(vec![7; records]);
    let partition = |partition_index| PartitionData {
        partition_index,
        high_watermark: 1 << 40,
        records: Some(records.clone()),
        ..Default::default()
    };
    FetchResponse {
        responses: vec![FetchableTopicResponse {
            topic: "measurements".into(),
            partitions: (0..partitions).map(partition).collect(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

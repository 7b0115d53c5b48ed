//! Stores on simulated disks, and batches to put there.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use env::{Env, ManualClock, SimDisk};
use record::{BatchBuilder, Compression, Producer};
use topics::{Acks, AppendError, Appended, Config, Partition, RecoveryReport, Topics};

pub(crate) fn config() -> Config {
    Config { segment_bytes: 2_000, ..Config::new("/data") }
}

pub(crate) fn env_on(disk: &SimDisk) -> Env {
    Env::simulated(Arc::new(ManualClock::new(1_000_000)), disk, 42)
}

pub(crate) fn open(disk: &SimDisk) -> (Topics, RecoveryReport) {
    Topics::open(config(), env_on(disk)).unwrap()
}

pub(crate) fn partition(topics: &Topics, name: &str) -> Partition {
    match topics.topic(name) {
        Some(topic) => topic.partition(0).unwrap(),
        None => topics.create(name, 1, BTreeMap::new()).unwrap().partition(0).unwrap(),
    }
}

pub(crate) fn batch(values: &[&str]) -> Bytes {
    produced(Producer::NONE, values)
}

pub(crate) fn produced(producer: Producer, values: &[&str]) -> Bytes {
    builder(producer, values).build()
}

fn builder(producer: Producer, values: &[&str]) -> BatchBuilder {
    let mut builder = BatchBuilder::new(Compression::None, producer);
    for value in values {
        builder.push(1_000, None, Some(value.as_bytes()), &[]);
    }
    builder
}

pub(crate) async fn append(partition: &Partition, bytes: Bytes, acks: Acks) -> Result<Appended, AppendError> {
    partition.enqueue(bytes, acks)?.await
}

/// Appends a record and flushes it on this thread.
pub(crate) async fn append_here(partition: &Partition, value: &str) -> Result<Appended, AppendError> {
    partition.append_built(builder(Producer::NONE, &[value]).finish())?.await
}

pub(crate) fn read_all(partition: &Partition) -> Vec<String> {
    let mut values = Vec::new();
    let mut at = partition.log_start_offset();
    while at < partition.high_watermark() {
        let read = partition.read(at, 1 << 20, true).unwrap();
        for batch in record::batches(&read.bytes) {
            let batch = batch.unwrap();
            assert_eq!(batch.header.base_offset, at, "offsets are dense");
            for record in batch.records(1 << 20).unwrap() {
                values.push(String::from_utf8(record.unwrap().value.unwrap().to_vec()).unwrap());
            }
            at = batch.header.next_offset();
        }
    }
    values
}

pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

//! Batches to append, and ways to look at a log.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use commitlog::{Config, Error, LastStop, Log, Recovery, TailBudget};
use env::{Disk, SimDisk};
use record::{BatchBuilder, Compression, Producer};

pub(crate) const DIR: &str = "/data/t-0";
pub(crate) const EVERYTHING: usize = 64 << 20;

/// Small segments, dense indexes, nothing in memory: every read goes through the files.
pub(crate) fn config(segment_bytes: u64) -> Config {
    Config {
        segment_bytes,
        index_interval_bytes: 200,
        tail_bytes: 0,
        tail_budget: TailBudget::new(0),
        ..Config::default()
    }
}

pub(crate) fn disk() -> SimDisk {
    let disk = SimDisk::new();
    disk.create_dir_all(Path::new(DIR)).unwrap();
    disk
}

pub(crate) fn open_with(disk: &SimDisk, config: Config, last_stop: LastStop) -> (Log, Recovery) {
    try_open(disk, config, last_stop).unwrap()
}

pub(crate) fn try_open(
    disk: &SimDisk,
    config: Config,
    last_stop: LastStop,
) -> Result<(Log, Recovery), Error> {
    Log::open(Arc::new(disk.clone()), Path::new(DIR), config, last_stop)
}

pub(crate) fn open(disk: &SimDisk) -> (Log, Recovery) {
    open_with(disk, config(1 << 20), LastStop::Unclean)
}

pub(crate) fn values(names: &[&str]) -> Bytes {
    let owned: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    batch(Producer::NONE, 1_000, &owned)
}

pub(crate) fn batch(producer: Producer, timestamp: i64, values: &[String]) -> Bytes {
    let mut builder = BatchBuilder::new(Compression::None, producer);
    for value in values {
        builder.push(timestamp, None, Some(value.as_bytes()), &[]);
    }
    builder.build()
}

pub(crate) fn append(log: &mut Log, request: Bytes) -> Result<i64, Error> {
    log.append(&[request], 0).remove(0).map(|appended| appended.base_offset)
}

/// Every readable record as (offset, value), from `from` on, jumping over what is rotten; and the rot.
pub(crate) fn read_all(log: &Log, from: i64) -> (Vec<(i64, String)>, Vec<Error>) {
    let reader = log.reader();
    let (mut records, mut rot) = (Vec::new(), Vec::new());
    let mut at = from;
    while at < log.next_offset() {
        let bytes = match reader.read(at, log.next_offset(), EVERYTHING, true) {
            Ok(bytes) => bytes,
            Err(Error::Corrupt { path, position, next_offset }) => {
                assert!(next_offset > at, "a reader gets on");
                at = next_offset;
                rot.push(Error::Corrupt { path, position, next_offset });
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        assert!(!bytes.is_empty(), "nothing at {at} of {}", log.next_offset());
        for batch in record::batches(&bytes) {
            let batch = batch.unwrap();
            batch.verify_crc().unwrap();
            for record in batch.records(1 << 20).unwrap() {
                let record = record.unwrap();
                let value = String::from_utf8(record.value.unwrap().to_vec()).unwrap();
                if record.offset >= at {
                    records.push((record.offset, value));
                }
            }
            at = batch.header.next_offset();
        }
    }
    (records, rot)
}

/// What must be readable when `names` were appended one after the other.
pub(crate) fn numbered(names: &[String]) -> Vec<(i64, String)> {
    (0..).zip(names.iter().cloned()).collect()
}

pub(crate) fn file(name: &str) -> PathBuf {
    Path::new(DIR).join(name)
}

pub(crate) fn segment(base_offset: i64) -> PathBuf {
    file(&format!("{base_offset:020}.log"))
}

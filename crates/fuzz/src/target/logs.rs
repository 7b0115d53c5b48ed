//! The files of a partition: whatever stands in one, the log opens, and loses nothing that stands in another.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use commitlog::{Config, LastStop, Log, TailBudget};
use env::{Disk, OpenMode, SimDisk};
use record::{BatchBuilder, Compression, Producer};

use super::{Allowance, Target};

pub(super) const DIR: &str = "/data/t-0";
const BATCHES: i64 = 40;
const EVERYTHING: usize = 1 << 20;
/// Files that hold what stands nowhere else: records, and which of them were deleted. All others only help.
const SAYS_SOMETHING: [&str; 2] = ["log", "log-start-offset"];
/// The log reads itself, in pieces.
const ALLOWANCE: Allowance = Allowance { per_byte: 32, fixed: 4 << 20 };

pub(super) fn targets() -> Vec<Target> {
    let files = files();
    let honest = everything(&open(&disk(&files)).expect("an honest log"));
    let mut targets = Vec::new();
    for kind in kinds(&files) {
        let of_kind = |path: &&PathBuf| extension(path) == kind;
        let largest = files.keys().filter(of_kind).max_by_key(|path| files[*path].len());
        let path = largest.expect("a kind of its own").clone();
        let seeds = vec![Bytes::from(files[&path].clone())];
        let derived = !SAYS_SOMETHING.contains(&kind.as_str());
        let (files, honest) = (files.clone(), honest.clone());
        targets.push(Target::new(format!("log-file-{kind}"), ALLOWANCE, seeds, move |input| {
            let mut files = files.clone();
            files.insert(path.clone(), mended(&path, input));
            let log = match open(&disk(&files)) {
                Ok(log) => log,
                Err(error) => {
                    assert!(!derived, "{} prevents a start: {error}", path.display());
                    return Err(error);
                }
            };
            let read = everything(&log);
            assert!(!derived || read.1 == honest.1, "{} hides or adds records", path.display());
            Ok(read)
        }));
    }
    targets
}

fn config() -> Config {
    Config {
        segment_bytes: 1500,
        index_interval_bytes: 200,
        tail_bytes: 0,
        tail_budget: TailBudget::new(0),
        ..Config::default()
    }
}

/// A log of several segments that was stopped in order.
pub(super) fn files() -> BTreeMap<PathBuf, Vec<u8>> {
    let disk = disk(&BTreeMap::new());
    let mut log = open(&disk).expect("an empty log");
    for i in 0..BATCHES {
        append(&mut log, i);
    }
    log.flush().expect("a disk of our own");
    log.close().expect("a disk of our own");
    let names = disk.read_dir(Path::new(DIR)).expect("a directory of our own");
    let path = |name: String| Path::new(DIR).join(name);
    let names = names.into_iter().filter(|entry| !entry.is_dir).map(|entry| path(entry.name));
    let mut files: BTreeMap<PathBuf, Vec<u8>> =
        names.map(|path| (path.clone(), disk.read(&path).expect("a file of our own"))).collect();
    files.entry(path("log-start-offset".into())).or_insert_with(|| b"0\n".to_vec());
    files
}

/// Producer 7 writes as it comes, producer 8 in transactions of two batches, of which every other is aborted.
fn append(log: &mut Log, i: i64) {
    let base_sequence = i32::try_from(i / 2).expect("a small number");
    let producer = Producer { id: 7 + i % 2, epoch: 0, base_sequence };
    let mut batch = BatchBuilder::new(Compression::None, producer);
    if producer.id == 8 {
        batch = batch.transactional();
    }
    let key = format!("{} {}", producer.id, i % 6);
    batch.push(1_000 + i * 10, Some(key.as_bytes()), Some(format!("value {i}").as_bytes()), &[]);
    log.append(&[batch.build()], i)[0].as_ref().expect("an honest batch");
    if i % 4 == 3 {
        log.append_marker(8, 0, i % 8 == 3, 1, 1_000 + i * 10).expect("an honest marker");
    }
}

fn kinds(files: &BTreeMap<PathBuf, Vec<u8>>) -> Vec<String> {
    let mut kinds: Vec<String> = files.keys().map(|path| extension(path)).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

fn extension(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.rsplit_once('.').map_or(name.to_string(), |(_, extension)| extension.to_owned())
}

/// The producers' file ends with a checksum, which hides everything else from an attacker who cannot mend it.
fn mended(path: &Path, input: &Bytes) -> Vec<u8> {
    let mut bytes = input.to_vec();
    if extension(path) == "producers" && bytes.len() > 4 {
        let at = bytes.len() - 4;
        let crc = crc32c::crc32c(&bytes[..at]);
        bytes[at..].copy_from_slice(&crc.to_be_bytes());
    }
    bytes
}

pub(super) fn disk(files: &BTreeMap<PathBuf, Vec<u8>>) -> SimDisk {
    let disk = SimDisk::new();
    disk.create_dir_all(Path::new(DIR)).expect("a disk of our own");
    for (path, content) in files {
        let file = disk.open(path, OpenMode::Create).expect("a disk of our own");
        file.write_at(content, 0).expect("a disk of our own");
        file.sync_data().expect("a disk of our own");
    }
    disk.sync_dir(Path::new(DIR)).expect("a disk of our own");
    disk
}

pub(super) fn open(disk: &SimDisk) -> Result<Log, commitlog::Error> {
    Log::open(Arc::new(disk.clone()), Path::new(DIR), config(), LastStop::Clean).map(|(log, _)| log)
}

/// What was found by time, what was aborted, and every readable byte from the beginning.
fn everything(log: &Log) -> (impl Debug + Clone + use<>, Vec<u8>) {
    let reader = log.reader();
    let end = log.next_offset();
    let times = [0, 1_003, 1_200, 1_390, 9_000];
    let found = times.map(|time| reader.offset_for_timestamp(time, end).ok().flatten());
    let mut out = Vec::new();
    let mut at = 0;
    while at < end {
        match reader.read(at, end, EVERYTHING, true) {
            Ok(bytes) if bytes.is_empty() => break,
            Ok(bytes) => {
                let next = record::batches(&bytes).filter_map(Result::ok).last();
                let next = next.map_or(end, |batch| batch.header.next_offset());
                assert!(next > at, "a reader gets on");
                at = next;
                out.extend_from_slice(&bytes);
            }
            Err(commitlog::Error::Corrupt { next_offset, .. }) => {
                assert!(next_offset > at, "a reader gets on");
                at = next_offset;
            }
            Err(_) => break,
        }
    }
    let stable = reader.last_stable_offset(end);
    ((found, reader.aborted(0, end), stable), out)
}

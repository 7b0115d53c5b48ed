//! Compaction of segments in which anything may stand, and the file that says how far it came.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use commitlog::{Assistant, CompactionConfig, Error, Log, Rewritten, compact};
use record::{BatchHeader, HEADER_BYTES};

use super::logs::{DIR, disk, files, open};
use super::{Allowance, Target};

const CLEANER_OFFSET: &str = "cleaner-offset";
const NOW_MS: i64 = 1_000_000;
const EVERYTHING: usize = 1 << 20;
/// The map of keys, and segments on a disk that is memory here.
const ALLOWANCE: Allowance = Allowance { per_byte: 64, fixed: 16 << 20 };

pub(super) fn targets() -> Vec<Target> {
    let files = files();
    let first = files.keys().find(|path| path.extension().is_some_and(|extension| extension == "log"));
    let first = first.expect("a log has a segment").clone();
    let honest = compacted(&files).expect("an honest log");
    let segment = vec![Bytes::from(files[&first].clone())];
    let marks = vec![Bytes::from_static(b"10 9223372036854775807\n"), Bytes::from_static(b"0 0\n")];
    let of_segment = files.clone();
    vec![
        Target::new("compacted-segment", ALLOWANCE, segment, move |input| {
            let mut files = of_segment.clone();
            files.insert(first.clone(), mended(input));
            compacted(&files)
        }),
        Target::new("log-file-cleaner-offset", ALLOWANCE, marks, move |input| {
            let mut files = files.clone();
            files.insert(Path::new(DIR).join(CLEANER_OFFSET), input.to_vec());
            let kept = compacted(&files).expect("a file that only helps prevents nothing");
            assert_eq!(kept, honest, "the last value of every key stays");
        }),
    ]
}

/// Mends the checksums of batches, so that more than checksums is tried.
fn mended(input: &Bytes) -> Vec<u8> {
    let mut bytes = input.to_vec();
    let mut at = 0;
    while let Some(Ok(header)) = bytes.get(at..).map(BatchHeader::parse) {
        let end = at + header.total_bytes();
        let Some(checked) = bytes.get(at + 21..end) else { break };
        let crc = crc32c::crc32c(checked);
        bytes[at + 17..at + 21].copy_from_slice(&crc.to_be_bytes());
        assert!(end - at >= HEADER_BYTES, "a batch has a header");
        at = end;
    }
    bytes
}

/// The log's owner.
struct Owner<'a>(&'a mut Log);

impl Assistant for Owner<'_> {
    fn pace(&mut self, _: usize) -> bool {
        true
    }

    fn swap(&mut self, rewritten: Rewritten) -> Result<bool, Error> {
        self.0.swap(rewritten)
    }
}

/// Compacts a log and opens it once more; answers the last value of each key that stands outside of transactions.
fn compacted(files: &BTreeMap<PathBuf, Vec<u8>>) -> Result<BTreeMap<Bytes, Bytes>, Error> {
    let config = CompactionConfig {
        min_dirty_ratio: 0.0,
        min_lag_ms: 0,
        max_lag_ms: i64::MAX,
        delete_retention_ms: 1_000,
        segment_bytes: 3_000,
        index_interval_bytes: 200,
        uncompressed_bytes_max: 1 << 16,
        key_map_bytes: 1 << 20,
    };
    let disk = disk(files);
    let mut log = open(&disk)?;
    let reader = log.reader();
    let backlog = reader.backlog(&config, reader.last_stable_offset(log.next_offset()), NOW_MS)?;
    if backlog.due {
        compact(&reader, &config, &backlog, NOW_MS, &mut Owner(&mut log))?;
    }
    drop(log);
    Ok(last_values(&open(&disk)?))
}

fn last_values(log: &Log) -> BTreeMap<Bytes, Bytes> {
    let (reader, end) = (log.reader(), log.next_offset());
    let mut last = BTreeMap::new();
    let mut at = 0;
    while at < end {
        let bytes = match reader.read(at, end, EVERYTHING, true) {
            Ok(bytes) => bytes,
            Err(Error::Corrupt { next_offset, .. }) if next_offset > at => {
                at = next_offset;
                continue;
            }
            Err(_) => break,
        };
        let before = at;
        for batch in record::batches(&bytes).filter_map(Result::ok) {
            at = batch.header.next_offset();
            let Ok(records) = batch.records(1 << 16) else { continue };
            if !batch.header.is_transactional() {
                let pairs = records.filter_map(Result::ok).map(|record| (record.key, record.value));
                last.extend(pairs.filter_map(|(key, value)| Some((key?, value?))));
            }
        }
        if at <= before {
            break;
        }
    }
    last
}

//! Topics' settings, enforced: what is taken, when it is flushed, when it goes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use env::{Disk, Env, ManualClock, SimDisk};
use record::{Batch, BatchBuilder, Compression, Producer};
use topics::{Acks, AppendError, Cleaned, ErrorKind, Partition, Topics};

use crate::support::{append, batch, config, open, wait};

const NOW_MS: i64 = 1_000_000;

fn topic(topics: &Topics, settings: &[(&str, &str)]) -> Partition {
    let configs: BTreeMap<String, String> =
        settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    topics.create("t", 1, configs).unwrap().partition(0).unwrap()
}

fn record(codec: Compression, timestamp: i64, key: Option<&str>, value: &str) -> Bytes {
    let mut builder = BatchBuilder::new(codec, Producer::NONE);
    builder.push(timestamp, key.map(str::as_bytes), Some(value.as_bytes()), &[]);
    builder.build()
}

fn try_put(partition: &Partition, timestamp: i64, key: Option<&str>, value: &str) -> Result<(), AppendError> {
    wait(append(partition, record(Compression::None, timestamp, key, value), Acks::All)).map(drop)
}

fn put(partition: &Partition, timestamp: i64, key: &str, value: &str) {
    try_put(partition, timestamp, Some(key), value).unwrap();
}

fn values(partition: &Partition) -> Vec<String> {
    let (mut at, mut values) = (partition.log_start_offset(), Vec::new());
    while at < partition.high_watermark() {
        for batch in record::batches(&partition.read(at, 1 << 20, true).unwrap().bytes) {
            let batch = batch.unwrap();
            for record in batch.records(1 << 20).unwrap() {
                values.push(String::from_utf8(record.unwrap().value.unwrap().to_vec()).unwrap());
            }
            at = batch.header.next_offset();
        }
    }
    values
}

fn logs(disk: &SimDisk) -> (usize, usize) {
    let names = disk.read_dir(Path::new("/data/topics/t-0")).unwrap();
    let count = |suffix| names.iter().filter(|entry| entry.name.ends_with(suffix)).count();
    (count(".log"), count(".log.deleted"))
}

#[test]
fn old_segments_go_and_their_files_a_while_later() {
    let disk = SimDisk::new();
    let (topics, _) = open(&disk);
    let partition = topic(
        &topics,
        &[("retention.ms", "10000"), ("segment.bytes", "14"), ("file.delete.delay.ms", "500")],
    );
    for n in 0..5 {
        put(&partition, n * 20_000, "k", &n.to_string());
    }
    assert_eq!(topics.clean(10_000), Cleaned::default());
    assert_eq!(topics.clean(45_000).segments_removed, 2);
    assert_eq!(
        (values(&partition), partition.log_start_offset()),
        (vec!["2".into(), "3".into(), "4".into()], 2)
    );
    assert_eq!(logs(&disk), (3, 2));
    assert_eq!(topics.clean(45_500).segments_removed, 0);
    assert_eq!(logs(&disk), (3, 0));
    assert_eq!(topics.clean(1_000_000).segments_removed, 3, "with the one that is written to");
    assert_eq!((partition.log_start_offset(), partition.high_watermark()), (5, 5));
    put(&partition, 1_000, "k", "next");
    let (topics, _) = open(&disk.crash());
    assert_eq!(values(&topics.topic("t").unwrap().partition(0).unwrap()), ["next"]);
}

#[test]
fn a_topic_that_is_too_large_loses_its_oldest_segments_once_it_is_told() {
    let (topics, _) = open(&SimDisk::new());
    let partition = topic(&topics, &[("segment.bytes", "14"), ("retention.ms", "-1")]);
    for n in 0..6 {
        put(&partition, 1, "k", &n.to_string());
    }
    let each = partition.size_bytes() / 6;
    assert_eq!(topics.clean(i64::MAX), Cleaned::default());
    let limit = BTreeMap::from([("log.retention.bytes".to_owned(), Some((each * 4).to_string()))]);
    topics.alter_defaults(limit).unwrap();
    assert_eq!(topics.clean(2).segments_removed, 2);
    let forever = BTreeMap::from([("retention.bytes".to_owned(), Some("-1".to_owned()))]);
    topics.alter_configs("t", forever).unwrap();
    put(&partition, 1, "k", "6");
    assert_eq!(topics.clean(3).segments_removed, 0);
    assert_eq!(values(&partition).len(), 5);
}

#[test]
fn a_compacted_topic_keeps_the_last_value_of_each_key_and_takes_no_record_without_one() {
    let (topics, _) = open(&SimDisk::new());
    let partition = topic(&topics, &[("cleanup.policy", "compact"), ("segment.bytes", "200")]);
    let refused = try_put(&partition, 1, None, "nobody can ask for it").unwrap_err();
    assert!(matches!(refused, AppendError::Invalid { rule, .. } if rule.contains("key")), "{refused}");
    for n in 0..40 {
        put(&partition, 1, &format!("k{}", n % 3), &n.to_string());
    }
    let cleaned = topics.clean(NOW_MS);
    assert_eq!((cleaned.partitions_compacted, cleaned.failures), (1, 0));
    assert!(cleaned.bytes_after * 2 < cleaned.bytes_before, "{cleaned:?}");
    let left = values(&partition);
    assert!(left.len() < 8 && left.ends_with(&["37".into(), "38".into(), "39".into()]), "{left:?}");
    assert_eq!(topics.clean(NOW_MS).partitions_compacted, 0);
    assert_eq!(topics.clean(i64::MAX - 1), Cleaned::default(), "compacted topics have no retention");
    topics.close().unwrap();
}

#[test]
fn a_topic_may_be_compacted_and_lose_old_segments() {
    let (topics, _) = open(&SimDisk::new());
    let partition = topic(
        &topics,
        &[("cleanup.policy", "delete,compact"), ("segment.bytes", "14"), ("retention.ms", "10000")],
    );
    for n in 0..8 {
        put(&partition, n * 5_000, &format!("k{}", n % 2), &n.to_string());
    }
    let cleaned = topics.clean(30_000);
    assert_eq!((cleaned.segments_removed, cleaned.partitions_compacted), (4, 1));
    assert_eq!(values(&partition), ["5", "6", "7"]);
}

#[test]
fn records_that_grow_old_in_a_quiet_compacted_topic_are_compacted_in_time() {
    let (topics, _) = open(&SimDisk::new());
    let partition = topic(&topics, &[("cleanup.policy", "compact"), ("max.compaction.lag.ms", "60000")]);
    put(&partition, NOW_MS, "k", "old");
    put(&partition, NOW_MS, "k", "new");
    assert_eq!(topics.clean(NOW_MS + 59_999), Cleaned::default());
    assert_eq!(topics.clean(NOW_MS + 60_000).partitions_compacted, 1);
    assert_eq!(values(&partition), ["new"]);
}

#[test]
fn times_too_far_from_the_present_are_refused() {
    let (topics, _) = open(&SimDisk::new());
    let limits = [("message.timestamp.before.max.ms", "5000"), ("message.timestamp.after.max.ms", "1000")];
    let partition = topic(&topics, &limits);
    for (timestamp, taken) in
        [(NOW_MS, true), (NOW_MS + 1_000, true), (NOW_MS + 1_001, false), (NOW_MS - 5_001, false), (-1, true)]
    {
        let outcome = try_put(&partition, timestamp, None, "v");
        assert_eq!(outcome.is_ok(), taken, "{timestamp}: {outcome:?}");
        if let Err(error) = outcome {
            assert_eq!(
                (error.kind(), matches!(error, AppendError::Timestamp { .. })),
                (ErrorKind::Invalid, true)
            );
        }
    }
    let mut builder = BatchBuilder::new(Compression::Lz4, Producer::NONE);
    builder.push(NOW_MS, None, Some(b"in time"), &[]);
    builder.push(NOW_MS - 9_000, None, Some(b"too late"), &[]);
    assert!(wait(append(&partition, builder.build(), Acks::All)).is_err(), "every record counts");
}

#[test]
fn the_brokers_time_takes_the_place_of_any_other() {
    let (topics, _) = open(&SimDisk::new());
    let partition = topic(&topics, &[("message.timestamp.type", "LogAppendTime")]);
    try_put(&partition, i64::MAX, None, "from far away").unwrap();
    assert_eq!(partition.max_timestamp().unwrap().unwrap().timestamp, NOW_MS);
}

#[test]
fn a_topic_with_a_codec_of_its_own_holds_nothing_packed_otherwise() {
    let (topics, _) = open(&SimDisk::new());
    let partition = topic(&topics, &[("compression.type", "zstd")]);
    let text = "as long as it is repetitive, ".repeat(20);
    let codecs = || -> Vec<Compression> {
        let bytes = partition.read(0, 1 << 20, true).unwrap().bytes;
        record::batches(&bytes).map(|batch| batch.unwrap().header.compression().unwrap()).collect()
    };
    for codec in Compression::ALL {
        wait(append(&partition, record(codec, NOW_MS, None, &text), Acks::All)).unwrap();
    }
    assert_eq!(codecs(), [Compression::Zstd; 5]);
    let plain = BTreeMap::from([("compression.type".to_owned(), Some("uncompressed".to_owned()))]);
    topics.alter_configs("t", plain).unwrap();
    let two = [record(Compression::Gzip, 1, None, "a"), record(Compression::None, 1, None, "b")].concat();
    wait(append(&partition, Bytes::from(two), Acks::All)).unwrap();
    assert_eq!(codecs()[5..], [Compression::None; 2]);
    assert_eq!(values(&partition).len(), 7);
    let bytes = partition.read(0, 1 << 20, true).unwrap().bytes;
    Batch::parse(&bytes).unwrap().verify_crc().unwrap();
}

#[test]
fn flush_messages_flushes_what_nobody_waits_for_and_relaxes_who_waits_only_if_the_topic_says_so() {
    let durable = |settings: &[(&str, &str)], acks, count| {
        let disk = SimDisk::new();
        let (topics, _) = open(&disk);
        let partition = topic(&topics, settings);
        for _ in 0..count {
            wait(append(&partition, batch(&["v"]), acks)).unwrap();
        }
        let (topics, _) = open(&disk.crash());
        topics.topic("t").unwrap().partition(0).unwrap().high_watermark()
    };
    assert_eq!(durable(&[], Acks::Leader, 7), 0);
    assert_eq!(durable(&[("flush.messages", "3")], Acks::Leader, 7), 6);
    assert_eq!(durable(&[("flush.messages", "1")], Acks::Leader, 7), 7);
    assert_eq!(durable(&[], Acks::All, 7), 7);
    assert_eq!(durable(&[("flush.messages", "3")], Acks::All, 7), 6, "the topic itself asks for it");
    assert_eq!(durable(&[("flush.ms", "100000")], Acks::All, 7), 7, "this asks for more, not for less");
}

#[test]
fn the_thread_works_when_something_is_due_and_ends_with_the_store() {
    let disk = SimDisk::new();
    let clock = Arc::new(ManualClock::new(NOW_MS));
    let (topics, _) = Topics::open(config(), Env::simulated(clock.clone(), &disk, 1)).unwrap();
    topics.start_cleaner().unwrap();
    topics.start_cleaner().unwrap();
    let partition = topic(&topics, &[("retention.ms", "2000")]);
    put(&partition, NOW_MS, "k", "v");
    clock.advance(Duration::from_secs(5));
    // Any change of a topic lets the thread look at the clock again.
    topics.create("other", 1, BTreeMap::new()).unwrap();
    let mut changed = topics.changed();
    while partition.log_start_offset() == 0 {
        changed.mark_unchanged();
        std::thread::yield_now();
    }
    topics.close().unwrap();
    assert_eq!(partition.log_start_offset(), 1);
}

#[test]
fn dropping_the_last_handle_ends_the_thread_too() {
    let disk = SimDisk::new();
    let (topics, _) = open(&disk);
    topics.start_cleaner().unwrap();
    drop(topics);
    let (topics, _) = open(&disk);
    assert!(topics.disk_space().unwrap().usable > 0);
}

#[test]
fn a_full_disk_fails_a_pass_and_costs_nothing() {
    let disk = SimDisk::new();
    let (topics, _) = open(&disk);
    let partition = topic(&topics, &[("cleanup.policy", "compact"), ("segment.bytes", "500")]);
    for n in 0..60 {
        put(&partition, 1, &format!("k{}", n % 9), &format!("a value with the number {n}"));
    }
    let before = values(&partition);
    disk.set_capacity(Some(disk.used()));
    assert_eq!(topics.clean(NOW_MS).failures, 1);
    assert_eq!(values(&partition), before);
    disk.set_capacity(None);
    assert_eq!(topics.clean(NOW_MS).failures, 0);
    assert!(values(&partition).len() < 20);
}

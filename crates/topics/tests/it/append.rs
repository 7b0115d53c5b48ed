//! Appending, reading, watching, and what is refused.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use env::SimDisk;
use record::{Batch, BatchBuilder, Compression, Producer};
use topics::{Acks, AppendError, Config, ErrorKind, ReadError, Topics};

use crate::support::{append, append_here, batch, config, env_on, open, partition, produced, read_all, wait};

#[test]
fn appends_keep_the_order_of_the_calls_and_offsets_are_dense() {
    wait(async {
        let (topics, _) = open(&SimDisk::new());
        let partition = partition(&topics, "t");
        let futures: Vec<_> = (0..200)
            .map(|n| {
                let acks = [Acks::None, Acks::Leader, Acks::All][n % 3];
                partition.enqueue(batch(&[&format!("v{n}")]), acks).unwrap()
            })
            .collect();
        for (n, future) in futures.into_iter().enumerate() {
            let appended = future.await.unwrap();
            assert_eq!((appended.base_offset, appended.duplicate), (n as i64, false));
        }
        let expected: Vec<String> = (0..200).map(|n| format!("v{n}")).collect();
        assert_eq!(read_all(&partition), expected);
    });
}

#[test]
fn whoever_flushes_its_own_append_is_answered_at_once_and_durably() {
    let disk = SimDisk::new();
    let (topics, _) = open(&disk);
    let partition = partition(&topics, "t");
    let built = |value: &str| {
        let mut builder = BatchBuilder::new(Compression::None, Producer::NONE);
        builder.push(1_000, None, Some(value.as_bytes()), &[]);
        builder.finish()
    };
    let unflushed = partition.enqueue(batch(&["before"]), Acks::Leader).unwrap();
    wait(unflushed).unwrap();
    let mut appended = partition.append_built(built("here")).unwrap();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let answer = std::pin::Pin::new(&mut appended).poll(&mut context);
    assert!(matches!(answer, std::task::Poll::Ready(Ok(appended)) if appended.base_offset == 1));
    let (after_power_cut, _) = open(&disk.crash());
    assert_eq!(read_all(&after_power_cut.topic("t").unwrap().partition(0).unwrap()), ["before", "here"]);
}

#[test]
fn callers_that_flush_and_others_that_wait_share_a_partition() {
    let (topics, _) = open(&SimDisk::new());
    let partition = partition(&topics, "t");
    let appends = |from: usize| {
        let partition = partition.clone();
        move || {
            let mut offsets = Vec::new();
            for n in from..from + 100 {
                let appended = match n % 3 {
                    0 => wait(append(&partition, batch(&[&n.to_string()]), Acks::All)),
                    1 => wait(append(&partition, batch(&[&n.to_string()]), Acks::Leader)),
                    _ => wait(append_here(&partition, &n.to_string())),
                };
                offsets.push((appended.unwrap().base_offset, n.to_string()));
            }
            offsets
        }
    };
    let threads: Vec<_> = (0..4).map(|thread| std::thread::spawn(appends(1000 * thread))).collect();
    let mut offsets: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    offsets.sort();
    let values: Vec<String> = offsets.iter().map(|(_, value)| value.clone()).collect();
    assert_eq!(read_all(&partition), values);
    assert_eq!(offsets.iter().map(|(offset, _)| *offset).collect::<Vec<_>>(), (0..400).collect::<Vec<_>>());
}

#[test]
fn a_reader_that_waits_is_told() {
    wait(async {
        let (topics, _) = open(&SimDisk::new());
        let partition = partition(&topics, "t");
        let mut watch = partition.watch();
        assert!(partition.read(0, 1000, true).unwrap().bytes.is_empty());
        let appended = partition.enqueue(batch(&["a", "b"]), Acks::All).unwrap();
        watch.changed().await.unwrap();
        assert_eq!(*watch.borrow(), 2);
        appended.await.unwrap();
        assert!(matches!(partition.read(3, 1000, true), Err(ReadError::OutOfRange { start: 0, end: 2, .. })));
    });
}

fn refusal(bytes: Bytes) -> AppendError {
    let (topics, _) = open(&SimDisk::new());
    partition(&topics, "t").enqueue(bytes, Acks::All).unwrap_err()
}

#[test]
fn unsound_batches_are_refused_on_the_callers_thread() {
    let good = batch(&["hello", "world"]);
    assert_eq!(refusal(Bytes::new()).kind(), ErrorKind::Invalid);
    for length in 1..good.len() {
        assert_eq!(refusal(good.slice(..length)).kind(), ErrorKind::Corrupt, "cut at {length}");
    }
    for position in 21..good.len() {
        let mut rotten = BytesMut::from(&good[..]);
        rotten[position] ^= 1;
        assert_eq!(refusal(rotten.freeze()).kind(), ErrorKind::Corrupt, "byte {position}");
    }
    let mut old = BytesMut::from(&good[..]);
    old[16] = 1;
    assert_eq!(refusal(old.freeze()).kind(), ErrorKind::Invalid, "another format");
    let mut control = BatchBuilder::new(Compression::None, Producer::NONE).control();
    control.push(0, None, None, &[]);
    assert_eq!(refusal(control.build()).kind(), ErrorKind::Invalid);
}

#[test]
fn a_batch_that_lies_about_its_records_is_refused() {
    let good = batch(&["hello", "world"]);
    let mut lying = BytesMut::from(&good[..]);
    // Three records are claimed where two are, with a checksum that fits.
    lying[26] = 2;
    lying[60] = 3;
    record::set_log_append_time(&mut lying, 5);
    let error = refusal(lying.freeze());
    assert!(matches!(error, AppendError::Invalid { source: Some(_), .. }), "{error:?}");
}

#[test]
fn a_topics_own_limit_holds_for_its_batches() {
    let (topics, _) = open(&SimDisk::new());
    let configs = BTreeMap::from([("max.message.bytes".to_owned(), "100".to_owned())]);
    let partition = topics.create("small", 1, configs).unwrap().partition(0).unwrap();
    let error = partition.enqueue(batch(&["x".repeat(100).as_str()]), Acks::All).unwrap_err();
    assert!(matches!(&error, AppendError::TooLarge { max: 100, .. }), "{error}");
    partition.enqueue(batch(&["x"]), Acks::All).unwrap();
}

#[test]
fn a_topics_settings_hold_for_batches_of_this_program() {
    wait(async {
        let (topics, _) = open(&SimDisk::new());
        let settings =
            [("max.message.bytes", "100"), ("cleanup.policy", "compact"), ("compression.type", "lz4")];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let partition = topics.create("t", 1, settings.into()).unwrap().partition(0).unwrap();
        let built = |key: Option<&[u8]>, value: &str| {
            let mut builder = BatchBuilder::new(Compression::None, Producer::NONE);
            builder.push(0, key, Some(value.as_bytes()), &[]);
            builder.finish()
        };
        let refused = |built| partition.enqueue_built(built, Acks::All).unwrap_err();
        assert!(matches!(
            refused(built(Some(b"k"), &"x".repeat(100))),
            AppendError::TooLarge { max: 100, .. }
        ));
        assert!(matches!(refused(built(None, "x")), AppendError::Invalid { .. }));
        partition.enqueue_built(built(Some(b"k"), "taken"), Acks::All).unwrap().await.unwrap();
        let batch = Batch::parse(&partition.read(0, 1_000, true).unwrap().bytes).unwrap();
        assert_eq!(batch.header.compression().unwrap(), Compression::Lz4);
        assert_eq!(read_all(&partition), ["taken"]);
    });
}

#[test]
fn repetitions_gaps_and_impostors_are_told_apart() {
    wait(async {
        let (topics, _) = open(&SimDisk::new());
        let partition = partition(&topics, "t");
        let send = |epoch, base_sequence| produced(Producer { id: 9, epoch, base_sequence }, &["v"]);
        assert_eq!(append(&partition, send(1, 0), Acks::All).await.unwrap().base_offset, 0);
        let again = append(&partition, send(1, 0), Acks::All).await.unwrap();
        assert_eq!((again.base_offset, again.duplicate), (0, true));
        let gap = append(&partition, send(1, 2), Acks::All).await.unwrap_err();
        assert!(matches!(gap, AppendError::OutOfOrderSequence { producer_id: 9, sequence: 2, expected: 1 }));
        let impostor = append(&partition, send(0, 1), Acks::All).await.unwrap_err();
        assert!(matches!(impostor, AppendError::ProducerFenced { epoch: 0, current: 1, .. }));
        assert_eq!((partition.high_watermark(), partition.last_sequence(9)), (1, Some((1, 0))));
    });
}

#[test]
fn a_full_disk_refuses_and_recovers() {
    wait(async {
        let disk = SimDisk::new();
        let (topics, _) = open(&disk);
        let partition = partition(&topics, "t");
        append(&partition, batch(&["kept"]), Acks::All).await.unwrap();
        disk.set_capacity(Some(disk.used() + 30));
        let error = append(&partition, batch(&["refused"]), Acks::All).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Retry);
        let message = error.to_string();
        assert!(message.contains("/data/topics/t-0") && message.contains("free space"), "{message}");
        assert_eq!(read_all(&partition), ["kept"]);
        disk.set_capacity(None);
        append(&partition, batch(&["later"]), Acks::All).await.unwrap();
        assert_eq!(read_all(&partition), ["kept", "later"]);
    });
}

#[test]
fn a_failed_flush_is_told_and_stops_the_partition_alone() {
    wait(async {
        let disk = SimDisk::new();
        let (topics, _) = open(&disk);
        let (broken, sound) = (partition(&topics, "broken"), partition(&topics, "sound"));
        disk.fail_sync(1);
        let error = append(&broken, batch(&["a"]), Acks::All).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal);
        assert!(error.to_string().contains("restart"), "{error}");
        assert_eq!(broken.high_watermark(), 0, "what may be lost is not shown");
        assert!(append(&broken, batch(&["b"]), Acks::Leader).await.is_err());
        append(&sound, batch(&["c"]), Acks::All).await.unwrap();
        assert!(topics.close().is_err());
    });
}

#[test]
fn a_queue_that_is_full_says_so() {
    let config = Config { queue_bytes: 1, writer_threads: 1, ..config() };
    let (topics, _) = Topics::open(config, env_on(&SimDisk::new())).unwrap();
    let partition = partition(&topics, "t");
    // The writer empties the queue while it is filled; some call finds a batch still waiting.
    let refused = (0..100_000).find_map(|_| partition.enqueue(batch(&["v"]), Acks::Leader).err());
    assert_eq!(refused.unwrap().kind(), ErrorKind::Retry);
}

#[test]
fn records_are_found_by_time() {
    wait(async {
        let (topics, _) = open(&SimDisk::new());
        let partition = partition(&topics, "t");
        let mut builder = record::BatchBuilder::new(record::Compression::None, Producer::NONE);
        for timestamp in [10, 30, 20] {
            builder.push(timestamp, None, Some(b"v"), &[]);
        }
        append(&partition, builder.build(), Acks::Leader).await.unwrap();
        let found = partition.offset_for_timestamp(15).unwrap().unwrap();
        assert_eq!((found.offset, found.timestamp), (1, 30));
        assert_eq!(partition.max_timestamp().unwrap().unwrap().offset, 1);
        assert_eq!(partition.offset_for_timestamp(31).unwrap(), None);
    });
}

#[test]
fn deleted_records_are_out_of_range() {
    wait(async {
        let (topics, _) = open(&SimDisk::new());
        let partition = partition(&topics, "t");
        for n in 0..50 {
            append(&partition, batch(&[&format!("value-{n}")]), Acks::Leader).await.unwrap();
        }
        assert_eq!(partition.delete_before(20).await.unwrap(), 20);
        assert!(matches!(
            partition.read(19, 100, true),
            Err(ReadError::OutOfRange { start: 20, end: 50, .. })
        ));
        assert_eq!(read_all(&partition).len(), 30);
        assert_eq!(partition.delete_before(1000).await.unwrap(), 50, "never past the high watermark");
    });
}

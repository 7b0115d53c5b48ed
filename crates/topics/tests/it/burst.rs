//! Appends that are made together are the same appends, by fewer writes.

use std::collections::BTreeMap;

use env::SimDisk;
use proptest::prelude::*;
use topics::{Acks, AppendFuture, Burst, Config, ErrorKind, Topics};

use crate::support::{append, batch, config, env_on, open, partition, read_all, wait};

const PARTITIONS: u32 = 3;

#[derive(Debug, Clone)]
enum Step {
    Gather,
    Run,
    Append { partition: u32, acks: Acks, bytes: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let acks = prop_oneof![4 => Just(Acks::Leader), 1 => Just(Acks::All), 1 => Just(Acks::None)];
    prop_oneof![
        1 => Just(Step::Gather),
        1 => Just(Step::Run),
        6 => (0..PARTITIONS, acks, 1..900_usize)
            .prop_map(|(partition, acks, bytes)| Step::Append { partition, acks, bytes }),
    ]
}

proptest! {
    #[test]
    fn every_partition_keeps_the_order_of_the_calls(steps in prop::collection::vec(step(), 1..60)) {
        wait(async {
            let (topics, _) = open(&SimDisk::new());
            let topic = topics.create("t", PARTITIONS, BTreeMap::new()).unwrap();
            let mut burst = Burst::default();
            let mut futures: Vec<(usize, i64, AppendFuture)> = Vec::new();
            let mut expected: Vec<Vec<String>> = vec![Vec::new(); PARTITIONS as usize];
            for (n, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Gather => burst.gather(),
                    Step::Run => burst.run(),
                    Step::Append { partition, acks, bytes } => {
                        let value = format!("{n:0bytes$}");
                        let place = partition as usize;
                        let offset = expected[place].len() as i64;
                        let partition = topic.partition(partition).unwrap();
                        let future = burst.enqueue(&partition, batch(&[&value]), acks).unwrap();
                        futures.push((place, offset, future));
                        expected[place].push(value);
                    }
                }
            }
            burst.run();
            for (place, offset, future) in futures {
                prop_assert_eq!(future.await.unwrap().base_offset, offset, "partition {}", place);
            }
            for (place, expected) in expected.iter().enumerate() {
                prop_assert_eq!(&read_all(&topic.partition(place as u32).unwrap()), expected);
            }
            Ok(())
        })?;
    }
}

/// Gathers so many appends to `t` and makes them.
fn together(topics: &Topics, count: usize, acks: Acks) -> Vec<AppendFuture> {
    let partition = partition(topics, "t");
    let mut burst = Burst::default();
    burst.gather();
    let futures =
        (0..count).map(|n| burst.enqueue(&partition, batch(&[&n.to_string()]), acks).unwrap()).collect();
    assert_eq!((burst.is_empty(), partition.high_watermark()), (count == 0, 0), "nothing is appended yet");
    burst.run();
    assert!(burst.is_empty());
    futures
}

#[test]
fn what_came_together_is_one_write() {
    wait(async {
        let disk = SimDisk::new();
        let (topics, _) = open(&disk);
        partition(&topics, "t");
        let before = disk.operations();
        for future in together(&topics, 10, Acks::Leader) {
            future.await.unwrap();
        }
        assert_eq!(disk.operations() - before, 1);
    });
}

#[test]
fn a_full_disk_refuses_all_of_it_and_recovers() {
    wait(async {
        let disk = SimDisk::new();
        let (topics, _) = open(&disk);
        let partition = partition(&topics, "t");
        disk.set_capacity(Some(disk.used() + 30));
        for future in together(&topics, 3, Acks::Leader) {
            assert_eq!(future.await.unwrap_err().kind(), ErrorKind::Retry);
        }
        assert_eq!(read_all(&partition), [""; 0]);
        disk.set_capacity(None);
        append(&partition, batch(&["later"]), Acks::All).await.unwrap();
        assert_eq!(read_all(&partition), ["later"]);
    });
}

#[test]
fn what_a_topic_wants_flushed_is_answered_when_it_is() {
    wait(async {
        let disk = SimDisk::new();
        let (topics, _) = open(&disk);
        let settings = BTreeMap::from([("flush.messages".to_owned(), "1".to_owned())]);
        topics.create("t", 1, settings).unwrap();
        for future in together(&topics, 3, Acks::Leader) {
            future.await.unwrap();
        }
        let (topics, _) = open(&disk.crash());
        assert_eq!(read_all(&partition(&topics, "t")), ["0", "1", "2"]);
    });
}

#[test]
fn a_queue_that_takes_no_more_is_told_to_whoever_waits() {
    wait(async {
        let config = Config { queue_bytes: 1, writer_threads: 1, ..config() };
        let (topics, _) = Topics::open(config, env_on(&SimDisk::new())).unwrap();
        let mut refused = 0;
        // What waits for a flush goes to the writer, which empties its queue meanwhile.
        for future in together(&topics, 1_000, Acks::All) {
            if let Err(error) = future.await {
                assert_eq!(error.kind(), ErrorKind::Retry, "{error}");
                refused += 1;
            }
        }
        assert_eq!(read_all(&partition(&topics, "t")).len(), 1_000 - refused);
    });
}

#[test]
fn a_deleted_topic_is_told() {
    wait(async {
        let (topics, _) = open(&SimDisk::new());
        let partition = partition(&topics, "t");
        let mut burst = Burst::default();
        burst.gather();
        let gathered = burst.enqueue(&partition, batch(&["v"]), Acks::Leader).unwrap();
        topics.delete("t").unwrap();
        burst.run();
        let error = gathered.await.unwrap_err();
        assert!(error.to_string().contains("deleted"), "{error}");
    });
}

//! A power cut at every operation while several partitions are written with mixed acknowledgements.

use std::collections::BTreeMap;

use env::SimDisk;
use topics::{Acks, Burst, Partition, Topics};

use crate::support::{append, append_here, batch, config, env_on, open, read_all, wait};

const PARTITIONS: u32 = 3;

/// Appends to all partitions in turn; answers, per partition, how many records were acknowledged as flushed and
/// how many as written.
fn run(disk: &SimDisk) -> [(usize, usize); PARTITIONS as usize] {
    run_with(disk, |partition, value| wait(append(partition, batch(&[value]), Acks::All)).is_ok())
}

/// As [`run`], flushed by the caller.
fn run_here(disk: &SimDisk) -> [(usize, usize); PARTITIONS as usize] {
    run_with(disk, |partition, value| wait(append_here(partition, value)).is_ok())
}

fn run_with(disk: &SimDisk, flushed: fn(&Partition, &str) -> bool) -> [(usize, usize); PARTITIONS as usize] {
    let mut acknowledged = [(0, 0); PARTITIONS as usize];
    let Ok((topics, _)) = Topics::open(config(), env_on(disk)) else { return acknowledged };
    let Ok(topic) = topics.create("t", PARTITIONS, BTreeMap::new()) else { return acknowledged };
    for n in 0..12 {
        for (index, done) in (0..PARTITIONS).zip(&mut acknowledged) {
            let acks = if n % 4 == 3 { Acks::All } else { Acks::Leader };
            let partition = topic.partition(index).unwrap();
            let value = format!("{n:0>200}");
            let appended = match acks {
                Acks::All => flushed(&partition, &value),
                _ => wait(append(&partition, batch(&[&value]), acks)).is_ok(),
            };
            if appended {
                assert_eq!(done.1, n, "a partition that failed once takes nothing more");
                done.1 = n + 1;
                if acks == Acks::All {
                    done.0 = n + 1;
                }
            }
        }
    }
    drop(topics.close());
    acknowledged
}

#[test]
fn nothing_acknowledged_is_lost_wherever_the_run_is_cut() {
    assert!(cut_everywhere(run) > 60);
}

#[test]
fn nor_where_callers_flush() {
    assert!(cut_everywhere(run_here) > 60);
}

#[test]
fn nor_where_appends_are_made_together() {
    assert!(cut_everywhere(run_together) > 30);
}

/// Answers how many places there were to cut at.
fn cut_everywhere(run: fn(&SimDisk) -> [(usize, usize); PARTITIONS as usize]) -> u64 {
    let rehearsal = SimDisk::new();
    assert_eq!(run(&rehearsal), [(12, 12); 3]);
    let operations = rehearsal.operations();
    for cut in 0..operations {
        let disk = SimDisk::new();
        disk.cut_after(cut);
        let acknowledged = run(&disk);
        check(&disk.crash(), cut, acknowledged.map(|(flushed, _)| flushed));
        check(&disk.process_crash(), cut, acknowledged.map(|(_, written)| written));
    }
    operations
}

fn check(disk: &SimDisk, cut: u64, at_least: [usize; PARTITIONS as usize]) {
    let (topics, report) = open(disk);
    assert!(report.findings.iter().all(|line| line.contains("torn tail")), "cut {cut}: {report:?}");
    let Some(topic) = topics.topic("t") else {
        assert_eq!(at_least, [0; 3], "cut {cut}");
        return;
    };
    for (index, at_least) in (0..PARTITIONS).zip(at_least) {
        let partition = topic.partition(index).unwrap();
        let values: Vec<usize> = read_all(&partition).iter().map(|value| value.parse().unwrap()).collect();
        assert!(values.len() >= at_least, "cut {cut}: {} of {at_least}", values.len());
        assert_eq!(values, (0..values.len()).collect::<Vec<_>>(), "cut {cut}");
        wait(append(&partition, batch(&["99"]), Acks::All)).unwrap();
    }
}

/// As [`run`], three records of each partition at a time.
fn run_together(disk: &SimDisk) -> [(usize, usize); PARTITIONS as usize] {
    let mut acknowledged = [(0, 0); PARTITIONS as usize];
    let Ok((topics, _)) = Topics::open(config(), env_on(disk)) else { return acknowledged };
    let Ok(topic) = topics.create("t", PARTITIONS, BTreeMap::new()) else { return acknowledged };
    for round in 0..4 {
        let mut burst = Burst::default();
        burst.gather();
        let mut waiting = Vec::new();
        for n in 3 * round..3 * round + 3 {
            let acks = if n % 4 == 3 { Acks::All } else { Acks::Leader };
            for index in 0..PARTITIONS {
                let partition = topic.partition(index).unwrap();
                let value = format!("{n:0>200}");
                waiting.push((index as usize, n, acks, burst.enqueue(&partition, batch(&[&value]), acks)));
            }
        }
        burst.run();
        for (index, n, acks, future) in waiting {
            if future.is_ok_and(|future| wait(future).is_ok()) {
                // One before it may have been refused for want of its flush: written it was nevertheless.
                acknowledged[index].1 = n + 1;
                if acks == Acks::All {
                    acknowledged[index].0 = n + 1;
                }
            }
        }
    }
    drop(topics.close());
    acknowledged
}

/// Topics come and go, with partitions added; answers which ones were promised to be there, and which to be gone.
fn administer(disk: &SimDisk) -> BTreeMap<&'static str, Option<u32>> {
    let mut promised = BTreeMap::new();
    let Ok((topics, _)) = Topics::open(config(), env_on(disk)) else { return promised };
    for name in ["a", "b", "c"] {
        if let Ok(topic) = topics.create(name, 2, BTreeMap::new()) {
            promised.insert(name, Some(2));
            let partition = topic.partition(1).unwrap();
            drop(wait(append(&partition, batch(&[name]), Acks::All)));
        }
    }
    if promised.contains_key("a") {
        promised.remove("a");
        if topics.delete("a").is_ok() {
            promised.insert("a", None);
        }
    }
    if promised.remove("b").is_some() && topics.create_partitions("b", 3).is_ok() {
        promised.insert("b", Some(3));
    }
    drop(topics.close());
    promised
}

#[test]
fn topics_are_there_or_gone_as_promised_wherever_the_run_is_cut() {
    let rehearsal = SimDisk::new();
    let whole = administer(&rehearsal);
    assert_eq!(whole, BTreeMap::from([("a", None), ("b", Some(3)), ("c", Some(2))]));
    for cut in 0..=rehearsal.operations() {
        let disk = SimDisk::new();
        disk.cut_after(cut);
        let promised = administer(&disk);
        let lefts =
            [disk.crash(), disk.process_crash(), disk.crash_partly(cut), disk.crash_partly(cut + 9_999)];
        for left in lefts {
            let (topics, _) = open(&left);
            for (name, partitions) in &promised {
                let found = topics.topic(name).map(|topic| topic.partition_count());
                assert_eq!(found, *partitions, "cut {cut}, topic {name}");
            }
            for topic in topics.list() {
                let partition = topic.partition(topic.partition_count() - 1).unwrap();
                wait(append(&partition, batch(&["more"]), Acks::All)).unwrap();
            }
            drop(topics);
        }
    }
}

#[test]
fn a_failing_flush_fails_everybody_who_waits_for_it_and_shows_nothing() {
    wait(async {
        let disk = SimDisk::new();
        let (topics, _) = open(&disk);
        let partition = topics.create("t", 1, BTreeMap::new()).unwrap().partition(0).unwrap();
        append(&partition, batch(&["kept"]), Acks::All).await.unwrap();
        disk.fail_sync(1);
        let waiting: Vec<_> =
            (0..20).filter_map(|_| partition.enqueue(batch(&["doubtful"]), Acks::All).ok()).collect();
        assert!(!waiting.is_empty());
        for one in waiting {
            let error = one.await.unwrap_err();
            assert!(error.to_string().contains("takes no more writes"), "{error}");
        }
        assert_eq!(partition.high_watermark(), 1);
        assert!(append(&partition, batch(&["later"]), Acks::Leader).await.is_err(), "it is not tried again");
    });
}

#[test]
fn a_callers_failing_flush_is_told_and_shows_nothing() {
    wait(async {
        let disk = SimDisk::new();
        let (topics, _) = open(&disk);
        let partition = topics.create("t", 1, BTreeMap::new()).unwrap().partition(0).unwrap();
        append_here(&partition, "kept").await.unwrap();
        disk.fail_sync(1);
        let error = append_here(&partition, "doubtful").await.unwrap_err();
        assert!(error.to_string().contains("takes no more writes"), "{error}");
        assert_eq!(partition.high_watermark(), 1);
        assert!(append_here(&partition, "later").await.is_err(), "it is not tried again");
        assert!(append(&partition, batch(&["later"]), Acks::Leader).await.is_err());
    });
}

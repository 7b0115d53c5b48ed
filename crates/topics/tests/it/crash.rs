//! A power cut at every operation while several partitions are written with mixed acknowledgements.

use std::collections::BTreeMap;

use env::SimDisk;
use topics::{Acks, Topics};

use crate::support::{append, batch, config, env_on, open, read_all, wait};

const PARTITIONS: u32 = 3;

/// Appends to all partitions in turn; answers, per partition, how many records were acknowledged as flushed and
/// how many as written.
fn run(disk: &SimDisk) -> [(usize, usize); PARTITIONS as usize] {
    let mut acknowledged = [(0, 0); PARTITIONS as usize];
    let Ok((topics, _)) = Topics::open(config(), env_on(disk)) else { return acknowledged };
    let Ok(topic) = topics.create("t", PARTITIONS, BTreeMap::new()) else { return acknowledged };
    for n in 0..12 {
        for (index, done) in (0..PARTITIONS).zip(&mut acknowledged) {
            let acks = if n % 4 == 3 { Acks::All } else { Acks::Leader };
            let partition = topic.partition(index).unwrap();
            let value = format!("{n:0>200}");
            if wait(append(&partition, batch(&[&value]), acks)).is_ok() {
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
    let rehearsal = SimDisk::new();
    assert_eq!(run(&rehearsal), [(12, 12); 3]);
    let operations = rehearsal.operations();
    assert!(operations > 60, "{operations}");
    for cut in 0..operations {
        let disk = SimDisk::new();
        disk.cut_after(cut);
        let acknowledged = run(&disk);
        check(&disk.crash(), cut, acknowledged.map(|(flushed, _)| flushed));
        check(&disk.process_crash(), cut, acknowledged.map(|(_, written)| written));
    }
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

//! Topics come and go, and a crash at any moment leaves them there or gone.

use std::collections::BTreeMap;
use std::path::Path;

use env::{Disk, OpenMode, SimDisk};
use topics::{Acks, AppendError, CreateError, DeleteError, OpenError, ReadError, Topics};

use crate::support::{append, batch, config, env_on, open, partition, read_all, wait};

#[test]
fn a_topic_is_found_by_name_and_id_and_survives_a_power_cut() {
    let disk = SimDisk::new();
    let (topics, _) = open(&disk);
    let mut changed = topics.changed();
    let configs = BTreeMap::from([("retention.ms".to_owned(), "5".to_owned())]);
    let created = topics.create("orders", 3, configs.clone()).unwrap();
    assert!(changed.has_changed().unwrap());
    changed.mark_unchanged();
    assert!(matches!(topics.create("orders", 1, BTreeMap::new()), Err(CreateError::Exists { .. })));
    assert!(matches!(topics.create("a/b", 1, BTreeMap::new()), Err(CreateError::InvalidName { .. })));
    assert!(matches!(topics.create("b", 0, BTreeMap::new()), Err(CreateError::InvalidPartitions { .. })));
    let (topics, report) = open(&disk.crash());
    assert!(!report.clean && report.partitions == 3);
    let found = topics.topic("orders").unwrap();
    assert_eq!((found.id(), found.partition_count(), found.configs()), (created.id(), 3, &configs));
    assert_eq!(topics.topic_by_id(created.id()).unwrap().name(), "orders");
    assert!(found.partition(2).is_some() && found.partition(3).is_none());
}

#[test]
fn a_deleted_topic_is_gone_for_everybody_and_its_name_is_free() {
    wait(async {
        let disk = SimDisk::new();
        let (topics, _) = open(&disk);
        let old = partition(&topics, "t");
        append(&old, batch(&["old"]), Acks::All).await.unwrap();
        let mut watch = old.watch();
        topics.delete("t").unwrap();
        watch.changed().await.unwrap();
        assert!(matches!(topics.delete("t"), Err(DeleteError::NotFound { .. })));
        assert!(matches!(append(&old, batch(&["x"]), Acks::All).await, Err(AppendError::Deleted { .. })));
        assert!(matches!(old.read(0, 100, true), Err(ReadError::Deleted { .. })));
        assert!(!disk.exists(Path::new("/data/topics/t-0")));
        let new = partition(&topics, "t");
        append(&new, batch(&["new"]), Acks::All).await.unwrap();
        assert_eq!(read_all(&new), ["new"]);
    });
}

#[test]
fn a_crash_while_topics_come_and_go_leaves_each_there_or_gone() {
    let run = |disk: &SimDisk| -> Result<(), Box<dyn std::error::Error>> {
        let (topics, _) = Topics::open(config(), env_on(disk))?;
        let a = topics.create("a", 2, BTreeMap::new())?;
        wait(append(&a.partition(1).unwrap(), batch(&["v"]), Acks::All))?;
        topics.create("b", 1, BTreeMap::new())?;
        topics.delete("a")?;
        topics.create("a", 1, BTreeMap::new())?;
        topics.close()?;
        Ok(())
    };
    let rehearsal = SimDisk::new();
    run(&rehearsal).unwrap();
    for cut in 0..rehearsal.operations() {
        let disk = SimDisk::new();
        disk.cut_after(cut);
        run(&disk).unwrap_err();
        for left in [disk.crash(), disk.process_crash()] {
            let (topics, _) = open(&left);
            let counts =
                topics.list().iter().map(|t| (t.name().to_owned(), t.partition_count())).collect::<Vec<_>>();
            let a = |n| ("a".to_owned(), n);
            let b = || ("b".to_owned(), 1);
            let possible = [vec![], vec![a(2)], vec![a(2), b()], vec![b()], vec![a(1), b()]];
            assert!(possible.contains(&counts), "cut {cut} left {counts:?}");
            for entry in left.read_dir(Path::new("/data/topics")).unwrap() {
                let (name, _) = entry.name.rsplit_once('-').unwrap();
                let log = format!("/data/topics/{}/00000000000000000000.log", entry.name);
                let bytes = left.len(Path::new(&log)).unwrap_or(0);
                // Directories of a creation that did not come to its end may be there, with nothing in them.
                assert!(topics.topic(name).is_some() || bytes == 0, "cut {cut}: {log} has {bytes} bytes");
            }
            for name in ["a", "b", "c"] {
                wait(append(&partition(&topics, name), batch(&["v"]), Acks::All)).unwrap();
            }
        }
    }
}

#[test]
fn a_second_process_is_refused_and_told_what_to_do() {
    let disk = SimDisk::new();
    let (topics, _) = open(&disk);
    let refused = Topics::open(config(), env_on(&disk)).unwrap_err();
    assert!(matches!(refused, OpenError::Lock(_)));
    assert!(refused.to_string().contains("/data is in use by process"), "{refused}");
    topics.close().unwrap();
    open(&disk);
}

#[test]
fn producer_ids_are_never_given_twice() {
    let mut disk = SimDisk::new();
    let mut given = Vec::new();
    for _ in 0..3 {
        let (topics, _) = open(&disk);
        given.extend((0..1500).map(|_| topics.next_producer_id().unwrap()));
        disk = disk.crash();
    }
    let total = given.len();
    given.sort_unstable();
    given.dedup();
    assert_eq!(given.len(), total);
}

#[test]
fn a_lost_or_damaged_list_of_topics_costs_settings_and_no_record() {
    let disk = SimDisk::new();
    let (topics, _) = open(&disk);
    wait(append(&partition(&topics, "with-dash"), batch(&["kept"]), Acks::All)).unwrap();
    let last_id = topics.next_producer_id().unwrap();
    let list = Path::new("/data/topics.json");
    let lost = disk.crash();
    lost.remove_file(list).unwrap();
    let damaged = disk.crash();
    damaged.open(list, OpenMode::ReadWrite).unwrap().write_at(b"????", 0).unwrap();
    for disk in [lost, damaged] {
        let (topics, report) = open(&disk);
        assert!(report.findings.iter().any(|line| line.contains("topics.json")), "{report:?}");
        assert_eq!(read_all(&partition(&topics, "with-dash")), ["kept"]);
        assert!(topics.next_producer_id().unwrap() > last_id + 1000);
    }
}

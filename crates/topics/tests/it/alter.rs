//! Settings and numbers of partitions change while the store runs, and a crash leaves the old state or the new one.

use std::collections::BTreeMap;

use env::SimDisk;
use topics::{
    Acks, AlterError, AppendError, CreateError, CreatePartitionsError, ErrorKind, SettingSource, Topics,
};

use crate::support::{append, batch, config, env_on, open, partition, read_all, wait};

fn changes(pairs: &[(&str, Option<&str>)]) -> BTreeMap<String, Option<String>> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect()
}

fn source_of(topics: &Topics, topic: &str, name: &str) -> (String, SettingSource) {
    let all = topics.settings(topics.topic(topic).unwrap().configs());
    let one = all.into_iter().find(|setting| setting.spec.name == name).unwrap();
    (one.value, one.source)
}

#[test]
fn a_changed_setting_holds_at_once_and_after_a_power_cut_and_can_be_taken_back() {
    let disk = SimDisk::new();
    let (topics, _) = open(&disk);
    let partition = partition(&topics, "t");
    let large = "x".repeat(500);
    wait(append(&partition, batch(&[&large]), Acks::All)).unwrap();
    let mut changed = topics.changed();
    changed.mark_unchanged();
    topics.alter_configs("t", changes(&[("max.message.bytes", Some(" 300 "))])).unwrap();
    assert!(changed.has_changed().unwrap());
    let refused = wait(append(&partition, batch(&[&large]), Acks::All)).unwrap_err();
    assert!(matches!(refused, AppendError::TooLarge { max: 300, .. }), "{refused}");

    let (topics, _) = open(&disk.crash());
    assert_eq!(source_of(&topics, "t", "max.message.bytes"), ("300".to_owned(), SettingSource::Topic));
    topics.alter_configs("t", changes(&[("max.message.bytes", None)])).unwrap();
    assert_eq!(source_of(&topics, "t", "max.message.bytes"), ("1048588".to_owned(), SettingSource::Default));
    wait(append(&topics.topic("t").unwrap().partition(0).unwrap(), batch(&[&large]), Acks::All)).unwrap();
}

#[test]
fn a_running_log_follows_its_topics_segment_size() {
    let disk = SimDisk::new();
    let (topics, _) = open(&disk);
    let partition = partition(&topics, "t");
    let segments = || {
        let names = env::Disk::read_dir(&disk, std::path::Path::new("/data/topics/t-0")).unwrap();
        names.iter().filter(|entry| entry.name.ends_with(".log")).count()
    };
    let value = "x".repeat(100);
    for _ in 0..4 {
        wait(append(&partition, batch(&[&value]), Acks::All)).unwrap();
    }
    assert_eq!(segments(), 1);
    topics.alter_configs("t", changes(&[("segment.bytes", Some("200"))])).unwrap();
    for _ in 0..4 {
        wait(append(&partition, batch(&[&value]), Acks::All)).unwrap();
    }
    assert_eq!(segments(), 5);
    assert_eq!(read_all(&partition).len(), 8);
}

#[test]
fn all_changes_happen_or_none() {
    let (topics, _) = open(&SimDisk::new());
    partition(&topics, "t");
    let both = |name, value| changes(&[("retention.ms", Some("5")), (name, value)]);
    for wrong in [both("segment.ms", Some("soon")), both("no.such.thing", None)] {
        let refused = topics.alter_configs("t", wrong).unwrap_err();
        assert!(matches!(refused, AlterError::Setting(_)), "{refused}");
        assert_eq!(refused.kind(), ErrorKind::Invalid);
    }
    assert!(topics.topic("t").unwrap().configs().is_empty());
    let missing = topics.alter_configs("u", changes(&[])).unwrap_err();
    assert!(matches!(missing, AlterError::NotFound { .. }), "{missing}");
    let configs = BTreeMap::from([("retention.ms".to_owned(), "soon".to_owned())]);
    assert!(matches!(topics.create("v", 1, configs), Err(CreateError::Setting(_))));
}

#[test]
fn topics_inherit_the_brokers_defaults_of_the_start_and_those_given_since() {
    let disk = SimDisk::new();
    let started = || {
        let defaults = BTreeMap::from([("log.retention.hours".to_owned(), "1".to_owned())]);
        Topics::open(topics::Config { defaults, ..config() }, env_on(&disk)).unwrap().0
    };
    let topics = started();
    partition(&topics, "t");
    let topic = topics.topic("t").unwrap();
    assert_eq!(topic.config().retention_ms, Some(3_600_000));
    topics.alter_defaults(changes(&[("log.retention.ms", Some("77"))])).unwrap();
    assert_eq!(topic.config().retention_ms, Some(77), "a topic that was looked up before follows");
    topics.close().unwrap();

    let topics = started();
    assert_eq!(source_of(&topics, "t", "retention.ms"), ("77".to_owned(), SettingSource::DynamicDefault));
    topics.alter_defaults(changes(&[("log.retention.ms", None)])).unwrap();
    assert_eq!(source_of(&topics, "t", "retention.ms"), ("3600000".to_owned(), SettingSource::Static));
    let refused = topics.alter_defaults(changes(&[("log.nonsense", Some("1"))])).unwrap_err();
    assert!(matches!(refused, AlterError::Setting(_)), "{refused}");
}

#[test]
fn partitions_are_added_and_the_old_ones_go_on() {
    let (topics, _) = open(&SimDisk::new());
    let first = partition(&topics, "t");
    wait(append(&first, batch(&["old"]), Acks::All)).unwrap();
    topics.create_partitions("t", 3).unwrap();
    let topic = topics.topic("t").unwrap();
    assert_eq!(topic.partition_count(), 3);
    let third = topic.partition(2).unwrap();
    wait(append(&third, batch(&["new"]), Acks::All)).unwrap();
    wait(append(&first, batch(&["older"]), Acks::All)).unwrap();
    assert_eq!(
        (read_all(&first), read_all(&third)),
        (vec!["old".into(), "older".into()], vec!["new".into()])
    );
    for total in [0, 2, 3, 10_001] {
        let refused = topics.create_partitions("t", total).unwrap_err();
        assert!(matches!(refused, CreatePartitionsError::InvalidPartitions { current: 3, .. }), "{refused}");
    }
    let missing = topics.create_partitions("u", 2).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
}

#[test]
fn a_crash_while_a_topic_changes_leaves_the_old_state_or_the_new_one() {
    let run = |disk: &SimDisk| -> Result<(), Box<dyn std::error::Error>> {
        let (topics, _) = Topics::open(config(), env_on(disk))?;
        let topic = topics.create("t", 1, BTreeMap::new())?;
        wait(append(&topic.partition(0).unwrap(), batch(&["v"]), Acks::All))?;
        topics.create_partitions("t", 3)?;
        topics.alter_configs("t", changes(&[("retention.ms", Some("5")), ("segment.ms", Some("6"))]))?;
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
            let Some(topic) = topics.topic("t") else { continue };
            let found = (topic.partition_count(), topic.configs().len());
            assert!([(1, 0), (3, 0), (3, 2)].contains(&found), "cut {cut} left {found:?}");
            topics.create_partitions("t", 4).unwrap();
            for index in 0..4 {
                let partition = topics.topic("t").unwrap().partition(index).unwrap();
                wait(append(&partition, batch(&["w"]), Acks::All)).unwrap();
            }
        }
    }
}

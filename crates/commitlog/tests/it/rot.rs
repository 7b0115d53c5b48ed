//! Bits that flip where they lie.

use commitlog::{Error, LastStop};
use env::{Disk, OpenMode, SimDisk};

use crate::support::{
    append, config, disk, file, numbered, open, open_with, read_all, segment, try_open, values,
};

const NAMES: [&str; 5] = ["zero", "one", "two", "three", "four"];

/// Five batches of one record each, and where each begins.
fn five_batches() -> (SimDisk, Vec<u64>) {
    let disk = disk();
    let (mut log, _) = open(&disk);
    let mut starts = vec![0];
    for name in NAMES {
        append(&mut log, values(&[name])).unwrap();
        starts.push(disk.len(&segment(0)).unwrap());
    }
    log.flush().unwrap();
    (disk, starts)
}

#[test]
fn any_flipped_bit_of_a_middle_batch_costs_that_batch_alone() {
    let (disk, starts) = five_batches();
    for position in starts[2]..starts[3] {
        for bit in [0, 3, 7] {
            let rotten = disk.process_crash();
            rotten.flip(&segment(0), position, 1 << bit).unwrap();
            let (log, recovery) = open(&rotten);
            assert!(recovery.cut.is_none(), "byte {position}: nothing is cut");
            assert_eq!(recovery.rotten.len(), 1, "byte {position}");
            let found = &recovery.rotten[0];
            assert_eq!((&found.path, found.position, found.next_offset), (&segment(0), starts[2], 3));
            let (records, rot) = read_all(&log, 0);
            let values: Vec<&str> = records.iter().map(|(_, value)| value.as_str()).collect();
            assert_eq!(values, ["zero", "one", "three", "four"]);
            assert!(matches!(&rot[..], [Error::Corrupt { path, position, next_offset: 3 }]
                if *path == segment(0) && *position == starts[2]));
            assert_eq!(rotten.len(&segment(0)).unwrap(), starts[5], "the rotten bytes stay");
        }
    }
}

#[test]
fn rot_that_comes_while_the_log_is_open_is_found_when_read() {
    let (disk, starts) = five_batches();
    let (mut log, _) = open(&disk);
    disk.flip(&segment(0), starts[2] + 65, 4).unwrap();
    let (records, rot) = read_all(&log, 0);
    assert_eq!((records.len(), rot.len()), (4, 1));
    assert_eq!(append(&mut log, values(&["five"])).unwrap(), 5, "the log goes on");
}

#[test]
fn two_rotten_batches_side_by_side_are_one_range() {
    let (disk, starts) = five_batches();
    disk.flip(&segment(0), starts[1] + 70, 4).unwrap();
    disk.flip(&segment(0), starts[2] + 8, 4).unwrap();
    let (log, recovery) = open(&disk);
    assert_eq!(recovery.rotten.len(), 1);
    assert_eq!(recovery.rotten[0].bytes, starts[3] - starts[1]);
    assert_eq!(read_all(&log, 0).0.len(), 3);
}

#[test]
fn rot_in_an_older_segment_is_found_when_read_and_costs_one_batch() {
    let disk = disk();
    let mut names = Vec::new();
    let (mut log, _) = open_with(&disk, config(300), LastStop::Unclean);
    for n in 0..20 {
        names.push(format!("value-{n}"));
        append(&mut log, values(&[&names[n]])).unwrap();
    }
    assert!(!disk.exists(&segment(20)) && disk.read_dir(&file("")).unwrap().len() > 12, "many segments");
    disk.flip(&segment(0), 30, 1).unwrap();
    let (log, _) = open_with(&disk.process_crash(), config(300), LastStop::Unclean);
    let (records, rot) = read_all(&log, 0);
    assert_eq!(records, numbered(&names)[1..]);
    assert!(matches!(rot[..], [Error::Corrupt { position: 0, next_offset: 1, .. }]));
}

/// A log of several segments, closed, and everything it holds.
fn closed_log() -> (SimDisk, Vec<String>) {
    let disk = disk();
    let (mut log, _) = open_with(&disk, config(1500), LastStop::Unclean);
    let names: Vec<String> = (0..60).map(|n| format!("value-{n}")).collect();
    for name in &names {
        append(&mut log, values(&[name])).unwrap();
    }
    log.close().unwrap();
    (disk, names)
}

type Damage<'a> = Box<dyn Fn(&SimDisk) + 'a>;

#[test]
fn no_derived_file_can_prevent_a_start_or_change_an_answer() {
    let (disk, names) = closed_log();
    let entries = disk.read_dir(&file("")).unwrap();
    let derived: Vec<_> = entries.iter().filter(|entry| !entry.name.ends_with(".log")).collect();
    assert!(derived.len() > 6, "{derived:?}");
    for entry in derived {
        let path = file(&entry.name);
        let length = disk.len(&path).unwrap();
        let mut damages: Vec<Damage<'_>> = vec![
            Box::new(|disk| disk.remove_file(&path).unwrap()),
            Box::new(|disk| disk.open(&path, OpenMode::ReadWrite).unwrap().set_len(0).unwrap()),
            Box::new(|disk| disk.open(&path, OpenMode::ReadWrite).unwrap().set_len(length / 2).unwrap()),
            Box::new(|disk| disk.open(&path, OpenMode::ReadWrite).unwrap().set_len(length + 24).unwrap()),
        ];
        for position in 0..length {
            let path = &path;
            for mask in [0x01, 0x02, 0x90] {
                damages.push(Box::new(move |disk| disk.flip(path, position, mask).unwrap()));
            }
        }
        for (number, damage) in damages.iter().enumerate() {
            for last_stop in [LastStop::Clean, LastStop::Unclean] {
                let damaged = disk.process_crash();
                damage(&damaged);
                let (mut log, _) = try_open(&damaged, config(1500), last_stop).unwrap();
                let case = format!("{} damage {number} {last_stop:?}", entry.name);
                let (records, rot) = read_all(&log, 0);
                assert!(rot.is_empty(), "{case}: {rot:?}");
                assert_eq!(records, numbered(&names), "{case}");
                for from in 0..60 {
                    let bytes = log.reader().read(from, 60, 0, true).unwrap();
                    let first = record::BatchHeader::parse(&bytes).unwrap().base_offset;
                    assert_eq!(first, from, "{case}");
                }
                assert_eq!(append(&mut log, values(&["next"])).unwrap(), 60, "{case}");
            }
        }
    }
}

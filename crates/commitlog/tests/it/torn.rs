//! A write that stopped at any byte.

use env::{Disk, OpenMode};

use crate::support::{append, disk, numbered, open, read_all, segment, values};

#[test]
fn a_tail_torn_at_any_byte_is_cut_to_the_last_whole_batch() {
    let whole = disk();
    let (mut log, _) = open(&whole);
    let mut ends = vec![0];
    for name in ["one", "two", "three"] {
        append(&mut log, values(&[name, "more"])).unwrap();
        ends.push(whole.len(&segment(0)).unwrap());
    }
    let names = ["one", "more", "two", "more", "three", "more"].map(str::to_owned);
    for length in 0..=ends[3] {
        let torn = whole.process_crash();
        torn.open(&segment(0), OpenMode::ReadWrite).unwrap().set_len(length).unwrap();
        let (mut log, recovery) = open(&torn);
        let kept = ends.iter().rposition(|end| *end <= length).unwrap();
        assert_eq!(torn.len(&segment(0)).unwrap(), ends[kept], "cut at {length}");
        assert_eq!(recovery.cut.map_or(0, |cut| cut.bytes), length - ends[kept]);
        assert!(recovery.rotten.is_empty());
        let (records, rot) = read_all(&log, 0);
        assert!(rot.is_empty());
        assert_eq!(records, numbered(&names[..kept * 2]));
        assert_eq!(append(&mut log, values(&["next"])).unwrap(), 2 * kept as i64, "offsets stay dense");
        assert_eq!(read_all(&log, 2 * kept as i64).0[0].1, "next");
    }
}

#[test]
fn a_tail_of_zeros_is_cut() {
    let disk = disk();
    let (mut log, _) = open(&disk);
    append(&mut log, values(&["one"])).unwrap();
    let end = disk.len(&segment(0)).unwrap();
    disk.open(&segment(0), OpenMode::ReadWrite).unwrap().set_len(end + 5_000).unwrap();
    let (log, recovery) = open(&disk.process_crash());
    let cut = recovery.cut.unwrap();
    assert_eq!((cut.position, cut.bytes, cut.path), (end, 5_000, segment(0)));
    assert_eq!(read_all(&log, 0).0.len(), 1);
}

#[test]
fn the_cut_survives_a_power_cut() {
    let disk = disk();
    let (mut log, _) = open(&disk);
    append(&mut log, values(&["one"])).unwrap();
    log.flush().unwrap();
    let end = disk.len(&segment(0)).unwrap();
    disk.open(&segment(0), OpenMode::ReadWrite).unwrap().write_at(&[2; 300], end).unwrap();
    let torn = disk.process_crash();
    torn.open(&segment(0), OpenMode::ReadWrite).unwrap().sync_data().unwrap();
    open(&torn);
    assert_eq!(torn.crash().len(&segment(0)).unwrap(), end);
}

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use env::{Disk, SimDisk, write_atomically};

use super::*;
use crate::status::DeadLetter;

fn path() -> PathBuf {
    PathBuf::from("/q/1/journal")
}

fn place(disk: &Arc<dyn Disk>) -> Place {
    Place::here(disk, path())
}

fn start() -> Frame {
    let offsets = BTreeMap::from([("t".to_owned(), BTreeMap::from([(0, 5)]))]);
    Frame::Start(Start { query: 1, producer_id: 9, offsets, log: None })
}

fn intent(batch: u64) -> Frame {
    let from = i64::try_from(batch).unwrap() * 10 - 5;
    Frame::Intent(Intent {
        batch,
        time_ms: 1,
        ranges: BTreeMap::from([("t".to_owned(), BTreeMap::from([(0, (from, from + 10))]))]),
        pins: BTreeMap::from([("m".to_owned(), Some(batch))]),
        champions: BTreeMap::new(),
        sink_partitions: 2,
    })
}

fn done(batch: u64) -> Frame {
    let numbers = BTreeMap::from([("s".to_owned(), BTreeMap::from([(1, 7)]))]);
    let sample = DeadLetter { reason: format!("r{batch}"), ..DeadLetter::default() };
    let done = Done { batch, rows_read: 10, refused: 1, samples: vec![sample], numbers, ..Done::default() };
    Frame::Done(done, Bytes::from(vec![u8::try_from(batch).unwrap(); 3]))
}

use bytes::Bytes;

fn journal_of(frames: &[Frame]) -> (Arc<dyn Disk>, SimDisk) {
    let sim = SimDisk::new();
    let disk: Arc<dyn Disk> = Arc::new(sim.clone());
    let mut journal = Journal::create(place(&disk), &frames[..1]).unwrap();
    for frame in &frames[1..] {
        journal.append(frame).unwrap();
    }
    (disk, sim)
}

#[test]
fn the_standing_is_what_the_dones_add_up_to() {
    let (disk, _) = journal_of(&[start(), intent(1), done(1), intent(2), done(2), intent(3)]);
    let (_, recovered) = Journal::open(place(&disk)).unwrap();
    let standing = recovered.progress.standing;
    assert_eq!((standing.batch, standing.rows_read, standing.refused), (2, 20, 2));
    assert_eq!(standing.offsets["t"][&0], 25);
    assert_eq!(standing.numbers["s"][&1], 7);
    assert_eq!(standing.samples.len(), 2);
    assert_eq!(recovered.undone.map(|intent| (intent.batch, intent.pins["m"])), Some((3, Some(3))));
    assert_eq!(recovered.changes, [Bytes::from_static(&[1; 3]), Bytes::from_static(&[2; 3])]);
    assert_eq!((recovered.progress.query, recovered.progress.producer_id), (1, 9));
}

#[test]
fn a_tail_torn_at_any_byte_is_cut_and_the_journal_goes_on() {
    let frames = [start(), intent(1), done(1), intent(2)];
    let (disk, _) = journal_of(&frames);
    let whole = encoded(&frames);
    let last = whole.len() - frames[3].encode().len();
    for cut in last..whole.len() {
        let (before, behind) = whole.split_at(cut);
        let zeros = vec![0; cut - last];
        let torn = [
            before.to_vec(),
            [before, &[0xa5; 40]].concat(),
            // Room behind it, and a page that came to the disk before the one in front of it.
            [before, &[0; 4096]].concat(),
            [&whole[..last], &zeros, if cut == last { &[] } else { behind }, &[0; 4096]].concat(),
        ];
        for bytes in torn {
            write_atomically(disk.as_ref(), &path(), &bytes).unwrap();
            let (mut journal, recovered) = Journal::open(place(&disk)).unwrap();
            assert_eq!(recovered.progress.standing.batch, 1, "cut at {cut}");
            assert!(recovered.undone.is_none());
            journal.append(&frames[3]).unwrap();
            let held = disk.read(&path()).unwrap();
            let (content, room) = held.split_at(whole.len());
            assert_eq!(content, whole, "cut at {cut}");
            assert!(room.iter().all(|byte| *byte == 0));
        }
    }
}

#[test]
fn a_rotten_frame_before_good_ones_is_reported_with_its_place() {
    let frames = [start(), intent(1), done(1), intent(2)];
    let (disk, sim) = journal_of(&frames);
    let at = (MAGIC.len() + frames[0].encode().len()) as u64;
    sim.flip(&path(), at + 20, 1).unwrap();
    let error = Journal::open(place(&disk)).unwrap_err();
    assert!(matches!(error, JournalError::Corrupt { position, .. } if position == at), "{error}");
    assert_eq!(error.to_string(), format!("/q/1/journal is damaged at byte {at}: the checksum is wrong"));
}

#[test]
fn a_foreign_or_newer_file_is_not_read() {
    let (disk, sim) = journal_of(&[start()]);
    sim.flip(&path(), 7, 3).unwrap();
    let error = Journal::open(place(&disk)).unwrap_err().to_string();
    assert_eq!(error, "/q/1/journal has format version 2; this program reads version 1");
    sim.flip(&path(), 0, 1).unwrap();
    assert!(matches!(Journal::open(place(&disk)), Err(JournalError::Corrupt { position: 0, .. })));
}

#[test]
fn a_done_without_its_intent_is_damage() {
    for frames in [vec![start(), done(1)], vec![start(), intent(2)], vec![start(), intent(1), done(2)]] {
        let (disk, _) = journal_of(&frames);
        assert!(matches!(Journal::open(place(&disk)), Err(JournalError::Corrupt { .. })), "{frames:?}");
    }
}

#[test]
fn a_done_may_bring_the_next_intent() {
    let Frame::Intent(next) = intent(2) else { unreachable!("it is one") };
    let Frame::Done(done, blob) = done(1) else { unreachable!("it is one") };
    let both = Frame::Done(Done { next: Some(next.clone()), ..done.clone() }, blob.clone());
    let (disk, _) = journal_of(&[start(), intent(1), both.clone()]);
    let (_, recovered) = Journal::open(place(&disk)).unwrap();
    assert_eq!(recovered.progress.standing.batch, 1);
    assert_eq!(recovered.undone.as_ref(), Some(&next));
    let wrong = Frame::Done(Done { next: Some(Intent { batch: 3, ..next }), ..done }, blob);
    let (disk, _) = journal_of(&[start(), intent(1), wrong]);
    assert!(matches!(Journal::open(place(&disk)), Err(JournalError::Corrupt { .. })));
}

#[test]
fn rewriting_keeps_what_the_frames_add_up_to() {
    let (disk, _) = journal_of(&[start(), intent(1), done(1)]);
    let (mut journal, recovered) = Journal::open(place(&disk)).unwrap();
    let standing = recovered.progress.standing;
    let record = ModelRecord { version: 4, ..ModelRecord::default() };
    let version = Frame::Version(record.clone(), Bytes::from_static(b"model"));
    let snapshot = Frame::Snapshot(standing.clone(), Bytes::from_static(b"state"));
    journal.rewrite(&[start(), version, snapshot]).unwrap();
    journal.append(&intent(2)).unwrap();
    let (_, again) = Journal::open(place(&disk)).unwrap();
    assert_eq!(again.progress.standing, standing);
    assert_eq!(again.state, Some(Bytes::from_static(b"state")));
    assert!(again.changes.is_empty());
    assert_eq!(again.versions, [(record, Bytes::from_static(b"model"))]);
    assert_eq!(again.undone.map(|intent| intent.batch), Some(2));
}

#[test]
fn after_a_failed_write_nothing_is_added() {
    let (disk, sim) = journal_of(&[start()]);
    let (mut journal, _) = Journal::open(place(&disk)).unwrap();
    sim.fail_sync(1);
    assert!(journal.append(&intent(1)).is_err());
    assert!(journal.append(&intent(1)).is_err(), "the first failure stays");
}

#[test]
fn the_bytes_are_as_documented() {
    let frame = Frame::Done(Done { batch: 1, ..Done::default() }, Bytes::from_static(b"xy")).encode();
    let length = u32::from_le_bytes(frame[..4].try_into().unwrap()) as usize;
    assert_eq!(frame.len(), 9 + length);
    assert_eq!(frame[4..8], crc32c::crc32c(&frame[8..]).to_le_bytes());
    assert_eq!(frame[8], 3);
    let head = u32::from_le_bytes(frame[9..13].try_into().unwrap()) as usize;
    let json: serde_json::Value = serde_json::from_slice(&frame[13..13 + head]).unwrap();
    assert_eq!(json["batch"], 1);
    assert_eq!(frame[13 + head..], *b"xy");
}

#[test]
fn a_later_start_goes_on_in_another_log() {
    let elsewhere = Start { query: 1, producer_id: 30, log: Some("b".to_owned()), ..Start::default() };
    let offsets = BTreeMap::from([("t".to_owned(), BTreeMap::from([(0, 15)]))]);
    let elsewhere = Frame::Start(Start { offsets: offsets.clone(), ..elsewhere });
    let (disk, _) = journal_of(&[start(), intent(1), done(1), intent(2), elsewhere]);
    let (_, recovered) = Journal::open(place(&disk)).unwrap();
    let Progress { producer_id, log, standing, .. } = recovered.progress;
    assert_eq!((producer_id, log.as_deref(), standing.batch), (30, Some("b"), 1));
    // What is written there has no numbers yet; what was read and what is to be done again stays.
    assert!(standing.numbers.is_empty());
    assert_eq!(standing.offsets, offsets);
    assert_eq!(recovered.undone.map(|intent| intent.batch), Some(2));
}

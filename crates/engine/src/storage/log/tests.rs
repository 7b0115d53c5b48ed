use std::path::{Path, PathBuf};

use env::{Clock, ManualClock, SeededRandom, SimDisk};
use tokio::runtime::Handle;

use super::*;
use crate::storage::tests::Unsteady;

fn place(objects: &Arc<Unsteady>, writer: u8, clock: &Arc<ManualClock>) -> Place {
    let clock: Arc<dyn Clock> = Arc::clone(clock) as _;
    let bucket =
        Bucket::new(Arc::clone(objects) as _, ("s3://", "b"), &clock, Handle::current(), [writer; 16]);
    Place::new(Store::Bucket(bucket), PathBuf::from("s3://b/c/journal"))
}

fn held(place: &Place) -> Vec<u8> {
    Log::open(place.clone()).unwrap().map(|(_, bytes)| bytes.to_vec()).unwrap_or_default()
}

/// What stands behind the end, which whoever opens a log knows.
fn room(place: &Place, end: usize) -> Vec<u8> {
    held(place).split_off(end)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_and_objects_hold_the_same() {
    let (objects, disk) = (Unsteady::new(), SimDisk::new());
    let disk: Arc<dyn Disk> = Arc::new(disk);
    let places =
        [place(&objects, 1, &Arc::new(ManualClock::new(0))), Place::here(&disk, "/c/journal".into())];
    let random = SeededRandom::new(7);
    let mut logs = places.clone().map(|place| Log::create(place, b"begin").unwrap());
    let mut expected = b"begin".to_vec();
    for step in 0..200_u64 {
        let bytes: Vec<u8> =
            step.to_le_bytes().into_iter().take(usize::try_from(random.below(9)).unwrap()).collect();
        match random.below(10) {
            0 => {
                logs.iter_mut().for_each(|log| log.replace(&bytes).unwrap());
                expected = bytes;
            }
            1 => {
                logs = places.clone().map(|place| Log::open(place).unwrap().unwrap().0);
                logs[1].cut(expected.len() as u64).unwrap();
            }
            _ => {
                logs.iter_mut().for_each(|log| log.append(&bytes).unwrap());
                expected.extend(bytes);
            }
        }
        assert!(logs.iter().all(|log| log.end() == expected.len() as u64));
        assert_eq!(held(&places[0]), expected, "after {step} steps");
        assert!(held(&places[1]).starts_with(&expected), "after {step} steps");
        assert!(room(&places[1], expected.len()).iter().all(|byte| *byte == 0), "after {step} steps");
    }
    // What is not needed any more has gone, but for what the last replacement stood on.
    let names = places[0].names().unwrap();
    assert!(names.iter().filter(|name| name.ends_with(ALL)).count() <= 2, "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_is_no_second_addition() {
    let objects = Unsteady::new();
    let place = place(&objects, 1, &Arc::new(ManualClock::new(0)));
    let mut log = Log::create(place.clone(), b"a").unwrap();
    for byte in *b"bcd" {
        objects.lose_answers(1);
        log.append(&[byte]).unwrap();
    }
    assert_eq!(held(&place), b"abcd");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_writers_the_later_one_goes_on() {
    let (objects, clock) = (Unsteady::new(), Arc::new(ManualClock::new(0)));
    let [first, second] = [1, 2].map(|writer| place(&objects, writer, &clock));
    let mut early = Log::create(first.clone(), b"a").unwrap();
    assert_eq!(Log::create(second.clone(), b"a").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    let (mut late, _) = Log::open(second.clone()).unwrap().unwrap();
    late.append(b"b").unwrap();
    // Even if it is the same that it would write.
    let error = early.append(b"b").unwrap_err();
    assert!(error.to_string().contains("another program goes on from s3://b/c/journal"), "{error}");
    assert!(early.append(b"c").is_err(), "nor anything after it");
    assert_eq!(held(&second), b"ab");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_silent_for_long_looks_before_it_writes() {
    let (objects, clock) = (Unsteady::new(), Arc::new(ManualClock::new(0)));
    let [first, second] = [1, 2].map(|writer| place(&objects, writer, &clock));
    let mut silent = Log::create(first, b"a").unwrap();
    let (mut late, _) = Log::open(second.clone()).unwrap().unwrap();
    for _ in 0..2 {
        late.append(b"b").unwrap();
        late.append(b"c").unwrap();
        late.replace(b"abc").unwrap();
    }
    // The number that the silent one would take is free again.
    assert!(!second.names().unwrap().contains(&piece(2)));
    clock.advance(SILENCE + Duration::from_secs(1));
    assert_eq!(silent.append(b"x").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    late.append(b"d").unwrap();
    assert_eq!(held(&second), b"abcd");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_or_short_is_damage() {
    let objects = Unsteady::new();
    let place = place(&objects, 1, &Arc::new(ManualClock::new(0)));
    let mut log = Log::create(place.clone(), b"a").unwrap();
    log.append(b"b").unwrap();
    log.append(b"c").unwrap();
    assert!(log.cut(2).is_err());
    let object = |number: u64| place.path().join(piece(number));
    place.store.remove(&object(2)).unwrap();
    let error = Log::open(place.clone()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert!(error.to_string().ends_with("00000000000000000002 is missing"), "{error}");
    place.store.put(&object(2), b"short".to_vec()).unwrap();
    assert!(Log::open(place.clone()).unwrap_err().to_string().ends_with("00000000000000000002 is too short"));
    assert!(Log::open(Place::new(place.store.clone(), Path::new("s3://b/none").into())).unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_short_pieces_are_worth_a_replacement() {
    let objects = Unsteady::new();
    let place = place(&objects, 1, &Arc::new(ManualClock::new(0)));
    let mut log = Log::create(place.clone(), b"a").unwrap();
    for _ in 0..PIECES_MAX {
        assert!(!log.is_long(1 << 20));
        log.append(b"b").unwrap();
    }
    assert!(log.is_long(1 << 20));
    let (again, _) = Log::open(place).unwrap().unwrap();
    assert!(again.is_long(1 << 20), "also for who finds them");
    log.replace(b"c").unwrap();
    assert!(!log.is_long(1 << 20));
}

#[test]
fn an_addition_finds_room_behind_the_last_one() {
    let disk: Arc<dyn Disk> = Arc::new(SimDisk::new());
    let place = Place::here(&disk, "/c/journal".into());
    let length = || held(&place).len();
    let mut log = Log::create(place.clone(), b"begin").unwrap();
    assert_eq!(length(), 5);
    log.append(b"a").unwrap();
    let grown = length();
    assert_eq!(grown, 6 + ROOM_BYTES);
    for _ in 0..ROOM_BYTES {
        log.append(b"b").unwrap();
    }
    assert_eq!(length(), grown);
    log.append(b"c").unwrap();
    assert_eq!(length(), grown + 1 + ROOM_BYTES);
    // One that fills it makes none, and neither does a long one.
    log.append(&vec![1; ROOM_BYTES]).unwrap();
    log.append(&vec![2; ROOM_ADDITION_MAX + 1]).unwrap();
    let end = usize::try_from(log.end()).unwrap();
    assert_eq!(length(), end);
    log.append(b"d").unwrap();
    log.cut(log.end()).unwrap();
    assert_eq!(length(), end + 1);
    log.replace(b"anew").unwrap();
    assert_eq!(held(&place), b"anew");
}

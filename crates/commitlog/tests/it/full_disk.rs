//! A disk that fills up, and is emptied again.

use commitlog::{Config, ErrorKind, LastStop};
use env::Disk;
use record::Producer;

use crate::support::{append, batch, config, disk, open_with, read_all, segment, values};

#[test]
fn a_full_disk_at_any_byte_refuses_the_append_whole_and_recovers_when_space_returns() {
    let size = values(&["refused"]).len() as u64;
    for room in 0..size {
        let disk = disk();
        let (mut log, _) = open_with(&disk, config(10_000), LastStop::Unclean);
        append(&mut log, values(&["kept"])).unwrap();
        let before = disk.len(&segment(0)).unwrap();
        disk.set_capacity(Some(disk.used() + room));
        let refused = append(&mut log, values(&["refused"])).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Retry);
        let message = refused.to_string();
        assert!(message.contains("/data/t-0") && message.contains("free space"), "{message}");
        assert_eq!(disk.len(&segment(0)).unwrap(), before, "what arrived is cut off again");
        assert_eq!(read_all(&log, 0).0.len(), 1, "the log can be read");
        disk.set_capacity(None);
        assert_eq!(append(&mut log, values(&["later"])).unwrap(), 1);
        log.flush().unwrap();
        let (log, _) = open_with(&disk.crash(), config(10_000), LastStop::Unclean);
        let read: Vec<String> = read_all(&log, 0).0.into_iter().map(|(_, value)| value).collect();
        assert_eq!(read, ["kept", "later"]);
    }
}

#[test]
fn a_full_disk_while_a_segment_is_begun_refuses_and_recovers() {
    let disk = disk();
    let (mut log, _) = open_with(&disk, config(400), LastStop::Unclean);
    let mut appended = 0;
    for room in 0..300 {
        disk.set_capacity(Some(disk.used() + room));
        let outcome = append(&mut log, values(&["value"]));
        disk.set_capacity(None);
        match outcome {
            Ok(offset) => {
                assert_eq!(offset, appended);
                appended += 1;
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::Retry, "{error}"),
        }
    }
    assert!(appended > 10, "{appended}");
    let (log, _) = open_with(&disk.process_crash(), config(400), LastStop::Unclean);
    assert_eq!((log.next_offset(), read_all(&log, 0).0.len() as i64), (appended, appended));
}

#[test]
fn a_segment_that_was_set_aside_is_filled_although_the_disk_is_full() {
    let disk = disk();
    let config = Config { preallocate: true, ..config(400) };
    let (mut log, _) = open_with(&disk, config.clone(), LastStop::Unclean);
    assert_eq!(disk.used(), 400);
    disk.set_capacity(Some(400));
    let mut appended = 0;
    let refused = loop {
        match append(&mut log, values(&["value"])) {
            Ok(_) => appended += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((appended, refused.kind()), (400 / values(&["value"]).len(), ErrorKind::Retry), "{refused}");
    disk.set_capacity(None);
    append(&mut log, values(&["value"])).unwrap();
    let reserved = disk.used();
    log.close().unwrap();
    assert!(disk.used() < reserved, "what was not used comes back");
    let (log, _) = open_with(&disk.crash(), config, LastStop::Clean);
    assert_eq!(read_all(&log, 0).0.len(), appended + 1);
}

#[test]
fn an_idempotent_producer_may_send_again_what_a_full_disk_refused() {
    let disk = disk();
    let (mut log, _) = open_with(&disk, config(10_000), LastStop::Unclean);
    let producer = |sequence| Producer { id: 7, epoch: 0, base_sequence: sequence };
    let send = |sequence, value: &str| batch(producer(sequence), 0, &[value.to_owned()]);
    append(&mut log, send(0, "zero")).unwrap();
    disk.set_capacity(Some(disk.used() + 10));
    // The second request of the call repeats the first: neither lies there.
    let answers = log.append(&[send(1, "one"), send(1, "one")], 0);
    assert!(answers.iter().all(Result::is_err), "{answers:?}");
    disk.set_capacity(None);
    let answers = log.append(&[send(1, "one"), send(1, "one")], 0);
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!((answers[0].base_offset, answers[0].duplicate), (1, false));
    assert_eq!((answers[1].base_offset, answers[1].duplicate), (1, true));
    assert_eq!(log.next_offset(), 2);
}

use super::*;

fn header(producer_id: i64, epoch: i16, base_sequence: i32, count: i32, base_offset: i64) -> BatchHeader {
    BatchHeader {
        base_offset,
        batch_length: 100,
        partition_leader_epoch: 0,
        crc: 0,
        attributes: 0,
        last_offset_delta: count - 1,
        base_timestamp: 0,
        max_timestamp: 0,
        producer_id,
        producer_epoch: epoch,
        base_sequence,
        records_count: count,
    }
}

fn state_after(headers: &[BatchHeader]) -> ProducerState {
    let mut state = ProducerState::new(100);
    for header in headers {
        assert_eq!(state.check(header).unwrap(), Verdict::New);
        state.note(header);
    }
    state
}

#[test]
fn each_of_the_last_five_batches_is_recognised_and_the_sixth_is_not() {
    let batches: Vec<BatchHeader> = (0..6).map(|n| header(7, 0, n * 10, 10, i64::from(n) * 10)).collect();
    let state = state_after(&batches);
    for repeated in &batches[1..] {
        let Verdict::Duplicate(found) = state.check(repeated).unwrap() else { panic!("not recognised") };
        assert_eq!(found.base_offset, repeated.base_offset);
    }
    assert!(matches!(state.check(&batches[0]), Err(Error::OutOfOrderSequence { expected: 60, .. })));
}

#[test]
fn a_gap_is_refused() {
    let state = state_after(&[header(7, 0, 0, 10, 0)]);
    let error = state.check(&header(7, 0, 11, 1, 10)).unwrap_err();
    assert!(
        matches!(error, Error::OutOfOrderSequence { producer_id: 7, sequence: 11, expected: 10 }),
        "{error}"
    );
}

#[test]
fn part_of_a_known_batch_is_no_repetition() {
    let state = state_after(&[header(7, 0, 0, 10, 0)]);
    assert!(state.check(&header(7, 0, 0, 9, 10)).is_err());
}

#[test]
fn a_newer_epoch_begins_at_zero_and_fences_the_older_one() {
    let mut state = state_after(&[header(7, 0, 0, 10, 0)]);
    assert!(state.check(&header(7, 1, 10, 1, 10)).is_err(), "a new epoch does not go on with old numbers");
    let newer = header(7, 1, 0, 10, 10);
    assert_eq!(
        state.check(&newer).unwrap(),
        Verdict::New,
        "the same numbers in another epoch are no repetition"
    );
    state.note(&newer);
    assert!(matches!(state.check(&header(7, 0, 10, 1, 20)), Err(Error::ProducerFenced { current: 1, .. })));
}

#[test]
fn sequences_wrap_to_zero() {
    let state = state_after(&[header(7, 0, i32::MAX - 1, 2, 0)]);
    assert_eq!(state.check(&header(7, 0, 0, 1, 2)).unwrap(), Verdict::New);
    let wrapping = header(8, 0, i32::MAX, 3, 0);
    assert_eq!(state_after(&[wrapping]).epoch_and_last_sequence(8), Some((0, 1)));
}

#[test]
fn an_unknown_producer_and_one_without_an_id_may_begin_anywhere() {
    let state = ProducerState::new(100);
    assert_eq!(state.check(&header(7, 3, 42, 1, 0)).unwrap(), Verdict::New);
    assert_eq!(state.check(&header(-1, -1, -1, 1, 0)).unwrap(), Verdict::New);
}

#[test]
fn too_many_producers_forget_the_silent_ones() {
    let mut state = ProducerState::new(100);
    for id in 0..=100 {
        state.note(&header(id, 0, 0, 1, id));
    }
    assert!(state.by_id.len() <= 100);
    assert!(state.get(0).is_none() && state.get(100).is_some());
}

#[test]
fn a_snapshot_survives_its_bytes_and_no_flipped_bit() {
    let state = state_after(&[header(7, 0, 0, 10, 0), header(7, 0, 10, 10, 10), header(9, 2, 5, 1, 20)]);
    let snapshot = Snapshot { end_offset: 21, segment_base_offset: 0, segment_bytes: 300, state };
    let bytes = snapshot.to_bytes();
    let read = Snapshot::from_bytes(&bytes, 100).unwrap();
    assert_eq!((read.end_offset, read.segment_bytes), (21, 300));
    assert_eq!(read.state.by_id, snapshot.state.by_id);
    for at in 0..bytes.len() {
        let mut rotten = bytes.clone();
        rotten[at] ^= 0x10;
        assert!(Snapshot::from_bytes(&rotten, 100).is_none(), "byte {at}");
        assert!(Snapshot::from_bytes(&bytes[..at], 100).is_none(), "cut at {at}");
    }
}

#[test]
fn a_new_epoch_does_not_go_on_with_the_old_ones_transaction() {
    const TRANSACTIONAL: i16 = 0x10;
    let of_epoch = |epoch, base_offset| BatchHeader {
        attributes: TRANSACTIONAL,
        ..header(7, epoch, 0, 10, base_offset)
    };
    let mut state = state_after(&[of_epoch(0, 0)]);
    let error = state.check(&of_epoch(1, 10)).unwrap_err();
    assert!(matches!(error, Error::InTransaction { producer_id: 7, first_offset: 0 }), "{error}");
    let marker = Marker { producer_id: 7, epoch: 1, commit: false, coordinator_epoch: 0 };
    state.note_marker(&marker, 10, 0);
    assert_eq!(state.check(&of_epoch(1, 11)).unwrap(), Verdict::New);
}

use bytes::Bytes;
use protocol::messages::fetch::ForgottenTopic;

use super::*;

const NOW: Duration = Duration::from_secs(1_000);
const VERSION: i16 = 12;

fn asked(partitions: &[(i32, i64)]) -> Vec<FetchTopic> {
    let one = |(partition, fetch_offset): &(i32, i64)| FetchPartition {
        partition: *partition,
        fetch_offset: *fetch_offset,
        ..FetchPartition::default()
    };
    let partitions = partitions.iter().map(one).collect();
    vec![FetchTopic { topic: "t".into(), partitions, ..FetchTopic::default() }]
}

fn request(session: (i32, i32), partitions: &[(i32, i64)], forgotten: &[i32]) -> FetchRequest {
    let gone =
        ForgottenTopic { topic: "t".into(), partitions: forgotten.to_vec(), ..ForgottenTopic::default() };
    FetchRequest {
        session_id: session.0,
        session_epoch: session.1,
        topics: if partitions.is_empty() { Vec::new() } else { asked(partitions) },
        forgotten_topics_data: if forgotten.is_empty() { Vec::new() } else { vec![gone] },
        ..FetchRequest::default()
    }
}

/// An answer: partition, high watermark, and whether there are records.
fn answer(partitions: &[(i32, i64, bool)]) -> FetchResponse {
    let one = |(partition_index, high_watermark, records): &(i32, i64, bool)| PartitionData {
        partition_index: *partition_index,
        high_watermark: *high_watermark,
        records: Some(if *records { Bytes::from_static(b"batch") } else { Bytes::new() }),
        ..PartitionData::default()
    };
    let partitions = partitions.iter().map(one).collect();
    let topic = FetchableTopicResponse { topic: "t".into(), partitions, ..FetchableTopicResponse::default() };
    FetchResponse { responses: vec![topic], ..FetchResponse::default() }
}

fn indexes(topics: &[FetchTopic]) -> Vec<(i32, i64)> {
    topics.iter().flat_map(|topic| &topic.partitions).map(|one| (one.partition, one.fetch_offset)).collect()
}

fn told(response: &FetchResponse) -> Vec<i32> {
    response.responses.iter().flat_map(|topic| &topic.partitions).map(|one| one.partition_index).collect()
}

/// A session over partitions 0 to 2, all told.
fn opened() -> (Sessions, i32) {
    let sessions = Sessions::default();
    let mut first = request((0, 0), &[(0, 0), (1, 0), (2, 0)], &[]);
    assert_eq!(sessions.begin(&mut first, VERSION, NOW), Ok(Kind::First));
    let mut response = answer(&[(0, 5, false), (1, 5, false), (2, 5, false)]);
    sessions.end(Kind::First, first.topics, VERSION, NOW, &mut response);
    assert_eq!(told(&response), [0, 1, 2]);
    assert_ne!(response.session_id, 0);
    (sessions, response.session_id)
}

/// One later fetch: what it asks for in all, and what is told of the answer.
fn next(
    sessions: &Sessions,
    mut request: FetchRequest,
    mut response: FetchResponse,
) -> (Vec<(i32, i64)>, Vec<i32>) {
    let kind = sessions.begin(&mut request, VERSION, NOW).unwrap();
    let asked = indexes(&request.topics);
    sessions.end(kind, request.topics, VERSION, NOW, &mut response);
    (asked, told(&response))
}

#[test]
fn only_what_changed_is_asked_and_told() {
    let (sessions, id) = opened();
    let (asked, told) =
        next(&sessions, request((id, 1), &[], &[]), answer(&[(0, 5, false), (1, 6, true), (2, 5, false)]));
    assert_eq!((asked, told), (vec![(0, 0), (1, 0), (2, 0)], vec![1]));
    let (asked, told) = next(
        &sessions,
        request((id, 2), &[(1, 6)], &[]),
        answer(&[(2, 5, false), (0, 7, false), (1, 6, false)]),
    );
    assert_eq!(asked, [(2, 0), (0, 0), (1, 6)], "partition 1 had its turn");
    assert_eq!(told, [0], "a high watermark moved");
    let (asked, told) = next(&sessions, request((id, 3), &[(3, 0)], &[0]), answer(&[(3, 0, false)]));
    assert_eq!((asked, told), (vec![(1, 6), (2, 0), (3, 0)], vec![3]));
}

#[test]
fn an_error_is_told_until_it_is_gone() {
    let (sessions, id) = opened();
    for epoch in 1..3 {
        let mut response = answer(&[(0, -1, false)]);
        response.responses[0].partitions[0].error_code = ErrorCode::UnknownTopicOrPartition.code();
        assert_eq!(next(&sessions, request((id, epoch), &[], &[]), response).1, [0]);
    }
    assert_eq!(next(&sessions, request((id, 3), &[], &[]), answer(&[(0, 5, false)])).1, [0]);
    assert!(next(&sessions, request((id, 4), &[], &[]), answer(&[(0, 5, false)])).1.is_empty());
}

#[test]
fn strangers_and_latecomers_are_told_so() {
    let (sessions, id) = opened();
    let begin = |session| sessions.begin(&mut request(session, &[], &[]), VERSION, NOW);
    assert_eq!(begin((id ^ 1, 1)), Err(ErrorCode::FetchSessionIdNotFound));
    assert_eq!(begin((id, 2)), Err(ErrorCode::InvalidFetchSessionEpoch));
    assert_eq!(begin((id, 1)), Ok(Kind::Next { id }));
    assert_eq!(begin((id, 1)), Err(ErrorCode::InvalidFetchSessionEpoch), "a repetition");
    let by_id = sessions.begin(&mut request((id, 2), &[], &[]), 13, NOW);
    assert_eq!(by_id, Err(ErrorCode::FetchSessionTopicIdError));
    assert_eq!(begin((id, FINAL_EPOCH)), Ok(Kind::Sessionless));
    assert_eq!(begin((id, 2)), Err(ErrorCode::FetchSessionIdNotFound), "it was closed");
}

#[test]
fn the_cache_is_bounded_and_the_silent_make_room() {
    let sessions = Sessions::default();
    let open = |now| {
        let mut response = answer(&[]);
        sessions.end(Kind::First, asked(&[(0, 0)]), VERSION, now, &mut response);
        response.session_id
    };
    let ids: Vec<i32> = (0..SESSIONS_MAX).map(|_| open(NOW)).collect();
    assert!(ids.iter().all(|id| *id > 0));
    assert_eq!(open(NOW + SILENT / 2), NO_SESSION, "nobody was silent for long enough");
    assert!(open(NOW + SILENT) > 0);
    assert_eq!(sessions.lock().by_id.len(), SESSIONS_MAX);
    assert_eq!(sessions.lock().partitions, SESSIONS_MAX);
}

#[test]
fn epochs_go_round_without_zero() {
    assert_eq!((next_epoch(0), next_epoch(i32::MAX)), (1, 1));
}

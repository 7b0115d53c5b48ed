//! Records in, the same records out; errors by their codes.

use bytes::{Bytes, BytesMut};
use protocol::ErrorCode;
use protocol::messages::init_producer_id::InitProducerIdRequest;
use protocol::messages::list_offsets::{ListOffsetsPartition, ListOffsetsTopic};
use protocol::messages::{
    FetchRequest, FetchResponse, InitProducerIdResponse, ListOffsetsRequest, ListOffsetsResponse,
    ProduceResponse,
};
use record::{Compression, Producer};

use crate::support::*;

fn code(response: &ProduceResponse) -> (ErrorCode, i64) {
    let partition = &response.responses[0].partition_responses[0];
    (ErrorCode::from_code(partition.error_code), partition.base_offset)
}

#[tokio::test]
async fn every_codec_comes_back_as_it_went() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    let mut expected = Vec::new();
    for (round, codec) in (0i64..).zip(Compression::ALL) {
        let response = client.produce("t", -1, batch_of(codec, Producer::NONE, &["a", "b"])).await;
        assert_eq!(code(&response), (ErrorCode::None, round * 2));
        expected.extend([(round * 2, "a".to_owned()), (round * 2 + 1, "b".to_owned())]);
    }
    let response = client.fetch("t", 0).await;
    assert_eq!(fetched(&response), expected);
    assert_eq!(response.responses[0].partitions[0].high_watermark, 10);
    server.stop().await;
}

#[tokio::test]
async fn a_fetch_in_the_middle_of_a_batch_gets_the_whole_batch() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    client.produce("t", 1, batch(&["a", "b", "c"])).await;
    assert_eq!(fetched(&client.fetch("t", 1).await).len(), 3);
    let mut tiny = fetch_request("t", 2, 0);
    tiny.max_bytes = 1;
    tiny.topics[0].partitions[0].partition_max_bytes = 1;
    let response: FetchResponse = client.ask(11, &tiny).await;
    assert_eq!(fetched(&response).len(), 3, "one batch comes whatever its size");
    assert!(fetched(&client.fetch("t", 3).await).is_empty());
    server.stop().await;
}

#[tokio::test]
async fn broken_batches_are_refused_by_their_codes() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    let sound = batch(&["value"]);
    let mut rotten = BytesMut::from(&sound[..]);
    let last = rotten.len() - 1;
    rotten[last] ^= 1;
    let mut two = BytesMut::from(&sound[..]);
    two.extend_from_slice(&sound);
    let cases: [(&str, Bytes, ErrorCode); 6] = [
        ("t", rotten.freeze(), ErrorCode::CorruptMessage),
        ("t", sound.slice(..sound.len() - 3), ErrorCode::CorruptMessage),
        ("t", Bytes::new(), ErrorCode::InvalidRecord),
        ("t", two.freeze(), ErrorCode::InvalidRecord),
        ("nowhere", sound.clone(), ErrorCode::UnknownTopicOrPartition),
        ("__consumer_offsets", sound.clone(), ErrorCode::InvalidTopicException),
    ];
    for (topic, records, expected) in cases {
        let response = client.produce(topic, 1, records).await;
        assert_eq!(code(&response), (expected, -1), "{topic}");
    }
    let response = client.produce("t", 2, sound.clone()).await;
    assert_eq!(code(&response).0, ErrorCode::InvalidRequiredAcks);
    assert_eq!(code(&client.produce("t", 1, sound).await), (ErrorCode::None, 0), "nothing else was harmed");
    server.stop().await;
}

#[tokio::test]
async fn a_batch_beyond_the_limit_is_too_large() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    let large = "x".repeat(2_000_000);
    assert_eq!(code(&client.produce("t", 1, batch(&[&large])).await).0, ErrorCode::MessageTooLarge);
    server.stop().await;
}

#[tokio::test]
async fn a_repeated_batch_gets_its_first_offset() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    let given: InitProducerIdResponse = client.ask(4, &InitProducerIdRequest::default()).await;
    assert_eq!((given.error_code, given.producer_epoch), (0, 0));
    let id = given.producer_id;
    let at = |epoch, base_sequence| Producer { id, epoch, base_sequence };
    let first = batch_of(Compression::None, at(0, 0), &["a", "b"]);
    assert_eq!(code(&client.produce("t", -1, first.clone()).await), (ErrorCode::None, 0));
    assert_eq!(code(&client.produce("t", -1, first).await), (ErrorCode::None, 0));
    let second = batch_of(Compression::None, at(0, 2), &["c"]);
    assert_eq!(code(&client.produce("t", -1, second).await), (ErrorCode::None, 2));
    let gap = batch_of(Compression::None, at(0, 9), &["z"]);
    assert_eq!(code(&client.produce("t", -1, gap).await).0, ErrorCode::OutOfOrderSequenceNumber);
    let newer = batch_of(Compression::None, at(1, 0), &["d"]);
    assert_eq!(code(&client.produce("t", -1, newer).await), (ErrorCode::None, 3));
    let older = batch_of(Compression::None, at(0, 3), &["z"]);
    assert_eq!(code(&client.produce("t", -1, older).await).0, ErrorCode::InvalidProducerEpoch);
    assert_eq!(fetched(&client.fetch("t", 0).await).len(), 4);
    server.stop().await;
}

#[tokio::test]
async fn offsets_outside_of_the_log_are_errors() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    client.produce("t", 1, batch(&["a"])).await;
    for offset in [-1, 2] {
        let response: FetchResponse = client.ask(11, &fetch_request("t", offset, 10_000)).await;
        let partition = &response.responses[0].partitions[0];
        assert_eq!(ErrorCode::from_code(partition.error_code), ErrorCode::OffsetOutOfRange);
    }
    let response: FetchResponse = client.ask(11, &fetch_request("nowhere", 0, 10_000)).await;
    let partition = &response.responses[0].partitions[0];
    assert_eq!(ErrorCode::from_code(partition.error_code), ErrorCode::UnknownTopicOrPartition);
    let mut stale = fetch_request("t", 0, 0);
    (stale.session_id, stale.session_epoch) = (17, 1);
    let response: FetchResponse = client.ask(11, &stale).await;
    assert_eq!(ErrorCode::from_code(response.error_code), ErrorCode::FetchSessionIdNotFound);
    server.stop().await;
}

#[tokio::test]
async fn topics_go_by_id_in_the_newest_versions() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    let topic_id = server.topics.topic("t").expect("it was just created").id();
    let mut produce = produce_request("", -1, batch(&["a"]));
    produce.topic_data[0].topic_id = topic_id;
    let response: ProduceResponse = client.ask(13, &produce).await;
    assert_eq!(code(&response), (ErrorCode::None, 0));
    let mut fetch = fetch_request("", 0, 0);
    fetch.topics[0].topic_id = topic_id;
    let response: FetchResponse = client.ask(18, &fetch).await;
    assert_eq!(fetched(&response), [(0, "a".to_owned())]);
    produce.topic_data[0].topic_id = protocol::Uuid::from_u128(1);
    let response: ProduceResponse = client.ask(13, &produce).await;
    assert_eq!(code(&response).0, ErrorCode::UnknownTopicId);
    server.stop().await;
}

#[tokio::test]
async fn offsets_are_found_by_time() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    client.produce("t", 1, batch(&["a", "b", "c"])).await;
    for (timestamp, expected) in
        [(-2, (0, -1)), (-1, (3, -1)), (-3, (2, 1_002)), (1_001, (1, 1_001)), (9_999, (-1, -1))]
    {
        let partition = ListOffsetsPartition { timestamp, ..Default::default() };
        let topic = ListOffsetsTopic { name: "t".into(), partitions: vec![partition] };
        let request = ListOffsetsRequest { topics: vec![topic], ..Default::default() };
        let response: ListOffsetsResponse = client.ask(7, &request).await;
        let found = &response.topics[0].partitions[0];
        assert_eq!((found.offset, found.timestamp), expected, "{timestamp}");
    }
    server.stop().await;
}

/// A consumer that keeps asking: only what is new comes, for as long as both sides agree where they are.
#[tokio::test]
async fn a_fetch_session_tells_what_is_new() {
    let server = Server::start().await;
    let mut client = server.client().await;
    for topic in ["a", "b"] {
        client.touch_topic(topic).await;
    }
    client.produce("a", 1, batch(&["one"])).await;
    let topics = ["a", "b"].map(|name| fetch_request(name, 0, 0).topics.remove(0)).to_vec();
    let first = FetchRequest { session_epoch: 0, topics, ..fetch_request("a", 0, 0) };
    let opened: FetchResponse = client.ask(12, &first).await;
    assert_ne!(opened.session_id, 0);
    assert_eq!(opened.responses.len(), 2);
    // The client names what moved on its side, and hears what moved on the other.
    let seen = fetch_request("a", 1, 0).topics;
    let later = |epoch: i32, topics| FetchRequest {
        session_id: opened.session_id,
        session_epoch: epoch,
        topics,
        ..fetch_request("a", 0, 0)
    };
    let quiet: FetchResponse = client.ask(12, &later(1, seen)).await;
    assert_eq!((quiet.error_code, quiet.responses.len()), (0, 0));
    client.produce("b", 1, batch(&["two"])).await;
    let news: FetchResponse = client.ask(12, &later(2, Vec::new())).await;
    assert_eq!(news.responses.len(), 1);
    assert_eq!((&*news.responses[0].topic, fetched(&news)), ("b", vec![(0, "two".to_owned())]));
    let late: FetchResponse = client.ask(12, &later(2, Vec::new())).await;
    assert_eq!(ErrorCode::from_code(late.error_code), ErrorCode::InvalidFetchSessionEpoch);
    server.stop().await;
}

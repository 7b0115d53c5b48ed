//! What clients of ten years ago send: message sets, versions 0, offsets in lists.

use bytes::{Bytes, BytesMut};
use protocol::ErrorCode;
use protocol::messages::list_offsets::{ListOffsetsPartition, ListOffsetsTopic};
use protocol::messages::{
    FetchResponse, ListOffsetsRequest, ListOffsetsResponse, MetadataRequest, MetadataResponse,
    ProduceResponse,
};
use record::{Compression, Producer};

use crate::support::*;

/// The values as a message set of this magic.
fn message_set(magic: u8, codec: Compression, values: &[&str]) -> Bytes {
    let batch = batch_of(codec, Producer::NONE, values);
    record::legacy::from_v2(&batch, magic, 1 << 20).expect("no headers, nothing is lost")
}

fn old_values(message_set: &Bytes) -> Vec<(i64, String)> {
    record::legacy::messages(message_set, 1 << 20)
        .expect("a message set")
        .into_iter()
        .flat_map(|entry| entry.records)
        .map(|record| {
            (record.offset, String::from_utf8(record.value.expect("a value").to_vec()).expect("text"))
        })
        .collect()
}

fn numbered(values: &[&str]) -> Vec<(i64, String)> {
    (0..).zip(values.iter().map(ToString::to_string)).collect()
}

#[tokio::test]
async fn message_sets_become_batches_and_back() {
    for codec in [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4] {
        let server = Server::start().await;
        let mut client = server.client().await;
        client.touch_topic("t").await;
        for (version, magic, value) in [(0, 0, "a"), (1, 0, "b"), (2, 1, "c")] {
            let request = produce_request("t", 1, message_set(magic, codec, &[value]));
            let response: ProduceResponse = client.ask(version, &request).await;
            assert_eq!(response.responses[0].partition_responses[0].error_code, 0, "{codec:?} {version}");
        }
        assert_eq!(fetched(&client.fetch("t", 0).await), numbered(&["a", "b", "c"]));
        for version in 0..=3 {
            let response: FetchResponse = client.ask(version, &fetch_request("t", 0, 0)).await;
            let records = response.responses[0].partitions[0].records.clone().expect("never absent");
            assert_eq!(old_values(&records), numbered(&["a", "b", "c"]), "{codec:?} {version}");
            assert_eq!(records[16], u8::from(version >= 2), "the magic that the version knows");
        }
        server.stop().await;
    }
}

#[tokio::test]
async fn what_a_version_does_not_know_is_refused() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    let code = |response: ProduceResponse| {
        ErrorCode::from_code(response.responses[0].partition_responses[0].error_code)
    };
    let old = message_set(1, Compression::None, &["a"]);
    assert_eq!(code(client.ask(3, &produce_request("t", 1, old.clone())).await), ErrorCode::InvalidRecord);
    let mut rotten = BytesMut::from(&old[..]);
    let last = rotten.len() - 1;
    rotten[last] ^= 1;
    assert_eq!(
        code(client.ask(2, &produce_request("t", 1, rotten.freeze())).await),
        ErrorCode::CorruptMessage
    );
    let mut strange = BytesMut::from(&old[..]);
    strange[16] = 7;
    assert_eq!(
        code(client.ask(2, &produce_request("t", 1, strange.freeze())).await),
        ErrorCode::CorruptMessage
    );
    let zstd = batch_of(Compression::Zstd, Producer::NONE, &["a"]);
    assert_eq!(
        code(client.ask(6, &produce_request("t", 1, zstd.clone())).await),
        ErrorCode::UnsupportedCompressionType
    );
    assert_eq!(code(client.ask(7, &produce_request("t", 1, zstd)).await), ErrorCode::None);
    let response: FetchResponse = client.ask(9, &fetch_request("t", 0, 0)).await;
    assert_eq!(
        ErrorCode::from_code(response.responses[0].partitions[0].error_code),
        ErrorCode::UnsupportedCompressionType
    );
    server.stop().await;
}

#[tokio::test]
async fn version_0_of_list_offsets_answers_a_list() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    client.produce("t", 1, batch(&["a", "b"])).await;
    for (timestamp, max_num_offsets, expected) in
        [(-1, 1, vec![2]), (-1, 5, vec![2, 0]), (-2, 1, vec![0]), (-1, 0, vec![])]
    {
        let partition = ListOffsetsPartition { timestamp, max_num_offsets, ..Default::default() };
        let topic = ListOffsetsTopic { name: "t".into(), partitions: vec![partition] };
        let request = ListOffsetsRequest { topics: vec![topic], ..Default::default() };
        let response: ListOffsetsResponse = client.ask(0, &request).await;
        assert_eq!(response.topics[0].partitions[0].old_style_offsets, expected);
    }
    server.stop().await;
}

#[tokio::test]
async fn an_empty_list_of_topics_means_all_in_version_0_only() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    let none = MetadataRequest { topics: Some(Vec::new()), ..Default::default() };
    let response: MetadataResponse = client.ask(0, &none).await;
    assert_eq!(response.topics.len(), 3, "t, __consumer_offsets and __transaction_state");
    let response: MetadataResponse = client.ask(1, &none).await;
    assert!(response.topics.is_empty());
    let all = MetadataRequest { topics: None, ..Default::default() };
    let response: MetadataResponse = client.ask(12, &all).await;
    let internal: Vec<_> = response.topics.iter().filter(|topic| topic.is_internal).collect();
    assert_eq!((response.topics.len(), internal.len()), (3, 2));
    server.stop().await;
}

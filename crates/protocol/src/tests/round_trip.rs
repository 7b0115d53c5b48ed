//! Every message in every version: what is written is read back, and the tables agree.

use crate::messages::{self, every_api};
use crate::tests::sample::{Random, Sample};
use crate::{ApiKey, Frame, Message, RequestHeader, ResponseHeader, StrBytes};
use crate::{DecodeError, Decoder};

const SEEDS: u64 = 40;

fn round_trip<M: Message + Sample>() {
    for version in M::VERSIONS {
        for seed in 0..SEEDS {
            let message = M::sample(&mut Random::new(seed), version, false);
            let bytes = message.to_bytes(version);
            let back = M::from_bytes(bytes.clone(), version);
            assert_eq!(back.as_ref(), Ok(&message), "{} version {version}, seed {seed}", M::KEY);
            assert_eq!(back.unwrap().to_bytes(version), bytes);
        }
    }
}

fn tables_agree<Q: Message, S: Message>() {
    assert_eq!(Q::KEY, S::KEY);
    assert_eq!(Q::VERSIONS, S::VERSIONS, "{}", Q::KEY);
    assert_eq!(Q::FLEXIBLE, Q::KEY.flexible_from(), "{}", Q::KEY);
    assert_eq!(S::FLEXIBLE, S::KEY.flexible_from(), "{}", S::KEY);
    assert_eq!(Q::KEY.versions(), Some(Q::VERSIONS));
}

fn frames_return<Q: Message + Sample, S: Message + Sample>() {
    for version in Q::VERSIONS {
        let request = Q::sample(&mut Random::new(1), version, false);
        let frame = Frame::request(-3, Some("me"), version, &request);
        let mut decoder = framed(frame);
        let header = RequestHeader::decode(&mut decoder).unwrap();
        assert_eq!((header.api(), header.api_version), (Some(Q::KEY), version));
        assert_eq!((header.correlation_id, header.client_id), (-3, Some(StrBytes::from("me"))));
        assert_eq!(Q::decode(&mut decoder, version), Ok(request));
        decoder.finish().unwrap();

        let response = S::sample(&mut Random::new(2), version, false);
        let frame = Frame::response(9, version, &response);
        assert_eq!(frame.len(), frame.clone().into_bytes().len());
        let mut decoder = framed(frame);
        let header = ResponseHeader::decode(&mut decoder, S::KEY, version).unwrap();
        assert_eq!(header.correlation_id, 9);
        assert_eq!(S::decode(&mut decoder, version), Ok(response));
        decoder.finish().unwrap();
    }
}

/// Checks the length in front of a frame and takes it away.
fn framed(frame: Frame) -> Decoder {
    let bytes = frame.into_bytes();
    let length = i32::from_be_bytes(bytes[..4].try_into().expect("four bytes"));
    assert_eq!(usize::try_from(length), Ok(bytes.len() - 4));
    Decoder::new(bytes.slice(4..))
}

macro_rules! check {
    ($request:ident, $response:ident) => {
        tables_agree::<messages::$request, messages::$response>();
        round_trip::<messages::$request>();
        round_trip::<messages::$response>();
        frames_return::<messages::$request, messages::$response>();
    };
}

#[test]
fn every_message_returns_in_every_version() {
    every_api!(check);
}

#[test]
fn a_version_that_is_not_spoken_is_refused() {
    let error = messages::MetadataRequest::from_bytes(bytes::Bytes::new(), 14).unwrap_err();
    assert_eq!(error, DecodeError::Version { api: ApiKey::Metadata, version: 14 });
    assert_eq!(error.to_string(), "Metadata version 14 is not supported");
}

#[test]
fn an_absent_value_is_written_as_empty_where_it_must_not_be_absent() {
    let request = messages::MetadataRequest { topics: None, ..Default::default() };
    assert_eq!(&request.to_bytes(0)[..], [0; 4]);
    assert_eq!(&request.to_bytes(1)[..], [0xff; 4]);

    let mut response = messages::FetchResponse::default();
    let mut topic = messages::fetch::FetchableTopicResponse::default();
    topic.partitions.push(messages::fetch::PartitionData::default());
    response.responses.push(topic);
    for version in messages::FetchResponse::VERSIONS {
        let back = messages::FetchResponse::from_bytes(response.to_bytes(version), version).unwrap();
        assert_eq!(back.responses[0].partitions[0].records, Some(bytes::Bytes::new()));
    }
}

#[test]
fn text_that_is_too_long_is_cut_between_characters() {
    let long = "é".repeat(20_000);
    let request =
        messages::InitProducerIdRequest { transactional_id: Some(long.into()), ..Default::default() };
    for version in [0, 5] {
        let back = messages::InitProducerIdRequest::from_bytes(request.to_bytes(version), version).unwrap();
        assert_eq!(back.transactional_id.unwrap().len(), 32_766);
    }
}

#[test]
fn large_records_are_handed_through_and_read_without_a_copy() {
    let records = bytes::Bytes::from(vec![7; 10_000]);
    let mut topic = messages::fetch::FetchableTopicResponse::default();
    topic
        .partitions
        .push(messages::fetch::PartitionData { records: Some(records.clone()), ..Default::default() });
    let response = messages::FetchResponse { responses: vec![topic], ..Default::default() };
    let chunks = Frame::response(1, 12, &response).into_chunks();
    assert_eq!(chunks.len(), 3);
    assert_eq!(chunks[1].as_ptr(), records.as_ptr());

    let bytes = response.to_bytes(12);
    let back = messages::FetchResponse::from_bytes(bytes.clone(), 12).unwrap();
    let read = back.responses[0].partitions[0].records.clone().unwrap();
    assert!(bytes.as_ptr_range().contains(&read.as_ptr()));
}

//! Bytes that mean no good: every decoder answers with an error, and allocates little for it.

use bytes::Bytes;

use crate::messages::{self, every_api};
use crate::tests::sample::{Random, Sample};
use crate::{ApiKey, DecodeError, Decoder, ErrorKind, Message, RequestHeader};

const ROUNDS: u64 = 60;

fn noise(random: &mut Random) -> Bytes {
    let length = random.below(200);
    // Small numbers look like lengths and counts, and get a decoder further than pure noise.
    let small = random.below(2) == 0;
    (0..length)
        .map(|_| random.next().to_le_bytes()[0])
        .map(|byte| if small && byte > 16 { byte % 4 } else { byte })
        .collect()
}

fn attack<M: Message + Sample>() {
    for version in M::VERSIONS {
        let mut random = Random::new(u64::from(version.unsigned_abs()));
        for seed in 0..ROUNDS {
            let _ = M::from_bytes(noise(&mut random), version);

            let message = M::sample(&mut Random::new(seed), version, false);
            let bytes = message.to_bytes(version);
            if bytes.is_empty() {
                continue;
            }
            let length = u64::try_from(bytes.len()).expect("a small message");
            let cut = usize::try_from(random.below(length)).expect("below the length");
            let error = M::from_bytes(bytes.slice(..cut), version).err();
            let error = error.unwrap_or_else(|| panic!("{} {version} cut at {cut}", M::KEY));
            assert_eq!(error.kind(), ErrorKind::Corrupt);

            let mut longer = bytes.to_vec();
            longer.push(0);
            let error = M::from_bytes(Bytes::from(longer), version).err();
            assert_eq!(error, Some(DecodeError::Trailing { position: bytes.len(), left: 1 }));

            let mut mutated = bytes.to_vec();
            mutated[cut] ^= 1 << random.below(8);
            let mutated = Bytes::from(mutated);
            if let Ok(other) = M::from_bytes(mutated, version) {
                let again = M::from_bytes(other.to_bytes(version), version);
                assert_eq!(again, Ok(other), "{} version {version}, seed {seed}", M::KEY);
            }
        }
    }
}

#[test]
fn no_bytes_make_a_decoder_panic() {
    macro_rules! check {
        ($request:ident, $response:ident) => {
            attack::<messages::$request>();
            attack::<messages::$response>();
        };
    }
    every_api!(check);
}

#[test]
fn five_bytes_that_claim_two_billion_topics_are_refused_before_anything_is_allocated() {
    let body = Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 0x07]);
    for version in 9..=13 {
        let error = messages::MetadataRequest::from_bytes(body.clone(), version).unwrap_err();
        assert_eq!(error, DecodeError::Count { position: 0, count: 0x7fff_fffe, left: 0 });
    }
    let body = Bytes::from_static(&[0x7f, 0xff, 0xff, 0xff]);
    let error = messages::MetadataRequest::from_bytes(body, 1).unwrap_err();
    assert_eq!(error, DecodeError::Count { position: 0, count: 0x7fff_ffff, left: 0 });
}

#[test]
fn a_count_must_fit_into_the_bytes_that_are_left() {
    // Ten bytes follow the count: five elements of two bytes fit, six do not.
    let mut bytes = vec![0, 0, 0, 5];
    bytes.extend_from_slice(&[0; 10]);
    assert_eq!(Decoder::from_slice(&bytes).count(2, 1), Ok(Some(5)));
    bytes[3] = 6;
    let error = Decoder::from_slice(&bytes).count(2, 1).unwrap_err();
    assert_eq!(error, DecodeError::Count { position: 0, count: 6, left: 10 });
    bytes[..4].copy_from_slice(&(-2_i32).to_be_bytes());
    let error = Decoder::from_slice(&bytes).count(2, 1).unwrap_err();
    assert_eq!(error, DecodeError::Length { position: 0, value: -2 });
}

#[test]
fn all_arrays_of_a_frame_share_one_allowance() {
    // 100,000 bytes may become 1,600,000: two arrays of 10,000 elements of 80 bytes, not three.
    let mut bytes = vec![0; 100_000];
    for array in bytes.chunks_mut(4).take(3) {
        array.copy_from_slice(&10_000_i32.to_be_bytes());
    }
    let mut decoder = Decoder::new(Bytes::from(bytes));
    assert_eq!(decoder.count(1, 80), Ok(Some(10_000)));
    assert_eq!(decoder.count(1, 80), Ok(Some(10_000)));
    let error = decoder.count(1, 80).unwrap_err();
    assert_eq!(error, DecodeError::Memory { position: 8, count: 10_000 });
}

#[test]
fn a_frame_of_tiny_elements_does_not_grow_beyond_its_allowance() {
    // Topics without a name: two bytes each, 48 in memory.
    let mut body = vec![0x81, 0x80, 0x40];
    body.resize(3 + 2 * (1 << 20), 0);
    for topic in body[3..].chunks_mut(2) {
        topic[0] = 1;
    }
    let error = messages::MetadataRequest::from_bytes(Bytes::from(body), 9).unwrap_err();
    assert_eq!(error, DecodeError::Memory { position: 0, count: 1 << 20 });
}

#[test]
fn honest_frames_stay_far_below_the_allowance() {
    // The worst honest case: a million names of three letters.
    let topic_names = vec!["abc".into(); 1 << 20];
    let request = messages::DeleteTopicsRequest { topic_names, ..Default::default() };
    for version in [0, 5] {
        let back = messages::DeleteTopicsRequest::from_bytes(request.to_bytes(version), version).unwrap();
        assert_eq!(back.topic_names.len(), 1 << 20);
    }
}

#[test]
fn tagged_fields_that_nobody_knows_are_skipped() {
    let request = messages::ApiVersionsRequest {
        client_software_name: "n".into(),
        client_software_version: "1".into(),
    };
    let mut bytes = request.to_bytes(3).to_vec();
    assert_eq!(bytes.pop(), Some(0), "no tagged fields were written");
    bytes.extend_from_slice(&[2, 7, 3, 1, 2, 3, 0x80, 0x01, 0]);
    assert_eq!(messages::ApiVersionsRequest::from_bytes(Bytes::from(bytes), 3), Ok(request));
}

#[test]
fn a_tagged_field_cannot_read_into_its_neighbour() {
    // The finalized epoch (tag 1) needs eight bytes; its field says four, or nine.
    let mut body = messages::ApiVersionsResponse::default().to_bytes(3).to_vec();
    body.pop();
    let field = |size: u8| {
        let mut bytes = body.clone();
        bytes.extend_from_slice(&[1, 1, size]);
        bytes.extend_from_slice(&[0; 9]);
        messages::ApiVersionsResponse::from_bytes(Bytes::from(bytes), 3).unwrap_err()
    };
    let start = body.len() + 3;
    assert_eq!(field(4), DecodeError::Truncated { position: start, needed: 8, left: 4 });
    assert_eq!(field(9), DecodeError::Tagged { tag: 1, position: start, left: 1 });
}

#[test]
fn absent_values_and_broken_text_are_refused() {
    let error = messages::HeartbeatRequest::from_bytes(Bytes::from_static(&[0xff, 0xff]), 0).unwrap_err();
    assert_eq!(error, DecodeError::Null { position: 0 });
    let error = messages::MetadataRequest::from_bytes(Bytes::from_static(&[0xff; 4]), 0).unwrap_err();
    assert_eq!(error, DecodeError::Null { position: 0 });
    let error = messages::HeartbeatRequest::from_bytes(Bytes::from_static(&[0, 1, 0xc3]), 0).unwrap_err();
    assert!(matches!(error, DecodeError::Utf8 { position: 2, .. }), "{error}");
    assert_eq!(error.to_string(), "text at byte 2 is not utf-8");
}

#[test]
fn any_header_is_read_as_far_as_it_can_be() {
    let read = |bytes: &[u8]| {
        let mut decoder = Decoder::from_slice(bytes);
        RequestHeader::decode(&mut decoder).map(|header| (header, decoder.left()))
    };
    // An API that nobody knows, and ApiVersions in a version that nobody knows.
    let (header, left) = read(&[0x7f, 0xff, 0, 1, 0, 0, 0, 9, 0xff, 0xff, 5, 6]).unwrap();
    assert_eq!((header.api(), header.correlation_id, left), (None, 9, 2));
    let (header, left) = read(&[0, 18, 0, 99, 0, 0, 0, 9, 0, 1, b'c', 0, 5]).unwrap();
    assert_eq!((header.api(), header.api_version, left), (Some(ApiKey::ApiVersions), 99, 1));
    assert_eq!(header.client_id, Some("c".into()));
    assert!(read(&[0, 18, 0, 99, 0, 0, 0]).is_err());
    assert!(read(&[0, 3, 0, 12, 0, 0, 0, 9, 0, 0, 1, 0, 4]).is_err(), "a tag that ends too early");
}

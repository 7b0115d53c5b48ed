//! The `kafka-protocol` crate, generated from Kafka's own schemas, as the judge: what is written
//! here it reads, and writes again as the very same bytes, which are read here once more.

use std::fmt::Debug;

use bytes::Bytes;
use kafka_protocol::messages as theirs;
use kafka_protocol::protocol::{Decodable, Encodable, Message as _};

use crate::messages::{self as ours, every_api};
use crate::tests::sample::{Random, Sample};
use crate::{ApiKey, ErrorCode, Message};

const SEEDS: u64 = 60;

/// Compares one message in every version both crates know; answers how many those are.
fn compare<Ours: Message + Sample, Theirs: Decodable + Encodable + Debug>(
    theirs: kafka_protocol::protocol::VersionRange,
) -> usize {
    let versions = Ours::VERSIONS.filter(|version| (theirs.min..=theirs.max).contains(version));
    let mut compared = 0;
    for version in versions {
        compared += 1;
        for seed in 0..SEEDS {
            let at = format!("{} version {version}, seed {seed}", Ours::KEY);
            let message = Ours::sample(&mut Random::new(seed), version, false);
            let written = message.to_bytes(version);
            let mut rest = written.clone();
            let read = Theirs::decode(&mut rest, version).unwrap_or_else(|e| panic!("{at}: {e:#}"));
            assert!(rest.is_empty(), "{at}: {} bytes left over", rest.len());
            // A wrong tag would go through unnoticed as one that the oracle merely passes on.
            let shown = format!("{read:?}");
            let unknown = shown.matches("unknown_tagged_fields: {").count();
            let empty = shown.matches("unknown_tagged_fields: {}").count();
            assert_eq!(unknown, empty, "{at}: tags the oracle does not know");
            let mut again = Vec::new();
            read.encode(&mut again, version).unwrap_or_else(|e| panic!("{at}: {e:#}"));
            assert_eq!(Bytes::from(again), written, "{at}");
            assert_eq!(Ours::from_bytes(written, version), Ok(message), "{at}");
        }
    }
    compared
}

#[test]
fn every_message_agrees_with_the_oracle() {
    let mut compared = 0;
    macro_rules! check {
        // The oracle is older than these.
        (StreamsGroupDescribeRequest, $response:ident) => {};
        (StreamsGroupHeartbeatRequest, $response:ident) => {};
        ($request:ident, $response:ident) => {
            compared += compare::<ours::$request, theirs::$request>(theirs::$request::VERSIONS);
            compared += compare::<ours::$response, theirs::$response>(theirs::$response::VERSIONS);
        };
    }
    every_api!(check);
    assert!(compared > 250, "only {compared} versions were compared");
}

#[test]
fn keys_and_error_codes_agree_with_the_oracle() {
    for &key in ApiKey::ALL {
        let Ok(theirs) = theirs::ApiKey::try_from(key.code()) else { continue };
        assert_eq!(format!("{theirs:?}"), key.name());
        let mut newest = theirs.valid_versions();
        newest.max = newest.max.min(50);
        for version in newest.min..=newest.max {
            let flexible = theirs.request_header_version(version) >= 2;
            assert_eq!(key.is_flexible(version), flexible, "{key} version {version}");
        }
    }
    for code in -1..200 {
        let ours = ErrorCode::from_code(code);
        match kafka_protocol::ResponseError::try_from_code(code) {
            None => assert!(ours.is_none() && code == 0),
            Some(kafka_protocol::ResponseError::Unknown(_)) => {}
            Some(theirs) => {
                assert_eq!(ours.code(), code);
                // Kafka's exception for this one is retriable; the oracle's list is older.
                let retriable = theirs.is_retriable() || ours == ErrorCode::ConcurrentTransactions;
                assert_eq!(ours.is_retriable(), retriable, "{ours}");
                assert_eq!(format!("{theirs:?}"), format!("{ours:?}"));
            }
        }
    }
}

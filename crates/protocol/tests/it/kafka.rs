//! The bytes of Kafka's own Java classes, in every version they have: see `tests/golden/Golden.java`.

use std::collections::BTreeSet;

use bytes::Bytes;
use protocol::ApiKey;
use protocol::messages::{Side, rewrite};

/// The newer file has what Kafka 4.3 speaks, the older what it speaks no longer.
const GOLDEN: [&str; 2] =
    [include_str!("../golden/kafka-4.3.1.txt"), include_str!("../golden/kafka-3.9.1.txt")];

fn lines() -> impl Iterator<Item = (ApiKey, Side, i16, Bytes)> {
    GOLDEN.into_iter().flat_map(str::lines).map(|line| {
        let fields: Vec<&str> = line.split(' ').collect();
        let [key, side, version, hex] = fields[..] else { panic!("four fields: {line}") };
        let key = ApiKey::from_code(key.parse().expect("a key")).expect("an API");
        let side = if side == "request" { Side::Request } else { Side::Response };
        (key, side, version.parse().expect("a version"), unhex(hex))
    })
}

fn unhex(hex: &str) -> Bytes {
    let digits: Vec<u8> = hex
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .map(|digit| u8::try_from(digit).expect("one digit"))
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

#[test]
fn what_kafka_writes_is_read_and_written_alike() {
    for (key, side, version, bytes) in lines() {
        let at = format!("{key} {side:?} version {version}");
        let again = rewrite(key, side, version, bytes.clone()).unwrap_or_else(|| panic!("{at} is missing"));
        assert_eq!(again.unwrap_or_else(|e| panic!("{at}: {e}")), bytes, "{at}");
    }
}

#[test]
fn every_message_is_judged_in_every_version_that_kafka_has() {
    let judged: BTreeSet<(i16, i16, bool)> =
        lines().map(|(key, side, version, _)| (key.code(), version, side == Side::Request)).collect();
    for &key in ApiKey::ALL {
        let Some(versions) = key.versions() else { continue };
        for version in versions.clone() {
            for request in [true, false] {
                assert!(judged.contains(&(key.code(), version, request)), "{key} version {version}");
            }
        }
        let newer =
            judged.iter().filter(|(code, version, _)| *code == key.code() && version > versions.end());
        assert_eq!(newer.count(), 0, "{key}: Kafka has newer versions");
    }
}

#[test]
fn what_has_no_message_is_not_rewritten() {
    assert_eq!(rewrite(ApiKey::Metadata, Side::Request, 14, Bytes::new()), None);
    assert_eq!(rewrite(ApiKey::Vote, Side::Request, 0, Bytes::new()), None);
    assert!(rewrite(ApiKey::Metadata, Side::Request, 12, Bytes::new()).is_some_and(|read| read.is_err()));
}

/// The crate's page promises versions; they are those of the code.
#[test]
fn the_page_names_every_api_with_its_versions() {
    let rows: BTreeSet<String> = include_str!("../../src/lib.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//! | "))
        .filter(|row| row.starts_with(|first: char| first.is_ascii_digit()))
        .map(str::to_owned)
        .collect();
    let spoken: BTreeSet<String> = ApiKey::ALL
        .iter()
        .filter_map(|key| {
            let versions = key.versions()?;
            let versions = match (versions.start(), versions.end()) {
                (first, last) if first == last => first.to_string(),
                (first, last) => format!("{first}-{last}"),
            };
            let flexible = match key.flexible_from() {
                i16::MAX => "never".to_owned(),
                first => first.to_string(),
            };
            Some(format!("{} | {key} | {versions} | {flexible} |", key.code()))
        })
        .collect();
    assert_eq!(rows, spoken);
}

//! Every message of `protocol`, in every version, and what stands in front of them.

use std::collections::BTreeMap;

use bytes::Bytes;
use protocol::messages::{Side, rewrite};
use protocol::{ApiKey, DecodeError, Decoder, RequestHeader, ResponseHeader};

use super::{Allowance, Target};

/// What Kafka's own classes wrote.
const GOLDEN: [&str; 2] = [
    include_str!("../../../protocol/tests/golden/kafka-4.3.1.txt"),
    include_str!("../../../protocol/tests/golden/kafka-3.9.1.txt"),
];

/// Sixteen for the decoded message, which lives on while it is written again into a growing buffer.
const ALLOWANCE: Allowance = Allowance { per_byte: 24, fixed: 80 * 1024 };

pub(super) fn targets() -> Vec<Target> {
    let mut targets = Vec::new();
    let mut seeds = seeds();
    for &key in ApiKey::ALL {
        for side in [Side::Request, Side::Response] {
            let seeds = seeds.remove(&(key.code(), side == Side::Request)).unwrap_or_default();
            if key.versions().is_some() {
                let name = format!("{key}-{side:?}").to_lowercase();
                targets.push(Target::new(name, ALLOWANCE, seeds, move |input| message(key, side, input)));
            }
        }
    }
    targets.push(Target::new("request-header", ALLOWANCE, headers(), request_header));
    targets.push(Target::new("response-header", ALLOWANCE, headers(), response_header));
    targets
}

/// The first byte of an input is the version.
fn seeds() -> BTreeMap<(i16, bool), Vec<Bytes>> {
    let mut seeds: BTreeMap<(i16, bool), Vec<Bytes>> = BTreeMap::new();
    for line in GOLDEN.into_iter().flat_map(str::lines) {
        let fields: Vec<&str> = line.split(' ').collect();
        let [key, side, version, hex] = fields[..] else { panic!("four fields: {line}") };
        let version: u8 = version.parse().expect("a version");
        let input = [vec![version], unhex(hex)].concat();
        let key = (key.parse().expect("a key"), side == "request");
        seeds.entry(key).or_default().push(Bytes::from(input));
    }
    seeds
}

fn unhex(hex: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let digits: Vec<u8> = hex.bytes().filter_map(digit).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Reads a message; one that is accepted is written and read again, and is then the same.
fn message(key: ApiKey, side: Side, input: &Bytes) -> Option<Result<usize, DecodeError>> {
    let version = i16::from(*input.first()?);
    let written = match rewrite(key, side, version, input.slice(1..))? {
        Ok(written) => written,
        Err(error) => return Some(Err(error)),
    };
    let again = rewrite(key, side, version, written.clone());
    assert_eq!(again, Some(Ok(written.clone())), "{key} {side:?} version {version} is read otherwise");
    Some(Ok(written.len()))
}

fn headers() -> Vec<Bytes> {
    let header = |api_key: i16, api_version: i16, client: &'static str| {
        let header =
            RequestHeader { api_key, api_version, correlation_id: 7, client_id: Some(client.into()) };
        let mut encoder = protocol::Encoder::new();
        header.encode(&mut encoder);
        encoder.into_bytes()
    };
    vec![header(18, 3, "rdkafka"), header(0, 2, ""), header(3, 12, "é"), header(4711, 99, "x")]
}

fn request_header(input: &Bytes) -> Result<(i16, usize), DecodeError> {
    let mut decoder = Decoder::new(input.clone());
    let header = RequestHeader::decode(&mut decoder)?;
    Ok((header.api_version, decoder.left()))
}

/// The first byte of an input chooses the API, the second the version.
fn response_header(input: &Bytes) -> Option<Result<usize, DecodeError>> {
    let api = ApiKey::ALL[usize::from(*input.first()?) % ApiKey::ALL.len()];
    let version = i16::from(*input.get(1)?);
    let mut decoder = Decoder::new(input.slice(2..));
    let header = ResponseHeader::decode(&mut decoder, api, version);
    Some(header.map(|_| decoder.left()))
}

//! A record as a JSON object: the shape that `consume --json` prints, and what people write by hand.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use record::Header;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The object. What `consume` adds and a producer does not choose (topic, offset) is passed over.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Object {
    key: Option<Value>,
    key_base64: Option<String>,
    #[serde(alias = "value")]
    payload: Option<Value>,
    #[serde(alias = "value_base64")]
    payload_base64: Option<String>,
    headers: Option<Headers>,
    partition: Option<i32>,
    #[serde(alias = "timestamp")]
    ts: Option<i64>,
    #[serde(rename = "topic")]
    _topic: Option<Value>,
    #[serde(rename = "offset")]
    _offset: Option<Value>,
    #[serde(rename = "tstype")]
    _tstype: Option<Value>,
    #[serde(rename = "broker")]
    _broker: Option<Value>,
}

/// Names and values: as an object, or one after the other as kcat writes them, where a name may come twice.
#[derive(Deserialize)]
#[serde(untagged)]
enum Headers {
    Object(Map<String, Value>),
    List(Vec<Value>),
}

/// What a producer takes from it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Row {
    pub(super) key: Option<Bytes>,
    pub(super) value: Option<Bytes>,
    pub(super) headers: Vec<Header>,
    pub(super) partition: Option<i32>,
    pub(super) timestamp: Option<i64>,
}

impl Row {
    /// Reads one object.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let object: Object = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        let part = |value: Option<Value>, base64: Option<String>, name: &str| match base64 {
            Some(text) => {
                let decoded = BASE64_STANDARD.decode(text);
                decoded.map(|bytes| Some(bytes.into())).map_err(|error| format!("{name}_base64: {error}"))
            }
            None => Ok(value.and_then(bytes)),
        };
        Ok(Self {
            key: part(object.key, object.key_base64, "key")?,
            value: part(object.payload, object.payload_base64, "payload")?,
            headers: headers(object.headers)?,
            partition: object.partition,
            timestamp: object.ts,
        })
    }
}

/// Text bare, anything else as JSON; null is nothing.
fn bytes(value: Value) -> Option<Bytes> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.into()),
        other => Some(other.to_string().into()),
    }
}

fn headers(told: Option<Headers>) -> Result<Vec<Header>, String> {
    match told {
        None => Ok(Vec::new()),
        Some(Headers::Object(map)) => {
            Ok(map.into_iter().map(|(name, value)| (name.into(), bytes(value))).collect())
        }
        Some(Headers::List(list)) => {
            let mut headers = Vec::new();
            let mut parts = list.into_iter();
            while let Some(name) = parts.next() {
                let Value::String(name) = name else { return Err("headers: a name is text".to_owned()) };
                let value = parts.next().ok_or_else(|| format!("headers: {name} has no value behind it"))?;
                headers.push((name.into(), bytes(value)));
            }
            Ok(headers)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_may_be_there_or_absent() {
        let text = br#"{"key": "k", "payload": {"x": 1}, "headers": {"a": "1", "b": null}, "partition": 2, "ts": 5}"#;
        let row = Row::parse(text).unwrap();
        assert_eq!(row.key.as_deref(), Some(&b"k"[..]));
        assert_eq!(row.value.as_deref(), Some(&br#"{"x":1}"#[..]));
        assert_eq!(row.headers, [(Bytes::from("a"), Some(Bytes::from("1"))), (Bytes::from("b"), None)]);
        assert_eq!((row.partition, row.timestamp), (Some(2), Some(5)));
        assert_eq!(Row::parse(b"{}").unwrap(), Row::default());
        assert_eq!(Row::parse(br#"{"value": null}"#).unwrap(), Row::default());
    }

    #[test]
    fn bytes_and_repeated_headers_come_as_consume_prints_them() {
        let text =
            br#"{"topic": "t", "offset": 3, "payload_base64": "AP8=", "headers": ["a", "1", "a", "2"]}"#;
        let row = Row::parse(text).unwrap();
        assert_eq!(row.value.as_deref(), Some(&[0, 255][..]));
        assert_eq!(row.headers.len(), 2);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |text: &str| Row::parse(text.as_bytes()).unwrap_err();
        assert!(wrong("{\"valu\": 1}").contains("valu"));
        assert!(wrong("{\"key_base64\": \"%\"}").contains("key_base64"));
        assert!(wrong("{\"headers\": [\"a\"]}").contains("no value"));
        assert!(wrong("nonsense").contains("expected"));
    }
}

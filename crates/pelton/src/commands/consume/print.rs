//! One record as text: by a format string, or as a JSON object.

use anyhow::{Context, anyhow};
use pelton::{FormattedRecord, RecordFormat, Text, unescape};
use record::Record;
use serde_json::{Map, Value};

use super::Args;
use super::decode::{Kind, encode_base64};
use crate::client::kafka::offsets::Place;

/// Prints records one way.
pub(super) struct Printer {
    /// None is JSON.
    format: Option<RecordFormat>,
    key: Kind,
    value: Kind,
}

impl Printer {
    pub(super) fn new(args: &Args) -> anyhow::Result<Self> {
        let last = |part: fn(&super::Decoders) -> Option<Kind>| {
            args.decode.iter().rev().find_map(part).unwrap_or_default()
        };
        Ok(Self {
            format: format(args)?,
            key: last(|decoders| decoders.key),
            value: last(|decoders| decoders.value),
        })
    }

    /// Appends a record.
    pub(super) fn print(&self, out: &mut Vec<u8>, place: &Place, record: &Record) -> anyhow::Result<()> {
        match &self.format {
            Some(format) => self.print_text(out, format, place, record),
            None => self.print_json(out, place, record),
        }
    }

    fn print_text(
        &self,
        out: &mut Vec<u8>,
        format: &RecordFormat,
        place: &Place,
        record: &Record,
    ) -> anyhow::Result<()> {
        let shown = |part: &'static str| move |why: String| wrong(place, record, part, &why);
        let key = record.key.as_deref().map(|key| self.key.show(key)).transpose().map_err(shown("key"))?;
        let value = record.value.as_deref().map(|value| self.value.show(value)).transpose();
        let value = value.map_err(shown("value"))?;
        let length = |bytes: &Option<bytes::Bytes>| bytes.as_ref().map_or(0, bytes::Bytes::len);
        let headers: Vec<(String, Option<Vec<u8>>)> = record
            .headers
            .iter()
            .map(|(name, value)| (lossy(name), value.as_ref().map(|value| value.to_vec())))
            .collect();
        let formatted = FormattedRecord {
            topic: &place.0,
            partition: place.1,
            offset: record.offset,
            timestamp: record.timestamp,
            key: key.as_deref().map(|shown| Text { shown, length: length(&record.key) }),
            value: value.as_deref().map(|shown| Text { shown, length: length(&record.value) }),
            headers: &headers,
        };
        format.write(out, &formatted);
        Ok(())
    }

    /// kcat's envelope. Bytes that are no text stand as `key_base64` and `payload_base64`, so that nothing is lost.
    fn print_json(&self, out: &mut Vec<u8>, place: &Place, record: &Record) -> anyhow::Result<()> {
        let mut row = Map::new();
        row.insert("topic".to_owned(), Value::from(place.0.as_str()));
        row.insert("partition".to_owned(), Value::from(place.1));
        row.insert("offset".to_owned(), Value::from(record.offset));
        row.insert("ts".to_owned(), Value::from(record.timestamp));
        if !record.headers.is_empty() {
            let pair = |(name, value): &record::Header| {
                let value = value.as_deref().map_or(Value::Null, |value| Value::from(lossy(value)));
                [Value::from(lossy(name)), value]
            };
            row.insert("headers".to_owned(), Value::Array(record.headers.iter().flat_map(pair).collect()));
        }
        for (name, kind, bytes) in [("key", self.key, &record.key), ("payload", self.value, &record.value)] {
            let (name, value) = match bytes {
                None => (name.to_owned(), Value::Null),
                Some(bytes) if kind == Kind::String && std::str::from_utf8(bytes).is_err() => {
                    (format!("{name}_base64"), Value::from(encode_base64(bytes)))
                }
                Some(bytes) => {
                    let value = kind.json(bytes).map_err(|why| wrong(place, record, name, &why))?;
                    (name.to_owned(), value)
                }
            };
            row.insert(name, value);
        }
        serde_json::to_writer(&mut *out, &row).context("print JSON")?;
        out.push(b'\n');
        Ok(())
    }
}

/// A format string that parses.
pub(super) fn checked(text: &str) -> Result<String, pelton::FormatError> {
    text.parse::<RecordFormat>().map(|_| text.to_owned())
}

/// The format that the flags ask for; none is JSON.
fn format(args: &Args) -> anyhow::Result<Option<RecordFormat>> {
    let bytes = |text: &Option<String>, flag: &str| {
        text.as_deref().map(unescape).transpose().with_context(|| format!("read {flag}"))
    };
    let format = match args.format.as_deref() {
        _ if args.json => return Ok(None),
        Some("json") => return Ok(None),
        Some("value") => RecordFormat::plain(None, b"\n"),
        Some("key") => RecordFormat::plain(Some(b"\t"), b"\n"),
        Some(text) => text.parse()?,
        None => {
            let separator = bytes(&args.key_separator, "--key-separator")?;
            let delimiter = bytes(&args.delimiter, "--delimiter")?.unwrap_or_else(|| b"\n".to_vec());
            RecordFormat::plain(separator.as_deref(), &delimiter)
        }
    };
    Ok(Some(if args.null { format.null_as(b"NULL") } else { format }))
}

fn wrong(place: &Place, record: &Record, part: &str, why: &str) -> anyhow::Error {
    anyhow!("{}-{} at offset {}: the {part} has {why}; see --decode", place.0, place.1, record.offset)
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

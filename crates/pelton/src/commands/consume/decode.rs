//! How bytes of keys and values are shown.

use std::borrow::Cow;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

/// What bytes are taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Kind {
    /// Text, or whatever it is: printed as it is.
    #[default]
    String,
    /// Two digits a byte.
    Hex,
    /// Base64 with padding.
    Base64,
    /// A number of so many bytes, big-endian, as Kafka's serialisers write it.
    Signed(usize),
    /// The same without a sign.
    Unsigned(usize),
    /// IEEE 754, big-endian.
    Float(usize),
}

/// One `-s`: which part, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decoders {
    /// Of keys.
    pub(super) key: Option<Kind>,
    /// Of values.
    pub(super) value: Option<Kind>,
}

impl Decoders {
    /// Parses `i64`, `key=hex`, `value=base64`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Ok(match text.split_once('=') {
            Some(("key", kind)) => Self { key: Some(Kind::parse(kind)?), value: None },
            Some(("value", kind)) => Self { key: None, value: Some(Kind::parse(kind)?) },
            Some((part, _)) => return Err(format!("{part} is no part of a record; it is key or value")),
            None => {
                let kind = Some(Kind::parse(text)?);
                Self { key: kind, value: kind }
            }
        })
    }
}

impl Kind {
    fn parse(text: &str) -> Result<Self, String> {
        let bits = |text: &str| match text {
            "8" => Some(1),
            "16" => Some(2),
            "32" => Some(4),
            "64" => Some(8),
            _ => None,
        };
        let number = match text.split_at_checked(1) {
            Some(("i", width)) => bits(width).map(Self::Signed),
            Some(("u", width)) => bits(width).map(Self::Unsigned),
            Some(("f", width)) => bits(width).filter(|bytes| *bytes >= 4).map(Self::Float),
            _ => None,
        };
        match text {
            "string" => Ok(Self::String),
            "hex" => Ok(Self::Hex),
            "base64" => Ok(Self::Base64),
            _ => {
                number.ok_or_else(|| "it is string, hex, base64, i8 to i64, u8 to u64, f32 or f64".to_owned())
            }
        }
    }

    /// Bytes as text.
    pub(super) fn show(self, bytes: &[u8]) -> Result<Cow<'_, [u8]>, String> {
        Ok(match self {
            Self::String => Cow::Borrowed(bytes),
            _ => match self.json(bytes)? {
                Value::String(text) => Cow::Owned(text.into_bytes()),
                other => Cow::Owned(other.to_string().into_bytes()),
            },
        })
    }

    /// Bytes as JSON: text and numbers. Text that is none must be looked at before.
    pub(super) fn json(self, bytes: &[u8]) -> Result<Value, String> {
        Ok(match self {
            Self::String => Value::from(String::from_utf8_lossy(bytes)),
            Self::Hex => Value::from(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
            Self::Base64 => Value::from(encode_base64(bytes)),
            Self::Signed(width) => {
                // Shifting to the left and back repeats the sign.
                let spare = 64 - 8 * u32::try_from(width).unwrap_or(8);
                Value::from(number(bytes, width)?.cast_signed() << spare >> spare)
            }
            Self::Unsigned(width) => Value::from(number(bytes, width)?),
            Self::Float(4) => {
                let bits = u32::try_from(number(bytes, 4)?).unwrap_or_default();
                // The shortest digits that say the same number, not those of the nearest f64.
                f32::from_bits(bits).to_string().parse::<f64>().map_or(Value::Null, Value::from)
            }
            Self::Float(width) => Value::from(f64::from_bits(number(bytes, width)?)),
        })
    }
}

fn number(bytes: &[u8], width: usize) -> Result<u64, String> {
    if bytes.len() != width {
        return Err(format!("{} bytes, where the number takes {width}", bytes.len()));
    }
    Ok(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// Base64 with padding.
pub(super) fn encode_base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(kind: &str, bytes: &[u8]) -> String {
        String::from_utf8(Kind::parse(kind).unwrap().show(bytes).unwrap().into_owned()).unwrap()
    }

    #[test]
    fn bytes_are_shown_as_what_they_are() {
        assert_eq!(shown("string", b"abc"), "abc");
        assert_eq!(shown("hex", &[0, 0xab]), "00ab");
        assert_eq!(shown("base64", b"abcd"), "YWJjZA==");
        assert_eq!(shown("i8", &[0xff]), "-1");
        assert_eq!(shown("i32", &(-5_i32).to_be_bytes()), "-5");
        assert_eq!(shown("i64", &i64::MIN.to_be_bytes()), i64::MIN.to_string());
        assert_eq!(shown("u64", &u64::MAX.to_be_bytes()), u64::MAX.to_string());
        assert_eq!(shown("f32", &0.1_f32.to_be_bytes()), "0.1");
        assert_eq!(shown("f64", &2.5_f64.to_be_bytes()), "2.5");
    }

    #[test]
    fn a_number_of_another_length_is_refused() {
        assert!(Kind::parse("i64").unwrap().show(b"abc").unwrap_err().contains("3 bytes"));
        assert!(Kind::parse("i128").is_err() && Kind::parse("f16").is_err() && Kind::parse("").is_err());
        assert!(Decoders::parse("header=hex").is_err());
    }
}

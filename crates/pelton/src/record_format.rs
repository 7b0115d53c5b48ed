//! How a record is printed: kcat's format strings.

use std::str::FromStr;

/// A record as a format prints it.
#[derive(Debug, Clone, Copy)]
pub struct FormattedRecord<'a> {
    /// Its topic.
    pub topic: &'a str,
    /// Its partition.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// When it was made or stored, in unix milliseconds; -1 when nobody said.
    pub timestamp: i64,
    /// Its key; `None` is no key.
    pub key: Option<Text<'a>>,
    /// Its value; `None` is a tombstone.
    pub value: Option<Text<'a>>,
    /// What is said about it.
    pub headers: &'a [(String, Option<Vec<u8>>)],
}

/// Bytes of a record and how they are shown.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    /// What is printed.
    pub shown: &'a [u8],
    /// How many bytes the record holds.
    pub length: usize,
}

impl<'a> Text<'a> {
    /// Bytes that are shown as they are.
    #[must_use]
    pub fn raw(bytes: &'a [u8]) -> Self {
        Self { shown: bytes, length: bytes.len() }
    }
}

/// What to print of each record, parsed from a string with kcat's tokens:
///
/// | token | what it prints |
/// |---|---|
/// | `%s` `%S` `%R` | value; its length in bytes, -1 for none; the same as 4 bytes, big-endian |
/// | `%k` `%K` | key; its length in bytes, -1 for none |
/// | `%t` `%p` `%o` | topic, partition, offset |
/// | `%T` | timestamp in unix milliseconds |
/// | `%h` | headers: `name=value,...` |
/// | `%%` | a percent sign |
/// | `\n` `\r` `\t` `\\` `\0` `\xHH` | newline, return, tab, backslash, a zero byte, any byte |
///
/// ```
/// use pelton::{FormattedRecord, RecordFormat, Text};
///
/// let format: RecordFormat = r"%t-%p@%o %k=%s (%S bytes)\n".parse()?;
/// let record = FormattedRecord {
///     topic: "orders",
///     partition: 0,
///     offset: 17,
///     timestamp: 1_700_000_000_000,
///     key: Some(Text::raw(b"7")),
///     value: Some(Text::raw(b"espresso")),
///     headers: &[],
/// };
/// let mut out = Vec::new();
/// format.write(&mut out, &record);
/// assert_eq!(out, b"orders-0@17 7=espresso (8 bytes)\n");
///
/// let wrong = "%q".parse::<RecordFormat>().unwrap_err();
/// assert_eq!(wrong.to_string(), "%q is no token; %% prints a percent sign");
/// # Ok::<(), pelton::FormatError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFormat {
    pieces: Vec<Piece>,
    null: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(Vec<u8>),
    Value,
    ValueLength,
    ValueLengthBinary,
    Key,
    KeyLength,
    Topic,
    Partition,
    Offset,
    Timestamp,
    Headers,
}

/// Why a format string is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// A percent sign with something behind it that is no token.
    #[error("%{0} is no token; %% prints a percent sign")]
    Token(char),
    /// A backslash with something behind it that stands for nothing.
    #[error("\\{0} stands for nothing; \\\\ prints a backslash")]
    Escape(char),
    /// `\x` without two hexadecimal digits.
    #[error("\\x needs two hexadecimal digits")]
    Hex,
    /// A percent sign or a backslash at the end.
    #[error("it ends in the middle of a token")]
    End,
}

impl FromStr for RecordFormat {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        let mut pieces = Vec::new();
        let mut literal = Vec::new();
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '%' => match letters.next().ok_or(FormatError::End)? {
                    '%' => literal.push(b'%'),
                    token => {
                        if !literal.is_empty() {
                            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                        }
                        pieces.push(Piece::of(token)?);
                    }
                },
                '\\' => literal.push(escaped(&mut letters)?),
                other => literal.extend(other.encode_utf8(&mut [0; 4]).bytes()),
            }
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Self { pieces, null: Vec::new() })
    }
}

/// Text with a format's escapes, such as a delimiter: `\t` is a tab.
///
/// ```
/// assert_eq!(pelton::unescape(r"a\tb\x00").unwrap(), b"a\tb\0");
/// ```
///
/// # Errors
/// For a backslash with something behind it that stands for nothing.
pub fn unescape(text: &str) -> Result<Vec<u8>, FormatError> {
    let mut bytes = Vec::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => bytes.push(escaped(&mut letters)?),
            other => bytes.extend(other.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    Ok(bytes)
}

fn escaped(letters: &mut std::str::Chars<'_>) -> Result<u8, FormatError> {
    Ok(match letters.next().ok_or(FormatError::End)? {
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        '0' => 0,
        '\\' => b'\\',
        'x' => {
            let mut digit = || letters.next().and_then(|digit| digit.to_digit(16)).ok_or(FormatError::Hex);
            let byte = digit()? * 16 + digit()?;
            u8::try_from(byte).map_err(|_| FormatError::Hex)?
        }
        other => return Err(FormatError::Escape(other)),
    })
}

impl Piece {
    fn of(token: char) -> Result<Self, FormatError> {
        Ok(match token {
            's' => Self::Value,
            'S' => Self::ValueLength,
            'R' => Self::ValueLengthBinary,
            'k' => Self::Key,
            'K' => Self::KeyLength,
            't' => Self::Topic,
            'p' => Self::Partition,
            'o' => Self::Offset,
            'T' => Self::Timestamp,
            'h' => Self::Headers,
            other => return Err(FormatError::Token(other)),
        })
    }
}

impl RecordFormat {
    /// The value and a delimiter, with the key and a separator before it if one is given: what kcat prints
    /// without a format.
    #[must_use]
    pub fn plain(key_separator: Option<&[u8]>, delimiter: &[u8]) -> Self {
        let mut pieces = Vec::new();
        if let Some(separator) = key_separator {
            pieces.extend([Piece::Key, Piece::Literal(separator.to_vec())]);
        }
        pieces.extend([Piece::Value, Piece::Literal(delimiter.to_vec())]);
        Self { pieces, null: Vec::new() }
    }

    /// Prints `text` where a record has no key or no value.
    #[must_use]
    pub fn null_as(mut self, text: &[u8]) -> Self {
        self.null = text.to_vec();
        self
    }

    /// Ends each record with `delimiter`.
    #[must_use]
    pub fn ended_by(mut self, delimiter: &[u8]) -> Self {
        self.pieces.push(Piece::Literal(delimiter.to_vec()));
        self
    }

    /// Appends a record to `out`.
    pub fn write(&self, out: &mut Vec<u8>, record: &FormattedRecord<'_>) {
        for piece in &self.pieces {
            match piece {
                Piece::Literal(bytes) => out.extend_from_slice(bytes),
                Piece::Value => out.extend_from_slice(self.shown(record.value)),
                Piece::ValueLength => put(out, length(record.value)),
                Piece::ValueLengthBinary => {
                    let length = i32::try_from(length(record.value)).unwrap_or(i32::MAX);
                    out.extend_from_slice(&length.to_be_bytes());
                }
                Piece::Key => out.extend_from_slice(self.shown(record.key)),
                Piece::KeyLength => put(out, length(record.key)),
                Piece::Topic => out.extend_from_slice(record.topic.as_bytes()),
                Piece::Partition => put(out, i64::from(record.partition)),
                Piece::Offset => put(out, record.offset),
                Piece::Timestamp => put(out, record.timestamp),
                Piece::Headers => put_headers(out, record.headers),
            }
        }
    }

    fn shown<'a>(&'a self, text: Option<Text<'a>>) -> &'a [u8] {
        text.map_or(self.null.as_slice(), |text| text.shown)
    }
}

fn length(text: Option<Text<'_>>) -> i64 {
    text.map_or(-1, |text| i64::try_from(text.length).unwrap_or(i64::MAX))
}

fn put(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(number.to_string().as_bytes());
}

fn put_headers(out: &mut Vec<u8>, headers: &[(String, Option<Vec<u8>>)]) {
    for (position, (name, value)) in headers.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        out.extend_from_slice(name.as_bytes());
        out.push(b'=');
        out.extend_from_slice(value.as_deref().unwrap_or(b"NULL"));
    }
}

#[cfg(test)]
mod tests;

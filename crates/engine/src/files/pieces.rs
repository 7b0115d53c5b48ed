//! Files of text in pieces: characters of one encoding, cut where a line ends.

use std::io::{self, Read};

/// So much is decoded at once, unless a line is longer.
const PIECE_BYTES: usize = 1024 * 1024;

/// What must be held as a whole, a line or a file, may not be larger.
const WHOLE_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// How characters are bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Latin1,
    /// `None`: its first two bytes say the order.
    Utf16(Option<Order>),
}

/// Which byte of two comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

/// A file as it is read.
pub(super) struct Pieces {
    file: Box<dyn Read + Send>,
    encoding: Encoding,
    /// What ends a line, if that is no line break.
    separator: Option<String>,
    /// Whether the file is one piece.
    whole: bool,
    waiting: Vec<u8>,
    ended: bool,
    begun: bool,
}

impl Encoding {
    /// By its name in Java.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name.to_uppercase().as_str() {
            "UTF-8" | "UTF8" | "US-ASCII" => Encoding::Utf8,
            "ISO-8859-1" | "LATIN1" => Encoding::Latin1,
            "UTF-16" => Encoding::Utf16(None),
            "UTF-16LE" => Encoding::Utf16(Some(Order::Little)),
            "UTF-16BE" => Encoding::Utf16(Some(Order::Big)),
            _ => return None,
        })
    }

    fn decode(self, bytes: &[u8]) -> String {
        match self {
            Encoding::Utf8 => {
                String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).into_owned()
            }
            Encoding::Latin1 => bytes.iter().copied().map(char::from).collect(),
            Encoding::Utf16(order) => {
                let marked = match bytes {
                    [0xff, 0xfe, rest @ ..] => Some((Order::Little, rest)),
                    [0xfe, 0xff, rest @ ..] => Some((Order::Big, rest)),
                    _ => None,
                };
                let (order, bytes) = marked.unwrap_or((order.unwrap_or(Order::Big), bytes));
                let unit = |pair: &[u8]| match (order, pair) {
                    (Order::Little, [low, high]) => u16::from_le_bytes([*low, *high]),
                    (Order::Big, [high, low]) => u16::from_be_bytes([*high, *low]),
                    // Half a character.
                    _ => 0xfffd,
                };
                let units: Vec<u16> = bytes.chunks(2).map(unit).collect();
                String::from_utf16_lossy(&units)
            }
        }
    }
}

impl Pieces {
    pub(super) fn new(
        file: Box<dyn Read + Send>,
        encoding: Encoding,
        separator: Option<String>,
        whole: bool,
    ) -> Self {
        // A byte of a line break may be half a character.
        let whole = whole || matches!(encoding, Encoding::Utf16(_));
        Pieces { file, encoding, separator, whole, waiting: Vec::new(), ended: false, begun: false }
    }

    /// The next piece, and whether the file begins with it.
    ///
    /// # Errors
    /// The file cannot be read, or what must be held as a whole is too large.
    pub(super) fn next(&mut self) -> io::Result<Option<(String, bool)>> {
        let mut wanted = PIECE_BYTES;
        let cut = loop {
            let missing = wanted.saturating_sub(self.waiting.len());
            let read = (&mut self.file).take(missing as u64).read_to_end(&mut self.waiting)?;
            self.ended = read < missing;
            if self.ended {
                break self.waiting.len();
            }
            if let Some(cut) = self.last_end().filter(|_| !self.whole) {
                break cut;
            }
            if self.waiting.len() > WHOLE_BYTES_MAX {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            wanted = self.waiting.len() + PIECE_BYTES;
        };
        if cut == 0 {
            return Ok(None);
        }
        let rest = self.waiting.split_off(cut);
        let piece = std::mem::replace(&mut self.waiting, rest);
        let begins = !std::mem::replace(&mut self.begun, true);
        Ok(Some((self.encoding.decode(&piece), begins)))
    }

    /// Behind the last line that is there as a whole.
    fn last_end(&self) -> Option<usize> {
        match &self.separator {
            None => {
                let ends = |byte: &u8| *byte == b'\n';
                // A lone carriage return at the end may have its line feed still to come.
                let returns = || {
                    let before = self.waiting.len().saturating_sub(1);
                    self.waiting[..before].iter().rposition(|byte| *byte == b'\r')
                };
                self.waiting.iter().rposition(ends).or_else(returns).map(|at| at + 1)
            }
            Some(separator) => {
                let separator = separator.as_bytes();
                let found = self.waiting.windows(separator.len()).rposition(|window| window == separator);
                found.map(|at| at + separator.len())
            }
        }
    }
}

//! Writing Kafka's primitive types.

use bytes::Bytes;

use crate::StrBytes;

/// Records from here on are handed through instead of copied.
const SHARED_BYTES_MIN: usize = 4096;
/// Kafka's strings are no longer than this, compact or not.
const STRING_BYTES_MAX: usize = 0x7fff;
/// Room for most messages that carry no records, so that they are allocated once.
const CAPACITY: usize = 256;

/// Collects a message: its own bytes in one piece, and slices that are large and shared already,
/// which are not copied.
#[derive(Clone, Debug)]
pub struct Encoder {
    own: Vec<u8>,
    /// What was handed through, and how many own bytes stand in front of it.
    shared: Vec<(usize, Bytes)>,
    shared_bytes: usize,
    flexible: bool,
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Encoder {
    /// An empty message.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(CAPACITY)
    }

    fn with_capacity(capacity: usize) -> Self {
        let own = Vec::with_capacity(capacity);
        Self { own, shared: Vec::new(), shared_bytes: 0, flexible: false }
    }

    /// The bytes written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.own.len() + self.shared_bytes
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What was written, in order, for a vectored write.
    #[must_use]
    pub fn into_chunks(self) -> Vec<Bytes> {
        let own = Bytes::from(self.own);
        let mut chunks = Vec::with_capacity(2 * self.shared.len() + 1);
        let mut start = 0;
        for (end, shared) in self.shared {
            if end > start {
                chunks.push(own.slice(start..end));
            }
            chunks.push(shared);
            start = end;
        }
        if start == 0 && !own.is_empty() {
            chunks.push(own);
        } else if start < own.len() {
            chunks.push(own.slice(start..));
        }
        chunks
    }

    /// What was written, in one piece.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        if self.shared.is_empty() {
            return Bytes::from(self.own);
        }
        let mut out = Vec::with_capacity(self.len());
        let mut start = 0;
        for (end, shared) in &self.shared {
            out.extend_from_slice(&self.own[start..*end]);
            out.extend_from_slice(shared);
            start = *end;
        }
        out.extend_from_slice(&self.own[start..]);
        Bytes::from(out)
    }

    /// Replaces the first bytes that were written.
    pub(crate) fn patch(&mut self, bytes: &[u8]) {
        self.own[..bytes.len()].copy_from_slice(bytes);
    }

    /// Chooses between the two ways of writing lengths for all that follows.
    pub(crate) fn set_flexible(&mut self, flexible: bool) {
        self.flexible = flexible;
    }

    pub(crate) fn is_flexible(&self) -> bool {
        self.flexible
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.own.extend_from_slice(bytes);
    }

    pub(crate) fn unsigned_varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.put(&[value.to_le_bytes()[0] | 0x80]);
            value >>= 7;
        }
        self.put(&[value.to_le_bytes()[0]]);
    }

    /// A length as bytes and arrays have it: compact or of 32 bits.
    pub(crate) fn length(&mut self, length: Option<usize>) {
        if self.flexible {
            let plus_one = length.map_or(0, |length| length.saturating_add(1));
            self.unsigned_varint(u32::try_from(plus_one).expect("a frame stays below 2 GiB"));
        } else {
            let length = length.map_or(Ok(-1), i32::try_from).expect("a frame stays below 2 GiB");
            self.put(&length.to_be_bytes());
        }
    }

    /// Text, absent or not. Kafka's strings have at most 32,767 bytes: what is longer (an error
    /// message that quotes too much) is cut.
    pub(crate) fn string(&mut self, text: Option<&StrBytes>) {
        let text = text.map(|text| cut(text));
        if self.flexible {
            self.length(text.map(str::len));
        } else {
            let length = text.map_or(Ok(-1), |text| i16::try_from(text.len()));
            self.put(&length.expect("cut to fit").to_be_bytes());
        }
        self.put(text.unwrap_or_default().as_bytes());
    }

    /// Bytes or records, absent or not.
    pub(crate) fn nullable_bytes(&mut self, bytes: Option<&Bytes>) {
        self.length(bytes.map(Bytes::len));
        let Some(bytes) = bytes else { return };
        if bytes.len() >= SHARED_BYTES_MIN {
            self.shared.push((self.own.len(), bytes.clone()));
            self.shared_bytes += bytes.len();
        } else {
            self.put(bytes);
        }
    }

    /// One tagged field.
    pub(crate) fn tagged_field(&mut self, tag: u32, write: impl FnOnce(&mut Encoder)) {
        let mut content = Encoder { flexible: self.flexible, ..Encoder::with_capacity(0) };
        write(&mut content);
        let content = content.into_bytes();
        self.unsigned_varint(tag);
        self.unsigned_varint(u32::try_from(content.len()).expect("a frame stays below 2 GiB"));
        self.put(&content);
    }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(STRING_BYTES_MAX)]
}

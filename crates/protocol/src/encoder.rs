//! Writing Kafka's primitive types.

use bytes::{Bytes, BytesMut};

use crate::StrBytes;

/// Records from here on are handed through instead of copied.
const SHARED_BYTES_MIN: usize = 4096;
/// Kafka's strings are no longer than this, compact or not.
const STRING_BYTES_MAX: usize = 0x7fff;

/// Collects a message, as chunks: what is large and shared already is not copied.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    chunks: Vec<Bytes>,
    tail: BytesMut,
    flexible: bool,
}

impl Encoder {
    /// An empty message.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The bytes written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tail.len() + self.chunks.iter().map(Bytes::len).sum::<usize>()
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What was written, in order, for a vectored write.
    #[must_use]
    pub fn into_chunks(mut self) -> Vec<Bytes> {
        self.seal();
        self.chunks
    }

    /// What was written, in one piece.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        if self.chunks.is_empty() {
            return self.tail.freeze();
        }
        let mut out = BytesMut::with_capacity(self.len());
        for chunk in &self.chunks {
            out.extend_from_slice(chunk);
        }
        out.extend_from_slice(&self.tail);
        out.freeze()
    }

    fn seal(&mut self) {
        if !self.tail.is_empty() {
            self.chunks.push(std::mem::take(&mut self.tail).freeze());
        }
    }

    /// Chooses between the two ways of writing lengths for all that follows.
    pub(crate) fn set_flexible(&mut self, flexible: bool) {
        self.flexible = flexible;
    }

    pub(crate) fn is_flexible(&self) -> bool {
        self.flexible
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
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
            self.seal();
            self.chunks.push(bytes.clone());
        } else {
            self.put(bytes);
        }
    }

    /// One tagged field.
    pub(crate) fn tagged_field(&mut self, tag: u32, write: impl FnOnce(&mut Encoder)) {
        let mut content = Encoder { flexible: self.flexible, ..Encoder::default() };
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

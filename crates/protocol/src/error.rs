//! Why a frame could not be read.

use crate::ApiKey;

/// What a caller can do about a [`DecodeError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The bytes are not the message they claim to be: nothing after them can be trusted.
    Corrupt,
    /// The message is in a version that is not spoken here.
    Invalid,
}

/// Why a frame could not be read; positions count from the frame's first byte, or from the first
/// byte handed to the [`Decoder`](crate::Decoder).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The frame ends inside of a field.
    #[error("frame ends inside of a field at byte {position}: {needed} bytes needed, {left} left")]
    Truncated {
        /// Where the field begins.
        position: usize,
        /// The bytes it needs.
        needed: usize,
        /// The bytes there are.
        left: usize,
    },
    /// A length that is no length.
    #[error("length {value} at byte {position} is out of range")]
    Length {
        /// Where it stands.
        position: usize,
        /// Its value.
        value: i64,
    },
    /// An array claims more elements than the rest of the frame can hold.
    #[error("array at byte {position} claims {count} elements, but {left} bytes are left")]
    Count {
        /// Where the array begins.
        position: usize,
        /// The claim.
        count: usize,
        /// The bytes left.
        left: usize,
    },
    /// Tiny elements that would grow into far more memory than the frame is long.
    #[error("array of {count} elements at byte {position} would take too much memory for its frame")]
    Memory {
        /// Where the array begins.
        position: usize,
        /// Its elements.
        count: usize,
    },
    /// An absent value where this version allows none.
    #[error("absent value at byte {position} is not allowed in this version")]
    Null {
        /// Where it stands.
        position: usize,
    },
    /// Text that is not UTF-8.
    #[error("text at byte {position} is not utf-8")]
    Utf8 {
        /// Where it begins.
        position: usize,
        /// What is wrong with it.
        source: std::str::Utf8Error,
    },
    /// A variable-length integer of more than 32 bits.
    #[error("variable-length integer at byte {position} does not end")]
    Varint {
        /// Where it begins.
        position: usize,
    },
    /// A tagged field whose content is shorter than it says.
    #[error("tagged field {tag} at byte {position} has {left} bytes left over")]
    Tagged {
        /// The tag.
        tag: u32,
        /// Where its content begins.
        position: usize,
        /// The bytes that belong to nothing.
        left: usize,
    },
    /// A message is followed by bytes that belong to nothing.
    #[error("{left} bytes left over at byte {position}")]
    Trailing {
        /// Where they begin.
        position: usize,
        /// How many there are.
        left: usize,
    },
    /// A version this crate does not speak.
    #[error("{api} version {version} is not supported")]
    Version {
        /// The API.
        api: ApiKey,
        /// The version.
        version: i16,
    },
}

impl DecodeError {
    /// What the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            DecodeError::Version { .. } => ErrorKind::Invalid,
            DecodeError::Truncated { .. }
            | DecodeError::Length { .. }
            | DecodeError::Count { .. }
            | DecodeError::Memory { .. }
            | DecodeError::Null { .. }
            | DecodeError::Utf8 { .. }
            | DecodeError::Varint { .. }
            | DecodeError::Tagged { .. }
            | DecodeError::Trailing { .. } => ErrorKind::Corrupt,
        }
    }
}

//! What can be wrong with bytes that claim to be records.

use crate::Compression;

/// What a caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The bytes are not what they claim to be; sending or storing them again will not help.
    Corrupt,
    /// The bytes are well formed, but ask for something that is not allowed or cannot be expressed.
    Invalid,
}

/// Why bytes were refused.
///
/// A `position` counts from the first byte that was handed over. For the records of a
/// compressed batch it counts from the first decompressed byte.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes end before the structure does.
    #[error("truncated {what} at byte {position}: {needed} bytes needed, {left} left")]
    Truncated {
        /// The structure being read.
        what: &'static str,
        /// Where it begins.
        position: usize,
        /// The bytes it needs.
        needed: usize,
        /// The bytes there are.
        left: usize,
    },
    /// A magic byte that is not expected here.
    #[error("magic {magic} at byte {position} is not supported here")]
    Magic {
        /// Where the magic byte stands.
        position: usize,
        /// Its value.
        magic: i8,
    },
    /// A length, count or delta outside of its range.
    #[error("{what} {value} at byte {position} is out of range")]
    Range {
        /// The field.
        what: &'static str,
        /// Where it stands.
        position: usize,
        /// Its value.
        value: i64,
    },
    /// A variable-length integer longer than its type.
    #[error("variable-length integer at byte {position} does not end")]
    Varint {
        /// Where it begins.
        position: usize,
    },
    /// The checksum does not fit the bytes.
    #[error(
        "checksum mismatch in the batch at byte {position}: stored {stored:#010x}, computed {computed:#010x}"
    )]
    Crc {
        /// Where the batch or message begins.
        position: usize,
        /// The checksum it carries.
        stored: u32,
        /// The checksum of its bytes.
        computed: u32,
    },
    /// A structure is followed by bytes that belong to nothing.
    #[error("{left} bytes left over after {what} at byte {position}")]
    Trailing {
        /// The structure that should have been the last.
        what: &'static str,
        /// Where the left-over bytes begin.
        position: usize,
        /// How many there are.
        left: usize,
    },
    /// The attributes name a codec that does not exist.
    #[error("compression codec {codec} does not exist")]
    Codec {
        /// The number in the attributes.
        codec: u8,
    },
    /// Compressed bytes that their codec refuses.
    #[error("broken {codec} data")]
    Decompress {
        /// The codec.
        codec: Compression,
        /// What it said.
        source: std::io::Error,
    },
    /// More bytes than the caller allows come out of a compressed batch.
    #[error("{codec} data unfolds to more than {limit} bytes")]
    TooLarge {
        /// The codec.
        codec: Compression,
        /// The caller's limit.
        limit: usize,
    },
    /// An older message format has no such codec.
    #[error("{codec} does not exist in message format {magic}")]
    NotInFormat {
        /// The codec.
        codec: Compression,
        /// The message format.
        magic: u8,
    },
}

impl Error {
    /// What the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Truncated { .. }
            | Error::Range { .. }
            | Error::Varint { .. }
            | Error::Crc { .. }
            | Error::Trailing { .. }
            | Error::Decompress { .. } => ErrorKind::Corrupt,
            Error::Magic { .. }
            | Error::Codec { .. }
            | Error::TooLarge { .. }
            | Error::NotInFormat { .. } => ErrorKind::Invalid,
        }
    }
}

//! The four codecs of record batches, each with a bound on what comes out.

mod lz4;
mod snappy;
mod zstandard;

use std::fmt;
use std::io::{self, Read, Write};
use std::str::FromStr;

use bytes::Bytes;

use crate::Error;
use crate::header::CODEC_MASK;

pub(crate) use lz4::{break_header_checksum, repair_header_checksum};

/// How the records of a batch are packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// RFC 1952.
    Gzip,
    /// Snappy blocks in the framing of xerial's Java library; bare blocks are read too.
    Snappy,
    /// The LZ4 frame format.
    Lz4,
    /// RFC 8878.
    Zstd,
}

impl Compression {
    /// Every codec, in the order of its number.
    pub const ALL: [Compression; 5] =
        [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];

    /// The number in a batch's attributes.
    #[must_use]
    pub fn id(self) -> u8 {
        match self {
            Compression::None => 0,
            Compression::Gzip => 1,
            Compression::Snappy => 2,
            Compression::Lz4 => 3,
            Compression::Zstd => 4,
        }
    }

    /// The name in Kafka's `compression.type`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Snappy => "snappy",
            Compression::Lz4 => "lz4",
            Compression::Zstd => "zstd",
        }
    }

    pub(crate) fn from_attributes(attributes: i16) -> Result<Self, Error> {
        let codec = (attributes & CODEC_MASK).to_be_bytes()[1];
        Self::ALL.get(usize::from(codec)).copied().ok_or(Error::Codec { codec })
    }

    /// Packs `bytes`.
    ///
    /// # Panics
    /// If the codec runs out of memory.
    #[must_use]
    pub fn compress(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Compression::None => Ok(bytes.to_vec()),
            Compression::Gzip => gzip(bytes),
            Compression::Snappy => snappy::compress(bytes),
            Compression::Lz4 => lz4::compress(bytes),
            Compression::Zstd => zstd::bulk::compress(bytes, 0),
        }
        .expect("packing from memory to memory does not fail")
    }

    /// Unpacks `bytes`, which must not yield more than `limit` bytes.
    ///
    /// # Errors
    /// [`Error::TooLarge`] as soon as the limit is passed, [`Error::Decompress`] if the codec
    /// refuses the bytes.
    pub fn decompress(self, bytes: &Bytes, limit: usize) -> Result<Bytes, Error> {
        if self == Compression::None && bytes.len() <= limit {
            return Ok(bytes.clone());
        }
        let mut out = Vec::new();
        self.decompress_into(&mut out, bytes, limit)?;
        Ok(Bytes::from(out))
    }

    /// Unpacks `bytes` behind what `out` has not: it must be empty, but may bring its memory.
    pub(crate) fn decompress_into(self, out: &mut Vec<u8>, bytes: &[u8], limit: usize) -> Result<(), Error> {
        debug_assert!(out.is_empty(), "what is unpacked begins at the beginning");
        let fits = match self {
            Compression::None => bounded(bytes, out, limit),
            Compression::Gzip => bounded(flate2::bufread::MultiGzDecoder::new(bytes), out, limit),
            Compression::Snappy => snappy::decompress(bytes, out, limit),
            Compression::Lz4 => bounded(lz4::decoder(bytes), out, limit),
            Compression::Zstd => zstandard::decompress(bytes, out, limit),
        };
        match fits {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::TooLarge { codec: self, limit }),
            Err(source) => Err(Error::Decompress { codec: self, source }),
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of Kafka's codecs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown compression {name:?}: expected none, gzip, snappy, lz4 or zstd")]
pub struct UnknownCompression {
    name: String,
}

impl FromStr for Compression {
    type Err = UnknownCompression;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|codec| codec.name() == name);
        known.ok_or_else(|| UnknownCompression { name: name.to_owned() })
    }
}

/// Reads to the end; false beyond `limit` bytes.
fn bounded(source: impl Read, out: &mut Vec<u8>, limit: usize) -> io::Result<bool> {
    let one_more = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    source.take(one_more).read_to_end(out)?;
    Ok(out.len() <= limit)
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

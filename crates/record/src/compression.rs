//! The four codecs of record batches, each with a bound on what comes out.

mod lz4;
mod snappy;

use std::fmt;
use std::io::{self, Read, Write};
use std::str::FromStr;

use bytes::Bytes;

use crate::Error;
use crate::header::CODEC_MASK;

pub(crate) use lz4::{break_header_checksum, repair_header_checksum};

/// The smallest bound on zstd's window: what its levels up to 19 ask for.
const ZSTD_WINDOW_LOG_MIN: u32 = 23;
/// The greatest window zstd itself accepts by default.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

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
        let unpacked = match self {
            Compression::None if bytes.len() <= limit => return Ok(bytes.clone()),
            Compression::None => Ok(None),
            Compression::Gzip => bounded(flate2::read::MultiGzDecoder::new(&bytes[..]), limit),
            Compression::Snappy => snappy::decompress(bytes, limit),
            Compression::Lz4 => bounded(lz4::decoder(bytes), limit),
            Compression::Zstd => unzstd(bytes, limit),
        };
        match unpacked {
            Ok(Some(unpacked)) => Ok(Bytes::from(unpacked)),
            Ok(None) => Err(Error::TooLarge { codec: self, limit }),
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

/// Reads to the end, or answers `None` beyond `limit` bytes.
fn bounded(source: impl Read, limit: usize) -> io::Result<Option<Vec<u8>>> {
    let mut out = Vec::new();
    let one_more = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    source.take(one_more).read_to_end(&mut out)?;
    Ok((out.len() <= limit).then_some(out))
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn unzstd(bytes: &[u8], limit: usize) -> io::Result<Option<Vec<u8>>> {
    // A frame may ask for a window far larger than its content; one that is larger than all
    // that may come out is only there to make us allocate it.
    let window_log = usize::BITS - limit.leading_zeros();
    let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes)?;
    decoder.window_log_max(window_log.clamp(ZSTD_WINDOW_LOG_MIN, ZSTD_WINDOW_LOG_MAX))?;
    bounded(decoder, limit)
}

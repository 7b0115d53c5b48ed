//! How a model is written down and read back.
//!
//! All numbers are little-endian; floats are their IEEE 754 bits, so nothing is rounded.
//!
//! ```text
//! 4  "PLML"
//! 2  version of this frame (1)
//! 1  length of the algorithm's name, then the name in ASCII
//! 2  version of the algorithm's state
//! 8  length of the state, then the state, laid out by the algorithm
//! 4  CRC-32C of everything before
//! ```
//!
//! Most algorithms lay their state out with `postcard`, which writes the fields of a type one after the
//! other, integers in as few bytes as they need and floats as their bits.
//!
//! The same model always gives the same bytes. A state version is raised whenever its layout changes;
//! an older build meeting a newer state says so instead of guessing.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

const MAGIC: &[u8; 4] = b"PLML";
const FRAME_VERSION: u16 = 1;
const CRC_LEN: usize = 4;

/// Why bytes are not a model.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SnapshotError {
    /// It does not begin as a snapshot does.
    #[error("not a model snapshot")]
    NotASnapshot,
    /// It ends too early, or goes on after its end.
    #[error("model snapshot of the wrong length: {what} at byte {position} of {len}")]
    Length {
        /// What was being read.
        what: &'static str,
        /// Where.
        position: usize,
        /// How many bytes there are.
        len: usize,
    },
    /// Its checksum does not match.
    #[error("model snapshot is damaged: checksum {found:08x}, computed {computed:08x}")]
    Checksum {
        /// The stored checksum.
        found: u32,
        /// That of the bytes.
        computed: u32,
    },
    /// Written by a newer build.
    #[error("model snapshot has {what} version {found}, this build reads up to {known}")]
    UnknownVersion {
        /// Version of what.
        what: &'static str,
        /// The version found.
        found: u16,
        /// The newest version understood.
        known: u16,
    },
    /// An algorithm this build does not have.
    #[error("model snapshot is of the unknown algorithm '{name}'")]
    UnknownAlgorithm {
        /// The algorithm's name.
        name: String,
    },
    /// Read by the wrong learner.
    #[error("model snapshot is of '{found}', not of '{expected}'")]
    WrongAlgorithm {
        /// The algorithm's name in the snapshot.
        found: String,
        /// The one that was asked to read it.
        expected: &'static str,
    },
    /// JSON that is not of the form its algorithm exports.
    #[error("this is not an exported model of '{name}': {reason}")]
    NotTheState {
        /// The algorithm's name.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A state that its algorithm could not have written.
    #[error("model snapshot contradicts itself: {what}")]
    Invalid {
        /// What is impossible about it.
        what: &'static str,
    },
}

/// All that a learner is, for [`write`] and [`read`].
///
/// All its numbers are finite (JSON has no others), and it must have one form for one content: vectors and ordered maps, no hashed ones. Trees lie flat in a vector, so
/// that no depth of nesting can exhaust the stack.
pub(crate) trait State: Serialize + DeserializeOwned {
    /// The algorithm's name.
    const NAME: &'static str;
    /// Raised whenever the layout changes.
    const VERSION: u16;

    /// Says what is impossible about a state that was read: lengths that do not fit together, indexes that lead
    /// nowhere. Whoever wrote a snapshot with a right checksum may still have meant harm.
    fn validate(&self) -> Result<(), &'static str>;
}

/// The snapshot of a state.
pub(crate) fn write<S: State>(state: &S) -> Vec<u8> {
    let mut writer = Writer::new(S::NAME, S::VERSION);
    writer.bytes =
        postcard::to_extend(state, std::mem::take(&mut writer.bytes)).expect("a vector takes all bytes");
    writer.finish()
}

/// The state that [`write`] wrote.
pub(crate) fn read<S: State>(snapshot: &[u8]) -> Result<S, SnapshotError> {
    let mut reader = Reader::open(snapshot, S::NAME, S::VERSION)?;
    let bytes = &reader.bytes[reader.position..];
    let (state, rest) =
        postcard::take_from_bytes::<S>(bytes).map_err(|_| SnapshotError::Invalid { what: "its state" })?;
    reader.position = reader.bytes.len() - rest.len();
    reader.finish()?;
    state.validate().map_err(|what| SnapshotError::Invalid { what })?;
    Ok(state)
}

/// A state in JSON, for other programs and for [`import`].
pub(crate) fn export<S: State>(state: &S) -> Value {
    serde_json::to_value(state).expect("a state's maps have text for keys")
}

/// The state that [`export`] gave. Numbers come back as they were, to the last bit.
pub(crate) fn import<S: State>(exported: Value) -> Result<S, SnapshotError> {
    let state: S = serde_json::from_value(exported)
        .map_err(|error| SnapshotError::NotTheState { name: S::NAME, reason: error.to_string() })?;
    state.validate().map_err(|what| SnapshotError::Invalid { what })?;
    Ok(state)
}

/// Whose snapshot this is, without looking further.
///
/// # Errors
///
/// If the frame cannot be read.
pub fn algorithm(snapshot: &[u8]) -> Result<&str, SnapshotError> {
    let mut reader = Reader { bytes: snapshot, position: 0 };
    if reader.take(MAGIC.len(), "magic").ok() != Some(MAGIC) {
        return Err(SnapshotError::NotASnapshot);
    }
    let version = reader.u16("frame version")?;
    if version != FRAME_VERSION {
        return Err(SnapshotError::UnknownVersion { what: "frame", found: version, known: FRAME_VERSION });
    }
    let len = usize::from(reader.u8("algorithm")?);
    let name = reader.take(len, "algorithm")?;
    std::str::from_utf8(name).map_err(|_| SnapshotError::NotASnapshot)
}

/// Writes a snapshot, front to back.
#[derive(Debug)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    state_len_at: usize,
}

impl Writer {
    /// Opens the frame of `algorithm`'s state.
    ///
    /// # Panics
    ///
    /// If the name is longer than 255 bytes.
    pub(crate) fn new(algorithm: &'static str, state_version: u16) -> Self {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&FRAME_VERSION.to_le_bytes());
        bytes.push(u8::try_from(algorithm.len()).expect("names of algorithms are short"));
        bytes.extend_from_slice(algorithm.as_bytes());
        bytes.extend_from_slice(&state_version.to_le_bytes());
        let state_len_at = bytes.len();
        bytes.extend_from_slice(&0_u64.to_le_bytes());
        Writer { bytes, state_len_at }
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn f64(&mut self, value: f64) {
        self.u64(value.to_bits());
    }

    /// A count, then the numbers.
    pub(crate) fn f64s(&mut self, values: &[f64]) {
        self.u64(values.len() as u64);
        for &value in values {
            self.f64(value);
        }
    }

    /// Closes the frame.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let state_at = self.state_len_at + size_of::<u64>();
        let state_len = (self.bytes.len() - state_at) as u64;
        self.bytes[self.state_len_at..state_at].copy_from_slice(&state_len.to_le_bytes());
        let crc = crc32c::crc32c(&self.bytes);
        self.bytes.extend_from_slice(&crc.to_le_bytes());
        self.bytes
    }
}

/// Reads a snapshot, front to back; nothing is allocated that the bytes cannot fill.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    /// Checks the frame and stands at the start of the state.
    pub(crate) fn open(
        snapshot: &'a [u8],
        expected: &'static str,
        state_version: u16,
    ) -> Result<Self, SnapshotError> {
        let found = algorithm(snapshot)?;
        let body_len = snapshot.len().saturating_sub(CRC_LEN);
        let mut reader = Reader { bytes: snapshot, position: body_len };
        let crc = u32::from_le_bytes(reader.array("checksum")?);
        let computed = crc32c::crc32c(&snapshot[..body_len]);
        if crc != computed {
            return Err(SnapshotError::Checksum { found: crc, computed });
        }
        if found != expected {
            return Err(SnapshotError::WrongAlgorithm { found: found.to_owned(), expected });
        }
        let mut reader = Reader {
            bytes: &snapshot[..body_len],
            position: MAGIC.len() + size_of::<u16>() + size_of::<u8>() + found.len(),
        };
        let version = reader.u16("state version")?;
        if version != state_version {
            return Err(SnapshotError::UnknownVersion {
                what: "state",
                found: version,
                known: state_version,
            });
        }
        let state_len = reader.u64("state length")?;
        if state_len != (reader.bytes.len() - reader.position) as u64 {
            return Err(reader.length_error("state"));
        }
        Ok(reader)
    }

    pub(crate) fn u8(&mut self, what: &'static str) -> Result<u8, SnapshotError> {
        Ok(self.array::<1>(what)?[0])
    }

    pub(crate) fn u64(&mut self, what: &'static str) -> Result<u64, SnapshotError> {
        Ok(u64::from_le_bytes(self.array(what)?))
    }

    /// A count or an index.
    pub(crate) fn usize(&mut self, what: &'static str) -> Result<usize, SnapshotError> {
        usize::try_from(self.u64(what)?).map_err(|_| SnapshotError::Invalid { what })
    }

    /// A number, which has to be finite: no learner here keeps any other.
    pub(crate) fn f64(&mut self, what: &'static str) -> Result<f64, SnapshotError> {
        let value = f64::from_bits(self.u64(what)?);
        if value.is_finite() { Ok(value) } else { Err(SnapshotError::Invalid { what }) }
    }

    pub(crate) fn f64s(&mut self, what: &'static str) -> Result<Vec<f64>, SnapshotError> {
        let count = self.usize(what)?;
        if count > (self.bytes.len() - self.position) / size_of::<f64>() {
            return Err(self.length_error(what));
        }
        (0..count).map(|_| self.f64(what)).collect()
    }

    /// Says that the state was read to its end.
    pub(crate) fn finish(self) -> Result<(), SnapshotError> {
        if self.position == self.bytes.len() { Ok(()) } else { Err(self.length_error("end of state")) }
    }

    fn u16(&mut self, what: &'static str) -> Result<u16, SnapshotError> {
        Ok(u16::from_le_bytes(self.array(what)?))
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], SnapshotError> {
        let bytes = self.take(N, what)?;
        Ok(bytes.try_into().expect("take gives as many bytes as asked for"))
    }

    fn take(&mut self, len: usize, what: &'static str) -> Result<&'a [u8], SnapshotError> {
        let end = self.position.checked_add(len).filter(|&end| end <= self.bytes.len());
        let Some(end) = end else { return Err(self.length_error(what)) };
        let bytes = &self.bytes[self.position..end];
        self.position = end;
        Ok(bytes)
    }

    fn length_error(&self, what: &'static str) -> SnapshotError {
        SnapshotError::Length { what, position: self.position, len: self.bytes.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Vec<u8> {
        let mut writer = Writer::new("thing", 3);
        writer.u64(7);
        writer.f64s(&[1.5, -0.0]);
        writer.finish()
    }

    #[test]
    fn what_was_written_is_read() {
        let bytes = example();
        assert_eq!(algorithm(&bytes), Ok("thing"));
        let mut reader = Reader::open(&bytes, "thing", 3).unwrap();
        assert_eq!(reader.u64("seven"), Ok(7));
        let values = reader.f64s("values").unwrap();
        assert_eq!(
            values.iter().map(|value| value.to_bits()).collect::<Vec<_>>(),
            [1.5_f64.to_bits(), (-0.0_f64).to_bits()]
        );
        reader.finish().unwrap();
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_noticed() {
        let bytes = example();
        for len in 0..bytes.len() {
            assert!(Reader::open(&bytes[..len], "thing", 3).is_err(), "cut at {len}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Reader::open(&damaged, "thing", 3).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn versions_and_names_are_told_apart() {
        let bytes = example();
        let error = Reader::open(&bytes, "thing", 2).unwrap_err();
        assert_eq!(error, SnapshotError::UnknownVersion { what: "state", found: 3, known: 2 });
        let error = Reader::open(&bytes, "other", 3).unwrap_err();
        assert_eq!(error, SnapshotError::WrongAlgorithm { found: "thing".into(), expected: "other" });
        assert_eq!(algorithm(b"{}"), Err(SnapshotError::NotASnapshot));
        let mut future = bytes;
        future[4] = 2;
        assert!(matches!(algorithm(&future), Err(SnapshotError::UnknownVersion { what: "frame", .. })));
    }

    #[test]
    fn a_count_cannot_ask_for_more_than_there_is() {
        let mut writer = Writer::new("thing", 1);
        writer.u64(u64::MAX);
        let bytes = writer.finish();
        assert!(Reader::open(&bytes, "thing", 1).unwrap().f64s("values").is_err());
    }
}

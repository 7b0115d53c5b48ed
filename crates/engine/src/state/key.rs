//! Key columns as bytes: what the index compares, and what decides the key group.
//!
//! The bytes are arrow-row's: equal keys have equal bytes, NULL is a value like any other. They never leave
//! the process; records carry the key columns, and the bytes are made again on the way in.

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::row::{RowConverter, Rows, SortField};

/// Turns key columns into one byte string per row.
#[derive(Debug)]
pub(crate) struct KeyEncoder {
    /// `None` without key columns: the one group of a global aggregate, whose key is empty.
    converter: Option<RowConverter>,
}

/// The encoded keys of a batch.
#[derive(Debug)]
pub(crate) enum Keys {
    /// One arrow-row per row.
    Rows(Rows),
    /// So many empty keys.
    Empty(usize),
}

impl KeyEncoder {
    /// An encoder for keys of these fields.
    pub(crate) fn try_new(fields: &[impl AsRef<Field>]) -> Result<Self, ArrowError> {
        let sort_fields: Vec<_> =
            fields.iter().map(|field| SortField::new(field.as_ref().data_type().clone())).collect();
        let converter = if fields.is_empty() { None } else { Some(RowConverter::new(sort_fields)?) };
        Ok(Self { converter })
    }

    /// Whether keys of these types can be encoded.
    pub(crate) fn supports(data_type: &DataType) -> bool {
        RowConverter::supports_fields(&[SortField::new(data_type.clone())])
    }

    /// Encodes `rows` rows of key columns.
    pub(crate) fn encode(&self, columns: &[ArrayRef], rows: usize) -> Result<Keys, ArrowError> {
        match &self.converter {
            Some(converter) => Ok(Keys::Rows(converter.convert_columns(columns)?)),
            None => Ok(Keys::Empty(rows)),
        }
    }

    /// Bytes held by the encoder itself.
    pub(crate) fn size(&self) -> usize {
        self.converter.as_ref().map_or(0, RowConverter::size)
    }
}

impl Keys {
    /// How many keys.
    pub(crate) fn len(&self) -> usize {
        match self {
            Keys::Rows(rows) => rows.num_rows(),
            Keys::Empty(rows) => *rows,
        }
    }

    /// The bytes of one key.
    pub(crate) fn get(&self, row: usize) -> &[u8] {
        match self {
            Keys::Rows(rows) => rows.row(row).data(),
            Keys::Empty(_) => &[],
        }
    }

    /// Bytes held.
    pub(crate) fn size(&self) -> usize {
        match self {
            Keys::Rows(rows) => rows.size(),
            Keys::Empty(_) => 0,
        }
    }
}

/// The fixed number of shares into which keys fall, whatever the machine: state moves between instances
/// by the key group, so this number is part of the stored layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyGroups(u16);

impl KeyGroups {
    /// Enough for some hundred instances, few enough to list.
    pub(crate) const DEFAULT: KeyGroups = KeyGroups(128);

    /// How many there are.
    pub(crate) fn count(self) -> u16 {
        self.0
    }

    /// The key group of a key: as Kafka's clients choose a partition.
    pub(crate) fn of(self, key: &[u8]) -> u16 {
        let positive = murmur2(key) & 0x7fff_ffff;
        u16::try_from(positive % u32::from(self.0)).expect("a remainder of a u16 fits a u16")
    }
}

/// Kafka's 32-bit murmur2 (seed 0x9747b28c), as its clients hash record keys.
fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let length = u32::try_from(data.len() & 0xffff_ffff).expect("masked to 32 bits");
    let mut hash = 0x9747_b28c ^ length;
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut mixed = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        mixed ^= mixed >> 24;
        hash = hash.wrapping_mul(M) ^ mixed.wrapping_mul(M);
    }
    let tail = words.remainder();
    if !tail.is_empty() {
        for (position, byte) in tail.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * position);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{Int64Array, StringArray};

    use super::*;

    #[test]
    fn murmur2_is_kafkas() {
        // From UtilsTest of Kafka's clients.
        let known: [(&[u8], i32); 5] = [
            (b"21", -973_932_308),
            (b"foobar", -790_332_482),
            (b"a-little-bit-long-string", -985_981_536),
            (b"a-little-bit-longer-string", -1_486_304_829),
            (b"abc", 479_470_107),
        ];
        for (data, hash) in known {
            assert_eq!(murmur2(data), hash.cast_unsigned(), "{data:?}");
        }
    }

    #[test]
    fn key_bytes_are_pinned_because_key_groups_hang_on_them() {
        let fields = [Field::new("a", DataType::Int64, true), Field::new("b", DataType::Utf8, true)];
        let encoder = KeyEncoder::try_new(&fields).unwrap();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(vec![Some(7), None])),
            Arc::new(StringArray::from(vec![Some("ab"), None])),
        ];
        let keys = encoder.encode(&columns, 2).unwrap();
        let seven_ab = [1, 0x80, 0, 0, 0, 0, 0, 0, 7, 2, b'a', b'b', 0, 0, 0, 0, 0, 0, 2];
        assert_eq!(keys.get(0), seven_ab, "a new arrow-row encoding moves keys between groups");
        assert_eq!(keys.get(1), [0; 10]);
        assert_eq!(KeyGroups::DEFAULT.of(keys.get(0)), KeyGroups::DEFAULT.of(&seven_ab));
    }

    #[test]
    fn without_columns_every_row_has_the_empty_key() {
        let keys = KeyEncoder::try_new(&[] as &[Field]).unwrap().encode(&[], 3).unwrap();
        assert_eq!((keys.len(), keys.get(2)), (3, &[][..]));
    }
}

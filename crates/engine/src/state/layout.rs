//! What a state row consists of, in words that can be stored and compared.
//!
//! The state of a function is its own affair and may change from one version of DataFusion to the next.
//! Stored rows therefore name the function, its arguments and its state fields; on the way back in every
//! part must be the same, and the first that is not is named.

use std::fmt::Write;

use datafusion::arrow::datatypes::{FieldRef, SchemaRef};

use super::StateError;

/// One part of a state row: a key, or an aggregate with its state fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// `key 0`, `aggregate 2`.
    pub(crate) name: String,
    /// What it is: types for a key; function, arguments and state types for an aggregate.
    pub(crate) content: String,
}

/// Key columns first, then the state columns of each aggregate in turn.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// Names, types and nullability of the columns.
    pub(crate) schema: SchemaRef,
    /// How many leading columns are the key.
    pub(crate) keys: usize,
    /// The same in words.
    pub(crate) parts: Vec<Part>,
}

impl Layout {
    /// Refuses `stored` parts that are not this layout's, naming the first difference.
    pub(crate) fn check(&self, stored: &[Part]) -> Result<(), StateError> {
        const ABSENT: &str = "absent";
        for index in 0..self.parts.len().max(stored.len()) {
            let (wanted, found) = (self.parts.get(index), stored.get(index));
            if wanted != found {
                let named = found.or(wanted).map_or_else(String::new, |part| part.name.clone());
                let words =
                    |part: Option<&Part>| part.map_or_else(|| ABSENT.to_owned(), |part| part.content.clone());
                return Err(StateError::Layout { part: named, stored: words(found), wanted: words(wanted) });
            }
        }
        Ok(())
    }

    /// 64 bits that differ when any part differs (FNV-1a over the words).
    pub(crate) fn fingerprint(&self) -> u64 {
        fingerprint(&self.parts)
    }
}

/// The fingerprint of stored parts.
pub(crate) fn fingerprint(parts: &[Part]) -> u64 {
    let bytes = parts
        .iter()
        .flat_map(|part| part.name.bytes().chain([0xff]).chain(part.content.bytes()).chain([0xff]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Field types as words: `Int64, Float64?` with a question mark where NULL may stand.
pub(crate) fn types(fields: &[FieldRef]) -> String {
    let mut words = String::new();
    for (index, field) in fields.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        let mark = if field.is_nullable() { "?" } else { "" };
        write!(words, "{separator}{}{mark}", field.data_type()).expect("writing to a string cannot fail");
    }
    words
}

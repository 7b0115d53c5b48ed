//! State rows as bytes: the changelog of one batch, or a snapshot of everything.
//!
//! ```text
//! 0   4  "PLTS"
//! 4   2  format version (3; 2 had no removals, 1 no watermark), little endian
//! 6   1  1 = changelog of one batch, 2 = snapshot
//! 7   1  0
//! 8   8  length of the body
//! 16  4  CRC-32C of the body
//! 20     the body: an Arrow IPC stream
//! ```
//!
//! The stream's columns are `key_group` (UInt16), the key columns, the state columns; its schema's metadata
//! tells whose rows they are ([`Owner`]), the batch, the watermark that ended keys after it, and the layout in words
//! with its fingerprint. Behind
//! the first 20 bytes any Arrow reader can read it. A row replaces the stored row of its key, except the first
//! `pelton.removed` rows: their keys go. Snapshots are ordered by key group, so that the rows of one are a
//! contiguous range.

use std::collections::HashMap;
use std::io::Cursor;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, UInt16Array};
use datafusion::arrow::datatypes::{DataType, Field, Schema, UInt16Type};
use datafusion::arrow::ipc::reader::StreamReader;
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::arrow::record_batch::RecordBatch;

use super::StateError;
use super::layout::{Layout, Part, fingerprint};

/// The newest format this program writes and reads.
const VERSION: u16 = 3;
/// How each record begins.
pub(crate) const MAGIC: [u8; 4] = *b"PLTS";
const HEADER_BYTES: usize = 20;

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The rows that one batch changed.
    Changelog = 1,
    /// All rows after a batch.
    Snapshot = 2,
}

/// What a record says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) kind: Kind,
    /// The batch that made the rows, none before the first.
    pub(crate) batch: Option<u64>,
    /// The watermark that ended keys after them.
    pub(crate) watermark: Option<i64>,
    /// How many of the first rows tell only which keys go.
    pub(crate) removed: usize,
}

/// Whose rows they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    /// The query, by its lasting id.
    pub(crate) query: String,
    /// Which of its stateful operators.
    pub(crate) operator: u32,
    /// Into how many key groups its keys fall.
    pub(crate) key_groups: u16,
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "query `{}`, operator {}, {} key groups", self.query, self.operator, self.key_groups)
    }
}

/// Writes one record.
pub(crate) struct Writer {
    stream: StreamWriter<Vec<u8>>,
    schema: Arc<Schema>,
    kind: Kind,
}

impl Writer {
    /// A record for `owner`'s rows.
    pub(crate) fn try_new(record: Record, owner: &Owner, layout: &Layout) -> Result<Self, StateError> {
        let Record { kind, batch, watermark, removed } = record;
        let mut fields = vec![Arc::new(Field::new("key_group", DataType::UInt16, false))];
        fields.extend(layout.schema.fields().iter().cloned());
        let mut entries = metadata(owner, batch, layout);
        entries.extend(watermark.map(|watermark| ("pelton.watermark".to_owned(), watermark.to_string())));
        if removed > 0 {
            entries.insert("pelton.removed".to_owned(), removed.to_string());
        }
        let schema = Arc::new(Schema::new_with_metadata(fields, entries));
        let stream = StreamWriter::try_new(vec![0; HEADER_BYTES], &schema)?;
        Ok(Self { stream, schema, kind })
    }

    /// Adds rows and the key group of each.
    pub(crate) fn push(&mut self, rows: &RecordBatch, groups: Vec<u16>) -> Result<(), StateError> {
        let mut columns: Vec<ArrayRef> = vec![Arc::new(UInt16Array::from(groups))];
        columns.extend_from_slice(rows.columns());
        Ok(self.stream.write(&RecordBatch::try_new(Arc::clone(&self.schema), columns)?)?)
    }

    /// The finished bytes.
    pub(crate) fn finish(self) -> Result<Vec<u8>, StateError> {
        let mut bytes = self.stream.into_inner()?;
        let body = &bytes[HEADER_BYTES..];
        let (length, crc) = (body.len() as u64, crc32c::crc32c(body));
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4..6].copy_from_slice(&VERSION.to_le_bytes());
        bytes[6] = self.kind as u8;
        bytes[8..16].copy_from_slice(&length.to_le_bytes());
        bytes[16..20].copy_from_slice(&crc.to_le_bytes());
        Ok(bytes)
    }
}

/// A record that was checked down to its metadata; its rows are read one batch at a time.
pub(crate) struct Reader<'a> {
    /// What it says of itself.
    pub(crate) record: Record,
    stream: StreamReader<Cursor<&'a [u8]>>,
    layout: &'a Layout,
}

impl<'a> Reader<'a> {
    /// Opens a record that must belong to `owner` and have `layout`.
    pub(crate) fn try_new(bytes: &'a [u8], owner: &Owner, layout: &'a Layout) -> Result<Self, StateError> {
        let kind = header(bytes)?;
        let stream = StreamReader::try_new(Cursor::new(&bytes[HEADER_BYTES..]), None)?;
        let schema = stream.schema();
        let read = Metadata(schema.metadata());
        let found = Owner {
            query: read.text("pelton.query")?.to_owned(),
            operator: read.number("pelton.operator")?,
            key_groups: read.number("pelton.key_groups")?,
        };
        if found != *owner {
            return Err(StateError::Foreign { found: found.to_string(), expected: owner.to_string() });
        }
        let parts = read.parts()?;
        if read.number::<u64>("pelton.fingerprint")? != fingerprint(&parts) {
            return Err(damaged(HEADER_BYTES, "the fingerprint is not that of the listed parts"));
        }
        layout.check(&parts)?;
        let batch = read.optional("pelton.batch")?;
        let watermark = read.optional("pelton.watermark")?;
        let removed = read.optional("pelton.removed")?.unwrap_or(0);
        Ok(Self { record: Record { kind, batch, watermark, removed }, stream, layout })
    }

    /// The next rows with the key group that each was written with.
    pub(crate) fn next_rows(&mut self) -> Result<Option<(RecordBatch, UInt16Array)>, StateError> {
        let Some(read) = self.stream.next().transpose()? else { return Ok(None) };
        let (groups, columns) =
            read.columns().split_first().ok_or_else(|| damaged(HEADER_BYTES, "no column"))?;
        let groups = groups.as_primitive_opt::<UInt16Type>().filter(|groups| groups.null_count() == 0);
        let groups = groups.ok_or_else(|| damaged(HEADER_BYTES, "the first column is no key group"))?;
        let rows = RecordBatch::try_new(Arc::clone(&self.layout.schema), columns.to_vec())?;
        Ok(Some((rows, groups.clone())))
    }
}

/// Several records in one: length and bytes of each.
pub(crate) fn framed(records: &[Vec<u8>]) -> Bytes {
    let mut bytes = Vec::with_capacity(records.iter().map(|record| record.len() + 4).sum());
    for record in records {
        let length = u32::try_from(record.len()).expect("a frame of the journal is no longer");
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(record);
    }
    bytes.into()
}

/// The records again, which must be so many.
pub(crate) fn unframed(bytes: &[u8], wanted: usize) -> Result<Vec<&[u8]>, StateError> {
    let (mut rest, mut records) = (bytes, Vec::new());
    while !rest.is_empty() {
        let position = bytes.len() - rest.len();
        let (length, behind) =
            rest.split_first_chunk().ok_or_else(|| damaged(position, "the length of a record is torn"))?;
        let record = behind
            .split_at_checked(u32::from_le_bytes(*length) as usize)
            .ok_or_else(|| damaged(position, "a record is shorter than it says"))?;
        records.push(record.0);
        rest = record.1;
    }
    if records.len() == wanted {
        return Ok(records);
    }
    Err(StateError::Layout {
        part: "the number of stateful operators".to_owned(),
        stored: records.len().to_string(),
        wanted: wanted.to_string(),
    })
}

fn header(bytes: &[u8]) -> Result<Kind, StateError> {
    if bytes.len() < HEADER_BYTES || bytes[..4] != MAGIC {
        return Err(damaged(0, "no state record begins here"));
    }
    let version = u16::from_le_bytes([bytes[4], bytes[5]]);
    if !(1..=VERSION).contains(&version) {
        return Err(StateError::Version { version, known: VERSION });
    }
    let kind = match bytes[6] {
        1 => Kind::Changelog,
        2 => Kind::Snapshot,
        _ => return Err(damaged(6, "neither a changelog nor a snapshot")),
    };
    let body = &bytes[HEADER_BYTES..];
    if bytes[8..16] != (body.len() as u64).to_le_bytes() {
        return Err(damaged(8, "the body has another length"));
    }
    if bytes[16..20] != crc32c::crc32c(body).to_le_bytes() {
        return Err(damaged(HEADER_BYTES, "the body has another checksum"));
    }
    Ok(kind)
}

fn metadata(owner: &Owner, batch: Option<u64>, layout: &Layout) -> HashMap<String, String> {
    let mut entries = HashMap::from([
        ("pelton.query".to_owned(), owner.query.clone()),
        ("pelton.operator".to_owned(), owner.operator.to_string()),
        ("pelton.key_groups".to_owned(), owner.key_groups.to_string()),
        ("pelton.fingerprint".to_owned(), layout.fingerprint().to_string()),
        ("pelton.parts".to_owned(), layout.parts.len().to_string()),
    ]);
    if let Some(batch) = batch {
        entries.insert("pelton.batch".to_owned(), batch.to_string());
    }
    for (index, part) in layout.parts.iter().enumerate() {
        entries.insert(format!("pelton.part.{index}.name"), part.name.clone());
        entries.insert(format!("pelton.part.{index}.content"), part.content.clone());
    }
    entries
}

struct Metadata<'a>(&'a HashMap<String, String>);

impl Metadata<'_> {
    fn text(&self, name: &str) -> Result<&str, StateError> {
        let entry =
            self.0.get(name).ok_or_else(|| damaged(HEADER_BYTES, "an entry of the metadata is missing"))?;
        Ok(entry)
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T, StateError> {
        self.text(name)?.parse().map_err(|_| damaged(HEADER_BYTES, "a number of the metadata is none"))
    }

    fn optional<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, StateError> {
        self.0.get(name).map(|_| self.number(name)).transpose()
    }

    fn parts(&self) -> Result<Vec<Part>, StateError> {
        let count = self.number::<usize>("pelton.parts")?.min(self.0.len());
        (0..count)
            .map(|index| {
                Ok(Part {
                    name: self.text(&format!("pelton.part.{index}.name"))?.to_owned(),
                    content: self.text(&format!("pelton.part.{index}.content"))?.to_owned(),
                })
            })
            .collect()
    }
}

fn damaged(position: usize, reason: &'static str) -> StateError {
    StateError::Corrupt { position, reason }
}

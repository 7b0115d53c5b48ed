//! Avro, as values of records and as container files.

use std::fmt;
use std::sync::Arc;

use arrow_avro::reader::{Decoder, ReaderBuilder};
use arrow_avro::schema::{AvroSchema, Fingerprint, SchemaStore};
use bytes::Bytes;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{FieldRef, SchemaRef};
use datafusion::arrow::error::ArrowError;

use crate::source::format::fit;
use crate::source::records::Selected;

/// What begins a value that says which schema it was written with.
const SINGLE_OBJECT: [u8; 2] = [0xc3, 0x01];

/// A zero and the number of a schema in a registry.
const CONFLUENT_BYTES: usize = 5;

/// The schema of a topic's values.
#[derive(Clone)]
pub(crate) struct Avro {
    json: String,
    framing: Framing,
    /// What the decoder wants before each value.
    prefix: Vec<u8>,
    store: SchemaStore,
    schema: SchemaRef,
}

/// What stands before the value itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Nothing.
    Plain,
    /// Avro's own mark and the schema's fingerprint.
    SingleObject,
    /// The number of a schema in a registry, which nobody is asked for.
    Confluent,
}

/// What becomes of bytes behind a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behind {
    Refused,
    /// As Spark's `from_avro` does.
    Ignored,
}

impl fmt::Debug for Avro {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Avro")
            .field("json", &self.json)
            .field("framing", &self.framing)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Avro {
    fn eq(&self, other: &Self) -> bool {
        (&self.json, self.framing) == (&other.json, other.framing)
    }
}

impl Eq for Avro {}

impl Avro {
    /// # Errors
    /// The schema is none, or not that of a record.
    pub(crate) fn new(json: String, framing: Framing) -> Result<Self, ArrowError> {
        let mut store = SchemaStore::new();
        let fingerprint = store.register(AvroSchema::new(json.clone()))?;
        let Fingerprint::Rabin(fingerprint) = fingerprint else {
            return Err(wrong("the schema has no Rabin fingerprint"));
        };
        let prefix = [&SINGLE_OBJECT[..], &fingerprint.to_le_bytes()].concat();
        let decoder = ReaderBuilder::new().with_writer_schema_store(store.clone()).build_decoder()?;
        Ok(Avro { json, framing, prefix, store, schema: decoder.schema() })
    }

    /// The fields as the schema has them, with what may be NULL.
    pub(crate) fn fields(&self) -> &datafusion::arrow::datatypes::Fields {
        self.schema.fields()
    }

    /// The columns that hold the fields of the schema, in their order.
    pub(crate) fn columns(&self) -> Vec<FieldRef> {
        fit::columns(&self.schema)
    }

    pub(super) fn misfit(&self, columns: &[FieldRef]) -> Option<String> {
        fit::misfit(&self.schema, columns)
    }

    /// Reads records that hold a value each.
    pub(super) fn read(&self, columns: &SchemaRef, records: Selected<'_>) -> Result<RecordBatch, ArrowError> {
        let values: Option<Vec<&[u8]>> = records.values().collect();
        let values = values.ok_or_else(|| wrong("the value is null"))?;
        self.values(columns, &values, Behind::Refused)
    }

    /// Reads values, each of them a row.
    ///
    /// # Errors
    /// One of them is not of the schema.
    pub(crate) fn values(
        &self,
        columns: &SchemaRef,
        values: &[&[u8]],
        behind: Behind,
    ) -> Result<RecordBatch, ArrowError> {
        if values.is_empty() {
            return Ok(RecordBatch::new_empty(Arc::clone(columns)));
        }
        let builder = ReaderBuilder::new().with_writer_schema_store(self.store.clone());
        let mut decoder = builder.with_batch_size(values.len()).build_decoder()?;
        for (row, value) in values.iter().enumerate() {
            self.read_one(&mut decoder, value, behind)?;
            if values.len() - decoder.capacity() != row + 1 {
                return Err(wrong("the value ends too early"));
            }
        }
        let batch = decoder.flush()?.ok_or_else(|| wrong("the value is empty"))?;
        fit::fit(&batch, columns)
    }

    fn read_one(&self, decoder: &mut Decoder, value: &[u8], behind: Behind) -> Result<(), ArrowError> {
        let body = match self.framing {
            Framing::Plain => value,
            Framing::SingleObject => {
                let other = || wrong("the value does not begin with the fingerprint of the schema");
                value.strip_prefix(self.prefix.as_slice()).ok_or_else(other)?
            }
            Framing::Confluent => match value.split_at_checked(CONFLUENT_BYTES) {
                Some(([0, ..], body)) => body,
                _ => return Err(wrong("the value does not begin with the number of a schema")),
            },
        };
        decoder.decode(&self.prefix)?;
        let read = decoder.decode(body)?;
        let more = read < body.len() && read > 0;
        if more && behind == Behind::Refused { Err(wrong("something follows the value")) } else { Ok(()) }
    }
}

/// The rows of a container file, which brings its schema along.
pub(super) fn container(bytes: Bytes, columns: &SchemaRef) -> Result<Vec<RecordBatch>, ArrowError> {
    let reader = ReaderBuilder::new().build(std::io::Cursor::new(bytes))?;
    reader.map(|batch| fit::fit(&batch?, columns)).collect()
}

fn wrong(reason: &str) -> ArrowError {
    ArrowError::AvroError(reason.to_owned())
}

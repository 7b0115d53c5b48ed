//! Protobuf messages as values of records.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, SchemaRef, TimeUnit};
use datafusion::arrow::error::ArrowError;
use prost_reflect::{Cardinality, DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor};

use crate::source::records::Selected;
use crate::sql::types::{UTC, map_of, type_name};

mod arrays;

/// Messages that hold messages, so deep; what is deeper is left out of a table that names no columns.
const DEPTH_MAX: usize = 8;

const TIMESTAMP: &str = "google.protobuf.Timestamp";

/// The message that a topic's values are.
#[derive(Clone)]
pub(crate) struct Protobuf {
    message: MessageDescriptor,
    /// Whether a field that is not there has its type's zero instead of NULL.
    zeros: bool,
}

impl fmt::Debug for Protobuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protobuf").field("message", &self.message.full_name()).finish_non_exhaustive()
    }
}

impl PartialEq for Protobuf {
    fn eq(&self, other: &Self) -> bool {
        self.message == other.message && self.zeros == other.zeros
    }
}

impl Eq for Protobuf {}

impl Protobuf {
    /// `set` is what `protoc --descriptor_set_out --include_imports` writes.
    ///
    /// # Errors
    /// The reason why there is no such message, as text.
    pub(crate) fn new(set: Vec<u8>, name: &str, zeros: bool) -> Result<Self, String> {
        let pool = DescriptorPool::decode(Bytes::from(set)).map_err(|error| error.to_string())?;
        // As Spark, the short name will do.
        let short = |message: &MessageDescriptor| message.name() == name || message.full_name() == name;
        let message = pool.get_message_by_name(name).or_else(|| pool.all_messages().find(short));
        let names = || pool.all_messages().map(|m| m.full_name().to_owned()).collect::<Vec<_>>().join(", ");
        let message = message.ok_or_else(|| format!("there is no message {name}; there are {}", names()))?;
        Ok(Protobuf { message, zeros })
    }

    /// The columns of a table that names none.
    pub(super) fn columns(&self) -> Vec<FieldRef> {
        let column =
            |field: FieldDescriptor| Some(Arc::new(Field::new(field.name(), held(&field, &[])?, true)));
        self.message.fields().filter_map(column).collect()
    }

    /// What is wrong with columns that a table names.
    pub(super) fn misfit(&self, columns: &[FieldRef]) -> Option<String> {
        columns.iter().find_map(|column| {
            let Some(field) = find(&self.message, column.name()) else {
                let names: Vec<String> = self.message.fields().map(|field| field.name().to_owned()).collect();
                let names = names.join(", ");
                return Some(format!(
                    "column {}: the message has no such field; it has {names}",
                    column.name()
                ));
            };
            (!fits(&field, column.data_type())).then(|| {
                let wanted = held(&field, &[]).map_or_else(|| "no type".to_owned(), |held| type_name(&held));
                format!("column {}: the message's field is read as {wanted}", column.name())
            })
        })
    }

    /// Reads records that hold a message each.
    pub(super) fn read(&self, columns: &SchemaRef, records: Selected<'_>) -> Result<RecordBatch, ArrowError> {
        let message = |value: Option<&[u8]>| {
            let value = value.ok_or_else(|| wrong("the value is null"))?;
            DynamicMessage::decode(self.message.clone(), value)
                .map(Some)
                .map_err(|error| wrong(&format!("malformed Protobuf: {error}")))
        };
        let messages = records.values().map(message).collect::<Result<Vec<_>, _>>()?;
        let messages: Vec<Option<&DynamicMessage>> = messages.iter().map(Option::as_ref).collect();
        let arrays = arrays::fields(columns.fields(), &self.message, &messages, self.zeros)?;
        let options = RecordBatchOptions::new().with_row_count(Some(records.len()));
        RecordBatch::try_new_with_options(Arc::clone(columns), arrays, &options)
    }
}

fn wrong(reason: &str) -> ArrowError {
    ArrowError::ExternalError(reason.into())
}

/// By its very name, or else in whatever case.
fn find(message: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    let exact = message.get_field_by_name(name);
    exact.or_else(|| message.fields().find(|field| field.name().eq_ignore_ascii_case(name)))
}

/// The type of a column for a field, as Spark has it; `within` are the messages around it.
fn held(field: &FieldDescriptor, within: &[MessageDescriptor]) -> Option<DataType> {
    if let Some((key, value)) = pair(field) {
        return Some(map_of(held_one(&key.kind(), within)?, held_one(&value.kind(), within)?));
    }
    let one = held_one(&field.kind(), within)?;
    let many = field.cardinality() == Cardinality::Repeated;
    Some(if many { DataType::List(Arc::new(Field::new_list_field(one, true))) } else { one })
}

/// Key and value of a field that is a map.
fn pair(field: &FieldDescriptor) -> Option<(FieldDescriptor, FieldDescriptor)> {
    match field.kind() {
        Kind::Message(entry) if field.is_map() => {
            Some((entry.map_entry_key_field(), entry.map_entry_value_field()))
        }
        _ => None,
    }
}

fn held_one(kind: &Kind, within: &[MessageDescriptor]) -> Option<DataType> {
    Some(match kind {
        Kind::Bool => DataType::Boolean,
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => DataType::Int32,
        Kind::Uint32
        | Kind::Fixed32
        | Kind::Int64
        | Kind::Sint64
        | Kind::Sfixed64
        | Kind::Uint64
        | Kind::Fixed64 => DataType::Int64,
        Kind::Float => DataType::Float32,
        Kind::Double => DataType::Float64,
        Kind::String | Kind::Enum(_) => DataType::Utf8,
        Kind::Bytes => DataType::Binary,
        Kind::Message(message) if message.full_name() == TIMESTAMP => {
            DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
        }
        // One that holds itself would never end.
        Kind::Message(message) if within.len() == DEPTH_MAX || within.contains(message) => return None,
        Kind::Message(message) => {
            let within = [within, std::slice::from_ref(message)].concat();
            let field = |field: FieldDescriptor| Some(Field::new(field.name(), held(&field, &within)?, true));
            DataType::Struct(message.fields().filter_map(field).collect::<Fields>())
        }
    })
}

/// Whether the field's values can stand in a column of this type.
fn fits(field: &FieldDescriptor, data_type: &DataType) -> bool {
    let many = field.cardinality() == Cardinality::Repeated;
    match (pair(field), data_type) {
        (Some((key, value)), DataType::Map(entries, _)) => match entries.data_type() {
            DataType::Struct(types) if types.len() == 2 => {
                fits_one(&key.kind(), types[0].data_type()) && fits_one(&value.kind(), types[1].data_type())
            }
            _ => false,
        },
        (None, DataType::List(item)) if many => fits_one(&field.kind(), item.data_type()),
        (None, data_type) if !many => fits_one(&field.kind(), data_type),
        _ => false,
    }
}

fn fits_one(kind: &Kind, data_type: &DataType) -> bool {
    match (kind, data_type) {
        (Kind::Enum(_), DataType::Utf8 | DataType::Int32) => true,
        (Kind::Message(message), DataType::Struct(fields)) => fields
            .iter()
            .all(|wanted| find(message, wanted.name()).is_some_and(|field| fits(&field, wanted.data_type()))),
        (kind, DataType::Int64) => {
            matches!(held_one(kind, &[]), Some(DataType::Int32 | DataType::Int64))
        }
        (kind, DataType::Float64) => {
            matches!(held_one(kind, &[]), Some(DataType::Float32 | DataType::Float64))
        }
        (kind, data_type) => held_one(kind, &[]).as_ref() == Some(data_type),
    }
}

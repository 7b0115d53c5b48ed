//! Types as messages.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Fields, IntervalUnit, Schema, TimeUnit};

use crate::error::{Result, SparkError};
use crate::schema::{instant, parse_type};
use crate::wire::types::{
    DataType as Message, DataTypeArray, DataTypeDayTimeInterval, DataTypeDecimal, DataTypeMap,
    DataTypeString, DataTypeStruct, DataTypeStructField, DataTypeYearMonthInterval, Kind, Plain,
};

/// The message of a type.
pub(crate) fn write(data_type: &DataType) -> Message {
    let plain = Plain {};
    let kind = match data_type {
        DataType::Boolean => Kind::Boolean(plain),
        DataType::Int8 => Kind::Byte(plain),
        DataType::Int16 | DataType::UInt8 => Kind::Short(plain),
        DataType::Int32 | DataType::UInt16 => Kind::Integer(plain),
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => Kind::Long(plain),
        DataType::Float16 | DataType::Float32 => Kind::Float(plain),
        DataType::Float64 => Kind::Double(plain),
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            let (precision, scale) = (Some(i32::from(*precision)), Some(i32::from(*scale)));
            Kind::Decimal(DataTypeDecimal { precision, scale, ..Default::default() })
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            Kind::String(DataTypeString { collation: "UTF8_BINARY".to_owned(), ..Default::default() })
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Kind::Binary(plain),
        DataType::Date32 | DataType::Date64 => Kind::Date(plain),
        DataType::Timestamp(_, Some(_)) => Kind::Timestamp(plain),
        DataType::Timestamp(_, None) => Kind::TimestampNtz(plain),
        DataType::Duration(_) | DataType::Interval(IntervalUnit::DayTime) => {
            let (start_field, end_field) = (Some(0), Some(3));
            Kind::DayTimeInterval(DataTypeDayTimeInterval { start_field, end_field, ..Default::default() })
        }
        DataType::Interval(IntervalUnit::YearMonth) => {
            let (start_field, end_field) = (Some(0), Some(1));
            Kind::YearMonthInterval(DataTypeYearMonthInterval {
                start_field,
                end_field,
                ..Default::default()
            })
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => Kind::CalendarInterval(plain),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            let element_type = Some(Box::new(write(item.data_type())));
            Kind::Array(DataTypeArray {
                element_type,
                contains_null: item.is_nullable(),
                ..Default::default()
            })
        }
        DataType::Struct(fields) => Kind::Struct(structure(fields)),
        DataType::Map(entries, _) => map(entries),
        DataType::Dictionary(_, values) => return write(values),
        _ => Kind::Null(plain),
    };
    Message { kind: Some(kind) }
}

fn map(entries: &Field) -> Kind {
    let DataType::Struct(parts) = entries.data_type() else { return Kind::Null(Plain {}) };
    Kind::Map(DataTypeMap {
        key_type: Some(Box::new(write(parts[0].data_type()))),
        value_type: Some(Box::new(write(parts[1].data_type()))),
        value_contains_null: parts[1].is_nullable(),
        ..Default::default()
    })
}

fn structure(fields: &Fields) -> DataTypeStruct {
    let field = |field: &Arc<Field>| DataTypeStructField {
        name: field.name().clone(),
        data_type: Some(Box::new(write(field.data_type()))),
        nullable: field.is_nullable(),
        metadata: None,
    };
    DataTypeStruct { fields: fields.iter().map(field).collect(), ..Default::default() }
}

/// The message of a row's type.
pub(crate) fn write_schema(schema: &Schema) -> Message {
    Message { kind: Some(Kind::Struct(structure(schema.fields()))) }
}

/// The type of a message.
pub(crate) fn read(message: &Message) -> Result<DataType> {
    let Some(kind) = &message.kind else { return Err(SparkError::missing("type")) };
    Ok(match kind {
        Kind::Null(_) => DataType::Null,
        Kind::Binary(_) => DataType::Binary,
        Kind::Boolean(_) => DataType::Boolean,
        Kind::Byte(_) => DataType::Int8,
        Kind::Short(_) => DataType::Int16,
        Kind::Integer(_) => DataType::Int32,
        Kind::Long(_) => DataType::Int64,
        Kind::Float(_) => DataType::Float32,
        Kind::Double(_) => DataType::Float64,
        Kind::Decimal(decimal) => {
            let precision = u8::try_from(decimal.precision.unwrap_or(10)).unwrap_or(38).min(38);
            DataType::Decimal128(precision, i8::try_from(decimal.scale.unwrap_or(0)).unwrap_or(0))
        }
        Kind::String(_) | Kind::Char(_) | Kind::VarChar(_) => DataType::Utf8,
        Kind::Date(_) => DataType::Date32,
        Kind::Timestamp(_) => instant(),
        Kind::TimestampNtz(_) => DataType::Timestamp(TimeUnit::Microsecond, None),
        Kind::CalendarInterval(_) => DataType::Interval(IntervalUnit::MonthDayNano),
        Kind::YearMonthInterval(_) => DataType::Interval(IntervalUnit::YearMonth),
        Kind::DayTimeInterval(_) => DataType::Duration(TimeUnit::Microsecond),
        Kind::Array(array) => {
            let item = array.element_type.as_ref().ok_or_else(|| SparkError::missing("element_type"))?;
            DataType::List(Arc::new(Field::new_list_field(read(item)?, true)))
        }
        Kind::Struct(structure) => DataType::Struct(read_fields(structure)?),
        Kind::Map(map) => {
            let part = |part: &Option<Box<Message>>| {
                read(part.as_ref().ok_or_else(|| SparkError::missing("key_type"))?)
            };
            let (key, value) = (part(&map.key_type)?, part(&map.value_type)?);
            engine::dataframe::map_type(key, value)
        }
        Kind::Unparsed(text) => parse_type(&text.data_type_string)?,
        _ => return Err(SparkError::unsupported("this type of column")),
    })
}

fn read_fields(structure: &DataTypeStruct) -> Result<Fields> {
    let field = |field: &DataTypeStructField| {
        let data_type = field.data_type.as_ref().ok_or_else(|| SparkError::missing("data_type"))?;
        Ok(Field::new(&field.name, read(data_type)?, field.nullable))
    };
    structure.fields.iter().map(field).collect()
}

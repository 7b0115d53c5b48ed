//! Types as messages.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Fields, IntervalUnit, Schema, TimeUnit};

use crate::error::{Result, SparkError};
use crate::schema::noted::{self, UserType};
use crate::schema::{instant, parse_type};
use crate::wire::types::{
    DataType as Message, DataTypeArray, DataTypeDayTimeInterval, DataTypeDecimal, DataTypeMap,
    DataTypeString, DataTypeStruct, DataTypeStructField, DataTypeUdt, DataTypeYearMonthInterval, Kind, Plain,
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
            let element_type = Some(Box::new(write_typed(item)));
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

/// The message of a field's type, which may be a script's own.
fn write_typed(field: &Field) -> Message {
    let Some(user) = noted::user_type(field) else { return write(field.data_type()) };
    let udt = DataTypeUdt {
        r#type: "udt".to_owned(),
        jvm_class: user.jvm_class,
        python_class: user.python_class,
        serialized_python_class: user.serialized_python_class,
        sql_type: Some(Box::new(write(field.data_type()))),
    };
    Message { kind: Some(Kind::Udt(Box::new(udt))) }
}

fn map(entries: &Field) -> Kind {
    let DataType::Struct(parts) = entries.data_type() else { return Kind::Null(Plain {}) };
    Kind::Map(DataTypeMap {
        key_type: Some(Box::new(write_typed(&parts[0]))),
        value_type: Some(Box::new(write_typed(&parts[1]))),
        value_contains_null: parts[1].is_nullable(),
        ..Default::default()
    })
}

fn structure(fields: &Fields) -> DataTypeStruct {
    let field = |field: &Arc<Field>| DataTypeStructField {
        name: field.name().clone(),
        data_type: Some(Box::new(write_typed(field))),
        nullable: field.is_nullable(),
        metadata: noted::notes(field).map(str::to_owned),
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
            DataType::List(Arc::new(read_typed(Field::LIST_FIELD_DEFAULT_NAME, item, true)?))
        }
        Kind::Struct(structure) => DataType::Struct(read_fields(structure)?),
        Kind::Map(map) => {
            let part = |part: &Option<Box<Message>>| {
                read_typed("", part.as_ref().ok_or_else(|| SparkError::missing("key_type"))?, true)
            };
            map_of(&part(&map.key_type)?, &part(&map.value_type)?)
        }
        Kind::Udt(user) => read(user.sql_type.as_ref().ok_or_else(|| SparkError::missing("sql_type"))?)?,
        Kind::Unparsed(text) => parse_type(&text.data_type_string)?,
        _ => return Err(SparkError::unsupported("this type of column")),
    })
}

/// The script's own type that a message is.
pub(crate) fn user_type(message: &Message) -> Option<UserType> {
    let Some(Kind::Udt(user)) = &message.kind else { return None };
    Some(UserType {
        jvm_class: user.jvm_class.clone(),
        python_class: user.python_class.clone(),
        serialized_python_class: user.serialized_python_class.clone(),
    })
}

fn read_typed(name: &str, message: &Message, nullable: bool) -> Result<Field> {
    Ok(noted::typed(Field::new(name, read(message)?, nullable), user_type(message).as_ref()))
}

/// The type of a map whose keys and values are of these fields' types.
pub(super) fn map_of(key: &Field, value: &Field) -> DataType {
    let plain = engine::dataframe::map_type(key.data_type().clone(), value.data_type().clone());
    let DataType::Map(entries, sorted) = &plain else { return plain };
    let DataType::Struct(parts) = entries.data_type() else { return plain };
    let part = |(part, given): (&Arc<Field>, &Field)| {
        Arc::new(part.as_ref().clone().with_metadata(given.metadata().clone()))
    };
    let parts = parts.iter().zip([key, value]).map(part).collect();
    let entries = entries.as_ref().clone().with_data_type(DataType::Struct(parts));
    DataType::Map(Arc::new(entries), *sorted)
}

fn read_fields(structure: &DataTypeStruct) -> Result<Fields> {
    let field = |field: &DataTypeStructField| {
        let data_type = field.data_type.as_ref().ok_or_else(|| SparkError::missing("data_type"))?;
        let read = read_typed(&field.name, data_type, field.nullable)?;
        Ok(noted::with_notes(read, field.metadata.as_deref()))
    };
    structure.fields.iter().map(field).collect()
}

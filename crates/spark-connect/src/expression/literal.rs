//! Values as a client writes them.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, MapArray, StringArray,
    StructArray, new_empty_array,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, IntervalMonthDayNano};
use datafusion::common::scalar::ScalarStructBuilder;
use datafusion::common::{DFSchema, DataFusionError, ScalarValue};
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use engine::show::Zone;

use crate::error::{Result, SparkError};
use crate::expression::Named;
use crate::schema::{self, UTC};
use crate::show;
use crate::wire::expression::{
    Expression, Literal, LiteralArray, LiteralDecimal, LiteralMap, LiteralSpecialized, LiteralStruct,
    LiteralType, Specialized,
};

/// A value and how it is shown.
pub(crate) fn named(literal: &Literal, zone: Zone) -> Result<Named> {
    let value = value(literal)?;
    let name = name(&value, zone)?;
    Ok(Named::new(Expr::Literal(value, None), name))
}

/// A value.
pub(crate) fn value(literal: &Literal) -> Result<ScalarValue> {
    let kind = literal.literal_type.as_ref().ok_or_else(|| SparkError::missing("literal"))?;
    Ok(match kind {
        LiteralType::Null(data_type) => ScalarValue::try_from(&schema::message::read(data_type)?)?,
        LiteralType::Binary(bytes) => ScalarValue::Binary(Some(bytes.to_vec())),
        LiteralType::Boolean(value) => ScalarValue::Boolean(Some(*value)),
        LiteralType::Byte(value) => ScalarValue::Int8(i8::try_from(*value).ok()),
        LiteralType::Short(value) => ScalarValue::Int16(i16::try_from(*value).ok()),
        LiteralType::Integer(value) => ScalarValue::Int32(Some(*value)),
        LiteralType::Long(value) => ScalarValue::Int64(Some(*value)),
        LiteralType::Float(value) => ScalarValue::Float32(Some(*value)),
        LiteralType::Double(value) => ScalarValue::Float64(Some(*value)),
        LiteralType::Decimal(value) => decimal(&value.value, value.precision, value.scale)?,
        LiteralType::String(value) => ScalarValue::Utf8(Some(value.clone())),
        LiteralType::Date(days) => ScalarValue::Date32(Some(*days)),
        LiteralType::Timestamp(micros) => ScalarValue::TimestampMicrosecond(Some(*micros), Some(UTC.into())),
        LiteralType::TimestampNtz(micros) => ScalarValue::TimestampMicrosecond(Some(*micros), None),
        LiteralType::CalendarInterval(span) => ScalarValue::IntervalMonthDayNano(Some(
            IntervalMonthDayNano::new(span.months, span.days, span.microseconds.saturating_mul(1000)),
        )),
        LiteralType::YearMonthInterval(months) => ScalarValue::IntervalYearMonth(Some(*months)),
        LiteralType::DayTimeInterval(micros) => ScalarValue::DurationMicrosecond(Some(*micros)),
        LiteralType::Array(array) => {
            let item = match (element_type(literal)?, &array.element_type) {
                (Some(item), _) => item,
                (None, Some(item)) => schema::message::read(item)?,
                (None, None) => common_type(&array.elements)?,
            };
            let elements = array.elements.iter().map(|element| Ok(value(element)?.cast_to(&item)?));
            let elements = elements.collect::<Result<Vec<_>>>()?;
            ScalarValue::List(ScalarValue::new_list(&elements, &item, true))
        }
        LiteralType::Map(pairs) => map(literal, pairs)?,
        LiteralType::SpecializedArray(list) => specialized(list)?,
        LiteralType::Struct(parts) => structure(literal, &parts.elements)?,
        _ => return Err(SparkError::unsupported("this kind of literal")),
    })
}

/// The message of a value, of the plain kinds.
pub(crate) fn message(value: &ScalarValue) -> Result<Expression> {
    Ok(crate::expression::build::literal_of(literal(value)?))
}

fn literal(value: &ScalarValue) -> Result<Literal> {
    let kind = match value {
        value if value.is_null() => LiteralType::Null(Box::new(schema::message::write(&value.data_type()))),
        ScalarValue::Boolean(Some(value)) => LiteralType::Boolean(*value),
        ScalarValue::Int8(Some(value)) => LiteralType::Byte((*value).into()),
        ScalarValue::Int16(Some(value)) => LiteralType::Short((*value).into()),
        ScalarValue::Int32(Some(value)) => LiteralType::Integer(*value),
        ScalarValue::Int64(Some(value)) => LiteralType::Long(*value),
        ScalarValue::Float32(Some(value)) => LiteralType::Float(*value),
        ScalarValue::Float64(Some(value)) => LiteralType::Double(*value),
        ScalarValue::Utf8(Some(value)) => LiteralType::String(value.clone()),
        ScalarValue::Binary(Some(value)) => LiteralType::Binary(value.clone().into()),
        ScalarValue::Date32(Some(days)) => LiteralType::Date(*days),
        ScalarValue::TimestampMicrosecond(Some(micros), Some(_)) => LiteralType::Timestamp(*micros),
        ScalarValue::TimestampMicrosecond(Some(micros), None) => LiteralType::TimestampNtz(*micros),
        ScalarValue::Decimal128(Some(_), ..) => LiteralType::Decimal(LiteralDecimal {
            value: show::scalar(value, Zone::UTC)?,
            precision: None,
            scale: None,
        }),
        ScalarValue::List(list) => {
            let element_type = Some(Box::new(schema::message::write(&list.value_type())));
            LiteralType::Array(LiteralArray { element_type, elements: literals(&list.value(0))? })
        }
        ScalarValue::Map(map) => {
            let (keys, values) = (map.value(0).column(0).clone(), map.value(0).column(1).clone());
            let kind = |array: &ArrayRef| Some(Box::new(schema::message::write(array.data_type())));
            LiteralType::Map(LiteralMap {
                key_type: kind(&keys),
                value_type: kind(&values),
                keys: literals(&keys)?,
                values: literals(&values)?,
            })
        }
        ScalarValue::Struct(whole) => {
            let parts = whole.columns().iter().map(literals).collect::<Result<Vec<_>>>()?;
            let elements = parts.into_iter().flatten().collect();
            let struct_type = Some(Box::new(schema::message::write(whole.data_type())));
            LiteralType::Struct(LiteralStruct { struct_type, elements })
        }
        _ => return Err(SparkError::unsupported("a value of this type here")),
    };
    let nested = value.data_type().is_nested() && !value.is_null();
    let data_type = nested.then(|| Box::new(schema::message::write(&value.data_type())));
    Ok(Literal { literal_type: Some(kind), data_type })
}

/// The values of an array, each.
fn literals(array: &ArrayRef) -> Result<Vec<Literal>> {
    (0..array.len()).map(|at| literal(&ScalarValue::try_from_array(array, at)?)).collect()
}

fn element_type(literal: &Literal) -> Result<Option<DataType>> {
    let Some(message) = &literal.data_type else { return Ok(None) };
    match schema::message::read(message)? {
        DataType::List(item) => Ok(Some(item.data_type().clone())),
        _ => Ok(None),
    }
}

/// A list of plain values.
fn specialized(list: &LiteralSpecialized) -> Result<ScalarValue> {
    let values: ArrayRef = match &list.values {
        Some(Specialized::Booleans(list)) => Arc::new(BooleanArray::from(list.values.clone())),
        Some(Specialized::Ints(list)) => Arc::new(Int32Array::from(list.values.clone())),
        Some(Specialized::Longs(list)) => Arc::new(Int64Array::from(list.values.clone())),
        Some(Specialized::Floats(list)) => Arc::new(Float32Array::from(list.values.clone())),
        Some(Specialized::Doubles(list)) => Arc::new(Float64Array::from(list.values.clone())),
        Some(Specialized::Strings(list)) => Arc::new(StringArray::from(list.values.clone())),
        None => return Err(SparkError::missing("values")),
    };
    let items = (0..values.len()).map(|at| ScalarValue::try_from_array(&values, at));
    let items = items.collect::<datafusion::common::Result<Vec<_>>>()?;
    Ok(ScalarValue::List(ScalarValue::new_list(&items, values.data_type(), true)))
}

/// A map, of the types that it says or that its values have.
fn map(literal: &Literal, pairs: &LiteralMap) -> Result<ScalarValue> {
    let said = literal.data_type.as_ref().map(|message| schema::message::read(message)).transpose()?;
    let pair = match &said {
        Some(DataType::Map(entries, _)) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 => {
                Some((pair[0].data_type().clone(), pair[1].data_type().clone()))
            }
            _ => None,
        },
        _ => None,
    };
    let older = |message: &Option<Box<crate::wire::types::DataType>>, elements: &[Literal]| match message {
        Some(message) => schema::message::read(message),
        None => common_type(elements),
    };
    let (key, item) = match pair {
        Some(pair) => pair,
        None => (older(&pairs.key_type, &pairs.keys)?, older(&pairs.value_type, &pairs.values)?),
    };
    let column = |elements: &[Literal], kind: &DataType| -> Result<ArrayRef> {
        let values = elements.iter().map(|element| Ok(value(element)?.cast_to(kind)?));
        let values = values.collect::<Result<Vec<_>>>()?;
        if values.is_empty() {
            return Ok(new_empty_array(kind));
        }
        Ok(ScalarValue::iter_to_array(values)?)
    };
    let (keys, values) = (column(&pairs.keys, &key)?, column(&pairs.values, &item)?);
    let DataType::Map(entries, sorted) = engine::dataframe::map_type(key, item) else {
        return Err(SparkError::missing("key_type"));
    };
    let DataType::Struct(fields) = entries.data_type().clone() else {
        return Err(SparkError::missing("value_type"));
    };
    let offsets = OffsetBuffer::from_lengths([keys.len()]);
    let pairs = StructArray::try_new(fields, vec![keys, values], None).map_err(DataFusionError::from)?;
    let map = MapArray::try_new(entries, offsets, pairs, None, sorted).map_err(DataFusionError::from)?;
    Ok(ScalarValue::Map(Arc::new(map)))
}

fn common_type(elements: &[Literal]) -> Result<DataType> {
    elements.first().map_or(Ok(DataType::Null), |first| Ok(value(first)?.data_type()))
}

fn structure(literal: &Literal, elements: &[Literal]) -> Result<ScalarValue> {
    let known = match &literal.data_type {
        Some(message) => Some(schema::message::read(message)?),
        None => None,
    };
    let mut builder = ScalarStructBuilder::new();
    for (index, element) in elements.iter().enumerate() {
        let value = value(element)?;
        let field = match &known {
            Some(DataType::Struct(fields)) if index < fields.len() => Arc::clone(&fields[index]),
            _ => Arc::new(datafusion::arrow::datatypes::Field::new(
                format!("col{}", index + 1),
                value.data_type(),
                true,
            )),
        };
        let value = value.cast_to(field.data_type())?;
        builder = builder.with_scalar(field, value);
    }
    Ok(builder.build()?)
}

/// A decimal from its text, of a type that holds it and is no narrower than it says.
pub(crate) fn decimal(text: &str, precision: Option<i32>, scale: Option<i32>) -> Result<ScalarValue> {
    let wrong = || SparkError::argument(format!("{text} is no decimal of at most 38 digits."));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().map_err(|_| wrong())?;
    let written = i32::try_from(fraction.len()).map_err(|_| wrong())?;
    let scale = scale.unwrap_or(0).max(written);
    let shift = u32::try_from(scale - written).map_err(|_| wrong())?;
    let digits = 10_i128.checked_pow(shift).and_then(|power| digits.checked_mul(power)).ok_or_else(wrong)?;
    let count = i32::try_from(digits.unsigned_abs().to_string().len()).map_err(|_| wrong())?;
    let precision = precision.unwrap_or(0).max(count).max(scale);
    let (precision, scale) =
        (u8::try_from(precision).map_err(|_| wrong())?, i8::try_from(scale).map_err(|_| wrong())?);
    Ok(ScalarValue::Decimal128(Some(digits), precision, scale))
}

pub(super) fn name(value: &ScalarValue, zone: Zone) -> Result<String> {
    if value.is_null() {
        return Ok("NULL".to_owned());
    }
    let shown = show::scalar(value, zone)?;
    Ok(match value {
        ScalarValue::Date32(_) => format!("DATE '{shown}'"),
        ScalarValue::TimestampMicrosecond(_, Some(_)) => format!("TIMESTAMP '{shown}'"),
        ScalarValue::TimestampMicrosecond(_, None) => format!("TIMESTAMP_NTZ '{shown}'"),
        ScalarValue::Binary(Some(bytes)) => {
            format!("X'{}'", bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>())
        }
        ScalarValue::IntervalYearMonth(_) | ScalarValue::DurationMicrosecond(_) => shown,
        ScalarValue::List(list) => {
            let items = list.value(0);
            let names =
                (0..items.len()).map(|index| inner(&ScalarValue::try_from_array(&items, index)?, zone));
            format!("ARRAY({})", names.collect::<Result<Vec<_>>>()?.join(", "))
        }
        ScalarValue::Map(map) => {
            let pairs = map.value(0);
            let name = |column: usize, at: usize| {
                inner(&ScalarValue::try_from_array(pairs.column(column), at)?, zone)
            };
            let names = (0..pairs.len()).map(|at| Ok(format!("{}, {}", name(0, at)?, name(1, at)?)));
            format!("MAP({})", names.collect::<Result<Vec<_>>>()?.join(", "))
        }
        _ => shown,
    })
}

/// A value inside of another one, written as SQL writes it.
fn inner(value: &ScalarValue, zone: Zone) -> Result<String> {
    let shown = name(value, zone)?;
    Ok(match value {
        _ if value.is_null() => shown,
        ScalarValue::Utf8(_) => format!("'{shown}'"),
        ScalarValue::Int8(_) => format!("{shown}Y"),
        ScalarValue::Int16(_) => format!("{shown}S"),
        ScalarValue::Int64(_) => format!("{shown}L"),
        ScalarValue::Float32(_) => format!("CAST('{shown}' AS FLOAT)"),
        ScalarValue::Float64(_) => format!("{shown}D"),
        ScalarValue::Decimal128(..) => format!("{shown}BD"),
        _ => shown,
    })
}

/// A typed literal: `DATE'2020-01-01'`, evaluated; `None` if this is no value of the type.
pub(crate) fn constant(expr: Expr, context: &SessionContext) -> Option<ScalarValue> {
    folded(expr, context).filter(|value| !value.is_null())
}

/// The same, and NULL too.
pub(crate) fn folded(expr: Expr, context: &SessionContext) -> Option<ScalarValue> {
    let options = Arc::clone(context.state_ref().read().config_options());
    let context = SimplifyContext::builder().with_schema(Arc::new(DFSchema::empty()));
    let context = context.with_config_options(options).build();
    match ExprSimplifier::new(context).simplify(expr).ok()? {
        Expr::Literal(value, _) => Some(value),
        _ => None,
    }
}

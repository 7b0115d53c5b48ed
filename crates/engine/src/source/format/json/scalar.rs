//! Columns of single values. Where JSON says a number as a string, or the other way round, it is taken.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::Utc;
use datafusion::arrow::array::builder::NullBufferBuilder;
use datafusion::arrow::array::timezone::Tz;
use datafusion::arrow::array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType,
};
use datafusion::arrow::array::{ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray};
use datafusion::arrow::buffer::ScalarBuffer;
use datafusion::arrow::compute::kernels::cast_utils::{Parser, parse_decimal, string_to_datetime};
use datafusion::arrow::datatypes::ArrowNativeType;
use datafusion::arrow::error::ArrowError;
use jiter::{Jiter, Peek};

use crate::instant;
use crate::source::format::json::column::Column;
use crate::source::format::json::nested::kind;
use crate::source::format::json::usual::Usual;
use crate::source::format::json::{malformed, misfit};
use crate::source::format::wrong;
use crate::sql::types::UTC;

/// The text of a number, as it is written.
pub(super) fn number<'j>(json: &'j mut Jiter<'_>, next: Peek, wanted: &str) -> Result<&'j str, ArrowError> {
    if !next.is_num() {
        return match next {
            Peek::True | Peek::False | Peek::Array | Peek::Object => Err(misfit(kind(next), wanted)),
            // No value begins so.
            _ => Err(json.next_skip().map_or_else(malformed, |()| misfit(kind(next), wanted))),
        };
    }
    let bytes = json.known_number_bytes(next).map_err(malformed)?;
    std::str::from_utf8(bytes).map_err(|error| wrong(&error.to_string()))
}

/// Values of one width, and which of them are there.
struct Values<T> {
    values: Vec<T>,
    nulls: NullBufferBuilder,
}

impl<T: Copy + Default> Values<T> {
    fn new(rows: usize) -> Self {
        Values { values: Vec::with_capacity(rows), nulls: NullBufferBuilder::new(rows) }
    }

    fn push(&mut self, value: T) {
        self.values.push(value);
        self.nulls.append_non_null();
    }

    fn null(&mut self) {
        self.values.push(T::default());
        self.nulls.append_null();
    }

    fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
        self.nulls.truncate(rows);
    }
}

impl<T: ArrowNativeType> Values<T> {
    fn primitive<P: ArrowPrimitiveType<Native = T>>(&mut self) -> Result<PrimitiveArray<P>, ArrowError> {
        PrimitiveArray::try_new(ScalarBuffer::from(std::mem::take(&mut self.values)), self.nulls.finish())
    }
}

/// How a number becomes a value: whole numbers lose what is behind the point.
pub(super) trait Number: ArrowPrimitiveType + Parser {
    fn number(text: &str) -> Option<Self::Native>;

    /// The same, of a number in a usual form.
    fn usual(json: &mut Usual<'_>) -> Option<Self::Native> {
        Self::number(json.number()?)
    }
}

macro_rules! whole {
    ($($kind:ty),*) => {$(
        impl Number for $kind {
            fn number(text: &str) -> Option<Self::Native> {
                whole_number(text)?.try_into().ok()
            }

            fn usual(json: &mut Usual<'_>) -> Option<Self::Native> {
                json.whole()?.try_into().ok()
            }
        }
    )*};
}

whole!(Int8Type, Int16Type, Int32Type, Int64Type, Date32Type);

impl Number for Float32Type {
    fn number(text: &str) -> Option<f32> {
        Self::parse(text)
    }
}

impl Number for Float64Type {
    fn number(text: &str) -> Option<f64> {
        Self::parse(text)
    }

    fn usual(json: &mut Usual<'_>) -> Option<f64> {
        let begin = *json;
        json.fraction().or_else(|| {
            *json = begin;
            Self::number(json.number()?)
        })
    }
}

fn whole_number(text: &str) -> Option<i64> {
    /// Of these and smaller ones every one is a number of 64 bits.
    const END: f64 = 9_223_372_036_854_775_808.0;
    Int64Type::parse(text).or_else(|| {
        let number = Float64Type::parse(text)?.trunc();
        (-END..END).contains(&number).then_some(number as i64)
    })
}

/// A column of numbers, or of days since 1970.
pub(super) struct Numbers<P: Number>(Values<P::Native>);

impl<P: Number> Numbers<P> {
    pub(super) fn new(rows: usize) -> Self {
        Numbers(Values::new(rows))
    }
}

impl<P: Number> Column for Numbers<P> {
    fn value(&mut self, json: &mut Jiter<'_>, next: Peek) -> Result<(), ArrowError> {
        if next == Peek::String {
            return self.text(json.known_str().map_err(malformed)?);
        }
        let text = number(json, next, "number")?;
        self.0.push(P::number(text).ok_or_else(|| misfit(text, &P::DATA_TYPE.to_string()))?);
        Ok(())
    }

    fn usual(&mut self, json: &mut Usual<'_>) -> Option<()> {
        self.0.push(P::usual(json)?);
        Some(())
    }

    fn text(&mut self, text: &str) -> Result<(), ArrowError> {
        self.0.push(P::parse(text).ok_or_else(|| misfit(&format!("'{text}'"), &P::DATA_TYPE.to_string()))?);
        Ok(())
    }

    fn null(&mut self) {
        self.0.null();
    }

    fn truncate(&mut self, rows: usize) {
        self.0.truncate(rows);
    }

    fn finish(mut self: Box<Self>) -> Result<ArrayRef, ArrowError> {
        Ok(Arc::new(self.0.primitive::<P>()?))
    }
}

/// Microseconds since 1970: a text says when, a number is one.
pub(super) struct Instants {
    values: Values<i64>,
    reader: instant::Reader,
    zone: Option<Arc<str>>,
    /// Where a text names no zone; `None` for UTC.
    local: Option<Tz>,
}

impl Instants {
    pub(super) fn new(zone: Option<&str>, rows: usize) -> Result<Self, ArrowError> {
        let local = zone.filter(|zone| *zone != UTC).map(str::parse).transpose()?;
        Ok(Instants {
            values: Values::new(rows),
            reader: instant::Reader::new(),
            zone: zone.map(Arc::from),
            local,
        })
    }

    fn instant(&mut self, text: &str) -> Result<i64, ArrowError> {
        if let Some(us) = self.quick(text.as_bytes()) {
            return Ok(us);
        }
        let read = match &self.local {
            None => string_to_datetime(&Utc, text)?.timestamp_micros(),
            Some(zone) => string_to_datetime(zone, text)?.timestamp_micros(),
        };
        Ok(read)
    }

    /// The same, of a text as most are written.
    fn quick(&mut self, text: &[u8]) -> Option<i64> {
        if self.local.is_some() { None } else { self.reader.read(text) }
    }
}

impl Column for Instants {
    fn value(&mut self, json: &mut Jiter<'_>, next: Peek) -> Result<(), ArrowError> {
        if next == Peek::String {
            return self.text(json.known_str().map_err(malformed)?);
        }
        let text = number(json, next, "timestamp")?;
        self.values.push(whole_number(text).ok_or_else(|| misfit(text, "timestamp"))?);
        Ok(())
    }

    fn usual(&mut self, json: &mut Usual<'_>) -> Option<()> {
        let instant = match json.next()? {
            b'"' => {
                let text = json.string()?;
                self.quick(text).or_else(|| self.instant(std::str::from_utf8(text).ok()?).ok())?
            }
            _ => json.whole()?,
        };
        self.values.push(instant);
        Some(())
    }

    fn text(&mut self, text: &str) -> Result<(), ArrowError> {
        let instant = self
            .instant(text)
            .map_err(|error| misfit(&format!("'{text}'"), &format!("timestamp: {error}")))?;
        self.values.push(instant);
        Ok(())
    }

    fn null(&mut self) {
        self.values.null();
    }

    fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
    }

    fn finish(mut self: Box<Self>) -> Result<ArrayRef, ArrowError> {
        let instants = self.values.primitive::<TimestampMicrosecondType>()?;
        Ok(Arc::new(instants.with_timezone_opt(self.zone)))
    }
}

/// Numbers of so many digits, so many of them behind the point.
pub(super) struct Decimal {
    values: Values<i128>,
    precision: u8,
    scale: i8,
}

impl Decimal {
    pub(super) fn new(precision: u8, scale: i8, rows: usize) -> Self {
        Decimal { values: Values::new(rows), precision, scale }
    }
}

impl Column for Decimal {
    fn value(&mut self, json: &mut Jiter<'_>, next: Peek) -> Result<(), ArrowError> {
        if next == Peek::String {
            return self.text(json.known_str().map_err(malformed)?);
        }
        self.text(number(json, next, "number")?)
    }

    fn usual(&mut self, json: &mut Usual<'_>) -> Option<()> {
        self.text(json.number()?).ok()
    }

    fn text(&mut self, text: &str) -> Result<(), ArrowError> {
        let number = without_exponent(text).ok_or(()).and_then(|text| {
            parse_decimal::<Decimal128Type>(&text, self.precision, self.scale).map_err(|_| ())
        });
        let wanted =
            || format!("decimal of {} digits, {} of them behind the point", self.precision, self.scale);
        self.values.push(number.map_err(|()| misfit(&format!("'{text}'"), &wanted()))?);
        Ok(())
    }

    fn null(&mut self) {
        self.values.null();
    }

    fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
    }

    fn finish(mut self: Box<Self>) -> Result<ArrayRef, ArrowError> {
        let decimals = self.values.primitive::<Decimal128Type>()?;
        Ok(Arc::new(decimals.with_precision_and_scale(self.precision, self.scale)?))
    }
}

/// How long a decimal may be written: Arrow counts digits in a byte, and does not count those of exponents.
const DECIMAL_LENGTH_MAX: usize = 200;

/// The same number without an exponent; `None` if it is too long for every decimal, or no number.
fn without_exponent(text: &str) -> Option<Cow<'_, str>> {
    let Some((number, exponent)) = text.split_once(['e', 'E']) else {
        return (text.len() <= DECIMAL_LENGTH_MAX).then_some(Cow::Borrowed(text));
    };
    let exponent: i64 = exponent.parse().ok()?;
    let (sign, number) = number.split_at(number.find(|byte| byte != '-').unwrap_or(0));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = [whole, fraction].concat();
    let longest = DECIMAL_LENGTH_MAX / 2;
    if digits.len() > longest {
        return None;
    }
    let point = i64::try_from(whole.len()).ok()?.checked_add(exponent)?;
    let behind = usize::try_from(-point).unwrap_or(0);
    if behind > longest || digits.bytes().all(|digit| digit == b'0') {
        return Some(Cow::Borrowed("0"));
    }
    let before = usize::try_from(point).unwrap_or(0);
    if before > longest {
        return None;
    }
    let digits = format!("{:0<before$}", "0".repeat(behind) + &digits);
    let (whole, fraction) = digits.split_at(before);
    Some(Cow::Owned(format!("{sign}0{whole}.{fraction}0")))
}

/// `true` and `false`; a string is neither.
pub(super) struct Flags(Values<bool>);

impl Flags {
    pub(super) fn new(rows: usize) -> Self {
        Flags(Values::new(rows))
    }
}

impl Column for Flags {
    fn value(&mut self, json: &mut Jiter<'_>, next: Peek) -> Result<(), ArrowError> {
        if !matches!(next, Peek::True | Peek::False) {
            return match next {
                Peek::String => Err(misfit("a string", "boolean")),
                other => number(json, other, "boolean").and_then(|number| Err(misfit(number, "boolean"))),
            };
        }
        self.0.push(json.known_bool(next).map_err(malformed)?);
        Ok(())
    }

    fn usual(&mut self, json: &mut Usual<'_>) -> Option<()> {
        let flag = json.next()? == b't';
        json.word(if flag { "true" } else { "false" })?;
        self.0.push(flag);
        Some(())
    }

    fn text(&mut self, text: &str) -> Result<(), ArrowError> {
        Err(misfit(&format!("'{text}'"), "boolean"))
    }

    fn null(&mut self) {
        self.0.null();
    }

    fn truncate(&mut self, rows: usize) {
        self.0.truncate(rows);
    }

    fn finish(mut self: Box<Self>) -> Result<ArrayRef, ArrowError> {
        let nulls = self.0.nulls.finish();
        Ok(Arc::new(BooleanArray::new(std::mem::take(&mut self.0.values).into(), nulls)))
    }
}

//! `df.to(schema)`: columns and fields by name, in the order and the types of a schema, where no value can be lost by it.

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, lit};
use datafusion::prelude::when;

use crate::error::{Class, Result, SparkError};
use crate::expression::{Named, Resolver, noted};
use crate::plan::Planner;
use crate::plan::frame::Frame;
use crate::schema;
use crate::wire::types::DataType as Message;

impl Planner<'_> {
    pub(crate) fn with_schema(&mut self, frame: Frame, message: &Message) -> Result<Frame> {
        let DataType::Struct(fields) = schema::message::read(message)? else {
            return Err(SparkError::invalid("A schema is a struct."));
        };
        let resolver = self.resolver(&frame);
        let mut list = Vec::new();
        for field in &fields {
            let known = |column: &&crate::plan::frame::Column| column.name.eq_ignore_ascii_case(field.name());
            let Some(column) = frame.columns.iter().find(known) else {
                list.push(Named::new(nothing(field)?, field.name()));
                continue;
            };
            let from = frame.field(column);
            let found = resolver.attribute(&format!("`{}`", field.name().replace('`', "``")), None)?;
            let expr = fitted(&resolver, found.expr.clone(), &from, field)?;
            let expr = match schema::noted::notes(field) {
                Some(notes) => noted::with_notes(expr, notes),
                None => expr,
            };
            let same = expr == found.expr;
            let found = if same { found } else { Named { source: None, ..found } };
            list.push(Named { expr, column: Some(field.name().clone()), ..found });
        }
        self.projected(frame, list)
    }
}

/// What stands where there is no such column.
fn nothing(field: &Field) -> Result<Expr> {
    if !field.is_nullable() {
        return Err(SparkError::column(field.name(), &[]));
    }
    Ok(lit(ScalarValue::try_from(field.data_type())?))
}

/// A value as one of a field.
fn fitted(resolver: &Resolver<'_>, expr: Expr, from: &Field, to: &Field) -> Result<Expr> {
    if from.is_nullable() && !to.is_nullable() {
        let text =
            format!("Column or field `{}` is nullable while it's required to be non-nullable.", to.name());
        return Err(SparkError::new(Class::Analysis, "NULLABLE_COLUMN_OR_FIELD", "42000", text)
            .with("name", format!("`{}`", to.name())));
    }
    if from.data_type() == to.data_type() {
        return Ok(expr);
    }
    match (from.data_type(), to.data_type()) {
        (DataType::Struct(given), DataType::Struct(wanted)) => {
            let whole = structure(resolver, &expr, given, wanted)?;
            Ok(if from.is_nullable() { when(expr.is_not_null(), whole).end()? } else { whole })
        }
        (given, wanted) if widens(given, wanted) => resolver.converted(expr, given, wanted, false),
        (given, wanted) => {
            let (name, given, wanted) = (to.name(), schema::name(given), schema::name(wanted));
            let text = format!(
                "Column or field `{name}` is of type \"{given}\" while it's required to be \"{wanted}\"."
            );
            let condition = "INVALID_COLUMN_OR_FIELD_DATA_TYPE";
            Err(SparkError::new(Class::Analysis, condition, "42000", text)
                .with("name", format!("`{name}`"))
                .with("type", format!("\"{given}\""))
                .with("expectedType", format!("\"{wanted}\"")))
        }
    }
}

/// The fields of a struct by their names, in another order and other types.
fn structure(resolver: &Resolver<'_>, expr: &Expr, given: &Fields, wanted: &Fields) -> Result<Expr> {
    let mut parts = Vec::with_capacity(wanted.len() * 2);
    for field in wanted {
        let found: Option<&FieldRef> =
            given.iter().find(|known| known.name().eq_ignore_ascii_case(field.name()));
        parts.push(lit(field.name().as_str()));
        parts.push(match found {
            Some(known) => {
                fitted(resolver, crate::expression::get(expr.clone(), known.name()), known, field)?
            }
            None => nothing(field)?,
        });
    }
    Ok(resolver.udf("named_struct")?.call(parts))
}

/// Whether every value of one type is one of the other, as Spark sees it: anything plain is a text.
fn widens(from: &DataType, to: &DataType) -> bool {
    const NUMBERS: [DataType; 6] = [
        DataType::Int8,
        DataType::Int16,
        DataType::Int32,
        DataType::Int64,
        DataType::Float32,
        DataType::Float64,
    ];
    let place = |kind: &DataType| NUMBERS.iter().position(|known| known == kind);
    match (from, to) {
        (from, to) if from == to => true,
        (DataType::Null, _) => true,
        (from, DataType::Utf8) => !from.is_nested() && *from != DataType::Binary,
        (DataType::Date32, DataType::Timestamp(..)) | (DataType::Timestamp(..), DataType::Timestamp(..)) => {
            true
        }
        (DataType::Decimal128(digits, scale), DataType::Decimal128(more, finer)) => {
            finer >= scale && i16::from(*more) - i16::from(*finer) >= i16::from(*digits) - i16::from(*scale)
        }
        (from, DataType::Decimal128(digits, scale)) => {
            let whole = i16::from(*digits) - i16::from(*scale);
            place(from).and_then(|at| [3, 5, 10, 20].get(at)).is_some_and(|needed| whole >= *needed)
        }
        (DataType::List(from), DataType::List(to)) => {
            (to.is_nullable() || !from.is_nullable()) && widens(from.data_type(), to.data_type())
        }
        (from, to) => matches!((place(from), place(to)), (Some(from), Some(to)) if from <= to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_that_lose_nothing() {
        use DataType::{Date32, Decimal128, Float32, Int32, Int64, Utf8};
        for (from, to, wanted) in [
            (Int32, Int64, true),
            (Int64, Int32, false),
            (Int64, Float32, true),
            (Int32, Utf8, true),
            (Utf8, Int64, false),
            (Date32, schema::instant(), true),
            (Int32, Decimal128(10, 0), true),
            (Int32, Decimal128(10, 1), false),
            (Decimal128(5, 2), Decimal128(6, 2), true),
            (Decimal128(5, 2), Decimal128(6, 4), false),
        ] {
            assert_eq!(widens(&from, &to), wanted, "{from} to {to}");
        }
    }
}

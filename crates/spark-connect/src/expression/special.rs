//! Functions that are made of others, under Spark's names.

use datafusion::arrow::datatypes::{DataType, Field, Fields, IntervalUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, ExprSchemable as _, Operator, binary_expr, lit};
use datafusion::prelude::{cast, when};

use crate::database::CATALOG;
use crate::error::{Class, Result, SparkError};
use crate::expression::{Named, Resolver, field, literal, name, random};
use crate::schema;
use crate::wire::expression::UpdateFields;

/// The types that are functions too.
const TYPES: &[&str] = &[
    "bigint",
    "binary",
    "boolean",
    "date",
    "decimal",
    "double",
    "float",
    "int",
    "smallint",
    "string",
    "timestamp",
    "tinyint",
];

impl Resolver<'_> {
    /// `int(value)`.
    pub(super) fn type_call(&self, name: &str, arguments: &[Named]) -> Result<Option<Named>> {
        let [argument] = arguments else { return Ok(None) };
        if !TYPES.contains(&name) {
            return Ok(None);
        }
        let wanted = schema::parse_type(name)?;
        let from = self.type_of(&argument.expr)?;
        let expr = self.converted(argument.expr.clone(), &from, &wanted, false)?;
        // Spark shows a cast only where the script says CAST.
        Ok(Some(Named::new(expr, argument.name.clone())))
    }

    /// `sum(a) FILTER (WHERE condition)`.
    pub(super) fn filtered(&self, arguments: &[Named]) -> Result<Named> {
        let [call, condition] = arguments else { return Err(SparkError::missing("condition")) };
        let name = format!("{} FILTER (WHERE {})", call.name, condition.name);
        let Expr::AggregateFunction(function) = &call.expr else {
            return Err(SparkError::invalid(format!("{name}: only aggregates have a filter.")));
        };
        let mut function = function.clone();
        function.params.filter = Some(Box::new(condition.expr.clone()));
        Ok(Named::new(Expr::AggregateFunction(function), name))
    }

    /// `listagg(a, ',') WITHIN GROUP (ORDER BY b)`.
    pub(super) fn ordered(&self, arguments: &[Named]) -> Result<Named> {
        let [call, order, pieces @ ..] = arguments else { return Err(SparkError::missing("order")) };
        let name = pieces.iter().map(|piece| piece.name.as_str()).collect::<String>();
        let Expr::AggregateFunction(function) = &call.expr else {
            return Err(SparkError::invalid(format!("{name}: only aggregates have an order.")));
        };
        let mut function = function.clone();
        let falls = order.name.contains(" DESC");
        match function.func.name() {
            "string_agg" => function.params.order_by = vec![order.expr.clone().sort(!falls, !falls)],
            // The same place, counted from the other end.
            "percentile" | "percentile_cont" if falls => {
                if let Some(share) = function.params.args.get_mut(1) {
                    *share = lit(1.0_f64) - cast(std::mem::take(share), DataType::Float64);
                }
            }
            "percentile_disc" if falls => {
                let other = self.udaf("percentile_disc_desc");
                function.func = other.ok_or_else(|| super::function::unresolved("percentile_disc"))?;
            }
            "mode" if falls => return Err(SparkError::unsupported("mode() of an order that falls")),
            _ => {}
        }
        Ok(Named::new(Expr::AggregateFunction(function), name))
    }

    /// `DATE'2020-01-01'`.
    pub(super) fn typed(&self, arguments: &[Named]) -> Result<Named> {
        let [kind, text] = arguments else { return Err(SparkError::missing("literal")) };
        let wrong = || {
            let shown =
                format!("The value of the typed literal \"{}\" is invalid: '{}'.", kind.name, text.name);
            SparkError::new(crate::error::Class::Parse, "INVALID_TYPED_LITERAL", "42604", shown)
        };
        let wanted = schema::parse_type(&kind.name)?;
        if wanted == DataType::Utf8 || wanted.is_numeric() {
            let expr = self.converted(text.expr.clone(), &DataType::Utf8, &wanted, false)?;
            return Ok(Named::new(expr, text.name.clone()));
        }
        let type_name = lit(engine::dataframe::type_name(&wanted));
        let value = self.udf("cast_to")?.call(vec![text.expr.clone(), type_name]);
        let value = literal::constant(value, self.context).ok_or_else(wrong)?;
        let name = literal::name(&value, self.zone())?;
        Ok(Named::new(Expr::Literal(value, None), name))
    }

    /// A call that others stand for.
    pub(super) fn otherwise(&self, name: &str, arguments: &[Named]) -> Result<Option<Expr>> {
        let mut given = arguments.iter().map(|argument| argument.expr.clone());
        let mut next = || given.next().unwrap_or_else(|| lit(ScalarValue::Null));
        let expr = match (name, arguments.len()) {
            ("ceil" | "ceiling", 2) => self.udf("ceil_to")?.call(vec![next(), next()]),
            ("floor", 2) => self.udf("floor_to")?.call(vec![next(), next()]),
            ("equal_null", 2) => binary_expr(next(), Operator::IsNotDistinctFrom, next()),
            ("nullifzero", 1) => self.udf("nullif")?.call(vec![next(), lit(0_i32)]),
            ("e", 0) => self.udf("exp")?.call(vec![lit(1.0_f64)]),
            ("~", 1) => self.udf("bitwise_not")?.call(vec![next()]),
            ("current_user" | "session_user" | "user", 0) => lit("anonymous"),
            ("current_catalog", 0) => lit(CATALOG),
            ("current_database" | "current_schema", 0) => lit(self.python.database()),
            ("collation", 1) => lit("SYSTEM.BUILTIN.UTF8_BINARY"),
            ("collate", 2) => self.collated(arguments)?,
            ("date_from_unix_date", 1) => self
                .udf("date_add")?
                .call(vec![lit(ScalarValue::Date32(Some(0))), cast(next(), DataType::Int32)]),
            ("to_timestamp_ntz", 1) => self.local_time(next())?,
            ("to_timestamp_ntz", 2) => {
                let parsed = self.udf("to_timestamp")?.call(vec![next(), next()]);
                self.local_time(parsed)?
            }
            // Their first argument is what is cut off.
            ("ltrim" | "rtrim" | "trim", 2) => {
                let what = next();
                let function = if name == "trim" { "btrim" } else { name };
                self.udf(function)?.call(vec![next(), what])
            }
            ("datepart" | "date_part" | "extract", 2)
                if matches!(self.type_of(&arguments[1].expr)?, DataType::Duration(_)) =>
            {
                part_of_span(arguments)?
            }
            ("datepart" | "date_part" | "extract", 2) => self.udf("date_part")?.call(vec![next(), next()]),
            ("shiftleft" | "shiftright" | "shiftrightunsigned", 2) => {
                let value = next();
                let whole = self.type_of(&value)?.is_integer();
                let value = if whole { value } else { cast(value, DataType::Int32) };
                self.udf(name)?.call(vec![value, cast(next(), DataType::Int32)])
            }
            ("last_day", 1) => self.udf(name)?.call(vec![cast(next(), DataType::Date32)]),
            ("unhex", 1) => self.udf(name)?.call(vec![self.as_text(next())?]),
            ("overlay", 3 | 4) => {
                let mut all = vec![self.as_text(next())?, self.as_text(next())?];
                all.extend(given.map(|place| cast(place, DataType::Int64)));
                self.udf(name)?.call(all)
            }
            // The group makes no difference to where it is found.
            ("regexp_instr", 3) => self.udf(name)?.call(vec![next(), next()]),
            ("levenshtein", 3) => {
                let distance = self.udf(name)?.call(vec![next(), next()]);
                when(distance.clone().lt_eq(cast(next(), DataType::Int32)), distance)
                    .otherwise(lit(-1_i32))?
            }
            _ => return self.made_of_others(name, arguments),
        };
        Ok(Some(expr))
    }

    /// More of them.
    fn made_of_others(&self, name: &str, arguments: &[Named]) -> Result<Option<Expr>> {
        let expr = match (name, arguments.len()) {
            ("make_ym_interval", 0..=2) => {
                let months = |expr: Option<&Named>| match expr {
                    Some(named) => cast(named.expr.clone(), DataType::Int32),
                    None => lit(0_i32),
                };
                let (years, rest) = (months(arguments.first()), months(arguments.get(1)));
                let years = self.udf("multiply")?.call(vec![years, lit(12_i32)]);
                let whole = self.udf("add")?.call(vec![years, rest]);
                cast(whole, DataType::Interval(IntervalUnit::YearMonth))
            }
            ("to_avro", 1) => {
                let (data_type, nullable) = self.avro_type(&arguments[0].expr)?;
                let schema = engine::dataframe::avro_schema(&data_type, nullable)?;
                self.udf(name)?.call(vec![arguments[0].expr.clone(), lit(schema)])
            }
            ("grouping_id", 1..) => self.grouping_id(arguments)?,
            ("from_json" | "from_csv", 2..) if json_schema(arguments).is_some() => {
                let mut given: Vec<Expr> = arguments.iter().map(|argument| argument.expr.clone()).collect();
                if let Some(text) = json_schema(arguments) {
                    given[1] = lit(engine::dataframe::type_name(&schema::parse_type(&text)?));
                }
                self.udf(name)?.call(given)
            }
            _ => return self.of_bytes(name, arguments),
        };
        Ok(Some(expr))
    }

    /// The type with which Avro writes a value: what is made in place has no NULLs but those of its parts.
    fn avro_type(&self, expr: &Expr) -> Result<(DataType, bool)> {
        match expr {
            Expr::Alias(alias) => self.avro_type(&alias.expr),
            Expr::ScalarFunction(call) if call.name() == "named_struct" => {
                let mut fields = Vec::new();
                for pair in call.args.chunks_exact(2) {
                    let Expr::Literal(name, _) = &pair[0] else { return Err(SparkError::missing("name")) };
                    let (data_type, nullable) = self.avro_type(&pair[1])?;
                    let name = name.try_as_str().flatten().unwrap_or_default();
                    fields.push(Field::new(name, data_type, nullable));
                }
                Ok((DataType::Struct(fields.into()), false))
            }
            Expr::ScalarFunction(call) if matches!(call.name(), "make_array" | "map") => {
                Ok((self.type_of(expr)?, false))
            }
            _ if literal::constant(expr.clone(), self.context).is_some() => Ok((self.type_of(expr)?, false)),
            _ => Ok((self.type_of(expr)?, expr.nullable(self.schema).unwrap_or(true))),
        }
    }

    /// A bit for each group, set where the row is not of one.
    fn grouping_id(&self, groups: &[Named]) -> Result<Expr> {
        let grouping = self.udaf("grouping").ok_or_else(|| super::function::unresolved("grouping"))?;
        let mut whole = lit(0_i64);
        for group in groups {
            let bit = cast(grouping.call(vec![group.expr.clone()]), DataType::Int64);
            whole = whole * lit(2_i64) + bit;
        }
        Ok(whole)
    }

    /// Bytes from text, in one of three notations.
    fn of_bytes(&self, name: &str, arguments: &[Named]) -> Result<Option<Expr>> {
        let ("to_binary" | "try_to_binary", [text, format @ ..]) = (name, arguments) else {
            return random::call(self, name, arguments);
        };
        let format = match format.first().map(|format| &format.expr) {
            None => "hex".to_owned(),
            Some(Expr::Literal(value, _)) => value.try_as_str().flatten().unwrap_or_default().to_lowercase(),
            Some(_) => return Err(SparkError::invalid("The format of to_binary is a constant.")),
        };
        let text = self.as_text(text.expr.clone())?;
        let bytes = match format.as_str() {
            "hex" => self.udf("unhex")?.call(vec![text.clone()]),
            "base64" if name == "try_to_binary" => {
                let looks = lit("^([A-Za-z0-9+/\\s]{2,})?={0,2}\\s*$");
                let valid = self.udf("regexp_like")?.call(vec![text.clone(), looks]);
                when(valid, self.udf("unbase64")?.call(vec![text.clone()])).end()?
            }
            "base64" => self.udf("unbase64")?.call(vec![text.clone()]),
            "utf-8" | "utf8" => return Ok(Some(cast(text, DataType::Binary))),
            // It is NULL where it cannot be.
            _ if name == "try_to_binary" => return Ok(Some(lit(ScalarValue::Binary(None)))),
            _ => {
                let text = format!("to_binary knows no format {format:?}.");
                let condition = "DATATYPE_MISMATCH.INVALID_ARG_VALUE";
                return Err(SparkError::new(crate::error::Class::Analysis, condition, "42K09", text));
            }
        };
        if name == "try_to_binary" {
            return Ok(Some(bytes));
        }
        let wrong =
            "[CONVERSION_INVALID_INPUT] The value cannot be converted to BINARY because it is malformed.";
        let failed = cast(self.udf("raise_error")?.call(vec![lit(wrong)]), DataType::Binary);
        let malformed = text.is_not_null().and(bytes.clone().is_null());
        Ok(Some(when(malformed, failed).otherwise(bytes)?))
    }

    fn collated(&self, arguments: &[Named]) -> Result<Expr> {
        let [text, collation] = arguments else {
            return Err(SparkError::invalid("collate takes two arguments."));
        };
        match &collation.expr {
            Expr::Literal(value, _)
                if value
                    .try_as_str()
                    .flatten()
                    .is_some_and(|name| name.eq_ignore_ascii_case("UTF8_BINARY")) =>
            {
                Ok(text.expr.clone())
            }
            _ => Err(SparkError::unsupported("collations other than UTF8_BINARY")),
        }
    }

    fn as_text(&self, value: Expr) -> Result<Expr> {
        let from = self.type_of(&value)?;
        self.converted(value, &from, &DataType::Utf8, false)
    }

    fn local_time(&self, value: Expr) -> Result<Expr> {
        Ok(self.udf("cast_to")?.call(vec![value, lit("TIMESTAMP_NTZ")]))
    }

    /// A struct with another value for a field, one field more, or one less.
    pub(super) fn updated(&self, update: &UpdateFields) -> Result<Named> {
        let whole =
            update.struct_expression.as_ref().ok_or_else(|| SparkError::missing("struct_expression"))?;
        let whole = self.named(whole)?;
        let DataType::Struct(fields) = self.type_of(&whole.expr)? else {
            return Err(SparkError::invalid(format!("{} is no struct.", whole.name)));
        };
        let value = update.value_expression.as_ref().map(|value| self.named(value)).transpose()?;
        let path = name::parts(&update.field_name)?;
        let Some(expr) = self.with_field(&whole.expr, &fields, &path, value.as_ref())? else {
            let text = "Cannot drop all fields in struct.";
            let condition = "DATATYPE_MISMATCH.CANNOT_DROP_ALL_FIELDS";
            return Err(SparkError::new(Class::Analysis, condition, "42K09", text));
        };
        let done =
            value.map_or_else(|| "dropfield()".to_owned(), |value| format!("WithField({})", value.name));
        // Several changes are one to Spark.
        let name = match whole.name.strip_prefix("update_fields(").and_then(|name| name.strip_suffix(')')) {
            Some(before) => format!("update_fields({before}, {done})"),
            None => format!("update_fields({}, {done})", whole.name),
        };
        Ok(Named::new(expr, name))
    }

    /// A struct with a value in one of its fields, or in one of a field's own, or without that field; nothing if none is left.
    fn with_field(
        &self,
        whole: &Expr,
        fields: &Fields,
        path: &[String],
        value: Option<&Named>,
    ) -> Result<Option<Expr>> {
        let Some((wanted, inner)) = path.split_first() else { return Ok(None) };
        let is = |name: &str| name.eq_ignore_ascii_case(wanted);
        let known = fields.iter().any(|field| is(field.name()));
        if !known && !inner.is_empty() {
            return Err(field::no_field(wanted, fields.iter().map(|field| field.name())));
        }
        let mut parts = Vec::new();
        for field in fields {
            let own = field::get(whole.clone(), field.name());
            let kept = match (value, field.data_type()) {
                _ if !is(field.name()) => own,
                (_, DataType::Struct(below)) if !inner.is_empty() => {
                    let Some(changed) = self.with_field(&own, below, inner, value)? else { return Ok(None) };
                    changed
                }
                _ if !inner.is_empty() => {
                    return Err(SparkError::invalid(format!("{} is no struct.", field.name())));
                }
                (Some(value), _) => value.expr.clone(),
                (None, _) => continue,
            };
            parts.extend([lit(field.name().clone()), kept]);
        }
        if let Some(value) = value.filter(|_| !known) {
            parts.extend([lit(wanted.clone()), value.expr.clone()]);
        }
        if parts.is_empty() {
            return Ok(None);
        }
        let changed = self.udf("named_struct")?.call(parts);
        Ok(Some(when(whole.clone().is_not_null(), changed).end()?))
    }
}

/// The schema of a call, if JSON says it.
fn json_schema(arguments: &[Named]) -> Option<String> {
    let Expr::Literal(value, _) = &arguments.get(1)?.expr else { return None };
    let text = value.try_as_str().flatten()?;
    text.trim_start().starts_with('{').then(|| text.to_owned())
}

/// A part of a span of days, hours, minutes and seconds.
fn part_of_span(arguments: &[Named]) -> Result<Expr> {
    const MINUTE_US: i64 = 60_000_000;
    let [part, span] = arguments else { return Err(SparkError::missing("source")) };
    let micros = cast(span.expr.clone(), DataType::Int64);
    let within = |unit: i64, count: i64| micros.clone() / lit(unit) % lit(count);
    Ok(match part.name.trim_end_matches(['s', 'S']).to_lowercase().as_str() {
        "day" | "d" => cast(micros / lit(24 * 60 * MINUTE_US), DataType::Int32),
        "hour" | "h" | "hr" => cast(within(60 * MINUTE_US, 24), DataType::Int8),
        "minute" | "m" | "min" => cast(within(MINUTE_US, 60), DataType::Int8),
        "second" | "sec" | "" => {
            let seconds = cast(within(1, MINUTE_US), DataType::Decimal128(20, 0));
            let exact = seconds * lit(ScalarValue::Decimal128(Some(1), 6, 6));
            cast(exact, DataType::Decimal128(8, 6))
        }
        other => {
            let text = format!("Cannot extract {other} from {}.", span.name);
            let condition = "INVALID_EXTRACT_FIELD";
            return Err(SparkError::new(crate::error::Class::Analysis, condition, "42601", text));
        }
    })
}

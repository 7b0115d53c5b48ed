//! Functions by name: scalar ones, aggregates, and those whose arguments need a word first.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::execution::FunctionRegistry;
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::logical_expr::expr::{AggregateFunction, NullTreatment};
use datafusion::logical_expr::{AggregateUDF, Expr, ScalarUDF, lit};
use datafusion::prelude::cast;

use crate::error::{Class, Result, SparkError};
use crate::expression::operator::mixes_times;
use crate::expression::{Named, Resolver};
use crate::wire::expression::{ExprType, Expression, UnresolvedFunction};

/// Spark's names for what the engine calls otherwise; asked when the engine does not know Spark's own.
const ALIASES: &[(&str, &str)] = &[
    ("any", "bool_or"),
    ("any_value", "first_value"),
    ("approx_count_distinct", "approx_distinct"),
    ("approx_percentile", "approx_percentile_cont"),
    ("array", "make_array"),
    ("array_agg", "collect_list"),
    ("ceiling", "ceil"),
    ("char_length", "character_length"),
    ("contains", "contains"),
    ("curdate", "current_date"),
    ("day", "dayofmonth"),
    ("endswith", "ends_with"),
    ("every", "bool_and"),
    ("first", "first_value"),
    ("ifnull", "nvl"),
    ("last", "last_value"),
    ("lcase", "lower"),
    ("len", "length"),
    ("log", "ln"),
    ("mean", "avg"),
    ("now", "current_timestamp"),
    ("listagg", "string_agg"),
    ("percentile_approx", "approx_percentile_cont"),
    ("power", "pow"),
    ("rand", "random"),
    ("random", "random"),
    ("sign", "signum"),
    ("some", "bool_or"),
    ("split", "string_to_array"),
    ("std", "stddev"),
    ("stddev_samp", "stddev"),
    ("startswith", "starts_with"),
    ("substr", "substring"),
    ("try_avg", "avg"),
    ("ucase", "upper"),
    ("variance", "var_samp"),
];

impl Resolver<'_> {
    pub(crate) fn udf(&self, name: &str) -> Result<Arc<ScalarUDF>> {
        let state = self.context.state_ref();
        let found = state.read().udf(name);
        found.map_err(|_| unresolved(name))
    }

    pub(super) fn udaf(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.context.state_ref().read().udaf(name).ok()
    }

    /// A call as a client sends it.
    pub(super) fn sent(&self, call: &UnresolvedFunction) -> Result<Named> {
        match self.none_among(&call.function_name, &call.arguments)? {
            Some(named) => Ok(named),
            None => self.function(call),
        }
    }

    /// A call.
    pub(super) fn function(&self, call: &UnresolvedFunction) -> Result<Named> {
        let name = call.function_name.to_lowercase();
        if let Some(named) = self.lambda_call(&name, &call.arguments)? {
            return Ok(named);
        }
        if name == "count" && call.arguments.iter().all(is_star) {
            return Ok(Named::new(aggregate(count_udaf(), vec![lit(1_i64)], false), "count(1)"));
        }
        if let Some(function) = self.registered(&name, &call.arguments) {
            return self.inline(&function);
        }
        let arguments = self.given(&name, &call.arguments)?;
        if let Some(named) = self.operator(&name, &arguments)? {
            return Ok(named);
        }
        match name.as_str() {
            crate::sql::TYPED => return self.typed(&arguments),
            crate::sql::CALLED => return Ok(called(&arguments)),
            crate::sql::ORDERED => return self.ordered(&arguments),
            crate::sql::FILTERED => return self.filtered(&arguments),
            _ => {}
        }
        if let Some(named) = self.type_call(&name, &arguments)? {
            return Ok(named);
        }
        if let Some(named) = self.generator(&name, &arguments)? {
            return Ok(named);
        }
        if let Some(named) = self.special(&name, &arguments)? {
            return Ok(named);
        }
        let shown = shown(&name, &arguments, call.is_distinct);
        if let Some(expr) = self.otherwise(&name, &arguments)? {
            return Ok(Named::new(expr, shown));
        }
        if let Some(expr) = self.aggregate_call(&name, &arguments, call.is_distinct)? {
            let listed = ["array_agg", "collect_list", "collect_set"].contains(&name.as_str());
            let expr = match arguments.first() {
                Some(item) if listed => self.list_of(expr, &item.expr)?,
                _ => expr,
            };
            return Ok(Named::new(expr, shown));
        }
        let known = [name.as_str()].into_iter().chain(alias(&name));
        let Some(udf) = known.into_iter().find_map(|name| self.udf(name).ok()) else {
            return Err(unresolved(&name));
        };
        let column = matches!(name.as_str(), "window" | "session_window").then(|| name.clone());
        let expr = udf.call(arguments.into_iter().map(|argument| argument.expr).collect());
        Ok(Named { column, ..Named::new(expr, shown) })
    }

    /// The arguments of a call. Dates and clocks' times beside instants become instants, where one of them is chosen.
    fn given(&self, name: &str, arguments: &[Expression]) -> Result<Vec<Named>> {
        let mut arguments = self.list(arguments)?;
        if alias(name) == Some("string_agg") && arguments.len() == 1 {
            arguments.push(Named::new(lit(""), "NULL"));
        }
        const CHOOSE: [&str; 7] = ["coalesce", "nvl", "ifnull", "greatest", "least", "array", "make_array"];
        if matches!(name, "contains" | "startswith" | "endswith") {
            return self.texts(arguments);
        }
        if !CHOOSE.contains(&name) {
            return Ok(arguments);
        }
        let types =
            arguments.iter().map(|argument| self.type_of(&argument.expr)).collect::<Result<Vec<_>>>()?;
        if mixes_times(&types) { self.alike(&arguments, |_| true) } else { Ok(arguments) }
    }

    /// Numbers and times as their texts.
    fn texts(&self, arguments: Vec<Named>) -> Result<Vec<Named>> {
        let text = |argument: Named| {
            let kind = self.type_of(&argument.expr)?;
            if matches!(kind, DataType::Utf8 | DataType::Binary | DataType::Null) || kind.is_nested() {
                return Ok(argument);
            }
            let expr = self.converted(argument.expr.clone(), &kind, &DataType::Utf8, false)?;
            Ok(Named { expr, source: None, ..argument })
        };
        arguments.into_iter().map(text).collect()
    }

    /// Calls that are something else to the planner.
    fn special(&self, name: &str, arguments: &[Named]) -> Result<Option<Named>> {
        let exprs = || arguments.iter().map(|argument| argument.expr.clone()).collect::<Vec<_>>();
        let shown = shown(name, arguments, false);
        let expr = match (name, arguments.len()) {
            ("struct", _) => {
                let mut parts = Vec::new();
                for (index, argument) in arguments.iter().enumerate() {
                    let anonymous = argument.source.is_none() && argument.column.is_none();
                    let field = if anonymous {
                        format!("col{}", index + 1)
                    } else {
                        argument.column_name().to_owned()
                    };
                    parts.extend([lit(field), argument.expr.clone()]);
                }
                self.udf("named_struct")?.call(parts)
            }
            ("map" | "create_map", _) => {
                let (keys, values) = (exprs().into_iter().step_by(2), exprs().into_iter().skip(1).step_by(2));
                let list = self.udf("make_array")?;
                self.udf("map")?.call(vec![list.call(keys.collect()), list.call(values.collect())])
            }
            ("year" | "month" | "quarter" | "hour" | "minute" | "second", 1) if self.udf(name).is_err() => {
                let part = self.udf("date_part")?.call(vec![lit(name), arguments[0].expr.clone()]);
                cast(part, DataType::Int32)
            }
            ("dayofmonth" | "day", 1) if self.udf("dayofmonth").is_err() => {
                let part = self.udf("date_part")?.call(vec![lit("day"), arguments[0].expr.clone()]);
                cast(part, DataType::Int32)
            }
            ("sort_array", 1 | 2) if self.udf(name).is_err() => {
                let falling = matches!(arguments.get(1), Some(Named { expr: Expr::Literal(value, _), .. })
                    if *value == false.into());
                let words = if falling { ["DESC", "NULLS LAST"] } else { ["ASC", "NULLS FIRST"] };
                self.udf("array_sort")?.call(vec![arguments[0].expr.clone(), lit(words[0]), lit(words[1])])
            }
            ("coalesce" | "nvl" | "ifnull", 2..) => self.udf("coalesce")?.call(exprs()),
            ("log", 2) => self.udf("log")?.call(exprs()),
            ("count_if", 1) => {
                let counted = datafusion::prelude::when(arguments[0].expr.clone(), lit(1_i64)).end()?;
                aggregate(count_udaf(), vec![counted], false)
            }
            _ => return Ok(None),
        };
        Ok(Some(Named::new(expr, shown)))
    }

    /// An aggregate's call, if the name is one.
    pub(super) fn aggregate_call(
        &self,
        name: &str,
        arguments: &[Named],
        distinct: bool,
    ) -> Result<Option<Expr>> {
        let known = [name].into_iter().chain(alias(name));
        let Some(udaf) = known.into_iter().find_map(|name| self.udaf(name)) else { return Ok(None) };
        let mut exprs: Vec<Expr> = arguments.iter().map(|argument| argument.expr.clone()).collect();
        if matches!(name, "first" | "first_value" | "last" | "last_value" | "any_value") {
            let ignore = exprs.len() > 1
                && matches!(exprs.pop(), Some(Expr::Literal(value, _)) if value == true.into());
            let nulls = if ignore { NullTreatment::IgnoreNulls } else { NullTreatment::RespectNulls };
            let call = AggregateFunction::new_udf(udaf, exprs, distinct, None, vec![], Some(nulls));
            return Ok(Some(Expr::AggregateFunction(call)));
        }
        if name == "count" && distinct && exprs.len() > 1 {
            exprs = vec![self.udf("struct")?.call(exprs)];
        }
        match name {
            // How exact the answer is, is the engine's choice.
            "percentile_approx" | "approx_percentile" => exprs.truncate(2),
            "approx_count_distinct" => exprs.truncate(1),
            // Numbers and times are joined as their texts.
            "listagg" | "string_agg" if !exprs.is_empty() => {
                let kind = self.type_of(&exprs[0])?;
                if !matches!(kind, DataType::Utf8 | DataType::Binary) {
                    let value = std::mem::take(&mut exprs[0]);
                    exprs[0] = self.converted(value, &kind, &DataType::Utf8, false)?;
                }
            }
            // PySpark says a frequency of 1 and, of `mode`, that any of several will do.
            "percentile" if exprs.len() == 3 && is(&exprs[2], 1) => exprs.truncate(2),
            // Of several the smallest, whether or not it is to be the same one each time.
            "mode" if matches!(exprs.get(1), Some(Expr::Literal(ScalarValue::Boolean(Some(_)), _))) => {
                exprs.truncate(1);
            }
            _ => {}
        }
        Ok(Some(aggregate(udaf, exprs, distinct)))
    }
}

/// A value under the name that its pieces make.
fn called(arguments: &[Named]) -> Named {
    let name = arguments[1..].iter().map(|piece| piece.name.as_str()).collect::<String>();
    let expr = arguments.first().map(|value| value.expr.clone()).unwrap_or_default();
    Named::new(expr, name)
}

fn aggregate(udaf: Arc<AggregateUDF>, arguments: Vec<Expr>, distinct: bool) -> Expr {
    Expr::AggregateFunction(AggregateFunction::new_udf(udaf, arguments, distinct, None, vec![], None))
}

/// Whether it is this whole number.
fn is(expr: &Expr, number: i64) -> bool {
    let Expr::Literal(value, _) = expr else { return false };
    value.cast_to(&DataType::Int64).is_ok_and(|value| value == number.into())
}

fn alias(name: &str) -> Option<&'static str> {
    ALIASES.iter().find(|(spark, _)| *spark == name).map(|(_, known)| *known)
}

fn is_star(expression: &Expression) -> bool {
    matches!(&expression.expr_type, Some(ExprType::UnresolvedStar(star)) if star.unparsed_target.is_none())
}

fn shown(name: &str, arguments: &[Named], distinct: bool) -> String {
    let arguments: Vec<&str> = arguments.iter().map(|argument| argument.name.as_str()).collect();
    super::shown::call(name, &arguments, distinct)
}

pub(super) fn unresolved(name: &str) -> SparkError {
    let path = "[`system`.`builtin`, `system`.`session`, `spark_catalog`.`default`]";
    let text = format!("Cannot resolve routine `{name}` on search path {path}.");
    SparkError::new(Class::Analysis, "UNRESOLVED_ROUTINE", "42883", text)
        .with("routineName", format!("`{name}`"))
        .with("searchPath", path)
}

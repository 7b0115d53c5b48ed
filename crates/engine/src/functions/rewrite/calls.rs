//! Functions that are the planner's under another name, or a piece of syntax.

use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CaseWhen, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, Ident, LambdaFunction, NullTreatment, ObjectName, ObjectNamePart, Value,
};

use crate::functions::json;

use super::{arguments, call, name_of, not, null, number, take, text};

/// Spark's name, and the planner's.
const NAMES: &[(&str, &str)] = &[
    ("any_match", "array_any_match"),
    ("ucase", "upper"),
    ("lcase", "lower"),
    ("first", "first_value"),
    ("last", "last_value"),
    ("any_value", "first_value"),
    ("every", "bool_and"),
    ("some", "bool_or"),
    ("any", "bool_or"),
    ("std", "stddev"),
    ("variance", "var_samp"),
    ("approx_count_distinct", "approx_distinct"),
    ("listagg", "string_agg"),
    ("array_agg", "collect_list"),
    ("sign", "signum"),
];

/// Spark's name, and ours where a number of digits is given.
const WITH_DIGITS: &[(&str, &str)] = &[("ceil", "ceil_to"), ("ceiling", "ceil_to"), ("floor", "floor_to")];

/// The types that are functions too.
const TYPES: &[&str] = &[
    "boolean",
    "tinyint",
    "smallint",
    "int",
    "bigint",
    "float",
    "double",
    "decimal",
    "string",
    "binary",
    "date",
    "timestamp",
];

pub(super) fn function(function: &mut Function) -> Option<Expr> {
    let name = name_of(function)?;
    let count = arguments(function).len();
    if count == 0
        && let Some(known) = of_the_session(&name)
    {
        return Some(known);
    }
    if count == 2
        && let Some((_, planner)) = WITH_DIGITS.iter().find(|(spark, _)| *spark == name)
    {
        rename(function, planner);
        return None;
    }
    called(function, &name, count)
}

fn called(function: &mut Function, name: &str, count: usize) -> Option<Expr> {
    match name {
        // How exact the count is, is the planner's choice.
        "approx_count_distinct" if count == 2 => {
            if let FunctionArguments::List(list) = &mut function.args {
                list.args.pop();
            }
        }
        "collate" if count == 2 => {
            let [value, collation] = two(function)?;
            // The one that strings have anyway; others are refused as a function that is not there.
            let plain = collation.to_string().trim_matches('\'').eq_ignore_ascii_case("UTF8_BINARY");
            return Some(if plain { value } else { call("collate", vec![value, collation]) });
        }
        "array_sort" if count == 2 => rename(function, "array_sort_by"),
        "aggregate" | "reduce" if count == 4 => return finished(function),
        "from_json" if count > 1 => known_schema(function),
        "forall" if count == 2 => return Some(for_all(function)),
        "count_if" if count == 1 => return Some(count_if(function)),
        "count" if count > 1 => count_rows(function),
        "first" | "last" | "first_value" | "last_value" | "any_value" if count == 2 => ignore_nulls(function),
        "timestampadd" | "timestampdiff" | "dateadd" | "datediff" | "date_add" | "date_diff"
            if count == 3 =>
        {
            if let Some(unit) = arguments(function).into_iter().next()
                && let Expr::Identifier(word) = unit
            {
                *unit = text(word.value.to_uppercase());
            }
            rename(function, if name.ends_with("add") { "timestampadd" } else { "timestampdiff" });
            return None;
        }
        "when" if count > 1 => return Some(case(function)),
        "nullifzero" if count == 1 => {
            let value = one(function);
            let zero = call("cast_to", vec![number(0), text("INT")]);
            return Some(call("nullif", vec![value, zero]));
        }
        "equal_null" if count == 2 => {
            let [left, right] = two(function)?;
            return Some(Expr::IsNotDistinctFrom(Box::new(left), Box::new(right)));
        }
        "isnull" if count == 1 => return Some(Expr::IsNull(Box::new(one(function)))),
        "isnotnull" if count == 1 => return Some(Expr::IsNotNull(Box::new(one(function)))),
        "to_timestamp_ntz" if count == 1 => {
            return Some(call("cast_to", vec![one(function), text("TIMESTAMP_NTZ")]));
        }
        "date_from_unix_date" if count == 1 => {
            let days = call("cast_to", vec![one(function), text("INT")]);
            let begin = call("cast_to", vec![text("1970-01-01"), text("DATE")]);
            return Some(call("date_add", vec![begin, days]));
        }
        "positive" if count == 1 => return Some(one(function)),
        "e" if count == 0 => {
            return Some(call("exp", vec![Expr::value(Value::Number("1.0".to_owned(), false))]));
        }
        "struct" => {
            let values = arguments(function).into_iter().map(take).collect();
            return Some(structure(values));
        }
        "arrays_zip" => return Some(zipped(function)),
        name if count == 1 && TYPES.contains(&name) => {
            return Some(call("cast_to", vec![one(function), text(name.to_uppercase())]));
        }
        _ => {}
    }
    if let Some((_, planner)) = NAMES.iter().find(|(spark, _)| *spark == name) {
        rename(function, planner);
    }
    None
}

/// What a query may ask of its session; there is one database, and nobody logs in.
fn of_the_session(name: &str) -> Option<Expr> {
    Some(text(match name {
        "current_user" | "session_user" | "user" => "anonymous",
        "current_catalog" => "spark_catalog",
        "current_database" | "current_schema" => "default",
        _ => return None,
    }))
}

fn rename(function: &mut Function, name: &str) {
    function.name = ObjectName(vec![ObjectNamePart::Identifier(Ident::new(name))]);
}

fn one(function: &mut Function) -> Expr {
    arguments(function).into_iter().next().map_or_else(null, take)
}

fn two(function: &mut Function) -> Option<[Expr; 2]> {
    let taken: Vec<Expr> = arguments(function).into_iter().map(take).collect();
    taken.try_into().ok()
}

/// `forall(a, x -> p)` is `NOT exists(a, x -> NOT p)`.
fn for_all(function: &mut Function) -> Expr {
    for argument in arguments(function) {
        if let Expr::Lambda(LambdaFunction { body, .. }) = argument {
            **body = not(take(body));
        }
    }
    let given = arguments(function).into_iter().map(take).collect();
    not(call("array_any_match", given))
}

/// `aggregate(a, begin, merge, finish)`: `finish` is a lambda over an array of one.
fn finished(function: &mut Function) -> Option<Expr> {
    let mut given: Vec<Expr> = arguments(function).into_iter().map(take).collect();
    let finish = given.pop()?;
    let one = call("make_array", vec![call("aggregate", given)]);
    Some(call("element_at", vec![call("transform", vec![one, finish]), number(1)]))
}

/// `from_json(j, schema_of_json('...'))` says its schema by an example.
fn known_schema(function: &mut Function) {
    if let Some(schema) = arguments(function).into_iter().nth(1)
        && let Expr::Function(inner) = schema
        && name_of(inner).is_some_and(|name| name == "schema_of_json")
        && let Some(Expr::Value(value)) = arguments(inner).into_iter().next()
        && let Value::SingleQuotedString(example) = &value.value
        && let Some(spelled) = json::schema_of(example)
    {
        *schema = text(spelled);
    }
}

fn count_if(function: &mut Function) -> Expr {
    call("count", vec![chosen(vec![(one(function), number(1))], None)])
}

/// `count(a, b)` counts rows without a NULL; `count(DISTINCT a, b)` each of them once.
fn count_rows(function: &mut Function) {
    let FunctionArguments::List(list) = &mut function.args else { return };
    let columns: Vec<Expr> = list
        .args
        .drain(..)
        .filter_map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(column)) => Some(column),
            _ => None,
        })
        .collect();
    let whole = columns.iter().cloned().map(|column| Expr::IsNotNull(Box::new(column)));
    let whole = whole.reduce(|left, right| Expr::BinaryOp {
        left: Box::new(left),
        op: BinaryOperator::And,
        right: Box::new(right),
    });
    let row = chosen(vec![(whole.unwrap_or_else(null), structure(columns))], None);
    list.args.push(FunctionArg::Unnamed(FunctionArgExpr::Expr(row)));
}

/// `when(c, v, d, w)` is a CASE.
fn case(function: &mut Function) -> Expr {
    let mut given: Vec<Expr> = arguments(function).into_iter().map(take).collect();
    let otherwise = (given.len() % 2 == 1).then(|| given.pop()).flatten();
    let mut conditions = Vec::new();
    let mut pairs = given.into_iter();
    while let (Some(condition), Some(result)) = (pairs.next(), pairs.next()) {
        conditions.push((condition, result));
    }
    chosen(conditions, otherwise)
}

/// `CASE WHEN condition THEN result ... ELSE otherwise END`
pub(super) fn chosen(cases: Vec<(Expr, Expr)>, otherwise: Option<Expr>) -> Expr {
    let conditions = cases.into_iter().map(|(condition, result)| CaseWhen { condition, result });
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: conditions.collect(),
        else_result: otherwise.map(Box::new),
    }
}

/// `first(x, true)` is `first_value(x) IGNORE NULLS`.
fn ignore_nulls(function: &mut Function) {
    let FunctionArguments::List(list) = &mut function.args else { return };
    let ignored = list.args.pop().is_some_and(|flag| flag.to_string().eq_ignore_ascii_case("true"));
    if ignored {
        function.null_treatment = Some(NullTreatment::IgnoreNulls);
    }
    debug_assert!(list.duplicate_treatment != Some(DuplicateTreatment::Distinct), "Spark has no such call");
}

/// `struct(a, 1, x AS y)` under Spark's names: `a`, `col2`, `y`.
pub(super) fn structure(values: Vec<Expr>) -> Expr {
    let mut pairs = Vec::with_capacity(2 * values.len());
    for (index, value) in values.into_iter().enumerate() {
        let (name, value) = match value {
            Expr::Named { expr, name } => (name.value, *expr),
            other => (own_name(&other).unwrap_or_else(|| format!("col{}", index + 1)), other),
        };
        pairs.push(text(name));
        pairs.push(value);
    }
    call("named_struct", pairs)
}

/// Arrays side by side, under the names of their columns.
fn zipped(function: &mut Function) -> Expr {
    let arrays: Vec<Expr> = arguments(function).into_iter().map(take).collect();
    let mut given = Vec::with_capacity(2 * arrays.len());
    for (index, array) in arrays.into_iter().enumerate() {
        given.push(text(own_name(&array).unwrap_or_else(|| index.to_string())));
        given.push(array);
    }
    call("zip_named", given)
}

fn own_name(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Identifier(name) => Some(name.value.clone()),
        Expr::CompoundIdentifier(names) => names.last().map(|name| name.value.clone()),
        _ => None,
    }
}

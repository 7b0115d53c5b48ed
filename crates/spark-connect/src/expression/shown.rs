//! What Spark calls a column that is computed by a function.

use crate::expression::lambda::USUAL_ORDER;

/// Functions whose names Spark shows in capitals.
const CAPITALS: &[&str] = &[
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "cos",
    "cosh",
    "cot",
    "csc",
    "degrees",
    "dense_rank",
    "e",
    "exp",
    "expm1",
    "floor",
    "hypot",
    "log10",
    "log1p",
    "log2",
    "percent_rank",
    "pi",
    "power",
    "radians",
    "rank",
    "sec",
    "signum",
    "sin",
    "sinh",
    "spark_partition_id",
    "sqrt",
    "tan",
    "tanh",
];

/// Names that stand for others, which are shown.
const OTHERS: &[(&str, &str)] = &[
    ("any_match", "exists"),
    ("array_agg", "collect_list"),
    ("curdate", "current_date"),
    ("current_database", "current_schema"),
    ("dateadd", "date_add"),
    ("pow", "power"),
    ("random", "rand"),
    ("to_varchar", "to_char"),
];

/// Arguments that Spark adds to a call of so many: the function, how many there may be at least, what is added.
const ADDED: &[(&str, usize, &[&str])] = &[
    ("aes_decrypt", 2, &["GCM", "DEFAULT", ""]),
    ("aes_encrypt", 2, &["GCM", "DEFAULT", "", ""]),
    ("approx_percentile", 2, &["10000"]),
    ("from_avro", 2, &["NULL"]),
    ("from_unixtime", 1, &["yyyy-MM-dd HH:mm:ss"]),
    ("hll_sketch_agg", 1, &["12"]),
    ("hll_union", 2, &["false"]),
    ("hll_union_agg", 1, &["false"]),
    ("lag", 1, &["1", "NULL"]),
    ("lead", 1, &["1", "NULL"]),
    ("locate", 2, &["1"]),
    ("make_dt_interval", 0, &["0", "0", "0", "0.000000"]),
    ("make_interval", 0, &["0", "0", "0", "0", "0", "0", "0.000000"]),
    ("make_ym_interval", 0, &["0", "0"]),
    ("mask", 1, &["X", "x", "n", "NULL"]),
    ("months_between", 2, &["true"]),
    ("overlay", 3, &["-1"]),
    ("percentile", 2, &["1"]),
    ("percentile_approx", 2, &["10000"]),
    ("position", 2, &["1"]),
    ("regexp_extract", 2, &["1"]),
    ("regexp_extract_all", 2, &["1"]),
    ("regexp_instr", 2, &["0"]),
    ("regexp_replace", 3, &["1"]),
    ("replace", 2, &[""]),
    ("sentences", 1, &["", ""]),
    ("split", 2, &["-1"]),
    ("str_to_map", 1, &[",", ":"]),
    ("substr", 2, &["2147483647"]),
    ("substring", 2, &["2147483647"]),
    ("to_avro", 1, &["NULL"]),
    ("to_unix_timestamp", 1, &["yyyy-MM-dd HH:mm:ss"]),
    ("try_aes_decrypt", 2, &["GCM", "DEFAULT", ""]),
    ("try_make_interval", 0, &["0", "0", "0", "0", "0", "0", "0.000000"]),
    ("unix_timestamp", 0, &["current_timestamp()", "yyyy-MM-dd HH:mm:ss"]),
];

/// Functions of which only the first argument is shown.
const FIRST_ONLY: &[&str] = &[
    "any_value",
    "approx_count_distinct",
    "first",
    "first_value",
    "from_csv",
    "from_json",
    "last",
    "last_value",
    "mode",
    "schema_of_csv",
    "schema_of_json",
    "to_csv",
    "to_json",
];

/// A call as Spark shows it.
pub(super) fn call(name: &str, arguments: &[&str], distinct: bool) -> String {
    if let Some(said) = otherwise(name, arguments) {
        return said;
    }
    let mut arguments = arguments.to_vec();
    if FIRST_ONLY.contains(&name) {
        arguments.truncate(1);
    }
    if let Some((_, least, added)) = ADDED.iter().find(|(known, ..)| *known == name)
        && arguments.len() >= *least
    {
        arguments.extend(added.iter().skip(arguments.len() - least));
    }
    let name = OTHERS.iter().find(|(known, _)| *known == name).map_or(name, |(_, shown)| shown);
    let name = if CAPITALS.contains(&name) { name.to_uppercase() } else { name.to_owned() };
    format!("{name}({}{})", if distinct { "DISTINCT " } else { "" }, arguments.join(", "))
}

/// Calls that are no plain list of arguments.
fn otherwise(name: &str, arguments: &[&str]) -> Option<String> {
    Some(match (name, arguments) {
        ("if", [condition, a, b]) => format!("(IF({condition}, {a}, {b}))"),
        ("log", [base, value]) => format!("LOG({base}, {value})"),
        ("ceil" | "ceiling", [value, digits]) => format!("{name}({value}, {digits})"),
        ("floor", [value, digits]) => format!("floor({value}, {digits})"),
        ("ltrim", [what, text]) => format!("TRIM(LEADING {what} FROM {text})"),
        ("rtrim", [what, text]) => format!("TRIM(TRAILING {what} FROM {text})"),
        ("trim", [what, text]) => format!("TRIM(BOTH {what} FROM {text})"),
        ("datepart" | "extract", [part, of]) => format!("{name}({part} FROM {of})"),
        ("convert_timezone", [to, time]) => format!("convert_timezone(current_timezone(), {to}, {time})"),
        ("raise_error", [text]) => format!("raise_error(USER_RAISED_EXCEPTION, map(errorMessage, {text}))"),
        ("array_sort", [list]) => format!("array_sort({list}, {USUAL_ORDER})"),
        ("~", [value]) => format!("~{value}"),
        ("try_make_timestamp", [rest @ .., _]) if rest.len() == 6 => format!("{name}({})", rest.join(", ")),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::call;

    #[test]
    fn calls_are_shown_as_spark_does() {
        assert_eq!(call("acos", &["b"], false), "ACOS(b)");
        assert_eq!(call("split", &["g", ";"], false), "split(g, ;, -1)");
        assert_eq!(call("split", &["g", ";", "2"], false), "split(g, ;, 2)");
        assert_eq!(call("mask", &["g", "A"], false), "mask(g, A, x, n, NULL)");
        assert_eq!(call("make_interval", &["a"], false), "make_interval(a, 0, 0, 0, 0, 0, 0.000000)");
        assert_eq!(call("any_value", &["a", "true"], false), "any_value(a)");
        assert_eq!(call("trim", &["-", "g"], false), "TRIM(BOTH - FROM g)");
        assert_eq!(call("count", &["a"], true), "count(DISTINCT a)");
    }
}

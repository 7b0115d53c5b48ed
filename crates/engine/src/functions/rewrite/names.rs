//! The names of columns that a query does not name: those that Spark gives them.

use datafusion::sql::sqlparser::ast::{
    AccessExpr, BinaryOperator, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, Ident, OrderByExpr, Select, SelectItem, Subscript, TableFactor, UnaryOperator, Value,
    WindowSpec, WindowType,
};

use super::{generate, name_of};

/// Names what would get the planner's name.
pub(super) fn select(select: &mut Select) {
    let tables = tables(select);
    let names: Vec<Option<String>> = select.projection.iter().map(|item| named(item, &tables)).collect();
    let once = |name: &String| {
        let same =
            |other: &&Option<String>| other.as_ref().is_some_and(|other| other.eq_ignore_ascii_case(name));
        names.iter().filter(same).count() == 1
    };
    for (item, name) in select.projection.iter_mut().zip(&names) {
        // Two columns of one name stay as the planner tells them apart.
        if let (SelectItem::UnnamedExpr(expr), Some(name)) =
            (&mut *item, name.as_ref().filter(|name| once(name)))
            && !is_column(expr, &tables)
        {
            let alias = Ident::with_quote('`', name.clone());
            *item = SelectItem::ExprWithAlias { expr: super::take(expr), alias };
        }
    }
}

/// What stands before the point in `t.column`.
pub(super) fn tables(select: &Select) -> Vec<String> {
    let joined = select.from.iter().flat_map(|table| {
        std::iter::once(&table.relation).chain(table.joins.iter().map(|join| &join.relation))
    });
    let tables = joined.filter_map(|relation| match relation {
        TableFactor::Table { name, alias, .. } => match alias {
            Some(alias) => Some(alias.name.value.clone()),
            None => name.0.last().and_then(|part| part.as_ident()).map(|name| name.value.clone()),
        },
        TableFactor::Derived { alias, .. } | TableFactor::Function { alias, .. } => {
            alias.as_ref().map(|alias| alias.name.value.clone())
        }
        _ => None,
    });
    let views = select.lateral_views.iter().map(|view| view.lateral_view_name.to_string());
    tables.chain(views).collect()
}

fn is_column(expr: &Expr, tables: &[String]) -> bool {
    match expr {
        Expr::Identifier(_) => true,
        Expr::CompoundIdentifier(path) => {
            path.len() == 2 && tables.iter().any(|table| table.eq_ignore_ascii_case(&path[0].value))
        }
        _ => false,
    }
}

/// The name of an item, if it is known here and is no matter of another rule.
fn named(item: &SelectItem, tables: &[String]) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(path)) => {
            // `window.start` is named where windows are.
            let window = path.len() == 2
                && !is_column(&Expr::CompoundIdentifier(path.clone()), tables)
                && ["window", "session_window"].iter().any(|name| path[0].value.eq_ignore_ascii_case(name));
            if window { None } else { path.last().map(|last| last.value.clone()) }
        }
        SelectItem::UnnamedExpr(Expr::Function(function)) => {
            let name = name_of(function)?;
            let other = generate::is_generator(&name)
                || ["window", "session_window"].contains(&name.as_str())
                || matches!(function.over, Some(WindowType::NamedWindow(_)));
            if other { None } else { Some(call(function)) }
        }
        SelectItem::UnnamedExpr(Expr::CompoundFieldAccess { root, access_chain }) => {
            Some(match access_chain.last() {
                Some(AccessExpr::Dot(Expr::Identifier(last))) => last.value.clone(),
                _ => accessed(root, access_chain),
            })
        }
        SelectItem::UnnamedExpr(Expr::Cast { expr, .. })
            if matches!(expr.as_ref(), Expr::Identifier(_) | Expr::CompoundIdentifier(_)) =>
        {
            Some(shown(expr))
        }
        SelectItem::UnnamedExpr(expr) => Some(shown(expr)),
        _ => None,
    }
}

fn call(function: &Function) -> String {
    let name = function.name.to_string().to_lowercase();
    let FunctionArguments::List(list) = &function.args else { return format!("{name}()") };
    let mut arguments: Vec<String> = list
        .args
        .iter()
        .map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) => shown(argument),
            FunctionArg::Unnamed(FunctionArgExpr::Wildcard) if name == "count" => "1".to_owned(),
            other => other.to_string(),
        })
        .collect();
    if function.over.is_some() && ["lag", "lead"].contains(&name.as_str()) {
        let left_out = ["", "1", "NULL"].into_iter().skip(arguments.len());
        arguments.extend(left_out.map(str::to_owned));
    }
    let distinct = match list.duplicate_treatment {
        Some(DuplicateTreatment::Distinct) => "DISTINCT ",
        _ => "",
    };
    let mut text = format!("{name}({distinct}{})", arguments.join(", "));
    if let Some(filter) = &function.filter {
        text.push_str(&format!(" FILTER (WHERE {})", shown(filter)));
    }
    if let Some(WindowType::WindowSpec(window)) = &function.over {
        text.push_str(&format!(" OVER ({})", over(&name, list.args.get(1), window)));
    }
    text
}

/// A window in Spark's words, which say the frame even where the query does not.
fn over(function: &str, distance: Option<&FunctionArg>, window: &WindowSpec) -> String {
    let mut parts = Vec::new();
    let list = |items: Vec<String>| items.join(", ");
    if !window.partition_by.is_empty() {
        parts.push(format!("PARTITION BY {}", list(window.partition_by.iter().map(shown).collect())));
    }
    if !window.order_by.is_empty() {
        parts.push(format!("ORDER BY {}", list(window.order_by.iter().map(ordered).collect())));
    }
    let distance = distance.map_or_else(|| "1".to_owned(), ToString::to_string);
    parts.push(match (&window.window_frame, function) {
        (_, "lag") => format!("ROWS BETWEEN -{distance} FOLLOWING AND -{distance} FOLLOWING"),
        (_, "lead") => format!("ROWS BETWEEN {distance} FOLLOWING AND {distance} FOLLOWING"),
        (_, "row_number" | "rank" | "dense_rank" | "percent_rank" | "ntile") => {
            "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW".to_owned()
        }
        (Some(frame), _) => {
            let end = frame.end_bound.as_ref().map_or_else(|| "CURRENT ROW".to_owned(), ToString::to_string);
            format!("{} BETWEEN {} AND {end}", frame.units, frame.start_bound)
        }
        (None, "cume_dist") => "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW".to_owned(),
        (None, _) if window.order_by.is_empty() => {
            "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING".to_owned()
        }
        (None, _) => "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW".to_owned(),
    });
    parts.join(" ")
}

fn ordered(by: &OrderByExpr) -> String {
    let rising = by.options.asc.unwrap_or(true);
    let first = by.options.nulls_first.unwrap_or(rising);
    let (order, nulls) = (if rising { "ASC" } else { "DESC" }, if first { "FIRST" } else { "LAST" });
    format!("{} {order} NULLS {nulls}", shown(&by.expr))
}

fn accessed(root: &Expr, chain: &[AccessExpr]) -> String {
    let mut text = shown(root);
    for step in chain {
        match step {
            AccessExpr::Dot(name) => text.push_str(&format!(".{name}")),
            AccessExpr::Subscript(Subscript::Index { index }) => {
                text.push_str(&format!("[{}]", shown(index)));
            }
            AccessExpr::Subscript(other) => text.push_str(&format!("[{other}]")),
        }
    }
    text
}

/// An expression in Spark's words.
fn shown(expr: &Expr) -> String {
    match expr {
        Expr::Identifier(name) => name.value.clone(),
        Expr::CompoundIdentifier(path) => path.last().map_or_else(String::new, |last| last.value.clone()),
        Expr::Nested(inner) => shown(inner),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => text.clone(),
            Value::Number(digits, _) => digits.clone(),
            other => other.to_string(),
        },
        Expr::BinaryOp { left, op, right } => {
            let op = match op {
                BinaryOperator::NotEq => return format!("(NOT ({} = {}))", shown(left), shown(right)),
                BinaryOperator::MyIntegerDivide => "div".to_owned(),
                other => other.to_string(),
            };
            format!("({} {op} {})", shown(left), shown(right))
        }
        Expr::UnaryOp { op, expr } => match (op, expr.as_ref()) {
            (UnaryOperator::Minus, Expr::Value(_)) => format!("-{}", shown(expr)),
            (op, _) => format!("({op} {})", shown(expr)),
        },
        Expr::Substring { expr, substring_from, substring_for, .. } => {
            let bounds =
                substring_from.iter().chain(substring_for).map(|bound| format!(", {}", shown(bound)));
            format!("substring({}{})", shown(expr), bounds.collect::<String>())
        }
        Expr::IsNull(inner) => format!("({} IS NULL)", shown(inner)),
        Expr::IsNotNull(inner) => format!("({} IS NOT NULL)", shown(inner)),
        // Such as `2.5D`.
        Expr::Cast { expr, .. } if matches!(expr.as_ref(), Expr::Value(value) if matches!(value.value, Value::Number(..))) => {
            shown(expr)
        }
        Expr::Cast { expr, data_type, .. } => {
            format!("CAST({} AS {})", shown(expr), data_type.to_string().to_uppercase())
        }
        Expr::Function(function) => call(function),
        Expr::CompoundFieldAccess { root, access_chain } => accessed(root, access_chain),
        Expr::Case { operand, conditions, else_result, .. } => {
            let mut text = String::from("CASE");
            if let Some(operand) = operand {
                text.push_str(&format!(" {}", shown(operand)));
            }
            for when in conditions {
                text.push_str(&format!(" WHEN {} THEN {}", shown(&when.condition), shown(&when.result)));
            }
            if let Some(otherwise) = else_result {
                text.push_str(&format!(" ELSE {}", shown(otherwise)));
            }
            text + " END"
        }
        other => other.to_string(),
    }
}

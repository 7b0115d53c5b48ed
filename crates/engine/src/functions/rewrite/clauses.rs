//! Clauses that are others to the planner: `MINUS`, `WITH ROLLUP`, `ORDER BY ALL`, several columns in an `IN`,
//! `LIKE ANY`, `PIVOT` and `UNPIVOT`.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, ExceptSelectItem, Expr, ExprWithAlias, FunctionArg, FunctionArgExpr, FunctionArguments,
    GroupByExpr, GroupByWithModifier, Ident, LateralView, NullInclusion, ObjectName, ObjectNamePart, OrderBy,
    OrderByExpr, OrderByKind, OrderByOptions, PivotValueSource, Query, Select, SelectItem, SetExpr,
    SetOperator, TableAlias, TableFactor, Value, ValueWithSpan, WildcardAdditionalOptions,
};

use super::generate::template;
use super::{arguments, call, name_of, not, number, text};

/// Columns of a query that is asked whether it has a row.
const INSIDE: &str = "__in_";

/// What the whole query says.
pub(super) fn query(query: &mut Query) {
    set_operators(&mut query.body);
    let width = match query.body.as_ref() {
        SetExpr::Select(select) => width(select),
        _ => None,
    };
    if let (Some(width), Some(options)) = (width, order_by_all(query.order_by.as_ref())) {
        let by = (1..=width).map(|place| OrderByExpr { expr: number(place), options, with_fill: None });
        query.order_by = Some(OrderBy { kind: OrderByKind::Expressions(by.collect()), interpolate: None });
    }
    let order = query.order_by.is_some();
    if let SetExpr::Select(select) = query.body.as_mut() {
        // Where rows go is the engine's affair; their order is not.
        select.distribute_by.clear();
        let cluster = std::mem::take(&mut select.cluster_by);
        let mut by = std::mem::take(&mut select.sort_by);
        by.extend(cluster.into_iter().map(|expr| OrderByExpr {
            expr,
            options: OrderByOptions { asc: None, nulls_first: None },
            with_fill: None,
        }));
        if !by.is_empty() && !order {
            query.order_by = Some(OrderBy { kind: OrderByKind::Expressions(by), interpolate: None });
        }
    }
}

fn set_operators(body: &mut SetExpr) {
    if let SetExpr::SetOperation { op, left, right, .. } = body {
        if *op == SetOperator::Minus {
            *op = SetOperator::Except;
        }
        set_operators(left);
        set_operators(right);
    }
}

/// How many columns are shown, if the list says so by itself.
fn width(select: &Select) -> Option<usize> {
    let plain =
        |item: &SelectItem| matches!(item, SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. });
    select.projection.iter().all(plain).then_some(select.projection.len())
}

fn order_by_all(order: Option<&OrderBy>) -> Option<OrderByOptions> {
    match &order?.kind {
        OrderByKind::All(options) => Some(*options),
        OrderByKind::Expressions(by) => match by.as_slice() {
            [OrderByExpr { expr: Expr::Identifier(word), options, .. }]
                if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("all") =>
            {
                Some(*options)
            }
            _ => None,
        },
    }
}

/// What a `SELECT` says of its tables and groups.
pub(super) fn select(select: &mut Select) {
    if let GroupByExpr::Expressions(keys, modifiers) = &mut select.group_by {
        let wanted = match modifiers.as_slice() {
            [GroupByWithModifier::Rollup] => Some(true),
            [GroupByWithModifier::Cube] => Some(false),
            _ => None,
        };
        if let Some(rollup) = wanted {
            let sets: Vec<Vec<Expr>> = std::mem::take(keys).into_iter().map(|key| vec![key]).collect();
            keys.push(if rollup { Expr::Rollup(sets) } else { Expr::Cube(sets) });
            modifiers.clear();
        }
    }
    let keys = grouped(&select.group_by);
    for item in &mut select.projection {
        if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
            grouping_id(expr, &keys);
        }
    }
    for table in &mut select.from {
        turned(&mut table.relation);
        table.joins.iter_mut().for_each(|join| turned(&mut join.relation));
    }
}

/// The columns that a query groups by, in their order.
fn grouped(group_by: &GroupByExpr) -> Vec<Expr> {
    let GroupByExpr::Expressions(keys, modifiers) = group_by else { return Vec::new() };
    let mut columns: Vec<Expr> = Vec::new();
    let sets = modifiers.iter().filter_map(|modifier| match modifier {
        GroupByWithModifier::GroupingSets(sets) => Some(sets),
        _ => None,
    });
    for key in keys.iter().chain(sets) {
        let members = match key {
            Expr::Rollup(sets) | Expr::Cube(sets) | Expr::GroupingSets(sets) => sets.concat(),
            plain => vec![plain.clone()],
        };
        for member in members {
            if !columns.contains(&member) {
                columns.push(member);
            }
        }
    }
    columns
}

/// `grouping_id()`: a bit for each group, set where the row is not of one.
fn grouping_id(expr: &mut Expr, keys: &[Expr]) {
    let Expr::Function(function) = expr else { return };
    if name_of(function).is_none_or(|name| name != "grouping_id") {
        return;
    }
    let mut given: Vec<Expr> = arguments(function).into_iter().map(|argument| argument.clone()).collect();
    if given.is_empty() {
        given = keys.to_vec();
    }
    let bits =
        given.into_iter().map(|key| call("cast_to", vec![call("grouping", vec![key]), text("BIGINT")]));
    let whole = bits.reduce(|before, bit| {
        let doubled = binary(before, BinaryOperator::Multiply, number(2));
        binary(doubled, BinaryOperator::Plus, bit)
    });
    *expr = whole.unwrap_or_else(|| call("cast_to", vec![number(0), text("BIGINT")]));
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::Nested(Box::new(Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }))
}

fn joined(parts: Vec<Expr>, op: &BinaryOperator) -> Option<Expr> {
    parts.into_iter().reduce(|left, right| binary(left, op.clone(), right))
}

/// `(a, b) IN ((1, 2), (3, 4))`, `(a, b) IN (SELECT ...)`, `a LIKE ANY ('x', 'y')`.
pub(super) fn condition(expr: &mut Expr) -> Option<Expr> {
    match expr {
        Expr::InList { expr, list, negated } => {
            let Expr::Tuple(columns) = expr.as_ref() else { return None };
            let mut rows = Vec::with_capacity(list.len());
            for row in list {
                let Expr::Tuple(values) = row else { return None };
                if values.len() != columns.len() {
                    return None;
                }
                rows.push(equal(columns, values.clone())?);
            }
            let found = joined(rows, &BinaryOperator::Or)?;
            Some(if *negated { not(found) } else { found })
        }
        Expr::InSubquery { expr, subquery, negated: false } => {
            let Expr::Tuple(columns) = expr.as_ref() else { return None };
            let names: Vec<Ident> =
                (0..columns.len()).map(|place| Ident::new(format!("{INSIDE}{place}"))).collect();
            let values = names.iter().cloned().map(Expr::Identifier).collect();
            let mut asked = template();
            let SetExpr::Select(select) = asked.body.as_mut() else { return None };
            select.selection = equal(columns, values);
            select.from = vec![of(TableFactor::Derived {
                lateral: false,
                subquery: subquery.clone(),
                alias: Some(alias("__in", names)),
                sample: None,
            })];
            Some(Expr::Exists { subquery: Box::new(asked), negated: false })
        }
        Expr::Like { negated, expr, pattern, escape_char, any: false } => {
            several(expr, pattern, *negated, escape_char.as_ref(), false)
        }
        Expr::ILike { negated, expr, pattern, escape_char, any: false } => {
            several(expr, pattern, *negated, escape_char.as_ref(), true)
        }
        Expr::Like { negated, expr, pattern, escape_char, any: true } => {
            any(expr, pattern, *negated, escape_char.as_ref(), false)
        }
        Expr::ILike { negated, expr, pattern, escape_char, any: true } => {
            any(expr, pattern, *negated, escape_char.as_ref(), true)
        }
        _ => None,
    }
}

fn equal(columns: &[Expr], values: Vec<Expr>) -> Option<Expr> {
    let pairs = columns.iter().cloned().zip(values).map(|(a, b)| binary(a, BinaryOperator::Eq, b));
    joined(pairs.collect(), &BinaryOperator::And)
}

/// `LIKE ALL (a, b)`, which the parser takes for a function.
fn several(
    value: &Expr,
    pattern: &Expr,
    negated: bool,
    escape: Option<&ValueWithSpan>,
    ignores_case: bool,
) -> Option<Expr> {
    let Expr::Function(function) = pattern else { return None };
    let FunctionArguments::List(list) = &function.args else { return None };
    let op = match name_of(function)?.as_str() {
        "all" => BinaryOperator::And,
        "any" | "some" => BinaryOperator::Or,
        _ => return None,
    };
    let patterns = list.args.iter().filter_map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(pattern)) => Some(pattern.clone()),
        _ => None,
    });
    likes(value, patterns.collect(), negated, escape, ignores_case, &op)
}

fn any(
    value: &Expr,
    pattern: &Expr,
    negated: bool,
    escape: Option<&ValueWithSpan>,
    ignores_case: bool,
) -> Option<Expr> {
    let patterns = match pattern {
        Expr::Tuple(patterns) => patterns.clone(),
        Expr::Nested(one) => vec![one.as_ref().clone()],
        one => vec![one.clone()],
    };
    likes(value, patterns, negated, escape, ignores_case, &BinaryOperator::Or)
}

fn likes(
    value: &Expr,
    patterns: Vec<Expr>,
    negated: bool,
    escape: Option<&ValueWithSpan>,
    ignores_case: bool,
    op: &BinaryOperator,
) -> Option<Expr> {
    let one = |pattern: Expr| {
        let (expr, pattern) = (Box::new(value.clone()), Box::new(pattern));
        let escape_char = escape.cloned();
        if ignores_case {
            Expr::ILike { negated, any: false, expr, pattern, escape_char }
        } else {
            Expr::Like { negated, any: false, expr, pattern, escape_char }
        }
    };
    joined(patterns.into_iter().map(one).collect(), op)
}

/// `PIVOT` and `UNPIVOT` become queries.
fn turned(relation: &mut TableFactor) {
    let made = match relation {
        TableFactor::Pivot { table, aggregate_functions, value_column, value_source, alias, .. } => {
            turned(table);
            pivot(table, aggregate_functions, value_column, value_source).map(|query| (query, alias.clone()))
        }
        TableFactor::Unpivot { table, value, name, columns, null_inclusion, alias } => {
            turned(table);
            let keeps = matches!(null_inclusion, Some(NullInclusion::IncludeNulls));
            unpivot(table, value, name, columns, keeps).map(|query| (query, alias.clone()))
        }
        _ => None,
    };
    if let Some((query, alias)) = made {
        *relation = TableFactor::Derived { lateral: false, subquery: Box::new(query), alias, sample: None };
    }
}

/// The names of what a query shows, if it says all of them.
fn names(table: &TableFactor) -> Option<Vec<Ident>> {
    let TableFactor::Derived { subquery, alias, .. } = table else { return None };
    if let Some(alias) = alias.as_ref().filter(|alias| !alias.columns.is_empty()) {
        return Some(alias.columns.iter().map(|column| column.name.clone()).collect());
    }
    let SetExpr::Select(select) = subquery.body.as_ref() else { return None };
    let name = |item: &SelectItem| match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.clone()),
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(name.clone()),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(path)) => path.last().cloned(),
        _ => None,
    };
    select.projection.iter().map(name).collect()
}

/// Groups of all other columns, and the aggregates of the rows that have each value.
fn pivot(
    table: &TableFactor,
    functions: &[ExprWithAlias],
    by: &[Expr],
    values: &PivotValueSource,
) -> Option<Query> {
    let PivotValueSource::List(values) = values else { return None };
    let by: Vec<Expr> = match by {
        [Expr::Tuple(several)] => several.clone(),
        one => one.to_vec(),
    };
    let mut used: Vec<String> = Vec::new();
    for expr in functions.iter().map(|function| &function.expr).chain(&by) {
        words(expr, &mut used);
    }
    let groups: Vec<Expr> = names(table)?
        .into_iter()
        .filter(|name| !used.iter().any(|other| other.eq_ignore_ascii_case(&name.value)))
        .map(Expr::Identifier)
        .collect();
    let mut items: Vec<SelectItem> = groups.iter().cloned().map(SelectItem::UnnamedExpr).collect();
    for value in values {
        let parts = match &value.expr {
            Expr::Tuple(several) if several.len() == by.len() => several.clone(),
            one => vec![one.clone()],
        };
        let same = by
            .iter()
            .zip(parts)
            .map(|(column, part)| Expr::IsNotDistinctFrom(Box::new(column.clone()), Box::new(part)));
        let fits = joined(same.collect(), &BinaryOperator::And)?;
        let name = value.alias.as_ref().map_or_else(|| shown(&value.expr), |alias| alias.value.clone());
        for function in functions {
            let Expr::Function(mut filtered) = function.expr.clone() else { return None };
            filtered.filter = Some(Box::new(fits.clone()));
            let of = match (functions, &function.alias) {
                ([_], _) => name.clone(),
                (_, Some(alias)) => format!("{name}_{}", alias.value),
                (_, None) => format!("{name}_{}", function.expr),
            };
            items.push(SelectItem::ExprWithAlias {
                expr: Expr::Function(filtered),
                alias: Ident::with_quote('`', of),
            });
        }
    }
    let mut query = template();
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    select.projection = items;
    select.from = vec![of(table.clone())];
    select.group_by = GroupByExpr::Expressions(groups, Vec::new());
    Some(query)
}

fn shown(expr: &Expr) -> String {
    match expr {
        Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. }) => text.clone(),
        other => other.to_string(),
    }
}

/// The names in an expression.
fn words(expr: &Expr, out: &mut Vec<String>) {
    let _ = datafusion::sql::sqlparser::ast::visit_expressions(expr, |inner| {
        match inner {
            Expr::Identifier(name) => out.push(name.value.clone()),
            Expr::CompoundIdentifier(path) => out.extend(path.last().map(|last| last.value.clone())),
            _ => {}
        }
        std::ops::ControlFlow::<()>::Continue(())
    });
}

/// A row for each column, with its name and its value.
fn unpivot(
    table: &TableFactor,
    value: &Expr,
    name: &Ident,
    columns: &[ExprWithAlias],
    keeps_nulls: bool,
) -> Option<Query> {
    let Expr::Identifier(value) = value else { return None };
    let mut given = vec![number(columns.len())];
    let mut gone = Vec::new();
    for column in columns {
        let Expr::Identifier(from) = &column.expr else { return None };
        let shown = column.alias.as_ref().unwrap_or(from);
        given.extend([text(shown.value.clone()), column.expr.clone()]);
        gone.push(from.clone());
    }
    let mut gone = gone.into_iter();
    let except = ExceptSelectItem { first_element: gone.next()?, additional_elements: gone.collect() };
    let mut query = template();
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    let options = WildcardAdditionalOptions { opt_except: Some(except), ..Default::default() };
    select.projection = vec![SelectItem::Wildcard(options)];
    select.from = vec![of(table.clone())];
    select.lateral_views = vec![LateralView {
        lateral_view: call("stack", given),
        lateral_view_name: ObjectName(vec![ObjectNamePart::Identifier(Ident::new("__unpivoted"))]),
        lateral_col_alias: vec![name.clone(), value.clone()],
        outer: false,
    }];
    select.selection = (!keeps_nulls).then(|| Expr::IsNotNull(Box::new(Expr::Identifier(value.clone()))));
    Some(query)
}

fn of(relation: TableFactor) -> datafusion::sql::sqlparser::ast::TableWithJoins {
    datafusion::sql::sqlparser::ast::TableWithJoins { relation, joins: Vec::new() }
}

fn alias(name: &str, columns: Vec<Ident>) -> TableAlias {
    let columns = columns
        .into_iter()
        .map(|name| datafusion::sql::sqlparser::ast::TableAliasColumnDef { name, data_type: None });
    TableAlias { explicit: true, name: Ident::new(name), columns: columns.collect(), at: None }
}

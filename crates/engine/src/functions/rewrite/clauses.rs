//! Clauses that are others to the planner: `MINUS`, `WITH ROLLUP`, `ORDER BY ALL`, several columns in an `IN`,
//! `LIKE ANY`, `EXCEPT ALL`, `s.*`.

use datafusion::arrow::datatypes::{DataType, Fields};
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, GroupByWithModifier,
    Ident, OrderBy, OrderByExpr, OrderByKind, OrderByOptions, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, SetOperator, SetQuantifier, TableAlias, TableFactor,
    TableWithJoins, ValueWithSpan, WindowSpec, WindowType,
};

use super::generate::template;
use super::names::tables;
use super::pivot::turned;
use super::{Shows, arguments, call, keep_number, name_of, not, number, text};

/// Columns of a query that is asked whether it has a row.
const INSIDE: &str = "__in_";

/// What the whole query says.
pub(super) fn query(query: &mut Query, columns: Shows<'_>) {
    set_operators(&mut query.body, columns);
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

fn set_operators(body: &mut SetExpr, columns: Shows<'_>) {
    let SetExpr::SetOperation { op, set_quantifier, left, right } = body else { return };
    if *op == SetOperator::Minus {
        *op = SetOperator::Except;
    }
    set_operators(left, columns);
    set_operators(right, columns);
    if *op != SetOperator::Union
        && *set_quantifier == SetQuantifier::All
        && let Some(said) = each_as_often(*op, left, right, columns)
    {
        *body = said;
    }
}

/// `EXCEPT ALL` and `INTERSECT ALL`: equal rows are numbered on both sides, and then no two are equal.
fn each_as_often(op: SetOperator, left: &SetExpr, right: &SetExpr, columns: Shows<'_>) -> Option<SetExpr> {
    let shown = columns(of_body(left.clone()))?;
    let inside: Vec<Ident> = (0..shown.len()).map(|place| Ident::new(format!("{INSIDE}{place}"))).collect();
    let numbered = |side: &SetExpr| {
        let keys: Vec<Expr> = inside.iter().cloned().map(Expr::Identifier).collect();
        let Expr::Function(mut number) = call("row_number", Vec::new()) else { return None };
        number.over = Some(WindowType::WindowSpec(WindowSpec {
            window_name: None,
            partition_by: keys.clone(),
            order_by: Vec::new(),
            window_frame: None,
        }));
        let number = SelectItem::ExprWithAlias { expr: Expr::Function(number), alias: Ident::new("__nth") };
        let items = keys.into_iter().map(SelectItem::UnnamedExpr).chain([number]);
        let from = derived(of_body(side.clone()), alias("__side", inside.clone()));
        Some(Box::new(selected(items.collect(), from)?))
    };
    let sides = SetExpr::SetOperation {
        op,
        set_quantifier: SetQuantifier::None,
        left: numbered(left)?,
        right: numbered(right)?,
    };
    let items = inside.iter().zip(&shown).map(|(inside, shown)| SelectItem::ExprWithAlias {
        expr: Expr::Identifier(inside.clone()),
        alias: Ident::with_quote('`', shown.name().clone()),
    });
    selected(items.collect(), derived(of_body(sides), alias("__sides", Vec::new())))
}

pub(super) fn of_body(body: SetExpr) -> Query {
    let mut query = template();
    *query.body = body;
    query
}

pub(super) fn derived(subquery: Query, alias: TableAlias) -> TableFactor {
    TableFactor::Derived { lateral: false, subquery: Box::new(subquery), alias: Some(alias), sample: None }
}

pub(super) fn selected(items: Vec<SelectItem>, from: TableFactor) -> Option<SetExpr> {
    let mut body = *template().body;
    let SetExpr::Select(select) = &mut body else { return None };
    select.projection = items;
    select.from = vec![of(from)];
    Some(body)
}

/// `s.*` of a column: its fields, under their names.
pub(super) fn stars(select: &mut Select, columns: Shows<'_>) {
    let tables = tables(select);
    let mut items = Vec::with_capacity(select.projection.len());
    for item in std::mem::take(&mut select.projection) {
        let SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) = &item
        else {
            items.push(item);
            continue;
        };
        let path: Vec<Ident> = name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
        let is_table = |last: &Ident| tables.iter().any(|table| table.eq_ignore_ascii_case(&last.value));
        if path.last().is_some_and(is_table) {
            items.push(item);
            continue;
        }
        match structure_of(Expr::CompoundIdentifier(path.clone()), &select.from, columns) {
            Some(fields) => items.extend(fields.iter().map(|field| {
                let alias = Ident::with_quote('`', field.name().clone());
                let parts = path.iter().cloned().chain([alias.clone()]);
                SelectItem::ExprWithAlias { expr: Expr::CompoundIdentifier(parts.collect()), alias }
            })),
            None => items.push(item),
        }
    }
    select.projection = items;
}

fn structure_of(expr: Expr, from: &[TableWithJoins], columns: Shows<'_>) -> Option<Fields> {
    match type_of(expr, from, columns)? {
        DataType::Struct(fields) => Some(fields),
        _ => None,
    }
}

/// The type of an expression over these tables.
pub(super) fn type_of(expr: Expr, from: &[TableWithJoins], columns: Shows<'_>) -> Option<DataType> {
    let expr = match expr {
        Expr::CompoundIdentifier(mut path) if path.len() == 1 => Expr::Identifier(path.pop()?),
        other => other,
    };
    let mut asked = template();
    let SetExpr::Select(select) = asked.body.as_mut() else { return None };
    select.projection = vec![SelectItem::ExprWithAlias { expr, alias: Ident::new(INSIDE) }];
    select.from = from.to_vec();
    columns(asked)?.first().map(|field| field.data_type().clone())
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
pub(super) fn select(select: &mut Select, columns: Shows<'_>) {
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
        turned(&mut table.relation, columns);
        table.joins.iter_mut().for_each(|join| turned(&mut join.relation, columns));
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

pub(super) fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::Nested(Box::new(Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }))
}

pub(super) fn joined(parts: Vec<Expr>, op: &BinaryOperator) -> Option<Expr> {
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
            select.from = vec![of(derived(subquery.as_ref().clone(), alias("__in", names)))];
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

/// `range(from, to, step, partitions)`, whose column is `id`: its numbers stand for themselves.
pub(super) fn range(table: &mut TableFactor) {
    let TableFactor::Table { name, args: Some(given), alias: named, .. } = table else { return };
    if !name.to_string().eq_ignore_ascii_case("range") {
        return;
    }
    given.args.truncate(3);
    for argument in &mut given.args {
        if let FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) = argument {
            keep_number(argument);
        }
    }
    let named = named.get_or_insert_with(|| alias("range", Vec::new()));
    if named.columns.is_empty() {
        *named = alias(&named.name.value.clone(), vec![Ident::new("id")]);
    }
}

pub(super) fn of(relation: TableFactor) -> TableWithJoins {
    TableWithJoins { relation, joins: Vec::new() }
}

fn alias(name: &str, columns: Vec<Ident>) -> TableAlias {
    let columns = columns
        .into_iter()
        .map(|name| datafusion::sql::sqlparser::ast::TableAliasColumnDef { name, data_type: None });
    TableAlias { explicit: true, name: Ident::new(name), columns: columns.collect(), at: None }
}

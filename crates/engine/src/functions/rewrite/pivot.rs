//! `PIVOT` and `UNPIVOT`, as queries.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, ExceptSelectItem, Expr, ExprWithAlias, GroupByExpr, Ident, LateralView, NullInclusion,
    ObjectName, ObjectNamePart, PivotValueSource, Query, SelectItem, SetExpr, TableFactor, Value,
    ValueWithSpan, WildcardAdditionalOptions,
};

use super::calls::chosen;
use super::clauses::{binary, joined, of, of_body, selected};
use super::generate::template;
use super::{Shows, call, number, text};

/// `PIVOT` and `UNPIVOT` become queries.
pub(super) fn turned(relation: &mut TableFactor, columns: Shows<'_>) {
    let made = match relation {
        TableFactor::Pivot { table, aggregate_functions, value_column, value_source, alias, .. } => {
            turned(table, columns);
            pivot(table, names(table, columns), aggregate_functions, value_column, value_source)
                .map(|query| (query, alias.clone()))
        }
        TableFactor::Unpivot { table, value, name, columns: turn, null_inclusion, alias } => {
            turned(table, columns);
            let keeps = matches!(null_inclusion, Some(NullInclusion::IncludeNulls));
            unpivot(table, value, name, turn, keeps).map(|query| (query, alias.clone()))
        }
        _ => None,
    };
    if let Some((query, alias)) = made {
        *relation = TableFactor::Derived { lateral: false, subquery: Box::new(query), alias, sample: None };
    }
}

/// The names of what a table shows: as the planner knows them, or else, of a query over what a `WITH` names, as it says them.
fn names(table: &TableFactor, columns: Shows<'_>) -> Option<Vec<Ident>> {
    let all = vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())];
    match columns(of_body(selected(all, table.clone())?)) {
        Some(shown) => Some(shown.iter().map(|field| Ident::with_quote('`', field.name().clone())).collect()),
        None => said(table),
    }
}

fn said(table: &TableFactor) -> Option<Vec<Ident>> {
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
    names: Option<Vec<Ident>>,
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
    let groups: Vec<Expr> = names?
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
            // Where there is no such row, nothing has been counted either.
            let Expr::Function(mut rows) = call("count", vec![number(1)]) else { return None };
            rows.filter = Some(Box::new(fits.clone()));
            let any = binary(Expr::Function(rows), BinaryOperator::Gt, number(0));
            let value = chosen(vec![(any, Expr::Function(filtered))], None);
            let of = match (functions, &function.alias) {
                ([_], _) => name.clone(),
                (_, Some(alias)) => format!("{name}_{}", alias.value),
                (_, None) => format!("{name}_{}", function.expr),
            };
            items.push(SelectItem::ExprWithAlias { expr: value, alias: Ident::with_quote('`', of) });
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

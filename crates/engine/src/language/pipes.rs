//! `FROM t |> WHERE a > 1 |> SELECT b`: each pipe asks what came before it, as a query asks its tables.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    AssignmentTarget, ExceptSelectItem, Expr, ExprWithAlias, ExprWithAliasAndOrderBy, GroupByExpr, Ident,
    LimitClause, Offset, OffsetRows, OrderBy, OrderByKind, PipeOperator, Query, ReplaceSelectElement,
    ReplaceSelectItem, Select, SelectFlavor, SelectItem, SetExpr, SetOperator, SetQuantifier, TableAlias,
    TableFactor, TableWithJoins, VisitMut as _, VisitorMut, WildcardAdditionalOptions,
};
use datafusion::sql::sqlparser::parser::ParserError;

use crate::language::{Numbers, parser, tokens};

/// Writes the pipes of the query, and of all queries in it, as queries in queries.
pub(super) fn flatten(query: &mut Query) -> Result<(), ParserError> {
    match query.visit(&mut Flatten) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Flatten;

impl VisitorMut for Flatten {
    type Break = ParserError;

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<ParserError> {
        if select.flavor == SelectFlavor::FromFirstNoSelect {
            select.projection = vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())];
        }
        select.flavor = SelectFlavor::Standard;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<ParserError> {
        for pipe in std::mem::take(&mut query.pipe_operators) {
            if let Err(error) = piped(query, pipe) {
                return ControlFlow::Break(error);
            }
        }
        ControlFlow::Continue(())
    }
}

fn piped(query: &mut Query, pipe: PipeOperator) -> Result<(), ParserError> {
    match pipe {
        PipeOperator::Where { expr } => {
            let select = open(query)?;
            select.selection = Some(match select.selection.take() {
                Some(before) => and(before, expr),
                None => expr,
            });
        }
        PipeOperator::Join(join) => {
            let filtered = open(query)?.selection.is_some();
            let select = if filtered { over(query)? } else { open(query)? };
            if let Some(table) = select.from.last_mut() {
                table.joins.push(join);
            }
        }
        PipeOperator::Select { exprs } => open(query)?.projection = exprs,
        PipeOperator::Extend { exprs } => open(query)?.projection.extend(exprs),
        PipeOperator::Set { assignments } => {
            for assignment in assignments {
                let AssignmentTarget::ColumnName(name) = &assignment.target else {
                    return Err(unknown("SET of several columns at once"));
                };
                let column = name.0.last().and_then(|part| part.as_ident()).cloned();
                let column_name = column.ok_or_else(|| unknown("SET of this name"))?;
                let item = ReplaceSelectElement { expr: assignment.value, column_name, as_keyword: true };
                let replace = ReplaceSelectItem { items: vec![Box::new(item)] };
                // Each sees what the one before it has set.
                starred(query, |options| options.opt_replace = Some(replace))?;
            }
        }
        PipeOperator::Drop { columns } => {
            let mut columns = columns.into_iter();
            let first_element = columns.next().ok_or_else(|| unknown("DROP of nothing"))?;
            let except = ExceptSelectItem { first_element, additional_elements: columns.collect() };
            starred(query, |options| options.opt_except = Some(except))?;
        }
        PipeOperator::As { alias } => {
            let select = over(query)?;
            let relation = named(std::mem::take(&mut select.from), alias)?;
            select.from = vec![TableWithJoins { relation, joins: Vec::new() }];
        }
        PipeOperator::Aggregate { full_table_exprs, group_by_expr } => {
            aggregated(open(query)?, &full_table_exprs, group_by_expr);
        }
        other => return around(query, other),
    }
    Ok(())
}

/// Pipes that ask the whole.
fn around(query: &mut Query, pipe: PipeOperator) -> Result<(), ParserError> {
    match pipe {
        PipeOperator::OrderBy { exprs } => {
            if query.order_by.is_some() || query.limit_clause.is_some() {
                over(query)?;
            }
            query.order_by = Some(OrderBy { kind: OrderByKind::Expressions(exprs), interpolate: None });
        }
        PipeOperator::Limit { expr, offset } => {
            if query.limit_clause.is_some() {
                over(query)?;
            }
            let offset = offset.map(|value| Offset { value, rows: OffsetRows::None });
            query.limit_clause =
                Some(LimitClause::LimitOffset { limit: Some(expr), offset, limit_by: Vec::new() });
        }
        PipeOperator::Union { set_quantifier, queries } => {
            combined(query, SetOperator::Union, set_quantifier, queries)?;
        }
        PipeOperator::Intersect { set_quantifier, queries } => {
            combined(query, SetOperator::Intersect, set_quantifier, queries)?;
        }
        PipeOperator::Except { set_quantifier, queries } => {
            combined(query, SetOperator::Except, set_quantifier, queries)?;
        }
        PipeOperator::Pivot { aggregate_functions, value_column, value_source, alias } => {
            let select = over(query)?;
            let table = Box::new(relation(&mut select.from)?);
            let value_column = vec![match value_column.as_slice() {
                [one] => Expr::Identifier(one.clone()),
                several => Expr::CompoundIdentifier(several.to_vec()),
            }];
            let alias = alias.map(table_alias);
            let default_on_null = None;
            select.from.push(TableWithJoins {
                relation: TableFactor::Pivot {
                    table,
                    aggregate_functions,
                    value_column,
                    value_source,
                    default_on_null,
                    alias,
                },
                joins: Vec::new(),
            });
        }
        PipeOperator::Unpivot { value_column, name_column, unpivot_columns, alias } => {
            let select = over(query)?;
            let table = Box::new(relation(&mut select.from)?);
            let columns = unpivot_columns
                .into_iter()
                .map(|column| ExprWithAlias { expr: Expr::Identifier(column), alias: None });
            select.from.push(TableWithJoins {
                relation: TableFactor::Unpivot {
                    table,
                    value: Expr::Identifier(value_column),
                    name: name_column,
                    columns: columns.collect(),
                    null_inclusion: None,
                    alias: alias.map(table_alias),
                },
                joins: Vec::new(),
            });
        }
        PipeOperator::TableSample { .. } => return Err(unknown("TABLESAMPLE behind a pipe")),
        PipeOperator::Call { .. } => return Err(unknown("CALL behind a pipe")),
        other => return Err(unknown(&format!("|> {other}"))),
    }
    Ok(())
}

/// What came before, chosen from; its columns are all of them so far. A plain one is gone on with.
fn open(query: &mut Query) -> Result<&mut Select, ParserError> {
    let plain = query.with.is_none() && query.order_by.is_none() && query.limit_clause.is_none();
    let open = plain && matches!(query.body.as_ref(), SetExpr::Select(select) if is_open(select));
    if !open {
        return over(query);
    }
    select_of(query)
}

fn is_open(select: &Select) -> bool {
    let all = matches!(select.projection.as_slice(), [SelectItem::Wildcard(options)]
        if *options == WildcardAdditionalOptions::default());
    let no_groups = matches!(&select.group_by, GroupByExpr::Expressions(keys, modifiers)
        if keys.is_empty() && modifiers.is_empty());
    all && no_groups
        && select.distinct.is_none()
        && select.having.is_none()
        && select.qualify.is_none()
        && select.lateral_views.is_empty()
        && select.sort_by.is_empty()
}

/// `SELECT * FROM (what came before)`, under the name that its one table had.
fn over(query: &mut Query) -> Result<&mut Select, ParserError> {
    let mut outer = template()?;
    // Names of queries are known outside too.
    outer.with = query.with.take();
    let inner = std::mem::replace(query, outer);
    let alias = match inner.body.as_ref() {
        SetExpr::Select(select) => single(select),
        _ => None,
    };
    let relation = TableFactor::Derived {
        lateral: false,
        subquery: Box::new(inner),
        alias: alias.map(table_alias),
        sample: None,
    };
    let select = select_of(query)?;
    select.from = vec![TableWithJoins { relation, joins: Vec::new() }];
    Ok(select)
}

/// The name of the only table.
fn single(select: &Select) -> Option<Ident> {
    let [TableWithJoins { relation, joins }] = select.from.as_slice() else { return None };
    if !joins.is_empty() {
        return None;
    }
    match relation {
        TableFactor::Table { name, alias, .. } => match alias {
            Some(alias) => Some(alias.name.clone()),
            None => name.0.last().and_then(|part| part.as_ident().cloned()),
        },
        TableFactor::Derived { alias, .. } => alias.as_ref().map(|alias| alias.name.clone()),
        _ => None,
    }
}

fn select_of(query: &mut Query) -> Result<&mut Select, ParserError> {
    match query.body.as_mut() {
        SetExpr::Select(select) => Ok(select),
        _ => Err(unknown("this query before a pipe")),
    }
}

/// `SELECT * ... FROM (what came before)`.
fn starred(query: &mut Query, set: impl FnOnce(&mut WildcardAdditionalOptions)) -> Result<(), ParserError> {
    let mut options = WildcardAdditionalOptions::default();
    set(&mut options);
    open(query)?.projection = vec![SelectItem::Wildcard(options)];
    Ok(())
}

/// Groups come first, then what is computed of them.
fn aggregated(
    select: &mut Select,
    functions: &[ExprWithAliasAndOrderBy],
    keys: Vec<ExprWithAliasAndOrderBy>,
) {
    let shown = |item: &ExprWithAliasAndOrderBy| match &item.expr.alias {
        Some(alias) => SelectItem::ExprWithAlias { expr: item.expr.expr.clone(), alias: alias.clone() },
        None => SelectItem::UnnamedExpr(item.expr.expr.clone()),
    };
    select.projection = keys.iter().chain(functions).map(shown).collect();
    let keys = keys.into_iter().map(|key| key.expr.expr).collect();
    select.group_by = GroupByExpr::Expressions(keys, Vec::new());
}

fn combined(
    query: &mut Query,
    op: SetOperator,
    set_quantifier: SetQuantifier,
    queries: Vec<Query>,
) -> Result<(), ParserError> {
    for right in queries {
        let mut outer = template()?;
        outer.with = query.with.take();
        let left = std::mem::replace(query, outer);
        let (left, right) = (SetExpr::Query(Box::new(left)), SetExpr::Query(Box::new(right)));
        *query.body =
            SetExpr::SetOperation { op, set_quantifier, left: Box::new(left), right: Box::new(right) };
    }
    Ok(())
}

/// The only table of a list, taken out of it.
fn relation(from: &mut Vec<TableWithJoins>) -> Result<TableFactor, ParserError> {
    match from.pop() {
        Some(table) if table.joins.is_empty() && from.is_empty() => Ok(table.relation),
        _ => Err(unknown("several tables before this pipe")),
    }
}

/// The only table, under another name.
fn named(mut from: Vec<TableWithJoins>, name: Ident) -> Result<TableFactor, ParserError> {
    let mut table = relation(&mut from)?;
    match &mut table {
        TableFactor::Table { alias, .. } | TableFactor::Derived { alias, .. } => {
            *alias = Some(table_alias(name));
        }
        _ => return Err(unknown("AS behind this table")),
    }
    Ok(table)
}

fn table_alias(name: Ident) -> TableAlias {
    TableAlias { explicit: true, name, columns: Vec::new(), at: None }
}

fn and(left: Expr, right: Expr) -> Expr {
    let nested = |expr: Expr| Box::new(Expr::Nested(Box::new(expr)));
    Expr::BinaryOp {
        left: nested(left),
        op: datafusion::sql::sqlparser::ast::BinaryOperator::And,
        right: nested(right),
    }
}

/// `SELECT *`, to fill.
fn template() -> Result<Query, ParserError> {
    read("SELECT *")
}

fn read(text: &str) -> Result<Query, ParserError> {
    parser(tokens(text, Numbers::Suffixed)?).parse_query().map(|query| *query)
}

fn unknown(what: &str) -> ParserError {
    ParserError::ParserError(format!("{what} is not known"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        let mut query = read(text).unwrap();
        flatten(&mut query).unwrap();
        query.to_string()
    }

    #[test]
    fn pipes_are_queries_in_queries() {
        assert_eq!(plain("FROM t"), "SELECT * FROM t");
        assert_eq!(plain("FROM t |> WHERE a = 1 |> SELECT b"), "SELECT b FROM t WHERE a = 1");
        assert_eq!(
            plain("TABLE t |> SELECT a |> WHERE a = 1 |> WHERE a = 2"),
            "SELECT * FROM (SELECT a FROM t) AS t WHERE (a = 1) AND (a = 2)"
        );
        assert_eq!(
            plain("FROM t |> AGGREGATE sum(b) AS s GROUP BY a |> ORDER BY s"),
            "SELECT a, sum(b) AS s FROM t GROUP BY a ORDER BY s"
        );
        assert_eq!(plain("FROM t |> EXTEND a + 1 AS c"), "SELECT *, a + 1 AS c FROM t");
        assert_eq!(plain("FROM t |> DROP a |> AS u"), "SELECT * FROM (SELECT * EXCEPT (a) FROM t) AS u");
        assert_eq!(plain("FROM t |> SET a = 2"), "SELECT * REPLACE (2 AS a) FROM t");
        assert_eq!(plain("FROM t |> UNION ALL (FROM u)"), "(SELECT * FROM t) UNION ALL (SELECT * FROM u)");
        assert_eq!(plain("FROM t |> LEFT JOIN u ON t.a = u.a"), "SELECT * FROM t LEFT JOIN u ON t.a = u.a");
    }
}

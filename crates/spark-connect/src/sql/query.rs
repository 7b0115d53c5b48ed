//! Queries: `WITH`, set operations, `ORDER BY` and `LIMIT` around what is selected.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr as PlanExpr, LogicalPlanBuilder};
use datafusion::prelude::cast;
use datafusion::sql::sqlparser::ast::{
    Expr, Ident, LimitClause, OrderByExpr, OrderByKind, Query as Parsed, SetExpr, SetOperator, SetQuantifier,
    Values,
};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::error::{Result, SparkError};
use crate::plan::frame::{Frame, Stored};
use crate::plan::{Planner, common_type, limited, ordered};
use crate::sql::read::Reader;
use crate::sql::{Arguments, Query};

/// `set_op_type`s of the message.
const INTERSECT: i32 = 1;
const UNION: i32 = 2;
const EXCEPT: i32 = 3;

impl Planner<'_> {
    pub(crate) async fn query(&mut self, query: &Query) -> Result<Frame> {
        let mut frame = self.parsed(&query.parsed, &query.arguments).await?;
        if !query.columns.is_empty() {
            frame = crate::plan::to_df(frame, &query.columns)?;
        }
        Ok(frame)
    }

    /// A reader whose subqueries have numbers of their own.
    pub(super) fn reader<'a>(&mut self, arguments: &'a Arguments) -> Reader<'a> {
        Reader::new(arguments, -1000 * self.new_number())
    }

    /// The queries inside the expressions that were read over a frame, whose columns they may name.
    pub(super) async fn insides(&mut self, reader: Reader<'_>, around: Option<&Frame>) -> Result<()> {
        let Reader { arguments, subqueries, .. } = reader;
        let depth = self.outer.len();
        for (id, query) in subqueries {
            self.outer.extend(around.cloned());
            let frame = self.parsed(&query, arguments).await;
            self.outer.truncate(depth);
            self.subqueries.push((id, frame?));
        }
        Ok(())
    }

    pub(super) fn parsed<'r>(
        &'r mut self,
        query: &'r Parsed,
        arguments: &'r Arguments,
    ) -> BoxFuture<'r, Result<Frame>> {
        async move {
            let outside = Arc::clone(&self.views);
            let frame = self.with(query, arguments).await;
            self.views = outside;
            frame
        }
        .boxed()
    }

    async fn with(&mut self, query: &Parsed, arguments: &Arguments) -> Result<Frame> {
        for table in query.with.iter().flat_map(|with| &with.cte_tables) {
            let columns = table.alias.columns.iter().map(|column| column.name.value.clone()).collect();
            let inner = Query {
                parsed: Arc::new(table.query.as_ref().clone()),
                arguments: arguments.clone(),
                columns,
            };
            let stored = Stored::Query { query: inner, views: Arc::clone(&self.views) };
            Arc::make_mut(&mut self.views).insert(table.alias.name.value.to_lowercase(), stored);
        }
        let order = match query.order_by.as_ref().map(|order| &order.kind) {
            Some(OrderByKind::Expressions(order)) => order.as_slice(),
            Some(OrderByKind::All(_)) => return Err(SparkError::unsupported("ORDER BY ALL")),
            None => &[],
        };
        let frame = match order {
            [OrderByExpr { expr: Expr::Identifier(word), options, .. }]
                if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("all") =>
            {
                let frame = self.body(&query.body, &[], arguments).await?;
                let ascending = options.asc.unwrap_or(true);
                let nulls_first = options.nulls_first.unwrap_or(ascending);
                let by = frame.columns.iter().map(|column| column.expr().sort(ascending, nulls_first));
                let by = by.collect();
                ordered(frame, by)?
            }
            order => self.body(&query.body, order, arguments).await?,
        };
        self.limit(frame, query.limit_clause.as_ref(), arguments)
    }

    async fn body(&mut self, body: &SetExpr, order: &[OrderByExpr], arguments: &Arguments) -> Result<Frame> {
        let frame = match body {
            SetExpr::Select(select) => return self.select_query(select, order, arguments).await,
            SetExpr::Query(query) => self.parsed(query, arguments).await?,
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                let all = matches!(set_quantifier, SetQuantifier::All | SetQuantifier::AllByName);
                let kind = match op {
                    SetOperator::Union => UNION,
                    SetOperator::Intersect => INTERSECT,
                    SetOperator::Except | SetOperator::Minus => EXCEPT,
                };
                let left = self.boxed(left, arguments).await?;
                let right = self.boxed(right, arguments).await?;
                self.combine(left, right, kind, all)?
            }
            SetExpr::Values(values) => self.values(values, arguments)?,
            SetExpr::Table(table) => {
                let name = table.table_name.clone().unwrap_or_default();
                self.table(&name).await?
            }
            _ => return Err(SparkError::unsupported("a statement in a query")),
        };
        self.sorted(frame, order, arguments)
    }

    fn boxed<'r>(&'r mut self, body: &'r SetExpr, arguments: &'r Arguments) -> BoxFuture<'r, Result<Frame>> {
        self.body(body, &[], arguments).boxed()
    }

    /// `VALUES (1, 'a'), (2, 'b')`.
    pub(super) fn values(&mut self, values: &Values, arguments: &Arguments) -> Result<Frame> {
        let nothing = self.nothing()?;
        let mut rows = Vec::new();
        for row in &values.rows {
            let mut reader = self.reader(arguments);
            let cells = row.content.iter().map(|cell| reader.expression(cell)).collect::<Result<Vec<_>>>()?;
            let cells = self.resolver(&nothing).list(&cells)?;
            rows.push(cells.into_iter().map(|cell| cell.expr).collect::<Vec<PlanExpr>>());
        }
        self.aligned(&nothing, &mut rows)?;
        let mut frame = self.framed(LogicalPlanBuilder::values(rows)?.build()?, "values")?;
        for (index, column) in frame.columns.iter_mut().enumerate() {
            column.name = format!("col{}", index + 1);
            column.qualifiers.clear();
        }
        Ok(frame)
    }

    /// Decimals among fractions of no fixed size become such: the planner would do it the other way round.
    fn aligned(&self, nothing: &Frame, rows: &mut [Vec<PlanExpr>]) -> Result<()> {
        let width = rows.iter().map(Vec::len).min().unwrap_or(0);
        for at in 0..width {
            let mut wanted = DataType::Null;
            let mut mixed = false;
            for row in rows.iter() {
                let found = self.resolver(nothing).type_of(&row[at])?;
                mixed |= found.is_floating() != wanted.is_floating();
                wanted = match &wanted {
                    DataType::Null => found,
                    known => common_type(known, &found).unwrap_or(found),
                };
            }
            if mixed && wanted == DataType::Float64 {
                for row in rows.iter_mut() {
                    row[at] = cast(std::mem::take(&mut row[at]), DataType::Float64);
                }
            }
        }
        Ok(())
    }

    /// Rows in an order that the frame's own columns say.
    fn sorted(&mut self, frame: Frame, order: &[OrderByExpr], arguments: &Arguments) -> Result<Frame> {
        if order.is_empty() {
            return Ok(frame);
        }
        let mut reader = self.reader(arguments);
        let mut sorts = Vec::new();
        for key in order {
            let mut read = reader.order(key)?;
            if let Some(column) = ordinal(&key.expr).and_then(|place| frame.columns.get(place)) {
                read.child = Some(Box::new(crate::expression::build::attribute(
                    &crate::expression::name_quoted(std::slice::from_ref(&column.name)),
                )));
            }
            sorts.push(self.resolver(&frame).order(&read)?);
        }
        ordered(frame, sorts)
    }

    fn limit(&mut self, frame: Frame, clause: Option<&LimitClause>, arguments: &Arguments) -> Result<Frame> {
        let (limit, offset) = match clause {
            None => return Ok(frame),
            Some(LimitClause::LimitOffset { limit, offset, .. }) => {
                (limit.as_ref(), offset.as_ref().map(|offset| &offset.value))
            }
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => (Some(limit), Some(offset)),
        };
        let limit = limit.map(|limit| self.row_count(limit, arguments)).transpose()?;
        let offset = offset.map(|offset| self.row_count(offset, arguments)).transpose()?.unwrap_or(0);
        limited(frame, offset, limit)
    }

    fn row_count(&mut self, expr: &Expr, arguments: &Arguments) -> Result<usize> {
        let mut reader = self.reader(arguments);
        let read = reader.expression(expr)?;
        let nothing = self.nothing()?;
        if let PlanExpr::Literal(value, _) = self.resolver(&nothing).named(&read)?.expr
            && let Ok(ScalarValue::Int64(Some(rows))) = value.cast_to(&DataType::Int64)
            && let Ok(rows) = usize::try_from(rows)
        {
            return Ok(rows);
        }
        Err(SparkError::invalid("The limit is a whole number that is not below 0."))
    }
}

/// `ORDER BY 2` means the second column.
pub(super) fn ordinal(expr: &Expr) -> Option<usize> {
    let Expr::Value(value) = expr else { return None };
    let datafusion::sql::sqlparser::ast::Value::Number(text, _) = &value.value else { return None };
    text.parse::<usize>().ok()?.checked_sub(1)
}

pub(super) fn same(name: &Ident, other: &str) -> bool {
    name.value.eq_ignore_ascii_case(other)
}

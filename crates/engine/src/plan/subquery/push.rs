//! A subquery for all rows around it together: what it asks of them comes in as columns at its leaves, and is carried
//! up through every node.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result, not_impl_err};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, ExprFunctionExt as _, FetchType, Filter, Join, JoinType, Limit, LogicalPlan,
    LogicalPlanBuilder, SkipType, SortExpr, Subquery, Union, Window, lit,
};

use super::{Around, Joins, columns, is_subquery, same, unqualified};

/// Tells of every column that the plan asks of rows around it, also from within subqueries of its own.
pub(super) fn references(plan: &LogicalPlan, tell: &mut impl FnMut(&Column)) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|inner| {
                if let Expr::OuterReferenceColumn(_, column) = inner {
                    tell(column);
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(())
}

type Pushed = (LogicalPlan, Vec<Column>);

impl Joins {
    /// The plan for every different row of what is asked, with the columns that hold it.
    pub(super) fn push(&mut self, plan: &LogicalPlan, around: &Around) -> Result<Pushed> {
        let mut asks = false;
        references(plan, &mut |column| asks |= around.asked.contains(column))?;
        if !asks {
            let (values, here) = self.values(around)?;
            let crossed = LogicalPlanBuilder::from(values).cross_join(plan.clone())?.build()?;
            return Ok(if here.is_empty() { (plan.clone(), here) } else { (crossed, here) });
        }
        match plan {
            LogicalPlan::Projection(projection) => {
                let (input, here) = self.push(&projection.input, around)?;
                let mut shown = columns(&here);
                shown.extend(self.rebound_all(&projection.expr, around, &here, &projection.input)?);
                Ok((LogicalPlanBuilder::from(input).project(shown)?.build()?, here))
            }
            LogicalPlan::Filter(filter) => {
                let (input, here) = self.push(&filter.input, around)?;
                let condition = rebound(filter.predicate.clone(), around, &here, &filter.input)?;
                Ok((LogicalPlan::Filter(Filter::try_new(condition, Arc::new(input))?), here))
            }
            LogicalPlan::SubqueryAlias(alias) => {
                let (input, here) = self.push(&alias.input, around)?;
                let named = alias.input.schema().columns().into_iter().zip(alias.schema.columns());
                let named = named.map(|(inner, outer)| {
                    Expr::Column(inner).alias_qualified(outer.relation.clone(), outer.name.clone())
                });
                let shown = columns(&here).into_iter().chain(named);
                Ok((LogicalPlanBuilder::from(input).project(shown)?.build()?, here))
            }
            LogicalPlan::Aggregate(aggregate) => self.push_aggregate(aggregate, around),
            LogicalPlan::Sort(sort) => match sort.fetch {
                None => self.push(&sort.input, around),
                Some(most) => self.push_first(&sort.input, &sort.expr, 0, Some(most), around),
            },
            LogicalPlan::Limit(limit) => self.push_limit(limit, around),
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let (input, here) = self.push(input, around)?;
                Ok((LogicalPlan::Distinct(Distinct::All(Arc::new(input))), here))
            }
            LogicalPlan::Join(join) => self.push_join(join, around),
            LogicalPlan::Union(union) => self.push_union(union, around),
            LogicalPlan::Window(window) => self.push_window(window, around),
            LogicalPlan::Unnest(unnest) => {
                let (input, here) = self.push(&unnest.input, around)?;
                let made = LogicalPlanBuilder::from(input);
                let made =
                    made.unnest_columns_with_options(unnest.exec_columns.clone(), unnest.options.clone())?;
                Ok((made.build()?, here))
            }
            other => not_impl_err!("a subquery with {}", other.display()),
        }
    }

    /// The different values that are asked for.
    fn values(&mut self, around: &Around) -> Result<Pushed> {
        let here: Vec<Column> =
            around.values().iter().map(|_| Column::new_unqualified(self.name())).collect();
        if here.is_empty() {
            return Ok((LogicalPlanBuilder::empty(true).build()?, here));
        }
        let named = around.values().into_iter().zip(&here).map(|(value, here)| value.alias(&here.name));
        let values = LogicalPlanBuilder::from(around.rows.clone()).project(named)?.distinct()?;
        Ok((values.build()?, here))
    }

    fn rebound_all(
        &self,
        exprs: &[Expr],
        around: &Around,
        here: &[Column],
        input: &LogicalPlan,
    ) -> Result<Vec<Expr>> {
        let names = NamePreserver::new_for_projection();
        let rebound = exprs.iter().map(|expr| {
            let name = names.save(expr);
            Ok(name.restore(rebound(expr.clone(), around, here, input)?))
        });
        rebound.collect()
    }

    fn push_aggregate(&mut self, aggregate: &Aggregate, around: &Around) -> Result<Pushed> {
        let (input, within) = self.push(&aggregate.input, around)?;
        if aggregate.group_expr.iter().any(|expr| matches!(expr, Expr::GroupingSet(_))) {
            return not_impl_err!("a subquery with several sets of groups");
        }
        if !aggregate.group_expr.is_empty() || within.is_empty() {
            let mut groups = columns(&within);
            groups.extend(self.rebound_all(&aggregate.group_expr, around, &within, &aggregate.input)?);
            let calls = self.rebound_all(&aggregate.aggr_expr, around, &within, &aggregate.input)?;
            let made = Aggregate::try_new(Arc::new(input), groups, calls)?;
            return Ok((LogicalPlan::Aggregate(made), within));
        }
        // An aggregate of no rows has a value too: those that find none keep a row, which is not counted.
        let (values, here) = self.values(around)?;
        let mark = self.name();
        let shown = input.schema().columns().into_iter().map(Expr::Column);
        let input = LogicalPlanBuilder::from(input)
            .project(shown.chain([lit(true).alias(&mark)]).collect::<Vec<_>>())?
            .build()?;
        let joined = LogicalPlanBuilder::from(values)
            .join_on(input, JoinType::Left, same(&columns(&here), &within))?
            .build()?;
        let names = NamePreserver::new_for_projection();
        let mut calls = Vec::new();
        for call in &aggregate.aggr_expr {
            let name = names.save(call);
            let call = rebound(call.clone(), around, &here, &aggregate.input)?;
            calls.push(name.restore(of_marked(call, &unqualified(&mark))?));
        }
        let made = Aggregate::try_new(Arc::new(joined), columns(&here), calls)?;
        Ok((LogicalPlan::Aggregate(made), here))
    }

    fn push_limit(&mut self, limit: &Limit, around: &Around) -> Result<Pushed> {
        let (SkipType::Literal(skip), FetchType::Literal(fetch)) =
            (limit.get_skip_type()?, limit.get_fetch_type()?)
        else {
            return not_impl_err!("a subquery with a limit that is computed");
        };
        match limit.input.as_ref() {
            LogicalPlan::Sort(sort) if sort.fetch.is_none() => {
                self.push_first(&sort.input, &sort.expr, skip, fetch, around)
            }
            input => self.push_first(input, &[], skip, fetch, around),
        }
    }

    /// The first rows for each of those that ask.
    fn push_first(
        &mut self,
        input: &LogicalPlan,
        order: &[SortExpr],
        skip: usize,
        fetch: Option<usize>,
        around: &Around,
    ) -> Result<Pushed> {
        let (pushed, here) = self.push(input, around)?;
        let mut sorts = Vec::new();
        for sort in order {
            sorts.push(SortExpr { expr: rebound(sort.expr.clone(), around, &here, input)?, ..sort.clone() });
        }
        let mut call = row_number().partition_by(columns(&here));
        if !sorts.is_empty() {
            call = call.order_by(sorts);
        }
        let numbered = LogicalPlanBuilder::from(pushed).window([call.build()?])?.build()?;
        let Some(number) = numbered.schema().columns().pop() else { return not_impl_err!("no columns") };
        let number = || Expr::Column(number.clone());
        let mut condition = number().gt(lit(skip as u64));
        if let Some(fetch) = fetch {
            condition = condition.and(number().lt_eq(lit((skip + fetch) as u64)));
        }
        let shown = input.schema().columns().into_iter().map(Expr::Column);
        let shown = columns(&here).into_iter().chain(shown);
        let first = LogicalPlanBuilder::from(numbered).filter(condition)?.project(shown)?.build()?;
        Ok((first, here))
    }

    fn push_join(&mut self, join: &Join, around: &Around) -> Result<Pushed> {
        let from_left = match join.join_type {
            JoinType::Inner | JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti => true,
            JoinType::Right => false,
            _ => return not_impl_err!("a subquery with a join of this kind"),
        };
        let mut asks_other = false;
        let other = if from_left { &join.right } else { &join.left };
        references(other, &mut |column| asks_other |= around.asked.contains(column))?;
        let (left, right, here, mut conditions);
        if from_left {
            let (pushed, columns_left) = self.push(&join.left, around)?;
            (left, here) = (pushed, columns_left);
            if asks_other {
                let (pushed, columns_right) = self.push(&join.right, around)?;
                conditions = same(&columns(&here), &columns_right);
                right = pushed;
            } else {
                (right, conditions) = (join.right.as_ref().clone(), Vec::new());
            }
        } else {
            let (pushed, columns_right) = self.push(&join.right, around)?;
            (right, here) = (pushed, columns_right);
            if asks_other {
                let (pushed, columns_left) = self.push(&join.left, around)?;
                conditions = same(&columns(&here), &columns_left);
                left = pushed;
            } else {
                (left, conditions) = (join.left.as_ref().clone(), Vec::new());
            }
        }
        let nulls = join.null_equality == datafusion::common::NullEquality::NullEqualsNull;
        for (one, two) in &join.on {
            let (one, two) = (
                rebound(one.clone(), around, &here, &join.left)?,
                rebound(two.clone(), around, &here, &join.right)?,
            );
            let equal = if nulls {
                datafusion::logical_expr::Operator::IsNotDistinctFrom
            } else {
                datafusion::logical_expr::Operator::Eq
            };
            conditions.push(datafusion::logical_expr::binary_expr(one, equal, two));
        }
        if let Some(filter) = &join.filter {
            conditions.push(rebound(filter.clone(), around, &here, &LogicalPlan::Join(join.clone()))?);
        }
        if conditions.is_empty() {
            conditions.push(lit(true));
        }
        let joined = LogicalPlanBuilder::from(left).join_on(right, join.join_type, conditions)?.build()?;
        let shown = join.schema.columns().into_iter().map(Expr::Column);
        let shown = columns(&here).into_iter().chain(shown);
        Ok((LogicalPlanBuilder::from(joined).project(shown)?.build()?, here))
    }

    fn push_union(&mut self, union: &Union, around: &Around) -> Result<Pushed> {
        let here: Vec<Column> =
            around.values().iter().map(|_| Column::new_unqualified(self.name())).collect();
        let names: Vec<String> = union.schema.fields().iter().map(|_| self.name()).collect();
        let mut inputs = Vec::new();
        for input in &union.inputs {
            let (pushed, inner) = self.push(input, around)?;
            let carried =
                inner.into_iter().zip(&here).map(|(inner, here)| Expr::Column(inner).alias(&here.name));
            let shown = input.schema().columns().into_iter().zip(&names);
            let shown = shown.map(|(column, name)| Expr::Column(column).alias(name));
            let shown: Vec<Expr> = carried.chain(shown).collect();
            inputs.push(Arc::new(LogicalPlanBuilder::from(pushed).project(shown)?.build()?));
        }
        let made = LogicalPlan::Union(Union::try_new_with_loose_types(inputs)?);
        let shown = union.schema.columns().into_iter().zip(&names).map(|(column, name)| {
            unqualified(name).alias_qualified(column.relation.clone(), column.name.clone())
        });
        let shown: Vec<Expr> = columns(&here).into_iter().chain(shown).collect();
        Ok((LogicalPlanBuilder::from(made).project(shown)?.build()?, here))
    }

    fn push_window(&mut self, window: &Window, around: &Around) -> Result<Pushed> {
        let (input, here) = self.push(&window.input, around)?;
        let names = NamePreserver::new_for_projection();
        let mut calls = Vec::new();
        for call in &window.window_expr {
            let name = names.save(call);
            let call = rebound(call.clone(), around, &here, &window.input)?;
            let call = call.transform_up(|inner| {
                Ok(match inner {
                    Expr::WindowFunction(mut call) => {
                        call.params.partition_by.extend(columns(&here));
                        Transformed::yes(Expr::WindowFunction(call))
                    }
                    inner => Transformed::no(inner),
                })
            })?;
            calls.push(name.restore(call.data));
        }
        Ok((LogicalPlan::Window(Window::try_new(calls, Arc::new(input))?), here))
    }
}

/// Aggregates of the rows that are marked.
fn of_marked(call: Expr, mark: &Expr) -> Result<Expr> {
    let call = call.transform_up(|inner| {
        Ok(match inner {
            Expr::AggregateFunction(mut call) => {
                let marked = mark.clone().is_not_null();
                call.params.filter = Some(Box::new(match call.params.filter.take() {
                    Some(filter) => filter.and(marked),
                    None => marked,
                }));
                Transformed::yes(Expr::AggregateFunction(call))
            }
            inner => Transformed::no(inner),
        })
    })?;
    Ok(call.data)
}

/// The expression with the columns of this side in the place of those around it.
fn rebound(expr: Expr, around: &Around, here: &[Column], input: &LogicalPlan) -> Result<Expr> {
    let place = |column: &Column| around.asked.iter().position(|asked| asked == column);
    let rebound = expr.transform_up(|inner| {
        Ok(match inner {
            Expr::OuterReferenceColumn(field, column) => match place(&column) {
                Some(place) => Transformed::yes(Expr::Column(here[place].clone())),
                None => Transformed::no(Expr::OuterReferenceColumn(field, column)),
            },
            mut inner if is_subquery(&inner) => {
                let subquery = match &mut inner {
                    Expr::ScalarSubquery(subquery) => subquery,
                    Expr::Exists(exists) => &mut exists.subquery,
                    Expr::InSubquery(within) => &mut within.subquery,
                    _ => return Ok(Transformed::no(inner)),
                };
                // What this side has itself is nearer.
                let nearer = |column: &Column| input.schema().has_column(column);
                *subquery = asking_here(subquery, |column| {
                    place(column).filter(|_| !nearer(column)).map(|place| here[place].clone())
                })?;
                Transformed::yes(inner)
            }
            inner => Transformed::no(inner),
        })
    })?;
    Ok(rebound.data)
}

/// A subquery within, that asks for the columns of this side instead.
fn asking_here(subquery: &Subquery, meant: impl Fn(&Column) -> Option<Column>) -> Result<Subquery> {
    let plan = subquery.subquery.as_ref().clone();
    let plan = plan.transform_down_with_subqueries(|node| {
        node.map_expressions(|expr| {
            expr.transform_up(|inner| {
                Ok(match inner {
                    Expr::OuterReferenceColumn(field, column) => match meant(&column) {
                        Some(here) => Transformed::yes(Expr::OuterReferenceColumn(field, here)),
                        None => Transformed::no(Expr::OuterReferenceColumn(field, column)),
                    },
                    inner => Transformed::no(inner),
                })
            })
        })
    })?;
    let outer_ref_columns = plan.data.all_out_ref_exprs();
    Ok(Subquery { subquery: Arc::new(plan.data), outer_ref_columns, spans: subquery.spans.clone() })
}

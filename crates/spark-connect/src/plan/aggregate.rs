//! Groups: `groupBy`, `rollup`, `cube`, `pivot`, and aggregates over everything.

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::GroupingSet;
use datafusion::logical_expr::utils::find_aggregate_exprs;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit};

use crate::error::{Class, Result, SparkError};
use crate::expression::{Named, Resolver, literal};
use crate::plan::frame::{Column, Frame, column};
use crate::plan::{Planner, input, ordered};
use crate::python::Call;
use crate::show;
use crate::wire::relation::{Aggregate, AggregatePivot, Sort};

/// `group_type`s of the message.
const ROLLUP: i32 = 2;
const CUBE: i32 = 3;
const PIVOT: i32 = 4;
const SETS: i32 = 5;

impl Planner<'_> {
    pub(crate) async fn aggregate_relation(&mut self, aggregate: &Aggregate) -> Result<Frame> {
        let frame = self.input_frame(input(&aggregate.input, "input")?).await?;
        let groups = self.resolver(&frame).list(&aggregate.grouping_expressions)?;
        let mut outputs = groups.clone();
        let functions = self.list(&frame, &aggregate.aggregate_expressions)?;
        if aggregate.group_type == PIVOT {
            let pivot = aggregate.pivot.as_ref().ok_or_else(|| SparkError::missing("pivot"))?;
            outputs.extend(self.pivoted(&frame, pivot, &functions).await?);
            return self.aggregate(frame, &groups, outputs);
        }
        outputs.extend(functions);
        match aggregate.group_type {
            ROLLUP | CUBE => {
                let all = (0..groups.len()).collect::<Vec<_>>();
                let rollup = aggregate.group_type == ROLLUP;
                self.aggregate_sets(frame, &groups, outputs, &sets(&all, rollup))
            }
            SETS => {
                let resolver = self.resolver(&frame);
                let mut wanted = Vec::new();
                for set in &aggregate.grouping_sets {
                    let members = resolver.list(&set.grouping_set)?;
                    let place = |member: &Named| groups.iter().position(|group| group.expr == member.expr);
                    wanted.push(members.iter().filter_map(place).collect());
                }
                self.aggregate_sets(frame, &groups, outputs, &wanted)
            }
            _ => self.aggregate(frame, &groups, outputs),
        }
    }

    /// Groups sorted by what is no column of theirs: by what they are grouped by, or another aggregate.
    pub(super) async fn sort_groups(&mut self, sort: &Sort, aggregate: &Aggregate) -> Result<Frame> {
        let mut aggregate = aggregate.clone();
        for order in &sort.order {
            aggregate.aggregate_expressions.extend(order.child.as_deref().cloned());
        }
        let Frame { plan, mut columns } = self.aggregate_relation(&aggregate).await?;
        let by = columns.split_off(columns.len() - sort.order.len().min(columns.len()));
        let order =
            by.iter().zip(&sort.order).map(|(column, order)| Resolver::directed(column.expr(), order));
        ordered(Frame { plan, columns }, order.collect())
    }

    /// One row for each group.
    pub(crate) fn aggregate(&mut self, frame: Frame, groups: &[Named], outputs: Vec<Named>) -> Result<Frame> {
        let keys: Vec<(Expr, String)> = groups
            .iter()
            .map(|group| match &group.source {
                Some(source) => (group.expr.clone(), source.id.clone()),
                None => (group.expr.clone(), self.new_id()),
            })
            .collect();
        let mut distinct: Vec<&(Expr, String)> = Vec::new();
        for key in &keys {
            if !distinct.iter().any(|(_, id)| *id == key.1) {
                distinct.push(key);
            }
        }
        let mut exprs = Vec::new();
        for (expr, id) in distinct {
            let plain = *expr == column(id);
            exprs.push(if plain { expr.clone() } else { self.settled(&frame, expr.clone())?.alias(id) });
        }
        self.finish(frame, exprs, &keys, outputs)
    }

    /// One row for each group of each set of columns, the others null.
    pub(crate) fn aggregate_sets(
        &mut self,
        frame: Frame,
        groups: &[Named],
        outputs: Vec<Named>,
        sets: &[Vec<usize>],
    ) -> Result<Frame> {
        let mut whole: Vec<Expr> = frame.columns.iter().map(Column::expr).collect();
        let mut keys = Vec::new();
        for group in groups {
            // A column of its own: its nulls are not those of the rows.
            let id = self.new_id();
            whole.push(group.expr.clone().alias(&id));
            keys.push((group.expr.clone(), id));
        }
        let plan = LogicalPlanBuilder::from(frame.plan).project(whole)?.build()?;
        let frame = Frame { plan, columns: frame.columns };
        let members = |set: &Vec<usize>| set.iter().map(|&index| column(&keys[index].1)).collect();
        let sets = Expr::GroupingSet(GroupingSet::GroupingSets(sets.iter().map(members).collect()));
        let outputs = outputs.into_iter().map(|output| Named { source: None, ..output }).collect();
        self.finish(frame, vec![sets], &keys, outputs)
    }

    fn finish(
        &mut self,
        frame: Frame,
        groups: Vec<Expr>,
        keys: &[(Expr, String)],
        mut outputs: Vec<Named>,
    ) -> Result<Frame> {
        let calls = find_aggregate_exprs(outputs.iter().map(|output| &output.expr));
        if let Some(call) = calls.iter().find(|call| Call::is_random(call)) {
            return Err(random(call));
        }
        let calls: Vec<(Expr, String)> = calls.into_iter().map(|call| (call, self.new_id())).collect();
        let functions = calls.iter().map(|(call, id)| of_keys(call, keys).alias(id));
        let plan = LogicalPlanBuilder::from(frame.plan).aggregate(groups, functions)?.build()?;
        let known: Vec<&String> = keys.iter().chain(&calls).map(|(_, id)| id).collect();
        for output in &mut outputs {
            let expr = std::mem::take(&mut output.expr);
            let replaced = expr.transform_down(|inner| {
                let made = keys.iter().chain(&calls).find(|(expr, _)| *expr == inner);
                Ok(match made {
                    Some((_, id)) => Transformed::new(column(id), true, TreeNodeRecursion::Jump),
                    None => Transformed::no(inner),
                })
            });
            output.expr = replaced?.data;
            for used in output.expr.column_refs() {
                if !known.contains(&&used.name) {
                    return Err(not_grouped(&output.name));
                }
            }
        }
        let columns = keys.iter().map(|(_, id)| Column::new(id, id)).collect();
        self.chosen(Frame { plan, columns }, outputs)
    }

    /// A column for each value, and each function of it.
    async fn pivoted(
        &mut self,
        frame: &Frame,
        pivot: &AggregatePivot,
        functions: &[Named],
    ) -> Result<Vec<Named>> {
        let by = self.resolver(frame).named(input(&pivot.col, "col")?)?;
        let mut values = Vec::new();
        for value in &pivot.values {
            values.push(literal::value(value)?);
        }
        if values.is_empty() {
            values = self.values_of(frame, &by.expr).await?;
        }
        let mut outputs = Vec::new();
        for value in values {
            let name = show::scalar(&value, self.zone())?;
            let wanted = Expr::Literal(value, None);
            let fits = datafusion::logical_expr::binary_expr(
                by.expr.clone(),
                datafusion::logical_expr::Operator::IsNotDistinctFrom,
                wanted,
            );
            outputs.extend(pivot_columns(&fits, &name, functions)?);
        }
        Ok(outputs)
    }
}

/// Each function of the rows that fit, a column each.
pub(crate) fn pivot_columns(fits: &Expr, name: &str, functions: &[Named]) -> Result<Vec<Named>> {
    let mut outputs = Vec::new();
    for function in functions {
        let filtered = function.expr.clone().transform_up(|inner| {
            let Expr::AggregateFunction(mut call) = inner else { return Ok(Transformed::no(inner)) };
            call.params.filter = Some(Box::new(fits.clone()));
            Ok(Transformed::yes(Expr::AggregateFunction(call)))
        })?;
        let name = match functions {
            [_] => name.to_owned(),
            _ => format!("{name}_{}", function.column_name()),
        };
        let expr = filtered.data;
        // A count of nothing is missing in Spark's pivot, not zero.
        let seen = datafusion::functions_aggregate::expr_fn::count(lit(1_i64));
        let seen = match seen {
            Expr::AggregateFunction(mut call) => {
                call.params.filter = Some(Box::new(fits.clone()));
                Expr::AggregateFunction(call)
            }
            other => other,
        };
        let expr = datafusion::prelude::when(seen.gt(lit(0_i64)), expr).end()?;
        outputs.push(Named::new(expr, name));
    }
    Ok(outputs)
}

/// `grouping(a)` asks for the column that the groups are made of.
fn of_keys(call: &Expr, keys: &[(Expr, String)]) -> Expr {
    let Expr::AggregateFunction(function) = call else { return call.clone() };
    if function.func.name() != "grouping" {
        return call.clone();
    }
    let mut function = function.clone();
    for argument in &mut function.params.args {
        if let Some((_, id)) = keys.iter().find(|(expr, _)| expr == argument) {
            *argument = column(id);
        }
    }
    Expr::AggregateFunction(function)
}

/// Which columns the groups of a rollup or a cube have.
pub(crate) fn sets(all: &[usize], rollup: bool) -> Vec<Vec<usize>> {
    if rollup {
        return (0..=all.len()).rev().map(|length| all[..length].to_vec()).collect();
    }
    let members = |mask: usize| all.iter().copied().filter(|index| mask & (1 << index) != 0).collect();
    (0..1_usize << all.len().min(16)).rev().map(members).collect()
}

/// Of a function whose values are others each time that it is asked, no aggregate is known.
fn random(call: &Expr) -> SparkError {
    let shown = call.schema_name().to_string();
    let text = format!(
        "Non-deterministic expression \"{shown}\" should not appear in the arguments of an aggregate function."
    );
    let condition = "AGGREGATE_FUNCTION_WITH_NONDETERMINISTIC_EXPRESSION";
    SparkError::new(Class::Analysis, condition, "42845", text).with("sqlExpr", format!("\"{shown}\""))
}

fn not_grouped(name: &str) -> SparkError {
    let text = format!(
        "The non-aggregating expression \"{name}\" is based on columns which are not participating in the GROUP BY \
         clause. Add the columns or the expression to the GROUP BY, aggregate the expression, or use \
         \"any_value({name})\" if you do not care which of the values within a group is returned."
    );
    SparkError::new(Class::Analysis, "MISSING_AGGREGATION", "42803", text)
        .with("expression", format!("\"{name}\""))
}

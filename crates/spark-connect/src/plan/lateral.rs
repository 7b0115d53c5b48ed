//! Lateral joins: frames that ask the rows of the frame before them.

use datafusion::common::JoinType;
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{Expr, ExprFunctionExt as _, LogicalPlanBuilder, lit};
use datafusion::prelude::when;

use crate::error::{Result, SparkError};
use crate::plan::frame::{Column, Frame, column};
use crate::plan::{Planner, input};
use crate::wire::expression::Expression;
use crate::wire::relation::{LateralJoin, RelType, Relation};

/// What the column is called that numbers rows.
const NUMBER: &str = "row #";

impl Planner<'_> {
    /// `df.lateralJoin(other)`: the other asks the rows of the first.
    pub(crate) async fn lateral_join(&mut self, join: &LateralJoin) -> Result<Frame> {
        let left = self.relation(input(&join.left, "left")?).await?;
        let kind = super::join::join_type(join.join_type)?;
        let right = input(&join.right, "right")?;
        let condition = join.join_condition.as_deref();
        let outer = kind == JoinType::Left;
        let some = outer && condition.is_some();
        let rows = if some { self.numbered(left.clone())? } else { left.clone() };
        if let Some(joined) = self.made_beside(&rows, right, outer).await? {
            return match condition {
                Some(condition) if some => self.where_or_none(joined, rows.columns.len(), condition),
                Some(condition) => self.filter(joined, condition),
                None => Ok(joined),
            };
        }
        self.outer.push(left.clone());
        let asked = self.relation(right).await;
        self.outer.pop();
        let right = Self::asked(asked?, &left);
        self.join_on(left, right, kind, condition)
    }

    /// Rows with a number, in a column behind the others, so that it is known of which one each was made.
    pub(crate) fn numbered(&mut self, frame: Frame) -> Result<Frame> {
        let Frame { plan, mut columns } = frame;
        let mut shown: Vec<Expr> = plan.schema().columns().into_iter().map(Expr::Column).collect();
        let plan = LogicalPlanBuilder::from(plan).window([row_number()])?.build()?;
        let number = plan.schema().columns().pop();
        let number = number.ok_or_else(|| SparkError::internal("a window function has a column"))?;
        let id = self.new_id();
        shown.push(Expr::Column(number).alias(&id));
        columns.push(Column::new(NUMBER, id));
        Ok(Frame { plan: LogicalPlanBuilder::from(plan).project(shown)?.build()?, columns })
    }

    /// Of the rows that were made of numbered ones, whose last column is the number and stands before `before`: those for
    /// which a condition holds; and where there is none, one without what was made.
    pub(crate) fn where_or_none(
        &mut self,
        joined: Frame,
        before: usize,
        condition: &Expression,
    ) -> Result<Frame> {
        let holds = self.resolver(&joined).named(condition)?.expr.is_true();
        let Frame { plan, mut columns } = joined;
        let number = columns.remove(before - 1).expr();
        let mark = self.new_id();
        let shown = plan.schema().columns().into_iter().map(Expr::Column).chain([holds.alias(&mark)]);
        let marked = LogicalPlanBuilder::from(plan).project(shown.collect::<Vec<_>>())?;
        let hit = when(column(&mark), lit(1_i64)).end()?;
        let hits = Expr::from(WindowFunction::new(count_udaf(), vec![hit]));
        let counted = marked
            .window([
                hits.partition_by(vec![number.clone()]).build()?,
                row_number().partition_by(vec![number]).build()?,
            ])?
            .build()?;
        let [.., hits, place] = &counted.schema().columns()[..] else {
            return Err(SparkError::internal("window functions have columns"));
        };
        let none = Expr::Column(hits.clone()).eq(lit(0_i64));
        let first = Expr::Column(place.clone()).eq(lit(1_u64));
        let kept = LogicalPlanBuilder::from(counted.clone()).filter(column(&mark).or(none.and(first)))?;
        let mut shown: Vec<Expr> = columns[..before - 1].iter().map(Column::expr).collect();
        for made in &mut columns[before - 1..] {
            let id = self.new_id();
            shown.push(when(column(&mark), made.expr()).end()?.alias(&id));
            made.id = id;
        }
        Ok(Frame { plan: kept.project(shown)?.build()?, columns })
    }

    /// The rows with what a generator or a table function makes of each, if the relation is one.
    async fn made_beside(&mut self, left: &Frame, right: &Relation, outer: bool) -> Result<Option<Frame>> {
        let before = left.columns.len();
        let made = match right.rel_type.as_ref() {
            Some(RelType::TableFunction(call)) => Some(self.beside_each(left.clone(), call, outer).await?),
            Some(RelType::UnresolvedTableValuedFunction(call)) => {
                let name = call.function_name.to_lowercase();
                let name = if outer && !name.ends_with("_outer") { format!("{name}_outer") } else { name };
                let call = crate::expression::build::function(&name, call.arguments.clone());
                match self.resolver(left).named(&call).ok().and_then(|named| named.generator) {
                    Some(generator) => Some(self.each_with(left.clone(), &generator)?),
                    None => None,
                }
            }
            Some(RelType::SubqueryAlias(alias)) => {
                let inner = input(&alias.input, "input")?;
                let mut made = Box::pin(self.made_beside(left, inner, outer)).await?;
                for column in made.iter_mut().flat_map(|frame| &mut frame.columns[before..]) {
                    column.qualifiers = vec![alias.alias.clone()];
                }
                made
            }
            Some(RelType::ToDf(to)) => {
                let inner = input(&to.input, "input")?;
                let mut made = Box::pin(self.made_beside(left, inner, outer)).await?;
                let columns = made.iter_mut().flat_map(|frame| &mut frame.columns[before..]);
                columns.zip(&to.column_names).for_each(|(column, name)| column.name.clone_from(name));
                made
            }
            _ => None,
        };
        let plan = right.common.as_ref().and_then(|common| common.plan_id);
        Ok(made.map(|mut frame| {
            frame.columns[before..]
                .iter_mut()
                .for_each(|column| plan.into_iter().for_each(|plan| column.enters(plan)));
            frame
        }))
    }
}

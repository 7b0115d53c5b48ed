//! What a join node of DataFusion says, whichever node it is.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{JoinSide, JoinType, NullEquality, Result};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::utils::{ColumnIndex, JoinFilter};
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec, PartitionMode};

use super::side::OWN;
use crate::plan::incremental::{CutError, unsupported};
use crate::plan::slot::Slot;
use crate::plan::stage::Stage;

pub(super) type Key = Arc<dyn PhysicalExpr>;
pub(super) type On = (Key, Key);

/// A join, whatever the planner has chosen for it.
#[derive(Debug)]
pub(crate) struct Joined<'a> {
    pub(crate) left: &'a Arc<dyn ExecutionPlan>,
    pub(crate) right: &'a Arc<dyn ExecutionPlan>,
    pub(crate) join_type: JoinType,
    pub(super) on: Vec<On>,
    pub(super) filter: Option<JoinFilter>,
    projection: Option<Vec<usize>>,
    null_equality: NullEquality,
    pub(super) output: SchemaRef,
}

/// The join that this node is, if it is one.
pub(crate) fn joined(plan: &Arc<dyn ExecutionPlan>) -> Option<Joined<'_>> {
    let output = plan.schema();
    if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
        return Some(Joined {
            left: join.left(),
            right: join.right(),
            join_type: *join.join_type(),
            on: join.on().to_vec(),
            filter: join.filter().cloned(),
            projection: join.projection.as_ref().map(|projection| projection.to_vec()),
            null_equality: join.null_equality(),
            output,
        });
    }
    if let Some(join) = plan.downcast_ref::<NestedLoopJoinExec>() {
        return Some(Joined {
            left: join.left(),
            right: join.right(),
            join_type: *join.join_type(),
            on: Vec::new(),
            filter: join.filter().cloned(),
            projection: join.projection().as_ref().map(|projection| projection.to_vec()),
            null_equality: NullEquality::NullEqualsNothing,
            output,
        });
    }
    let join = plan.downcast_ref::<CrossJoinExec>()?;
    Some(Joined {
        left: join.left(),
        right: join.right(),
        join_type: JoinType::Inner,
        on: Vec::new(),
        filter: None,
        projection: None,
        null_equality: NullEquality::NullEqualsNothing,
        output,
    })
}

/// The inner join of state rows: own columns and keys lie further behind in them.
pub(super) fn matches(join: &Joined<'_>, left: &SchemaRef, right: &SchemaRef) -> Result<Stage> {
    let slots = [Slot::new(Arc::clone(left)), Slot::new(Arc::clone(right))];
    let leaves = (slots[0].leaf(None)?, slots[1].leaf(None)?);
    let on: Vec<On> = join.on.iter().map(|(a, b)| Ok((moved(a)?, moved(b)?))).collect::<Result<_>>()?;
    let filter = join.filter.as_ref().map(|filter| {
        let places = filter.column_indices().iter();
        let places = places.map(|place| ColumnIndex { index: place.index + OWN, side: place.side });
        JoinFilter::new(Arc::clone(filter.expression()), places.collect(), Arc::clone(filter.schema()))
    });
    let inner = &JoinType::Inner;
    let plan: Arc<dyn ExecutionPlan> = if on.is_empty() {
        Arc::new(NestedLoopJoinExec::try_new(leaves.0, leaves.1, filter, inner, None)?)
    } else {
        let (mode, nulls) = (PartitionMode::CollectLeft, join.null_equality);
        Arc::new(HashJoinExec::try_new(leaves.0, leaves.1, on, filter, inner, None, mode, nulls, false)?)
    };
    Ok(Stage::new(plan, slots.into()))
}

fn moved(key: &Key) -> Result<Key> {
    let moved = Arc::clone(key).transform(|part| {
        Ok(match part.downcast_ref::<Column>() {
            Some(column) => {
                Transformed::yes(Arc::new(Column::new(column.name(), column.index() + OWN)) as Key)
            }
            None => Transformed::no(part),
        })
    })?;
    Ok(moved.data)
}

/// Where each column of a result comes from.
pub(super) fn columns(join: &Joined<'_>) -> Result<Vec<(JoinSide, usize)>, CutError> {
    let of = |side, plan: &Arc<dyn ExecutionPlan>| -> Vec<(JoinSide, usize)> {
        (0..plan.schema().fields().len()).map(|index| (side, index)).collect()
    };
    let (left, right) = (of(JoinSide::Left, join.left), of(JoinSide::Right, join.right));
    let all = match join.join_type {
        JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => [left, right].concat(),
        JoinType::LeftSemi | JoinType::LeftAnti => left,
        JoinType::RightSemi | JoinType::RightAnti => right,
        JoinType::LeftMark | JoinType::RightMark => {
            let reason = "EXISTS or IN among other conditions cannot be answered before the stream's end";
            return Err(unsupported("a subquery over a stream", reason));
        }
    };
    match &join.projection {
        Some(projection) => Ok(projection.iter().map(|index| all[*index]).collect()),
        None => Ok(all),
    }
}

/// As Spark calls it.
pub(super) fn name(join_type: JoinType) -> &'static str {
    match join_type {
        JoinType::Inner => "Inner",
        JoinType::Left => "LeftOuter",
        JoinType::Right => "RightOuter",
        JoinType::Full => "FullOuter",
        JoinType::LeftSemi | JoinType::RightSemi => "LeftSemi",
        JoinType::LeftAnti | JoinType::RightAnti => "LeftAnti",
        JoinType::LeftMark | JoinType::RightMark => "ExistenceJoin",
    }
}

pub(super) fn needs_watermark(side: &str) -> &'static str {
    if side == "left" {
        "a row of the left stream can only be known to have no match with a watermark on the right stream and \
         either that event time as a join key on both sides or a condition that bounds it, such as \
         right.at <= left.at + INTERVAL 1 HOUR"
    } else {
        "a row of the right stream can only be known to have no match with a watermark on the left stream and \
         either that event time as a join key on both sides or a condition that bounds it, such as \
         left.at <= right.at + INTERVAL 1 HOUR"
    }
}

/// Whether a join with a table that is as it is now can be answered batch by batch, given the streaming side.
pub(crate) fn check_static(join: &Joined<'_>, stream: JoinSide) -> Result<(), CutError> {
    let fits = match join.join_type {
        JoinType::Inner => true,
        JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => {
            stream == JoinSide::Left
        }
        JoinType::Right | JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => {
            stream == JoinSide::Right
        }
        JoinType::Full => false,
    };
    if fits {
        return Ok(());
    }
    let reason = "a row of the table can only be known to have no match when the stream has ended; \
                  the stream has to be on the preserved side";
    Err(unsupported(format!("stream-static {} join", name(join.join_type)), reason))
}

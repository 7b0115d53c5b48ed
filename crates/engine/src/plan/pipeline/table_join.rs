//! A join of a stream with a table: the table is hashed once and kept until rows come to it, so that a batch costs what
//! its own rows cost.
//!
//! DataFusion's hash join keeps its build side for as long as nobody resets it. So the table becomes the build side,
//! whichever side the query has it on, and the node runs again without being reset. That is sound where no row of the
//! build side leaves for want of a match, and where nothing of the table's side changes from batch to batch by itself:
//! other joins are hashed with every batch, as any plan.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, JoinSide, JoinType, Result};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::Volatility;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::{ChildrenPropertiesMode, ExecutionPlan, ReplaceChildrenOptions, collect};

use crate::plan::slot::Slot;

/// After so many runs the node begins anew: it counts what it does, and forgets nothing of that.
const RUNS_MAX: u32 = 1_000;

/// The join with its slots.
#[derive(Debug)]
pub(super) struct TableJoin {
    plan: Arc<dyn ExecutionPlan>,
    /// By table that is read: its number, and the slot for its rows.
    tables: Vec<(usize, Arc<Slot>)>,
    stream: Arc<Slot>,
    current: Option<Current>,
}

/// The plan with the tables hashed.
#[derive(Debug)]
struct Current {
    plan: Arc<dyn ExecutionPlan>,
    /// By table, which version.
    versions: Vec<u64>,
    runs: u32,
}

/// The side of the stream, if the join is one whose table can be kept.
pub(super) fn stream_side(
    plan: &Arc<dyn ExecutionPlan>,
    is_stream: impl Fn(&Arc<dyn ExecutionPlan>) -> bool,
) -> Option<JoinSide> {
    let join = plan.downcast_ref::<HashJoinExec>()?;
    let (side, table) = match (is_stream(join.left()), is_stream(join.right())) {
        (true, false) => (JoinSide::Left, join.right()),
        (false, true) => (JoinSide::Right, join.left()),
        _ => return None,
    };
    let preserved = match side {
        JoinSide::Left => join.join_type().swap(),
        _ => *join.join_type(),
    };
    let by_row = matches!(
        preserved,
        JoinType::Inner | JoinType::Right | JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark
    );
    let keys = join.on().iter().map(|(left, right)| if side == JoinSide::Left { right } else { left });
    (by_row && !join.null_aware && is_fixed(table) && keys.into_iter().all(is_fixed_value)).then_some(side)
}

/// Whether nodes give the same each time from the same rows.
fn is_fixed(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let mut fixed = true;
    let seen = plan.apply_expressions(&mut |expression| {
        fixed &= is_fixed_value(expression);
        Ok(TreeNodeRecursion::Continue)
    });
    seen.is_ok() && fixed && plan.children().into_iter().all(is_fixed)
}

fn is_fixed_value(expression: &Arc<dyn PhysicalExpr>) -> bool {
    let call = expression.downcast_ref::<ScalarFunctionExpr>();
    let fixed = call.is_none_or(|call| call.fun().signature().volatility == Volatility::Immutable);
    fixed && expression.children().into_iter().all(is_fixed_value)
}

impl TableJoin {
    /// `plan` is the join over the tables' slots and the stream's, each on the side where the query has it.
    pub(super) fn try_new(
        plan: &Arc<dyn ExecutionPlan>,
        table: Arc<dyn ExecutionPlan>,
        tables: Vec<(usize, Arc<Slot>)>,
        (side, stream): (JoinSide, Arc<Slot>),
    ) -> Result<Self> {
        let leaf = stream.leaf(None)?;
        let children = if side == JoinSide::Left { vec![leaf, table] } else { vec![table, leaf] };
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        let plan = Arc::clone(plan).replace_children(children, options)?;
        let other = || DataFusionError::Internal(format!("{} is no hash join", plan.name()));
        let join = plan.downcast_ref::<HashJoinExec>().ok_or_else(other)?;
        let plan = match side {
            JoinSide::Left => join.swap_inputs(PartitionMode::CollectLeft)?,
            _ => join.builder().with_partition_mode(PartitionMode::CollectLeft).build_exec()?,
        };
        Ok(TableJoin { plan, tables, stream, current: None })
    }

    /// Which tables it reads.
    pub(super) fn tables(&self) -> impl Iterator<Item = usize> {
        self.tables.iter().map(|(table, _)| *table)
    }

    /// Joins the stream's rows with the tables, of which `tables` has the rows and the version, in the same order.
    pub(super) async fn run(
        &mut self,
        rows: Vec<RecordBatch>,
        tables: &[(&[RecordBatch], u64)],
        context: &Arc<TaskContext>,
    ) -> Result<Vec<RecordBatch>> {
        if rows.iter().all(|rows| rows.num_rows() == 0) {
            return Ok(Vec::new());
        }
        let versions = || tables.iter().map(|(_, version)| *version);
        let is_current =
            |current: &Current| current.runs < RUNS_MAX && versions().eq(current.versions.iter().copied());
        // What fails half-way is hashed again.
        let mut current = match self.current.take().filter(is_current) {
            Some(current) => current,
            None => {
                for ((_, slot), (rows, _)) in self.tables.iter().zip(tables) {
                    slot.fill(rows.to_vec());
                }
                let plan = reset_plan_states(Arc::clone(&self.plan))?;
                Current { plan, versions: versions().collect(), runs: 0 }
            }
        };
        self.stream.fill(rows);
        let joined = collect(Arc::clone(&current.plan), Arc::clone(context)).await;
        self.stream.fill(Vec::new());
        self.tables.iter().for_each(|(_, slot)| slot.fill(Vec::new()));
        let joined = joined?;
        current.runs += 1;
        self.current = Some(current);
        Ok(joined)
    }
}

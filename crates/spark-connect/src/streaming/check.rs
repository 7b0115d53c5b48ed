//! What Spark refuses of frames over streams, in its words. What it allows and the engine cannot do, the engine says.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, Result as PlanResult};
use datafusion::logical_expr::{Aggregate, Join, LogicalPlan};
use engine::streaming::keyed::{Due, keyed_of};
use engine::streaming::{OutputMode, carries_time, is_streaming};

use crate::error::{Class, Result, SparkError};

/// The condition of what has no condition of its own in Spark.
const OPERATION: &str = "_LEGACY_ERROR_TEMP_3102";

/// A frame over streams that is asked for its rows.
pub(crate) fn not_streaming(plan: &LogicalPlan) -> Result<()> {
    if is_streaming(plan) {
        return Err(refused("Queries with streaming sources must be executed with writeStream.start();"));
    }
    Ok(())
}

fn refused(text: impl Into<String>) -> SparkError {
    SparkError::new(Class::Analysis, OPERATION, "", text)
}

fn mode_refused(mode: OutputMode, operation: &str) -> SparkError {
    let mode = word(mode).to_lowercase();
    let text = format!(
        "Invalid streaming output mode: {mode}. This output mode is not supported for {operation} on streaming \
         DataFrames/DataSets."
    );
    SparkError::new(Class::Analysis, "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION", "42KDE", text)
        .with("outputMode", mode)
        .with("operation", operation)
}

fn word(mode: OutputMode) -> &'static str {
    match mode {
        OutputMode::Append => "Append",
        OutputMode::Update => "Update",
        OutputMode::Complete => "Complete",
    }
}

/// What of a plan over streams remembers rows.
#[derive(Default)]
struct Found {
    aggregations: usize,
    /// Of them, those that no watermark ends.
    timeless: usize,
}

/// Which rows are to leave: without an aggregation what has changed is what is new.
///
/// # Errors
/// What Spark refuses in this mode.
pub(crate) fn check(plan: &LogicalPlan, mode: OutputMode) -> Result<OutputMode> {
    let mut found = Found::default();
    each(plan, &mut |node| {
        if let LogicalPlan::Aggregate(aggregate) = node {
            found.aggregations += 1;
            found.timeless += usize::from(!has_time(aggregate));
        }
        Ok(())
    })?;
    if mode == OutputMode::Complete && found.aggregations == 0 {
        return Err(mode_refused(mode, "no streaming aggregations"));
    }
    if mode == OutputMode::Append && found.timeless > 0 {
        return Err(mode_refused(mode, "streaming aggregations without watermark"));
    }
    each(plan, &mut |node| match node {
        LogicalPlan::Sort(_) if mode != OutputMode::Complete || !aggregates(node)? => Err(refused(
            "Sorting is not supported on streaming DataFrames/Datasets, unless it is on aggregated DataFrame/Dataset \
             in Complete output mode;",
        )),
        LogicalPlan::Limit(_) if mode == OutputMode::Update => {
            Err(refused("Limits are not supported on streaming DataFrames/Datasets in Update output mode;"))
        }
        LogicalPlan::Join(join) => check_join(join, mode),
        LogicalPlan::Extension(_) => check_keyed(node, mode, found.aggregations),
        // Rows that end would come again with every batch.
        LogicalPlan::Union(union) if !union.inputs.iter().all(|input| is_streaming(input)) => {
            Err(refused("Union between streaming and batch DataFrames/Datasets is not supported;"))
        }
        _ => Ok(()),
    })?;
    Ok(match mode {
        OutputMode::Update if found.aggregations == 0 => OutputMode::Append,
        mode => mode,
    })
}

/// Visits the nodes that stand over streams.
fn each(plan: &LogicalPlan, visit: &mut dyn FnMut(&LogicalPlan) -> Result<()>) -> Result<()> {
    let mut outcome = Ok(());
    let walked: PlanResult<_> = plan.apply(|node| {
        if !is_streaming(node) {
            return Ok(TreeNodeRecursion::Jump);
        }
        outcome = visit(node);
        Ok(if outcome.is_ok() { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    });
    walked?;
    outcome
}

pub(super) fn aggregates(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    each(plan, &mut |node| {
        found |= matches!(node, LogicalPlan::Aggregate(_));
        Ok(())
    })?;
    Ok(found)
}

fn has_time(aggregate: &Aggregate) -> bool {
    let keys = aggregate.group_expr.len();
    aggregate.schema.fields().iter().take(keys).any(|field| carries_time(field))
}

fn marked(plan: &LogicalPlan) -> bool {
    plan.schema().fields().iter().any(|field| carries_time(field))
}

/// A function of keys says itself which rows it gives.
fn check_keyed(node: &LogicalPlan, mode: OutputMode, aggregations: usize) -> Result<()> {
    let Some(keyed) = keyed_of(node) else { return Ok(()) };
    // As in Spark, a processor's mode says nothing about the query's.
    if keyed.state == crate::plan::NOTHING || keyed.due == Due::Reached {
        return Ok(());
    }
    let own = word(keyed.mode).to_lowercase();
    if aggregations > 0 && keyed.mode == OutputMode::Update {
        return Err(refused(format!(
            "applyInPandasWithState in {own} mode is not supported with aggregation on a streaming \
                                    DataFrame/Dataset;"
        )));
    }
    if aggregations == 0 && keyed.mode != mode {
        return Err(refused(format!(
            "applyInPandasWithState in {own} mode is not supported with {} output mode on a streaming DataFrame/Dataset;",
            word(mode)
        )));
    }
    Ok(())
}

fn check_join(join: &Join, mode: OutputMode) -> Result<()> {
    let name = match join.join_type {
        JoinType::Left => "LeftOuter",
        JoinType::Right => "RightOuter",
        JoinType::Full => "FullOuter",
        JoinType::LeftSemi => "LeftSemi",
        JoinType::LeftAnti => "LeftAnti",
        _ => "Inner",
    };
    match (is_streaming(&join.left), is_streaming(&join.right)) {
        (true, true) => {
            if mode != OutputMode::Append {
                return Err(refused(format!(
                    "Join between two streaming DataFrames/Datasets is not supported in {} output mode, only in \
                     Append output mode;",
                    word(mode)
                )));
            }
            if name == "LeftAnti" {
                return Err(refused(
                    "LeftAnti joins with a streaming DataFrame/Dataset on the right are not supported;",
                ));
            }
            if name != "Inner" && !marked(&join.left) && !marked(&join.right) {
                return Err(refused(format!(
                    "Stream-stream {name} join between two streaming DataFrame/Datasets is not supported without a \
                     watermark in the join keys, or a watermark on the nullable side and an appropriate range condition;"
                )));
            }
            Ok(())
        }
        (of_left, _) => {
            let (stream, other) = if of_left { ("left", "right") } else { ("right", "left") };
            match join.join_type {
                JoinType::Full => Err(refused(format!(
                    "FullOuter joins with streaming DataFrames/Datasets on the {stream} and a static \
                     DataFrame/Dataset on the {other} is not supported;"
                ))),
                JoinType::Right if of_left => Err(refused(format!(
                    "{name} join with a streaming DataFrame/Dataset on the left and a static DataFrame/DataSet on the \
                     right not supported;"
                ))),
                JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti if !of_left => {
                    Err(refused(format!(
                        "{name} join with a streaming DataFrame/Dataset on the right and a static DataFrame/DataSet on the \
                     left not supported;"
                    )))
                }
                _ => Ok(()),
            }
        }
    }
}

//! `limit` over a stream: so many rows, of all batches together. How many have passed is remembered in the checkpoint.

use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::DataFusionError;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::{Expr, FetchType, Limit, LogicalPlan, LogicalPlanBuilder, SkipType, lit};
use engine::dataframe::DataFrames;
use engine::streaming::keyed::{Due, KeyState, Keyed, KeyedAnswer, KeyedFunction, KeyedRows, Timeout};
use engine::streaming::{OutputMode, is_streaming};
use futures::future::BoxFuture;

use crate::error::{Result, SparkError};
use crate::streaming::check::aggregates;

/// What the column is called that is the same for all rows.
const KEY: &str = "#limited";

/// The plan with limits that count over all batches where Spark's do: above rows that never change.
///
/// # Errors
/// A limit that is no number.
pub(crate) fn counted(plan: LogicalPlan, mode: OutputMode, frames: &DataFrames) -> Result<LogicalPlan> {
    let counted = plan.transform_up(|node| match &node {
        LogicalPlan::Limit(limit) if is_streaming(&node) => {
            let changes = aggregates(&node).map_err(|error| external(&error))?;
            if mode != OutputMode::Append && changes {
                return Ok(Transformed::no(node));
            }
            remembered(limit, frames).map(Transformed::yes).map_err(|error| external(&error))
        }
        _ => Ok(Transformed::no(node)),
    });
    Ok(counted?.data)
}

fn external(error: &SparkError) -> DataFusionError {
    DataFusionError::External(error.message().into())
}

fn remembered(limit: &Limit, frames: &DataFrames) -> Result<LogicalPlan> {
    let (SkipType::Literal(skip), FetchType::Literal(rows)) =
        (limit.get_skip_type()?, limit.get_fetch_type()?)
    else {
        return Err(SparkError::unsupported("a limit that is no number"));
    };
    let input = LogicalPlan::clone(&limit.input);
    let schema = Arc::clone(input.schema());
    let fields: Vec<_> =
        schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    let key = fields.len();
    let mut exprs: Vec<Expr> =
        schema.iter().map(|(relation, field)| Expr::from((relation, field)).alias(field.name())).collect();
    exprs.push(lit(0_i32).alias(KEY));
    let input = LogicalPlanBuilder::from(input).project(exprs)?.build()?;
    let keyed = Keyed {
        function: Arc::new(First { skip, rows: rows.unwrap_or(usize::MAX) }),
        keys: vec![key],
        output: Arc::new(Schema::new(fields)),
        state: "rows that have passed".to_owned(),
        mode: OutputMode::Append,
        timeout: Timeout::None,
        due: Due::Passed,
    };
    Ok(frames.keyed(input, keyed)?)
}

/// The rows behind the first ones, up to a number.
#[derive(Debug)]
struct First {
    skip: usize,
    rows: usize,
}

impl First {
    /// Which of so many rows leave, when so many have come before them.
    fn leave(&self, before: usize, rows: usize) -> std::ops::Range<usize> {
        let start = self.skip.saturating_sub(before).min(rows);
        let end = self.skip.saturating_add(self.rows).saturating_sub(before).min(rows);
        start..end.max(start)
    }
}

impl KeyedFunction for First {
    fn name(&self) -> &'static str {
        "limit"
    }

    fn call(
        &self,
        rows: KeyedRows,
    ) -> BoxFuture<'_, std::result::Result<KeyedAnswer, Box<dyn std::error::Error + Send + Sync>>> {
        Box::pin(async move {
            let before = match rows.states.first() {
                Some(Some(state)) => u64::from_be_bytes(state.as_slice().try_into()?),
                _ => 0,
            };
            let before = usize::try_from(before)?;
            let count = rows.rows.num_rows();
            let leave = self.leave(before, count);
            let columns: Vec<usize> = (0..rows.rows.num_columns() - 1).collect();
            let left = rows.rows.slice(leave.start, leave.len()).project(&columns)?;
            let seen = before.saturating_add(count).min(self.skip.saturating_add(self.rows));
            let value = Some(u64::try_from(seen)?.to_be_bytes().to_vec());
            let states = vec![KeyState { value, timeout_ms: None }];
            Ok(KeyedAnswer { rows: if leave.is_empty() { Vec::new() } else { vec![left] }, states })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_leave_until_so_many_have() {
        let first = First { skip: 0, rows: 5 };
        assert_eq!(first.leave(0, 3), 0..3);
        assert_eq!(first.leave(3, 3), 0..2);
        assert!(first.leave(5, 3).is_empty());
        let later = First { skip: 4, rows: 2 };
        assert!(later.leave(0, 3).is_empty());
        assert_eq!(later.leave(3, 3), 1..3);
        assert_eq!(First { skip: 1, rows: usize::MAX }.leave(0, 3), 1..3);
    }
}

//! Some of the rows: by chance, or the last ones.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, lit};

use crate::error::{Result, SparkError};
use crate::plan::frame::Frame;
use crate::plan::{Planner, filtered, input, limited};
use crate::streaming::not_streaming;
use crate::wire::relation::Tail;
use crate::wire::statistics::Sample;

impl Planner<'_> {
    pub(crate) fn sample(&mut self, frame: Frame, sample: &Sample) -> Result<Frame> {
        if sample.with_replacement == Some(true) {
            return Err(SparkError::unsupported("samples with replacement"));
        }
        let chance = datafusion::functions::math::expr_fn::random();
        let wanted = lit(sample.upper_bound - sample.lower_bound);
        filtered(frame, chance.lt(wanted))
    }

    pub(crate) async fn tail(&mut self, tail: &Tail) -> Result<Frame> {
        let relation = input(&tail.input, "input")?;
        let frame = self.relation(relation).await?;
        let all = self.count(&frame).await?;
        let wanted = usize::try_from(tail.limit).unwrap_or(0);
        limited(frame, all.saturating_sub(wanted), Some(wanted))
    }

    /// How many rows there are.
    async fn count(&mut self, frame: &Frame) -> Result<usize> {
        let call = crate::expression::build::function("count", vec![]);
        let counted = self.select(frame.clone(), &[call])?;
        let values = self.collect_column(counted).await?;
        match values.first() {
            Some(ScalarValue::Int64(Some(rows))) => Ok(usize::try_from(*rows).unwrap_or(0)),
            _ => Ok(0),
        }
    }

    /// The different values of an expression, in order.
    pub(crate) async fn values_of(&mut self, frame: &Frame, expr: &Expr) -> Result<Vec<ScalarValue>> {
        const VALUES_MAX: usize = 10_000;
        let named = crate::expression::Named::new(expr.clone(), "value");
        let Frame { plan, columns } = self.projected(frame.clone(), vec![named])?;
        let column = columns[0].expr();
        let plan = datafusion::logical_expr::LogicalPlanBuilder::from(plan)
            .distinct()?
            .sort(vec![column.sort(true, true)])?
            .limit(0, Some(VALUES_MAX + 1))?
            .build()?;
        let values = self.collect_column(Frame { plan, columns }).await?;
        if values.len() > VALUES_MAX {
            return Err(SparkError::invalid(format!("A pivot has more than {VALUES_MAX} values.")));
        }
        Ok(values)
    }

    async fn collect_column(&mut self, frame: Frame) -> Result<Vec<ScalarValue>> {
        not_streaming(&frame.plan)?;
        let mut rows = self.session.engine.dataframes().run(frame.plan).await?;
        let mut values = Vec::new();
        while let Some(batch) = rows.next().await {
            let batch = batch?;
            for row in 0..batch.num_rows() {
                values.push(ScalarValue::try_from_array(batch.column(0), row)?);
            }
        }
        Ok(values)
    }
}

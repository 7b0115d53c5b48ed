//! Some of the rows: by chance, or the last ones.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, SortExpr, lit};
use datafusion::prelude::cast;

use crate::error::{Result, SparkError};
use crate::expression::seeded::shares;
use crate::expression::{Generator, Named, build, literal};
use crate::plan::frame::Frame;
use crate::plan::{Planner, filtered, input, limited, whole};
use crate::streaming::not_streaming;
use crate::wire::expression::LiteralType;
use crate::wire::relation::Tail;
use crate::wire::statistics::{Sample, SampleBy, StatApproxQuantile, StatCrosstab};

impl Planner<'_> {
    pub(crate) fn sample(&mut self, frame: Frame, sample: &Sample) -> Result<Frame> {
        let frame = if sample.deterministic_order { in_one_order(frame)? } else { frame };
        let seed = sample.seed.unwrap_or_else(|| self.python.new_seed());
        if sample.with_replacement == Some(true) {
            return self.with_replacement(frame, sample.upper_bound, seed);
        }
        // Each row has one number: of samples with the same seed that lie beside each other, it is in one.
        let visible = frame.columns.len();
        let frame = self.with_chances(frame, seed)?;
        let chance = frame.columns[visible].expr();
        let inside = chance.clone().gt_eq(lit(sample.lower_bound)).and(chance.lt(lit(sample.upper_bound)));
        let sampled = filtered(frame, inside)?;
        let kept = sampled.columns[..visible].iter().map(whole).collect();
        self.projected(sampled, kept)
    }

    /// The frame with a number between 0 and 1 behind the columns of each row.
    fn with_chances(&mut self, frame: Frame, seed: i64) -> Result<Frame> {
        let chance = self.new_id();
        let mut outputs: Vec<Named> = frame.columns.iter().map(whole).collect();
        outputs.push(Named::new(shares(seed), chance));
        self.projected(frame, outputs)
    }

    /// Each row as often as a Poisson distribution with this mean says, as Spark does.
    fn with_replacement(&mut self, frame: Frame, mean: f64, seed: i64) -> Result<Frame> {
        let visible = frame.columns.len();
        let frame = self.with_chances(frame, seed)?;
        let chance = frame.columns[visible].expr();
        let times = cumulative(mean)?
            .into_iter()
            .map(|limit| cast(chance.clone().gt_eq(lit(limit)), DataType::Int64));
        let times = times.reduce(|all, one| all + one).unwrap_or_else(|| lit(0_i64));
        let list = self.resolver(&frame).udf("array_repeat")?.call(vec![lit(1_i32), times]);
        let fields = vec![("again".to_owned(), None)];
        let made = self.each_with(frame, &Generator { list, places: None, outer: false, fields })?;
        let kept = made.columns[..visible].iter().map(whole).collect();
        self.projected(made, kept)
    }

    /// Of each group as many as its fraction says; of groups without one, none.
    pub(crate) fn sample_by(&mut self, frame: Frame, sample: &SampleBy) -> Result<Frame> {
        let column = sample.col.as_ref().ok_or_else(|| SparkError::missing("col"))?;
        let column = self.resolver(&frame).named(column)?.expr;
        let visible = frame.columns.len();
        let seed = sample.seed.unwrap_or_else(|| self.python.new_seed());
        let frame = self.with_chances(frame, seed)?;
        let chance = frame.columns[visible].expr();
        let mut wanted = lit(false);
        for fraction in &sample.fractions {
            let stratum = fraction.stratum.as_ref().ok_or_else(|| SparkError::missing("stratum"))?;
            let stratum = literal::value(stratum)?;
            let is = column.clone().eq(lit(stratum));
            wanted = wanted.or(is.and(chance.clone().lt(lit(fraction.fraction))));
        }
        let sampled = filtered(frame, wanted)?;
        let kept = sampled.columns[..visible].iter().map(whole).collect();
        self.projected(sampled, kept)
    }

    /// A row for each value of one column, a column for each value of another; how often both come together.
    pub(crate) async fn crosstab(&mut self, frame: Frame, table: &StatCrosstab) -> Result<Frame> {
        let text = |name: &str| build::cast(build::attribute(name), "STRING".to_owned(), false);
        let absent = || build::text("null");
        let shown = |name: &str| build::function("coalesce", vec![text(name), absent()]);
        let group = build::alias(shown(&table.col1), vec![format!("{}_{}", table.col1, table.col2)]);
        let across = self.resolver(&frame).named(&shown(&table.col2))?.expr;
        let values = self.values_of(&frame, &across).await?;
        let groups = self.resolver(&frame).list(std::slice::from_ref(&group))?;
        let mut outputs = groups.clone();
        for value in values {
            let name = crate::show::scalar(&value, self.zone())?;
            let is = build::function("=", vec![shown(&table.col2), build::text(&name)]);
            let count = build::function("count_if", vec![is]);
            outputs.push(self.resolver(&frame).named(&build::alias(count, vec![name]))?);
        }
        self.aggregate(frame, &groups, outputs)
    }

    /// For each column an array of the values below which such parts of it lie.
    pub(crate) fn quantiles(&mut self, frame: Frame, wanted: &StatApproxQuantile) -> Result<Frame> {
        let number = |value: f64| build::literal(LiteralType::Double(value));
        let of_column = |name: &String| {
            let values = build::cast(build::attribute(name), "DOUBLE".to_owned(), false);
            let parts = wanted.probabilities.iter();
            let parts =
                parts.map(|part| build::function("percentile_approx", vec![values.clone(), number(*part)]));
            build::function("array", parts.collect())
        };
        let all = build::function("array", wanted.cols.iter().map(of_column).collect());
        self.select(frame, &[build::alias(all, vec!["approx_quantile".to_owned()])])
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
        let mut rows = self.session.engine.dataframes(&self.session.zone()).run(frame.plan).await?;
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

/// The rows in an order that is the same each time, by every column of a plain type.
fn in_one_order(frame: Frame) -> Result<Frame> {
    let plain = frame.columns.iter().filter(|column| !frame.data_type(column).is_nested());
    let keys: Vec<SortExpr> = plain.map(|column| column.expr().sort(true, true)).collect();
    if keys.is_empty() {
        return Ok(frame);
    }
    let plan = LogicalPlanBuilder::from(frame.plan).sort(keys)?.build()?;
    Ok(Frame { plan, columns: frame.columns })
}

/// How likely none, at most one, at most two, ... are, until more are all but impossible.
fn cumulative(mean: f64) -> Result<Vec<f64>> {
    if !(0.0..=100.0).contains(&mean) {
        return Err(SparkError::unsupported("a sample with replacement of more than 100 times the rows"));
    }
    let (mut limits, mut share, mut sum) = (Vec::new(), (-mean).exp(), 0.0);
    for count in 1_i32.. {
        sum += share;
        limits.push(sum);
        share *= mean / f64::from(count);
        if f64::from(count) > mean && share < 1e-15 {
            break;
        }
    }
    Ok(limits)
}

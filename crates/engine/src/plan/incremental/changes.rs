//! An aggregation over results that change: of an aggregation in update or complete mode.
//!
//! What the one below gives for a key takes the place of what it gave before, which is taken back: as a state row whose
//! numbers are negative. So only what adds up can be asked: `count`, `sum`, and `avg` as the two of them. Beside each
//! sum its rows are counted, because the sum of no rows is NULL, and beside all of them the rows of the key, because a
//! key without any has no result.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::compute::kernels::numeric::neg_wrapping;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::{AggregateExprBuilder, AggregateFunctionExpr};
use datafusion::physical_expr::expressions::{BinaryExpr, Column, case, cast, lit};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;

use super::{
    Cut, CutError, check_aggregate, layout, only_child, only_moves_rows, raw_aggregate, unsupported,
};
use crate::plan::slot::Slot;
use crate::plan::stage::Stage;

type Expression = Arc<dyn PhysicalExpr>;
type Filter = Option<Expression>;

/// What is asked in the place of the query's functions.
struct Asked {
    schema: SchemaRef,
    functions: Vec<Arc<AggregateFunctionExpr>>,
    filters: Vec<Filter>,
}

impl Asked {
    fn push(&mut self, function: Arc<AggregateFunctionExpr>, filter: Filter) -> usize {
        self.functions.push(function);
        self.filters.push(filter);
        self.functions.len() - 1
    }

    fn count(&mut self, argument: Expression, filter: Filter) -> Result<usize, CutError> {
        let name = format!("count {}", self.functions.len());
        let count = AggregateExprBuilder::new(count_udaf(), vec![argument])
            .schema(Arc::clone(&self.schema))
            .alias(name)
            .build()?;
        Ok(self.push(Arc::new(count), filter))
    }
}

/// A query's function, by the places of what is asked for it.
enum Answer {
    Count(usize),
    Sum(usize, usize),
    Average(usize, usize),
}

impl Cut {
    /// Cuts an aggregation over results that change; see [`Cut::try_new`].
    pub(crate) fn over_changes(aggregate: &AggregateExec) -> Result<Self, CutError> {
        let source = raw_aggregate(aggregate)?;
        check_aggregate(aggregate)?;
        check_aggregate(source)?;
        let (schema, group) = (source.input().schema(), source.group_expr());
        let mut asked = Asked { schema: Arc::clone(&schema), functions: Vec::new(), filters: Vec::new() };
        let functions = source.aggr_expr().iter().zip(source.filter_expr());
        let answers = functions.map(|(function, filter)| asked.answer(function, filter.clone()));
        let answers = answers.collect::<Result<Vec<_>, _>>()?;
        let rows = asked.count(lit(1_i64), None)?;
        let Asked { functions, filters, .. } = asked;

        let input = Slot::new(Arc::clone(&schema));
        let leaf = input.leaf(None)?;
        let partial = AggregateExec::try_new(
            AggregateMode::Partial,
            group.clone(),
            functions.clone(),
            filters,
            leaf,
            Arc::clone(&schema),
        )?;
        let layout = layout(&partial)?;
        let slot = Slot::new(Arc::clone(&layout.schema));
        let (keys, leaf, unfiltered) = (group.as_final(), slot.leaf(None)?, vec![None; functions.len()]);
        let merged =
            AggregateExec::try_new(AggregateMode::Final, keys, functions.clone(), unfiltered, leaf, schema)?;
        let finish = told(Arc::new(merged), layout.keys, &answers, rows, &aggregate.schema())?;
        Ok(Self {
            partial: Stage::new(Arc::new(partial), vec![input]),
            functions,
            finish: Stage::new(finish, vec![slot]),
            layout,
        })
    }

    /// What takes state rows back: their keys, and the opposite of all else. Only for a cut over changes.
    pub(crate) fn taken_back(&self, rows: &RecordBatch) -> Result<RecordBatch, CutError> {
        let opposite = |(index, column): (usize, &ArrayRef)| match index < self.layout.keys {
            true => Ok(Arc::clone(column)),
            false => neg_wrapping(column.as_ref()),
        };
        let columns = rows.columns().iter().enumerate().map(opposite).collect::<Result<Vec<_>, _>>();
        let wrong =
            |error| CutError::Plan(datafusion::common::DataFusionError::ArrowError(Box::new(error), None));
        RecordBatch::try_new(rows.schema(), columns.map_err(wrong)?).map_err(wrong)
    }
}

impl Asked {
    fn answer(&mut self, function: &Arc<AggregateFunctionExpr>, filter: Filter) -> Result<Answer, CutError> {
        let arguments = function.expressions();
        let refused = |reason| Err(unsupported(function.name(), reason));
        if function.is_distinct() {
            return refused("over results that change, distinct values cannot be taken back");
        }
        match (function.fun().name(), arguments.as_slice()) {
            ("count", _) => Ok(Answer::Count(self.push(Arc::clone(function), filter))),
            ("sum", [argument]) => {
                let sum = self.push(Arc::clone(function), filter.clone());
                Ok(Answer::Sum(sum, self.count(Arc::clone(argument), filter)?))
            }
            ("avg", [argument]) if argument.data_type(&self.schema)? == DataType::Float64 => {
                let sum = AggregateExprBuilder::new(sum_udaf(), vec![Arc::clone(argument)])
                    .schema(Arc::clone(&self.schema))
                    .alias(format!("sum {}", self.functions.len()))
                    .build()?;
                let sum = self.push(Arc::new(sum), filter.clone());
                Ok(Answer::Average(sum, self.count(Arc::clone(argument), filter)?))
            }
            ("avg", _) => refused("over results that change, cast its argument to DOUBLE"),
            _ => refused(
                "over results that change, only count, sum and avg can take back what they were given",
            ),
        }
    }
}

/// The results of the functions that the query asks, for keys that have rows.
fn told(
    merged: Arc<dyn ExecutionPlan>,
    keys: usize,
    answers: &[Answer],
    rows: usize,
    schema: &SchemaRef,
) -> Result<Arc<dyn ExecutionPlan>, CutError> {
    let inner = merged.schema();
    let column = |index: usize| -> Expression { Arc::new(Column::new(inner.field(index).name(), index)) };
    let asked = |place: usize| column(keys + place);
    let any =
        |count: usize| -> Expression { Arc::new(BinaryExpr::new(asked(count), Operator::Gt, lit(0_i64))) };
    let mut results: Vec<Expression> = (0..keys).map(column).collect();
    for (answer, field) in answers.iter().zip(&schema.fields()[keys..]) {
        results.push(match answer {
            Answer::Count(count) => asked(*count),
            Answer::Sum(sum, count) | Answer::Average(sum, count) => {
                let mut value = asked(*sum);
                if matches!(answer, Answer::Average(..)) {
                    let count = cast(asked(*count), &inner, DataType::Float64)?;
                    value = Arc::new(BinaryExpr::new(value, Operator::Divide, count));
                }
                let nothing = lit(ScalarValue::try_from(field.data_type())?);
                case(None, vec![(any(*count), value)], Some(nothing))?
            }
        });
    }
    let names = schema.fields().iter().map(|field| field.name().clone());
    let merged = match keys {
        0 => merged,
        _ => Arc::new(FilterExec::try_new(any(rows), merged)?),
    };
    Ok(Arc::new(ProjectionExec::try_new(results.into_iter().zip(names), merged)?))
}

/// Whether a key of `aggregate` that has a row keeps one: then it needs never be said that it has none any more. So it
/// is if its keys, and whatever leaves rows out on the way to it, only look at keys below, which stay.
pub(crate) fn is_lasting(aggregate: &AggregateExec) -> Result<bool, CutError> {
    let raw = raw_aggregate(aggregate)?;
    let Some(fixed) = fixed_columns(raw.input())? else { return Ok(false) };
    Ok(raw.group_expr().expr().iter().all(|(key, _)| stands_on(key, &fixed)))
}

/// Which columns never change in the rows of a plan; nothing if rows may go.
fn fixed_columns(plan: &Arc<dyn ExecutionPlan>) -> Result<Option<Vec<bool>>, CutError> {
    let columns = plan.schema().fields().len();
    if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
        let keys = raw_aggregate(aggregate)?.group_expr().num_group_exprs();
        return Ok(Some((0..columns).map(|column| column < keys).collect()));
    }
    if plan.children().is_empty() {
        return Ok(Some(vec![true; columns]));
    }
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        let below = fixed_columns(only_child(plan)?)?;
        return Ok(below
            .map(|below| projection.expr().iter().map(|column| stands_on(&column.expr, &below)).collect()));
    }
    if let Some(filter) = plan.downcast_ref::<FilterExec>() {
        let below = fixed_columns(only_child(plan)?)?.filter(|below| stands_on(filter.predicate(), below));
        return Ok(below.map(|below| match filter.projection() {
            Some(kept) => kept.iter().map(|column| below[*column]).collect(),
            None => below,
        }));
    }
    if only_moves_rows(plan.name()) {
        return fixed_columns(only_child(plan)?);
    }
    Ok(None)
}

fn stands_on(expression: &Expression, fixed: &[bool]) -> bool {
    let columns = datafusion::physical_expr::utils::collect_columns(expression);
    columns.iter().all(|column| fixed.get(column.index()).copied().unwrap_or(false))
}

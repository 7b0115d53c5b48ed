//! A query as a tree of steps: bounded plans that run again with every batch, and operators that remember.
//!
//! ```text
//! what the planner made                 what runs with every batch
//!
//! Projection                            Stage: projection over a slot
//!   Aggregate                             Operator: aggregation over its state
//!     Filter                                Stage: filter over a slot
//!       leaf                                  the source's rows
//! ```
//!
//! Steps run from the leaves up, each over whole lists of rows. All operators stage what they learn from a batch;
//! [`Pipeline::commit`] makes it their state together.

use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use futures::future::BoxFuture;

use crate::operator::aggregate::OutputMode;
use crate::operator::stateful::{Merged, Moment, Operator, OperatorError, StateFigures};
use crate::plan::incremental::CutError;
use crate::plan::stage::Stage;
use crate::state::StateError;
use crate::state::record::{MAGIC, framed, unframed};

mod cut;
mod mode;
mod observe;
mod table_join;

pub(crate) use observe::Observed;
use observe::Watch;
use table_join::TableJoin;

/// Whose pipeline it is, which rows leave, and how large each state may grow.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The query's lasting id.
    pub(crate) query: String,
    /// Which rows leave; if the query does not say, what fits it.
    pub(crate) output: Option<OutputMode>,
    /// Bytes that the state of one operator may take in memory.
    pub(crate) state_bytes_max: usize,
}

/// A query's steps.
#[derive(Debug)]
pub(crate) struct Pipeline {
    root: Step,
    context: Arc<TaskContext>,
    operators: usize,
    /// A row that has left stays what it is.
    appends: bool,
    /// The watermarks on computed columns, in the order of their numbers.
    watermarks: Vec<Observed>,
}

#[derive(Debug)]
enum Step {
    /// What the stream of this number brought.
    Source(usize),
    /// The table of this number as it is now.
    Table(usize),
    /// A plan that remembers nothing.
    Plan(Stage, Vec<Step>),
    /// One that does.
    Operator(Box<dyn Operator>, Vec<Step>),
    /// Rows whose times move a watermark.
    Watch(Box<Watch>),
    /// A join of the stream below with tables.
    TableJoin(Box<TableJoin>, Box<Step>),
}

/// What a step gives.
#[derive(Debug, Default)]
struct Flow {
    rows: Vec<RecordBatch>,
    /// Rows that it gave earlier and whose place others take; only below what adds up such changes.
    back: Vec<RecordBatch>,
}

impl From<Vec<RecordBatch>> for Flow {
    fn from(rows: Vec<RecordBatch>) -> Self {
        Flow { rows, back: Vec::new() }
    }
}

/// What a batch runs over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    /// Each stream's new rows.
    pub(crate) streams: &'a [RecordBatch],
    pub(crate) tables: &'a [TableRows],
}

/// All rows of a table as it is now.
#[derive(Debug, Clone, Default)]
pub(crate) struct TableRows {
    pub(crate) rows: Vec<RecordBatch>,
    /// Another number whenever rows have come.
    pub(crate) version: u64,
}

/// The schemas of what a plan reads: the very ones that its leaves hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leaves<'a> {
    pub(crate) streams: &'a [SchemaRef],
    pub(crate) tables: &'a [SchemaRef],
}

impl<'a> From<&'a [RecordBatch]> for Inputs<'a> {
    fn from(streams: &'a [RecordBatch]) -> Self {
        Inputs { streams, tables: &[] }
    }
}

impl<'a> From<&'a [SchemaRef]> for Leaves<'a> {
    fn from(streams: &'a [SchemaRef]) -> Self {
        Leaves { streams, tables: &[] }
    }
}

impl Pipeline {
    /// Takes a plan apart.
    ///
    /// # Errors
    /// The part of the plan that cannot run batch by batch.
    pub(crate) fn try_new(
        plan: &Arc<dyn ExecutionPlan>,
        leaves: Leaves<'_>,
        config: &Config,
        context: Arc<TaskContext>,
    ) -> Result<Self, CutError> {
        let cut::Parts { root, operators, appends, watermarks } = cut::cut(plan, leaves, config, &context)?;
        Ok(Pipeline { root, context, operators, appends, watermarks })
    }

    /// Whether anything is remembered between batches.
    pub(crate) fn is_stateful(&self) -> bool {
        self.operators > 0
    }

    /// Whether a row that has left is never replaced by another.
    pub(crate) fn appends(&self) -> bool {
        self.appends
    }

    /// Runs one batch and stages what is to be remembered.
    ///
    /// # Errors
    /// The state is as it was; [`Pipeline::abort`] the batch before anything else.
    pub(crate) async fn run(&mut self, inputs: Inputs<'_>, moment: &Moment) -> Result<Merged, OperatorError> {
        let mut late = Vec::new();
        let Flow { rows, back } = self.root.run(inputs, moment, &self.context, &mut late).await?;
        Ok(Merged { rows, back, late })
    }

    /// What the batch changes, for the journal: per operator its length and its record. Empty if nothing does.
    pub(crate) fn changelog(&self) -> Result<Bytes, StateError> {
        let mut records = Vec::new();
        self.root.each(&mut |operator| {
            records.push(operator.changelog()?.unwrap_or_default());
            Ok(())
        })?;
        Ok(if records.iter().all(Vec::is_empty) { Bytes::new() } else { framed(&records) })
    }

    /// Makes what was staged the state.
    pub(crate) fn commit(&mut self) {
        self.root.each_mut(&mut |operator| operator.commit());
    }

    /// Forgets what was staged.
    pub(crate) fn abort(&mut self) {
        self.root.forget();
        self.root.each_mut(&mut |operator| operator.abort());
    }

    /// Everything that is remembered. Empty if nothing can be.
    pub(crate) fn snapshot(&self) -> Result<Bytes, StateError> {
        let mut records = Vec::new();
        self.root.each(&mut |operator| {
            records.push(operator.snapshot()?);
            Ok(())
        })?;
        Ok(if records.is_empty() { Bytes::new() } else { framed(&records) })
    }

    /// Brings back a snapshot and what changed since.
    pub(crate) fn restore(
        &mut self,
        snapshot: Option<&Bytes>,
        changelogs: &[Bytes],
    ) -> Result<(), OperatorError> {
        let operators = self.operators;
        let snapshot = snapshot.filter(|bytes| !bytes.is_empty());
        let snapshot = snapshot.map(|bytes| records(bytes, operators)).transpose()?;
        let changelogs = changelogs
            .iter()
            .filter(|bytes| !bytes.is_empty())
            .map(|bytes| records(bytes, operators))
            .collect::<Result<Vec<_>, _>>()?;
        let (mut index, mut result) = (0, Ok(()));
        self.root.each_mut(&mut |operator| {
            let own = snapshot.as_ref().map(|records| records[index]);
            let changes: Vec<&[u8]> =
                changelogs.iter().map(|records| records[index]).filter(|r| !r.is_empty()).collect();
            index += 1;
            if result.is_ok() {
                result = operator.restore(own, &changes).map(drop);
            }
        });
        result
    }

    /// When an operator has something to do although no rows come, in Unix milliseconds.
    pub(crate) fn due_ms(&self) -> Option<i64> {
        let mut due: Option<i64> = None;
        let asked = self.root.each(&mut |operator| {
            due = [due, operator.due_ms()].into_iter().flatten().min();
            Ok(())
        });
        debug_assert!(asked.is_ok(), "asking cannot fail");
        due
    }

    /// Everything that is remembered, added up.
    pub(crate) fn figures(&self) -> StateFigures {
        let mut sum = StateFigures::default();
        let added = self.root.each(&mut |operator| {
            let StateFigures { keys, bytes } = operator.figures();
            sum = StateFigures { keys: sum.keys + keys, bytes: sum.bytes + bytes };
            Ok(())
        });
        debug_assert!(added.is_ok(), "adding up cannot fail");
        sum
    }
}

impl Step {
    fn run<'a>(
        &'a mut self,
        inputs: Inputs<'a>,
        moment: &'a Moment,
        context: &'a Arc<TaskContext>,
        late: &'a mut Vec<RecordBatch>,
    ) -> BoxFuture<'a, Result<Flow, OperatorError>> {
        Box::pin(async move {
            match self {
                Step::Source(index) => {
                    Ok(inputs.streams.get(*index).cloned().into_iter().collect::<Vec<_>>().into())
                }
                Step::Table(index) => {
                    Ok(inputs.tables.get(*index).map(|table| table.rows.clone()).unwrap_or_default().into())
                }
                Step::Watch(watch) => watch.rows(inputs, context).await.map(Flow::from),
                Step::TableJoin(join, below) => {
                    let flow = below.run(inputs, moment, context, late).await?;
                    let of =
                        |table: usize| inputs.tables.get(table).map(|table| (&table.rows[..], table.version));
                    let tables: Vec<_> = join.tables().map(|table| of(table).unwrap_or_default()).collect();
                    let failed = |source| OperatorError::Run { batch: moment.batch, source };
                    let rows = join.run(flow.rows, &tables, context).await.map_err(failed)?;
                    let back = join.run(flow.back, &tables, context).await.map_err(failed)?;
                    Ok(Flow { rows, back })
                }
                Step::Operator(operator, below) => {
                    let (mut rows, back) = run_all(below, inputs, moment, context, late).await?;
                    rows.extend(back.into_iter().flatten());
                    let moment = moment.behind(furthest_back(below));
                    let merged = operator.merge(rows, &moment).await?;
                    late.extend(merged.late);
                    Ok(Flow { rows: merged.rows, back: merged.back })
                }
                Step::Plan(stage, below) => {
                    let (rows, back) = run_all(below, inputs, moment, context, late).await?;
                    let failed = |source| OperatorError::Run { batch: moment.batch, source };
                    let back = match back {
                        Some(back) => stage.run(back, context).await.map_err(failed)?,
                        None => Vec::new(),
                    };
                    Ok(Flow { rows: stage.run(rows, context).await.map_err(failed)?, back })
                }
            }
        })
    }

    /// By how many microseconds event time may lie behind the watermark in what this step gives.
    fn holds_back(&self) -> i64 {
        match self {
            Step::Source(_) | Step::Table(_) | Step::Watch(_) => 0,
            Step::TableJoin(_, below) => below.holds_back(),
            Step::Plan(_, below) => furthest_back(below),
            Step::Operator(operator, below) => furthest_back(below).saturating_add(operator.holds_back()),
        }
    }

    /// Every operator, those below first.
    fn each(&self, visit: &mut dyn FnMut(&dyn Operator) -> Result<(), StateError>) -> Result<(), StateError> {
        if let Step::TableJoin(_, below) = self {
            return below.each(visit);
        }
        let (Step::Plan(_, below) | Step::Operator(_, below)) = self else { return Ok(()) };
        below.iter().try_for_each(|step| step.each(visit))?;
        if let Step::Operator(operator, _) = self { visit(operator.as_ref()) } else { Ok(()) }
    }

    fn each_mut(&mut self, visit: &mut dyn FnMut(&mut dyn Operator)) {
        if let Step::TableJoin(_, below) = self {
            return below.each_mut(visit);
        }
        let (Step::Plan(_, below) | Step::Operator(_, below)) = self else { return };
        below.iter_mut().for_each(|step| step.each_mut(visit));
        if let Step::Operator(operator, _) = self {
            visit(operator.as_mut());
        }
    }
}

/// Rows of several steps.
type Lists = Vec<Vec<RecordBatch>>;

/// The rows of several steps; and if any of them gives rows back, those of each, beside all rows of tables.
async fn run_all<'a>(
    steps: &'a mut [Step],
    inputs: Inputs<'a>,
    moment: &'a Moment,
    context: &'a Arc<TaskContext>,
    late: &mut Vec<RecordBatch>,
) -> Result<(Lists, Option<Lists>), OperatorError> {
    let mut flows = Vec::with_capacity(steps.len());
    for step in &mut *steps {
        flows.push(step.run(inputs, moment, context, &mut *late).await?);
    }
    let back = flows.iter().any(|flow| !flow.back.is_empty()).then(|| {
        let back = |(step, flow): (&Step, &Flow)| match step {
            Step::Table(_) => flow.rows.clone(),
            _ => flow.back.clone(),
        };
        steps.iter().zip(&flows).map(back).collect()
    });
    Ok((flows.into_iter().map(|flow| flow.rows).collect(), back))
}

fn furthest_back(steps: &[Step]) -> i64 {
    steps.iter().map(Step::holds_back).max().unwrap_or(0)
}

/// The records of so many operators.
fn records(bytes: &[u8], operators: usize) -> Result<Vec<&[u8]>, StateError> {
    if operators == 1 && bytes.starts_with(&MAGIC) {
        // As it was written when a query could have but one operator; no record is as long as that would say.
        return Ok(vec![bytes]);
    }
    unframed(bytes, operators)
}

#[cfg(test)]
mod tests;

//! Takes a physical plan apart into steps.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::streaming::StreamingTableExec;
use datafusion::physical_plan::{ChildrenPropertiesMode, ExecutionPlan, ReplaceChildrenOptions};

use super::{Config, Step};
use crate::operator::aggregate::{self, IncrementalAggregate, OutputMode};
use crate::plan::incremental::{CutError, only_child, only_moves_rows, raw_input, unsupported};
use crate::plan::slot::Slot;
use crate::plan::stage::Stage;

type Node = Arc<dyn ExecutionPlan>;

/// A plan taken apart.
pub(super) struct Parts {
    pub(super) root: Step,
    pub(super) operators: usize,
}

pub(super) fn cut(
    plan: &Node,
    sources: &[SchemaRef],
    config: &Config,
    context: &Arc<TaskContext>,
) -> Result<Parts, CutError> {
    let output = output_mode(count(plan, sources), is_distinct(plan), config.output)?;
    let mut cutter = Cutter { sources, config, context, output, operators: 0, timeless: false };
    let root = cutter.step(plan)?;
    let Cutter { operators, timeless, .. } = cutter;
    if output == OutputMode::Append && timeless {
        let reason = "an aggregation is never complete without a watermark on its event time; add \
                      WATERMARK column DELAY OF INTERVAL, or choose outputMode 'update' or 'complete'";
        return Err(unsupported("append mode", reason));
    }
    Ok(Parts { root, operators })
}

/// Spark's rules; who does not choose gets update mode for one aggregation, else append.
fn output_mode(stateful: usize, distinct: bool, wanted: Option<OutputMode>) -> Result<OutputMode, CutError> {
    match wanted {
        None if stateful == 1 && !distinct => Ok(OutputMode::Update),
        None => Ok(OutputMode::Append),
        Some(OutputMode::Complete) if stateful == 0 => Err(unsupported(
            "complete mode",
            "there is no aggregation, whose result would be all there is; choose outputMode 'append'",
        )),
        Some(mode) if mode != OutputMode::Append && stateful > 1 => {
            Err(unsupported("several stateful operators", "they work in append mode only"))
        }
        Some(mode) => Ok(mode),
    }
}

/// How many operators remember. The two halves of a split aggregation are one.
fn count(plan: &Node, sources: &[SchemaRef]) -> usize {
    let children = plan.children();
    let upper_half = plan.downcast_ref::<AggregateExec>().is_some_and(|aggregate| {
        let raw = raw_input(aggregate);
        raw.is_ok_and(|raw| children.first().is_some_and(|child| !Arc::ptr_eq(child, raw)))
    });
    let below = children.into_iter().map(|child| count(child, sources)).sum::<usize>();
    below + usize::from(is_stateful(plan, sources) && !upper_half)
}

/// Whether it groups and aggregates nothing: `SELECT DISTINCT`.
fn is_distinct(plan: &Node) -> bool {
    match plan.downcast_ref::<AggregateExec>() {
        Some(aggregate) => aggregate.aggr_expr().is_empty(),
        None => plan.children().into_iter().any(is_distinct),
    }
}

fn is_stateful(plan: &Node, sources: &[SchemaRef]) -> bool {
    plan.is::<AggregateExec>() && reads_stream(plan, sources)
}

fn reads_stream(plan: &Node, sources: &[SchemaRef]) -> bool {
    source_of(plan, sources).is_some()
        || plan.children().into_iter().any(|child| reads_stream(child, sources))
}

/// Which source the leaf stands for.
fn source_of(plan: &Node, sources: &[SchemaRef]) -> Option<usize> {
    let leaf = plan.downcast_ref::<StreamingTableExec>()?;
    sources.iter().position(|schema| Arc::ptr_eq(schema, leaf.partition_schema()))
}

struct Cutter<'a> {
    sources: &'a [SchemaRef],
    config: &'a Config,
    context: &'a Arc<TaskContext>,
    output: OutputMode,
    operators: usize,
    /// There is an aggregation whose keys no watermark ends.
    timeless: bool,
}

/// What a plan without memory stands on: its slots, and the steps that fill them.
#[derive(Default)]
struct Grafts {
    slots: Vec<Arc<Slot>>,
    steps: Vec<Step>,
}

impl Grafts {
    fn plant(&mut self, slot: Arc<Slot>, projection: Option<&[usize]>, step: Step) -> Result<Node, CutError> {
        let leaf = slot.leaf(projection)?;
        self.slots.push(slot);
        self.steps.push(step);
        Ok(leaf)
    }
}

impl Cutter<'_> {
    fn step(&mut self, plan: &Node) -> Result<Step, CutError> {
        if only_moves_rows(plan.name()) {
            return self.step(only_child(plan)?);
        }
        match plan.downcast_ref::<AggregateExec>() {
            Some(aggregate) if is_stateful(plan, self.sources) => self.aggregate(aggregate),
            _ => {
                let mut grafts = Grafts::default();
                let plan = self.graft(plan, &mut grafts)?;
                Ok(Step::Plan(Stage::new(plan, grafts.slots), grafts.steps))
            }
        }
    }

    fn aggregate(&mut self, aggregate: &AggregateExec) -> Result<Step, CutError> {
        let config = aggregate::Config {
            query: self.config.query.clone(),
            operator: u32::try_from(self.operators).unwrap_or(u32::MAX),
            output: self.output,
            state_bytes_max: self.config.state_bytes_max,
        };
        self.operators += 1;
        let operator = IncrementalAggregate::try_new(aggregate, config, Arc::clone(self.context))?;
        self.timeless |= !operator.completes();
        let input = self.step(raw_input(aggregate)?)?;
        Ok(Step::Operator(Box::new(operator), vec![input]))
    }

    /// The part of the plan that remembers nothing, over slots for what is below.
    fn graft(&mut self, plan: &Node, grafts: &mut Grafts) -> Result<Node, CutError> {
        if let Some(source) = source_of(plan, self.sources) {
            let leaf = plan.downcast_ref::<StreamingTableExec>().filter(|leaf| leaf.limit().is_none());
            let leaf = leaf.ok_or_else(|| {
                unsupported("LIMIT", "rows never end; an aggregation can be limited in complete mode")
            })?;
            let slot = Slot::new(Arc::clone(&self.sources[source]));
            return grafts.plant(slot, leaf.projection().as_deref(), Step::Source(source));
        }
        if only_moves_rows(plan.name()) {
            return self.graft(only_child(plan)?, grafts);
        }
        if is_stateful(plan, self.sources) {
            let slot = Slot::new(plan.schema());
            let step = self.step(plan)?;
            return grafts.plant(slot, None, step);
        }
        self.check(plan)?;
        let children = plan.children().into_iter().map(|child| self.graft(child, grafts));
        let children = children.collect::<Result<Vec<_>, _>>()?;
        if children.is_empty() {
            return Ok(Arc::clone(plan));
        }
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        Ok(Arc::clone(plan).replace_children(children, options)?)
    }

    fn check(&self, plan: &Node) -> Result<(), CutError> {
        if !reads_stream(plan, self.sources) {
            return Ok(());
        }
        let complete = self.output == OutputMode::Complete && above_aggregation(plan);
        let reason = match plan.name() {
            "ProjectionExec" | "FilterExec" | "UnnestExec" | "UnionExec" => return Ok(()),
            "SortExec" | "SortExec(TopK)" | "GlobalLimitExec" | "LocalLimitExec" if complete => return Ok(()),
            "SortExec" | "SortExec(TopK)" | "SortPreservingMergeExec" => {
                return Err(unsupported(
                    "ORDER BY",
                    "rows never end; an aggregation can be ordered in complete mode",
                ));
            }
            "GlobalLimitExec" | "LocalLimitExec" => {
                return Err(unsupported(
                    "LIMIT",
                    "rows never end; an aggregation can be limited in complete mode",
                ));
            }
            _ => "it needs more than one batch at a time",
        };
        Err(unsupported(plan.name(), reason))
    }
}

fn above_aggregation(plan: &Node) -> bool {
    plan.is::<AggregateExec>() || plan.children().into_iter().any(above_aggregation)
}

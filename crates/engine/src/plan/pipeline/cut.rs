//! Takes a physical plan apart into steps.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::JoinSide;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::limit::GlobalLimitExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::streaming::StreamingTableExec;
use datafusion::physical_plan::{ChildrenPropertiesMode, ExecutionPlan, ReplaceChildrenOptions};

use super::mode::Stateful;
use super::observe::{Observed, Watch};
use super::table_join::{self, TableJoin};
use super::{Config, Leaves, Step};
use crate::operator::aggregate::{self, IncrementalAggregate, OutputMode, Told};
use crate::operator::join::{Joined, StreamJoin, check_static, joined};
use crate::operator::keyed::KeyedState;
use crate::operator::over::top::{Limit, TopRows};
use crate::operator::over::{Over, Windows, windows};
use crate::operator::stateful::{self, Operator};
use crate::plan::incremental::{
    CutError, is_lasting, only_child, only_moves_rows, raw_aggregate, raw_input, unsupported,
};
use crate::plan::keyed::KeyedExec;
use crate::plan::slot::Slot;
use crate::plan::stage::Stage;
use crate::plan::watermark::WatermarkExec;

type Node = Arc<dyn ExecutionPlan>;

/// A plan taken apart.
pub(super) struct Parts {
    pub(super) root: Step,
    pub(super) operators: usize,
    pub(super) appends: bool,
    pub(super) watermarks: Vec<Observed>,
}

pub(super) fn cut(
    plan: &Node,
    leaves: Leaves<'_>,
    config: &Config,
    context: &Arc<TaskContext>,
) -> Result<Parts, CutError> {
    let stateful = Stateful::of(plan, leaves.streams);
    let output = stateful.output_mode(config.output)?;
    let mut cutter = Cutter {
        leaves,
        config,
        context,
        output,
        operators: 0,
        states: 0,
        watermarks: Vec::new(),
        timeless: false,
        corrected: false,
        added_up: false,
        unsorted: false,
        asked: None,
        limit: None,
    };
    let root = cutter.step(plan)?;
    let Cutter { operators, timeless, watermarks, .. } = cutter;
    if output == OutputMode::Append && timeless {
        let reason = "an aggregation is never complete without a watermark on its event time; add \
                      WATERMARK column DELAY OF INTERVAL, or choose outputMode 'update' or 'complete'";
        return Err(unsupported("append mode", reason));
    }
    let appends = stateful.tops == 0 && (operators == 0 || output == OutputMode::Append);
    Ok(Parts { root, operators, appends, watermarks })
}

/// The aggregation over a stream that this node is, if it is one.
pub(super) fn aggregation<'a>(plan: &'a Node, streams: &[SchemaRef]) -> Option<&'a AggregateExec> {
    plan.downcast_ref::<AggregateExec>().filter(|_| reads_stream(plan, streams))
}

/// Whether what this plan gives changes, where it is not asked for in append mode: results of an aggregation do, but not
/// the first row of each key.
pub(super) fn changes(plan: &Node, streams: &[SchemaRef]) -> bool {
    let first_only = |raw: &AggregateExec| aggregate::asks_only_first(raw);
    match aggregation(plan, streams) {
        Some(found) if !raw_aggregate(found).is_ok_and(first_only) => true,
        _ => plan.children().into_iter().any(|child| changes(child, streams)),
    }
}

/// The join of two streams that this node is, if it is one.
pub(super) fn stream_join<'a>(plan: &'a Node, streams: &[SchemaRef]) -> Option<Joined<'a>> {
    joined(plan).filter(|join| reads_stream(join.left, streams) && reads_stream(join.right, streams))
}

/// The window functions over a stream that this node is, if it is one.
pub(super) fn stream_windows<'a>(plan: &'a Node, streams: &[SchemaRef]) -> Option<Windows<'a>> {
    windows(plan).filter(|windows| reads_stream(windows.input, streams))
}

/// The limit that this node sets to the numbers of rows over a stream, if it does.
pub(super) fn stream_top(plan: &Node, streams: &[SchemaRef]) -> Option<Limit> {
    let filter = plan.downcast_ref::<FilterExec>()?;
    Limit::of(filter.predicate()).into_iter().find_map(|(column, rows)| {
        let (mut node, mut below) = (only_child(plan).ok()?, column);
        loop {
            if let Some(projection) = node.downcast_ref::<ProjectionExec>() {
                below = projection.expr()[below].expr.downcast_ref::<Column>()?.index();
            } else if !only_moves_rows(node.name()) {
                break;
            }
            node = only_child(node).ok()?;
        }
        let numbers = stream_windows(node, streams)?.numbers_rows_forever()?;
        (numbers == below).then_some(Limit { column, rows, told: true })
    })
}

pub(super) fn contains_top(plan: &Node, streams: &[SchemaRef]) -> bool {
    stream_top(plan, streams).is_some()
        || plan.children().into_iter().any(|child| contains_top(child, streams))
}

pub(super) fn is_stateful(plan: &Node, streams: &[SchemaRef]) -> bool {
    aggregation(plan, streams).is_some()
        || stream_join(plan, streams).is_some()
        || stream_windows(plan, streams).is_some()
        || plan.is::<KeyedExec>()
}

fn is_stateful_below(plan: &Node, streams: &[SchemaRef]) -> bool {
    is_stateful(plan, streams) || plan.children().into_iter().any(|child| is_stateful_below(child, streams))
}

fn reads_stream(plan: &Node, streams: &[SchemaRef]) -> bool {
    leaf_of(plan, streams).is_some() || plan.children().into_iter().any(|child| reads_stream(child, streams))
}

/// Which of the schemas the leaf stands for.
fn leaf_of(plan: &Node, schemas: &[SchemaRef]) -> Option<usize> {
    let leaf = plan.downcast_ref::<StreamingTableExec>()?;
    schemas.iter().position(|schema| Arc::ptr_eq(schema, leaf.partition_schema()))
}

struct Cutter<'a> {
    leaves: Leaves<'a>,
    config: &'a Config,
    context: &'a Arc<TaskContext>,
    output: OutputMode,
    operators: usize,
    states: u32,
    watermarks: Vec<Observed>,
    /// There is an aggregation whose keys no watermark ends.
    timeless: bool,
    /// What is above adds up results that change.
    corrected: bool,
    /// What is above is an aggregation.
    added_up: bool,
    /// What is below sorts for the operator above alone, which does so itself.
    unsorted: bool,
    /// Which columns of what is below the node above looks at; without one, all.
    asked: Option<Vec<usize>>,
    /// What the filter above sets to the numbers of rows below.
    limit: Option<Limit>,
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
        if self.skips(plan) {
            return self.step(only_child(plan)?);
        }
        if let Some(aggregate) = aggregation(plan, self.leaves.streams) {
            return self.aggregate(aggregate);
        }
        if let Some(join) = stream_join(plan, self.leaves.streams) {
            return self.join(&join);
        }
        if let Some(windows) = stream_windows(plan, self.leaves.streams) {
            return self.over(&windows);
        }
        if let Some(keyed) = plan.downcast_ref::<KeyedExec>() {
            let operator = KeyedState::try_new(keyed, self.state(1))?;
            let input = self.step(keyed.input())?;
            return Ok(Step::Operator(Box::new(operator), vec![input]));
        }
        if let Some(watermark) = plan.downcast_ref::<WatermarkExec>() {
            return self.watermark(watermark);
        }
        if let Some(stream) = self.table_join(plan) {
            return self.join_table(plan, stream);
        }
        let mut grafts = Grafts::default();
        let plan = self.graft(plan, &mut grafts)?;
        Ok(Step::Plan(Stage::new(plan, grafts.slots), grafts.steps))
    }

    fn aggregate(&mut self, aggregate: &AggregateExec) -> Result<Step, CutError> {
        let below = raw_input(aggregate)?;
        let reads_changes = self.output != OutputMode::Append && changes(below, self.leaves.streams);
        // The first row of a key is added up once, whatever becomes of the sum.
        let first_only =
            self.added_up && !reads_changes && aggregate::asks_only_first(raw_aggregate(aggregate)?);
        let takes_back = self.corrected && !first_only;
        let output = match (first_only, takes_back) {
            (true, _) => OutputMode::Append,
            (false, true) => OutputMode::Update,
            (false, false) => self.output,
        };
        if reads_changes && !takes_back && output == OutputMode::Update && !is_lasting(aggregate)? {
            let reason = "in update mode nobody would hear that a key has no rows any more, because its key or a \
                          condition stands on results that change; choose outputMode 'complete'";
            return Err(unsupported("an aggregation of an aggregation", reason));
        }
        let (config, told) = (self.state(1), Told { output, takes_back, reads_changes });
        let operator = IncrementalAggregate::try_new(aggregate, told, config, Arc::clone(self.context))?;
        self.timeless |= !operator.completes();
        let above = (self.corrected, self.added_up);
        (self.corrected, self.added_up) = (reads_changes, true);
        let input = self.step(below);
        (self.corrected, self.added_up) = above;
        let input = input?;
        Ok(Step::Operator(Box::new(operator), vec![input]))
    }

    fn join(&mut self, join: &Joined<'_>) -> Result<Step, CutError> {
        let config = self.state(2);
        let operator = StreamJoin::try_new(join, config, Arc::clone(self.context))?;
        let inputs = vec![self.step(join.left)?, self.step(join.right)?];
        Ok(Step::Operator(Box::new(operator), inputs))
    }

    /// On which side the stream is, if the node joins it with a table that can be kept.
    fn table_join(&self, plan: &Node) -> Option<JoinSide> {
        table_join::stream_side(plan, |side| reads_stream(side, self.leaves.streams))
    }

    fn join_table(&mut self, plan: &Node, stream: JoinSide) -> Result<Step, CutError> {
        self.check(plan)?;
        self.descend(plan);
        let [left, right] = plan.children()[..] else {
            return Err(unsupported(plan.name(), "it joins no two"));
        };
        let (moving, still) = if stream == JoinSide::Left { (left, right) } else { (right, left) };
        let mut grafts = Grafts::default();
        let table = self.graft(still, &mut grafts)?;
        let numbers = grafts.steps.iter().filter_map(|step| match step {
            Step::Table(number) => Some(*number),
            _ => None,
        });
        let tables = numbers.zip(grafts.slots).collect();
        let slot = Slot::new(moving.schema());
        let below = self.step(moving)?;
        let join = TableJoin::try_new(plan, table, tables, (stream, slot))?;
        Ok(Step::TableJoin(Box::new(join), Box::new(below)))
    }

    fn over(&mut self, windows: &Windows<'_>) -> Result<Step, CutError> {
        let operator: Box<dyn Operator> = match self.limit.take() {
            Some(limit) => Box::new(TopRows::try_new(windows, limit, &self.state(1))?),
            None => Box::new(Over::try_new(windows, &self.state(2), Arc::clone(self.context))?),
        };
        let outer = std::mem::replace(&mut self.unsorted, true);
        let input = self.step(windows.input);
        self.unsorted = outer;
        Ok(Step::Operator(operator, vec![input?]))
    }

    /// Remembers what the nodes below want to know of this one.
    fn descend(&mut self, plan: &Node) {
        let asked = self.asked.take();
        if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
            let columns = projection.expr().iter().flat_map(|column| collect_columns(&column.expr));
            self.asked = Some(columns.map(|column| column.index()).collect());
        }
        if let Some(mut limit) = stream_top(plan, self.leaves.streams) {
            let filter = plan.downcast_ref::<FilterExec>();
            let kept = filter.and_then(|filter| filter.projection().clone());
            let seen = |column: usize| kept.as_ref().map_or(column, |kept| kept[column]);
            limit.told = match (asked, &kept) {
                (Some(asked), _) => asked.into_iter().any(|column| seen(column) == limit.column),
                (None, Some(kept)) => kept.contains(&limit.column),
                (None, None) => true,
            };
            self.limit = Some(limit);
        }
    }

    fn watermark(&mut self, watermark: &WatermarkExec) -> Result<Step, CutError> {
        if is_stateful_below(watermark.input(), self.leaves.streams) {
            let reason = "it has to stand below what groups, joins or remembers rows";
            return Err(unsupported("a watermark", reason));
        }
        let below = self.step(watermark.input())?;
        let number = self.watermarks.len();
        self.watermarks.push(Observed::new(number, watermark.delay_us));
        Ok(Step::Watch(Box::new(Watch::new(number, watermark, below))))
    }

    /// Whether the node changes nothing that anybody sees.
    fn skips(&self, plan: &Node) -> bool {
        let sorts = plan.downcast_ref::<SortExec>().is_some_and(|sort| sort.fetch().is_none());
        only_moves_rows(plan.name()) || (self.unsorted && sorts)
    }

    /// What an operator with so many states is told.
    fn state(&mut self, states: u32) -> stateful::Config {
        self.operators += 1;
        self.states += states;
        stateful::Config {
            query: self.config.query.clone(),
            operator: self.states - states,
            state_bytes_max: self.config.state_bytes_max,
        }
    }

    /// The part of the plan that remembers nothing, over slots for what is below.
    fn graft(&mut self, plan: &Node, grafts: &mut Grafts) -> Result<Node, CutError> {
        if let Some(leaf) = plan.downcast_ref::<StreamingTableExec>() {
            return self.leaf(plan, leaf, grafts);
        }
        if self.skips(plan) {
            return self.graft(only_child(plan)?, grafts);
        }
        let own_step = plan.is::<WatermarkExec>() || self.table_join(plan).is_some();
        if own_step || is_stateful(plan, self.leaves.streams) {
            let slot = Slot::new(plan.schema());
            let step = self.step(plan)?;
            return grafts.plant(slot, None, step);
        }
        self.check(plan)?;
        self.descend(plan);
        let children = plan.children().into_iter().map(|child| self.graft(child, grafts));
        let children = children.collect::<Result<Vec<_>, _>>()?;
        if children.is_empty() {
            return Ok(Arc::clone(plan));
        }
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        Ok(Arc::clone(plan).replace_children(children, options)?)
    }

    fn leaf(&self, plan: &Node, leaf: &StreamingTableExec, grafts: &mut Grafts) -> Result<Node, CutError> {
        let projection = leaf.projection().as_deref();
        if let Some(source) = leaf_of(plan, self.leaves.streams) {
            if leaf.limit().is_some() {
                let reason = "rows never end; an aggregation can be limited in complete mode";
                return Err(unsupported("LIMIT", reason));
            }
            let slot = Slot::new(Arc::clone(&self.leaves.streams[source]));
            return grafts.plant(slot, projection, Step::Source(source));
        }
        let table = leaf_of(plan, self.leaves.tables)
            .ok_or_else(|| unsupported(plan.name(), "it is none of the query's tables"))?;
        let slot = Slot::new(Arc::clone(&self.leaves.tables[table]));
        let planted = grafts.plant(slot, projection, Step::Table(table))?;
        Ok(match leaf.limit() {
            Some(limit) => Arc::new(GlobalLimitExec::new(planted, 0, Some(limit))),
            None => planted,
        })
    }

    fn check(&self, plan: &Node) -> Result<(), CutError> {
        let streams = self.leaves.streams;
        if !reads_stream(plan, streams) {
            return Ok(());
        }
        if let Some(join) = joined(plan) {
            let of_left = reads_stream(join.left, streams);
            return check_static(&join, if of_left { JoinSide::Left } else { JoinSide::Right });
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

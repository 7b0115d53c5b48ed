//! Relations: a client's plan becomes the planner's, once.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use datafusion::arrow::array::RecordBatch;
use datafusion::common::Column as PlanColumn;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::{TableProvider, provider_as_source};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, SortExpr};
use datafusion::prelude::cast;
use engine::dataframe::{DataFrames, Rows};
use engine::show::Zone;
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::error::{Result, SparkError};
use crate::expression::Resolver;
use crate::plan::frame::{Column, Frame, Held, Stored, Views};
use crate::python::{Guard, Run};
use crate::schema::canonical;
use crate::session::Session;
use crate::streaming::not_streaming;
use crate::wire::deep::grown;
use crate::wire::relation::{RelType, Relation, Sort};

mod aggregate;
mod alias;
mod catalog;
pub(crate) mod frame;
mod frequent;
mod join;
mod lateral;
mod local;
mod missing;
mod models;
mod observe;
mod project;
mod python;
mod read;
mod sample;
mod set;
mod source;
mod summary;
mod table_function;
mod to;

pub(crate) use aggregate::{pivot_columns, sets};
pub(crate) use local::relation as local_relation;
pub(crate) use observe::observing;
pub(crate) use observe::stream::{Figures, NOTHING};
pub(crate) use project::{to_df, whole};
pub(crate) use read::{unknown_source, unqualified};
pub(crate) use set::common_type;
pub(crate) use table_function::TABLE_ARG;

/// Operators of a plan, and expressions that stand within each other in them, together.
const LEVELS_MAX: usize = 10_000;

/// Translates one plan.
pub(crate) struct Planner<'a> {
    pub(crate) session: &'a Arc<Session>,
    pub(crate) frames: DataFrames,
    /// The views that names may mean.
    pub(crate) views: Views,
    /// Frames that expressions name by number.
    pub(crate) subqueries: Vec<(i64, Frame)>,
    /// Relations that expressions of the next operator name by number, and that ask its rows.
    pending: Vec<(i64, Relation)>,
    /// The frames around the subquery that is planned, the nearest last.
    pub(crate) outer: Vec<Frame>,
    /// Frames that were held when the view was made that is looked into.
    kept: Held,
    /// Where its Python functions run, as long as it does.
    pub(crate) python: Guard,
    /// What is observed of the batches of a stream.
    pub(crate) figures: Arc<Figures>,
    ids: u64,
}

/// The rows of a plan, as they come. When it goes, so does what the plan runs.
pub(crate) struct Running {
    rows: Rows,
    _python: Guard,
}

impl Running {
    /// The next rows, or `None` after the last ones.
    pub(crate) async fn next(&mut self) -> Option<Result<RecordBatch>> {
        self.rows.next().await.map(|batch| batch.map_err(Into::into))
    }
}

/// The planner makes one expression of those that stand above each other, and walks it by functions that call themselves.
pub(crate) fn not_too_deep(plan: &LogicalPlan) -> Result<()> {
    let mut levels = 0_usize;
    plan.apply_with_subqueries(|node| {
        let deepest = node.expressions().iter().map(depth).max().unwrap_or(0);
        levels += 1 + deepest;
        Ok(TreeNodeRecursion::Continue)
    })?;
    if levels > LEVELS_MAX {
        let text = format!("The plan is {levels} operators and expressions deep; {LEVELS_MAX} are taken.");
        return Err(SparkError::invalid(text));
    }
    Ok(())
}

/// How many expressions stand within each other.
fn depth(expr: &Expr) -> usize {
    grown(|| {
        let mut deepest = 0;
        // Walking cannot fail.
        let _ = expr.apply_children(|inner| {
            deepest = deepest.max(depth(inner));
            Ok(TreeNodeRecursion::Continue)
        });
        deepest + 1
    })
}

/// A frame in the making, which waits for the one below it: each on a stack that has room for it.
struct Grown<'r>(BoxFuture<'r, Result<Frame>>);

impl Future for Grown<'_> {
    type Output = Result<Frame>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        grown(|| self.0.as_mut().poll(context))
    }
}

/// A part of a message that must be there.
pub(crate) fn input<'m, T>(part: &'m Option<Box<T>>, name: &str) -> Result<&'m T> {
    part.as_deref().ok_or_else(|| SparkError::missing(name))
}

impl<'a> Planner<'a> {
    pub(crate) fn new(session: &'a Arc<Session>) -> Self {
        let frames = session.engine.dataframes(&session.zone());
        Planner {
            session,
            frames,
            views: session.views(),
            subqueries: Vec::new(),
            pending: Vec::new(),
            outer: Vec::new(),
            kept: Held::default(),
            python: Run::of(session),
            figures: Arc::default(),
            ids: 0,
        }
    }

    /// The zone that the plan counts in.
    pub(crate) fn zone(&self) -> Zone {
        engine::dataframe::zone_of(self.frames.context())
    }

    /// A name that no other column of the plan has.
    pub(crate) fn new_id(&mut self) -> String {
        self.ids += 1;
        format!("#{}", self.ids)
    }

    /// A number that nothing else of the plan has.
    pub(crate) fn new_number(&mut self) -> i64 {
        self.ids += 1;
        i64::try_from(self.ids).unwrap_or(i64::MAX)
    }

    pub(crate) fn resolver<'r>(&'r self, frame: &'r Frame) -> Resolver<'r> {
        let around = Resolver::new(self.frames.context(), frame, &self.subqueries, &self.python);
        Resolver { outer: &self.outer, ..around }
    }

    /// The frame of a relation.
    pub(crate) fn relation<'r>(&'r mut self, relation: &'r Relation) -> BoxFuture<'r, Result<Frame>> {
        let work = async move {
            let kind = relation.rel_type.as_ref().ok_or_else(|| SparkError::missing("relation"))?;
            let plan_id = relation.common.as_ref().and_then(|common| common.plan_id);
            let around = plan_id.map(|plan| self.python.plans(plan));
            let mut frame = match kind {
                RelType::CollectMetrics(collect) => {
                    let frame = self.relation(input(&collect.input, "input")?).await?;
                    self.observed(frame, collect, plan_id.unwrap_or_default())?
                }
                kind => self.of(kind).await?,
            };
            if let Some(around) = around {
                self.python.plans(around);
            }
            if let Some(plan) = plan_id {
                for column in &mut frame.columns {
                    column.enters(plan);
                }
            }
            Ok(frame)
        };
        Grown(work.boxed()).boxed()
    }

    /// Runs what was planned.
    pub(crate) async fn run(self, frame: Frame) -> Result<Running> {
        let Frame { plan, columns } = frame;
        not_streaming(&plan)?;
        not_too_deep(&plan)?;
        // Hidden columns stay behind.
        let plan = LogicalPlanBuilder::from(plan).project(columns.iter().map(Column::expr))?.build()?;
        Ok(Running { rows: self.frames.run(plan).await?, _python: self.python })
    }

    async fn of(&mut self, kind: &RelType) -> Result<Frame> {
        match kind {
            RelType::Read(read) => self.read(read).await,
            RelType::LocalRelation(local) => self.local(local.data.as_ref(), local.schema.as_deref()),
            RelType::CachedLocalRelation(cached) => self.cached(&cached.hash),
            RelType::ChunkedCachedLocalRelation(cached) => self.chunked(cached),
            RelType::CachedRemoteRelation(held) => self.held(&held.relation_id).await,
            RelType::Range(range) => self.range(range),
            RelType::Sql(sql) => self.sql(sql).await,
            RelType::UnresolvedTableValuedFunction(call) => {
                self.table_function(&call.function_name, &call.arguments)
            }
            RelType::WithRelations(with) => {
                let root = input(&with.root, "root")?;
                let asks = alias::may_be_asked(root.rel_type.as_ref());
                let mut pending = Vec::new();
                for reference in &with.references {
                    let number = reference.common.as_ref().and_then(|common| common.plan_id);
                    match (self.reference(reference).await, number) {
                        (Ok(()), _) => {}
                        (Err(error), Some(number)) if asks && error.is_about_a_column() => {
                            pending.push((number, reference.clone()));
                        }
                        (Err(error), _) => return Err(error),
                    }
                }
                self.pending = pending;
                self.relation(root).await
            }
            RelType::Aggregate(aggregate) => self.aggregate_relation(aggregate).await,
            RelType::MapPartitions(map) => self.map_partitions(map).await,
            RelType::GroupMap(map) => self.group_map(map).await,
            RelType::ApplyInPandasWithState(map) => self.keyed_map(map).await,
            RelType::CoGroupMap(map) => self.co_group_map(map).await,
            RelType::Tail(tail) => self.tail(tail).await,
            RelType::Catalog(catalog) => self.catalog(catalog).await,
            other => self.over_two(other).await,
        }
    }

    /// Relations over two others, and such as make rows beside others.
    async fn over_two(&mut self, kind: &RelType) -> Result<Frame> {
        match kind {
            RelType::SetOp(set) => {
                let left = self.relation(input(&set.left_input, "left_input")?).await?;
                let right = self.relation(input(&set.right_input, "right_input")?).await?;
                self.set_operation(left, right, set)
            }
            RelType::Join(join) => {
                let left = self.relation(input(&join.left, "left")?).await?;
                let right = self.relation(input(&join.right, "right")?).await?;
                self.join(left, right, join)
            }
            RelType::LateralJoin(join) => self.lateral_join(join).await,
            RelType::TableFunction(call) => {
                let nothing = self.nothing()?;
                self.beside_each(nothing, call, false).await
            }
            other => self.over_one(other).await,
        }
    }

    /// Relations over one other that need nothing but its frame.
    async fn over_one(&mut self, kind: &RelType) -> Result<Frame> {
        macro_rules! over {
            ($message:expr) => {
                self.input_frame(input(&$message.input, "input")?).await?
            };
        }
        match kind {
            RelType::Project(project) if project.input.is_none() => {
                let frame = self.nothing()?;
                self.select(frame, &project.expressions)
            }
            RelType::Project(project) => {
                let frame = over!(project);
                self.select(frame, &project.expressions)
            }
            RelType::Filter(filter) => {
                let frame = over!(filter);
                self.filter(frame, input(&filter.condition, "condition")?)
            }
            RelType::Sort(sort) => self.sort_relation(sort).await,
            RelType::Limit(limit) => limited(over!(limit), 0, Some(count(limit.limit))),
            RelType::Offset(offset) => limited(over!(offset), count(offset.offset), None),
            RelType::Deduplicate(deduplicate) => {
                let frame = over!(deduplicate);
                self.deduplicate(frame, deduplicate)
            }
            RelType::SubqueryAlias(alias) => Ok(aliased(over!(alias), &alias.alias)),
            RelType::ToDf(to) => {
                let frame = over!(to);
                project::to_df(frame, &to.column_names)
            }
            RelType::WithColumnsRenamed(with) => Ok(project::renamed(over!(with), &with.renames)),
            RelType::WithColumns(with) => {
                let frame = over!(with);
                self.with_columns(frame, &with.aliases)
            }
            RelType::Drop(drop) => {
                let frame = over!(drop);
                self.drop_columns(frame, drop)
            }
            RelType::ToSchema(to) => {
                let frame = over!(to);
                self.with_schema(frame, input(&to.schema, "schema")?)
            }
            RelType::Repartition(same) => Ok(over!(same)),
            RelType::RepartitionByExpression(same) => Ok(over!(same)),
            RelType::Hint(same) => Ok(over!(same)),
            other => self.figures(other).await,
        }
    }

    /// `df.na`, `df.stat` and their kin; watermarks.
    async fn figures(&mut self, kind: &RelType) -> Result<Frame> {
        macro_rules! over {
            ($message:expr) => {
                self.relation(input(&$message.input, "input")?).await?
            };
        }
        match kind {
            RelType::WithWatermark(with) => {
                let frame = over!(with);
                self.with_watermark(frame, with)
            }
            RelType::Sample(sample) => {
                let frame = over!(sample);
                self.sample(frame, sample)
            }
            RelType::SampleBy(sample) => {
                let frame = over!(sample);
                self.sample_by(frame, sample)
            }
            RelType::ApproxQuantile(wanted) => {
                let frame = over!(wanted);
                self.quantiles(frame, wanted)
            }
            RelType::FreqItems(wanted) => {
                let frame = over!(wanted);
                self.frequent(frame, wanted)
            }
            RelType::Crosstab(table) => {
                let frame = over!(table);
                self.crosstab(frame, table).await
            }
            RelType::FillNa(fill) => {
                let frame = over!(fill);
                self.fill(frame, fill)
            }
            RelType::DropNa(drop) => {
                let frame = over!(drop);
                missing::drop_rows(frame, drop)
            }
            RelType::Replace(replace) => {
                let frame = over!(replace);
                self.replace(frame, replace)
            }
            RelType::Unpivot(unpivot) => {
                let frame = over!(unpivot);
                self.unpivot(&frame, unpivot)
            }
            RelType::Describe(describe) => {
                let frame = over!(describe);
                self.describe(&frame, &describe.cols)
            }
            RelType::Summary(summary) => {
                let frame = over!(summary);
                self.summary(&frame, &summary.statistics, &[])
            }
            RelType::Corr(corr) => {
                let frame = over!(corr);
                self.pair(frame, "corr", &corr.col1, &corr.col2)
            }
            RelType::Cov(cov) => {
                let frame = over!(cov);
                self.pair(frame, "covar_samp", &cov.col1, &cov.col2)
            }
            _ => Err(SparkError::unsupported("this kind of relation")),
        }
    }

    async fn reference(&mut self, reference: &Relation) -> Result<()> {
        if let Some(RelType::SubqueryAlias(alias)) = &reference.rel_type {
            let views = Arc::clone(&self.views);
            let relation = Arc::new(reference.clone());
            let stored = Stored::Relation { relation, views };
            Arc::make_mut(&mut self.views).insert(alias.alias.to_lowercase(), stored);
        }
        let frame = self.relation(reference).await?;
        if let Some(plan) = reference.common.as_ref().and_then(|common| common.plan_id) {
            self.subqueries.push((plan, frame));
        }
        Ok(())
    }

    /// Rows of a table, under names of our own.
    pub(crate) fn scan(&mut self, table: &str, provider: Arc<dyn TableProvider>) -> Result<Frame> {
        let plan = LogicalPlanBuilder::scan(table, provider_as_source(provider), None)?.build()?;
        self.framed(plan, table)
    }

    /// A plan made elsewhere, under names of our own.
    pub(crate) fn framed(&mut self, plan: LogicalPlan, qualifier: &str) -> Result<Frame> {
        let (mut columns, mut exprs) = (Vec::new(), Vec::new());
        for (relation, field) in plan.schema().iter() {
            let id = self.new_id();
            let expr = Expr::Column(PlanColumn::new(relation.cloned(), field.name()));
            let wanted = canonical(field.data_type());
            let expr = if wanted == *field.data_type() { expr } else { cast(expr, wanted) };
            exprs.push(expr.alias(&id));
            let qualifiers = vec![qualifier.rsplit('.').next().unwrap_or(qualifier).to_owned()];
            columns.push(Column { qualifiers, ..Column::new(field.name(), id) });
        }
        let plan = LogicalPlanBuilder::from(plan).project(exprs)?.build()?;
        Ok(Frame { plan, columns })
    }

    /// One row without columns.
    pub(crate) fn nothing(&self) -> Result<Frame> {
        Ok(Frame { plan: LogicalPlanBuilder::empty(true).build()?, columns: Vec::new() })
    }

    async fn sort_relation(&mut self, sort: &Sort) -> Result<Frame> {
        let below = input(&sort.input, "input")?;
        let frame = self.input_frame(below).await?;
        match (self.sort(frame, sort), &below.rel_type) {
            (Err(_), Some(RelType::Aggregate(aggregate))) => self.sort_groups(sort, aggregate).await,
            (sorted, _) => sorted,
        }
    }

    fn sort(&mut self, frame: Frame, sort: &Sort) -> Result<Frame> {
        let resolver = self.resolver(&frame);
        let order = sort.order.iter().map(|order| resolver.order(order)).collect::<Result<Vec<_>>>()?;
        ordered(frame, order)
    }
}

pub(crate) fn ordered(frame: Frame, order: Vec<SortExpr>) -> Result<Frame> {
    let Frame { plan, columns } = frame;
    Ok(Frame { plan: LogicalPlanBuilder::from(plan).sort(order)?.build()?, columns })
}

pub(crate) fn limited(frame: Frame, skip: usize, rows: Option<usize>) -> Result<Frame> {
    let Frame { plan, columns } = frame;
    Ok(Frame { plan: LogicalPlanBuilder::from(plan).limit(skip, rows)?.build()?, columns })
}

pub(crate) fn filtered(frame: Frame, condition: Expr) -> Result<Frame> {
    let Frame { plan, columns } = frame;
    Ok(Frame { plan: LogicalPlanBuilder::from(plan).filter(condition)?.build()?, columns })
}

/// The same columns under one alias.
pub(crate) fn aliased(mut frame: Frame, alias: &str) -> Frame {
    for column in &mut frame.columns {
        column.qualifiers = vec![alias.to_owned()];
        column.sides.clear();
    }
    frame
}

fn count(number: i32) -> usize {
    usize::try_from(number).unwrap_or(0)
}

//! What a batch of an aggregation costs: measured here, printed by the example `aggregate`.

use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::{Float64Array, Int64Array};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::operator::stateful::Moment;
use crate::plan::incremental::session;
use crate::plan::pipeline::{Config, Pipeline};
use crate::plan::slot::Slot;

/// Five functions, seven state columns.
const QUERY: &str = "select k, count(*), sum(v), avg(v), min(v), max(v) from s group by k";
/// Batches that warm up caches before each measurement.
const WARM_UP: usize = 5;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The workload: batches of random keys, all of which already have state.
#[derive(Debug, Clone, Copy)]
pub struct AggregationSetting {
    /// How many keys there are.
    pub keys: u32,
    /// Rows in a batch.
    pub rows: usize,
    /// Batches to measure.
    pub batches: usize,
}

/// Medians per batch, unless said otherwise.
#[derive(Debug, Clone, Copy)]
pub struct AggregationFigures {
    /// Keys that a batch touches.
    pub touched: usize,
    /// Merging rows into the state and computing the touched keys' results.
    pub merge: Duration,
    /// Writing the changelog.
    pub changelog: Duration,
    /// Making the batch the state.
    pub commit: Duration,
    /// The same, once per batch, on average over all batches: copying blocks together comes in jumps.
    pub commit_mean: Duration,
    /// The same query over the batch alone, compiled once and run again: no state.
    pub rerun: Duration,
    /// The same query over the batch alone, planned from SQL each time.
    pub replan: Duration,
    /// Bytes of a changelog.
    pub changelog_bytes: usize,
    /// Bytes that the state takes in memory.
    pub state_bytes: usize,
    /// A snapshot of everything, once.
    pub snapshot: Duration,
    /// Bytes of that snapshot.
    pub snapshot_bytes: usize,
    /// Restoring from that snapshot, once.
    pub restore: Duration,
}

/// Measures an aggregation with `cpu`, a clock of the calling thread's processor time.
///
/// # Errors
/// If a plan cannot be made or run.
pub fn measure_aggregation(
    setting: &AggregationSetting,
    cpu: &dyn Fn() -> Duration,
) -> Result<AggregationFigures, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(Bench::try_new(*setting, cpu)?.run())
}

struct Bench<'a> {
    setting: AggregationSetting,
    cpu: &'a dyn Fn() -> Duration,
    context: SessionContext,
    slot: Arc<Slot>,
    random: u64,
}

impl<'a> Bench<'a> {
    fn try_new(setting: AggregationSetting, cpu: &'a dyn Fn() -> Duration) -> Result<Self, Failure> {
        let context = session(SessionConfig::new());
        let slot = Slot::new(schema());
        let table = StreamingTable::try_new(schema(), vec![Arc::clone(&slot) as _])?;
        context.register_table("s", Arc::new(table))?;
        Ok(Self { setting, cpu, context, slot, random: 42 })
    }

    async fn run(mut self) -> Result<AggregationFigures, Failure> {
        let plan = self.plan().await?;
        let config = Config { query: "measure".to_owned(), output: None, state_bytes_max: usize::MAX };
        let sources = [Arc::clone(self.slot.schema())];
        let pipeline = || Pipeline::try_new(&plan, sources[..].into(), &config, self.context.task_ctx());
        let (mut aggregation, mut again) = (pipeline()?, pipeline()?);
        let every: Vec<i64> = (0..i64::from(self.setting.keys)).collect();
        aggregation.run([batch(every)?][..].into(), &Moment::default()).await?;
        aggregation.commit();

        let mut figures = self.with_state(&mut aggregation).await?;
        self.without_state(&plan, &mut figures).await?;
        let start = (self.cpu)();
        let snapshot = aggregation.snapshot()?;
        figures.snapshot = (self.cpu)() - start;
        figures.snapshot_bytes = snapshot.len();
        let start = (self.cpu)();
        again.restore(Some(&snapshot), &[])?;
        figures.restore = (self.cpu)() - start;
        if again.figures().keys != aggregation.figures().keys {
            return Err("the restored state has other keys".into());
        }
        Ok(figures)
    }

    async fn with_state(&mut self, aggregation: &mut Pipeline) -> Result<AggregationFigures, Failure> {
        let (mut merges, mut changelogs, mut commits) = (Vec::new(), Vec::new(), Vec::new());
        let (mut touched, mut changelog_bytes) = (Vec::new(), 0);
        for number in 0..self.setting.batches + WARM_UP {
            let input = [self.next_batch()?];
            let moment = Moment { batch: number as u64 + 1, ..Moment::default() };
            let start = (self.cpu)();
            let results = aggregation.run(input[..].into(), &moment).await?.rows;
            let merged = (self.cpu)();
            let changelog = aggregation.changelog()?;
            let written = (self.cpu)();
            aggregation.commit();
            let committed = (self.cpu)();
            if number >= WARM_UP {
                merges.push(merged - start);
                changelogs.push(written - merged);
                commits.push(committed - written);
                touched.push(results.iter().map(RecordBatch::num_rows).sum::<usize>());
                changelog_bytes = changelog.len();
            }
        }
        let count = u32::try_from(commits.len().max(1))?;
        Ok(AggregationFigures {
            commit_mean: commits.iter().sum::<Duration>() / count,
            touched: median(touched),
            merge: median(merges),
            changelog: median(changelogs),
            commit: median(commits),
            rerun: Duration::ZERO,
            replan: Duration::ZERO,
            changelog_bytes,
            state_bytes: aggregation.figures().bytes,
            snapshot: Duration::ZERO,
            snapshot_bytes: 0,
            restore: Duration::ZERO,
        })
    }

    async fn without_state(
        &mut self,
        plan: &Arc<dyn ExecutionPlan>,
        figures: &mut AggregationFigures,
    ) -> Result<(), Failure> {
        let (mut reruns, mut replans) = (Vec::new(), Vec::new());
        for number in 0..self.setting.batches + WARM_UP {
            let input = self.next_batch()?;
            self.slot.fill(vec![input.clone()]);
            let start = (self.cpu)();
            collect(reset_plan_states(Arc::clone(plan))?, self.context.task_ctx()).await?;
            let rerun = (self.cpu)() - start;
            self.slot.fill(vec![input]);
            let start = (self.cpu)();
            collect(self.plan().await?, self.context.task_ctx()).await?;
            let replan = (self.cpu)() - start;
            if number >= WARM_UP {
                reruns.push(rerun);
                replans.push(replan);
            }
        }
        figures.rerun = median(reruns);
        figures.replan = median(replans);
        Ok(())
    }

    async fn plan(&self) -> Result<Arc<dyn ExecutionPlan>, Failure> {
        Ok(self.context.sql(QUERY).await?.create_physical_plan().await?)
    }

    fn next_batch(&mut self) -> Result<RecordBatch, Failure> {
        let keys = (0..self.setting.rows)
            .map(|_| {
                self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
                i64::try_from((self.random >> 33) % u64::from(self.setting.keys))
            })
            .collect::<Result<Vec<_>, _>>()?;
        batch(keys)
    }
}

fn schema() -> SchemaRef {
    let fields = vec![Field::new("k", DataType::Int64, true), Field::new("v", DataType::Float64, true)];
    Arc::new(Schema::new(fields))
}

fn batch(keys: Vec<i64>) -> Result<RecordBatch, Failure> {
    let values = Float64Array::from_iter_values((0..keys.len()).map(|n| n as f64 / 7.0));
    Ok(RecordBatch::try_new(schema(), vec![Arc::new(Int64Array::from(keys)), Arc::new(values)])?)
}

fn median<T: Ord + Copy + Default>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

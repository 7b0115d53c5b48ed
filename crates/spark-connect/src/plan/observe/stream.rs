//! `df.observe` over a stream: figures of each batch, told with its progress.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use engine::Engine;
use engine::show::Zone;
use engine::streaming::OutputMode;
use engine::streaming::keyed::{Due, KeyState, Keyed, KeyedAnswer, KeyedFunction, KeyedRows, Timeout};
use futures::future::BoxFuture;
use futures::stream;
use serde_json::{Map, Value};

use crate::error::Result;
use crate::plan::Planner;
use crate::plan::frame::{Column, Frame};
use crate::session::lock;
use crate::wire::statistics::CollectMetrics;

/// What the column is called that is the same for all rows.
const KEY: &str = "#observed";
/// What stands where other functions say what they remember.
pub(crate) const NOTHING: &str = "nothing: the rows are observed";
/// Batches whose figures are kept: more than progresses are.
const BATCHES_MAX: usize = 1000;

/// What was observed of the batches of a query, by their times.
#[derive(Debug, Default)]
pub(crate) struct Figures(Mutex<BTreeMap<String, Map<String, Value>>>);

impl Figures {
    /// Of the batch with this time, in ISO 8601.
    pub(crate) fn of(&self, timestamp: &str) -> Option<Value> {
        lock(&self.0).get(timestamp).cloned().map(Value::Object)
    }

    fn add(&self, time_ms: i64, name: &str, figures: Map<String, Value>) {
        let mut batches = lock(&self.0);
        let batch = batches.entry(engine::streaming::timestamp(time_ms)).or_default();
        batch.insert(name.to_owned(), Value::Object(figures));
        while batches.len() > BATCHES_MAX {
            batches.pop_first();
        }
    }
}

impl Planner<'_> {
    /// The same rows, of which each batch is observed.
    pub(super) fn observed_stream(&mut self, frame: Frame, collect: &CollectMetrics) -> Result<Frame> {
        let columns = frame.columns;
        let mut exprs: Vec<_> = columns.iter().map(Column::expr).collect();
        exprs.push(lit(0_i32).alias(KEY));
        let input = LogicalPlanBuilder::from(frame.plan).project(exprs)?.build()?;
        let fields = input.schema().fields();
        let fields: Vec<_> = fields[..columns.len()].iter().map(|field| field.as_ref().clone()).collect();
        let fields: Vec<_> = fields.into_iter().map(|field| field.with_nullable(true)).collect();
        let schema = Arc::new(Schema::new(fields));
        let rows = Arc::new(Held { schema: Arc::clone(&schema), rows: Mutex::default() });
        let (plan, keys) = self.figures_of(Arc::clone(&rows) as _, &columns, collect)?;
        let observe = Observe {
            name: collect.name.clone(),
            keys,
            plan,
            rows,
            engine: self.session.engine.clone(),
            zone: self.session.zone(),
            figures: Arc::clone(&self.figures),
        };
        let keyed = Keyed {
            function: Arc::new(observe),
            keys: vec![columns.len()],
            output: schema,
            state: NOTHING.to_owned(),
            mode: OutputMode::Append,
            timeout: Timeout::None,
            due: Due::Passed,
        };
        Ok(Frame { plan: self.frames.keyed(input, keyed)?, columns })
    }
}

/// Lets all rows pass.
struct Observe {
    name: String,
    keys: Vec<String>,
    plan: LogicalPlan,
    rows: Arc<Held>,
    engine: Engine,
    zone: String,
    figures: Arc<Figures>,
}

impl std::fmt::Debug for Observe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Observe").field("name", &self.name).finish_non_exhaustive()
    }
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

impl Observe {
    async fn seen(&self, rows: RecordBatch, time_ms: i64) -> std::result::Result<(), Cause> {
        *lock(&self.rows.rows) = Some(rows);
        let zone = Zone::parse(&self.zone).unwrap_or(Zone::UTC);
        let mut made = self.engine.dataframes(&self.zone).run(self.plan.clone()).await?;
        while let Some(batch) = made.next().await {
            let batch = batch?;
            if batch.num_rows() == 0 {
                continue;
            }
            let mut figures = Map::new();
            for (key, column) in self.keys.iter().zip(batch.columns()) {
                figures.insert(key.clone(), json(&ScalarValue::try_from_array(column, 0)?, zone));
            }
            self.figures.add(time_ms, &self.name, figures);
        }
        Ok(())
    }
}

/// A value as Spark's progress has it.
fn json(value: &ScalarValue, zone: Zone) -> Value {
    match value {
        value if value.is_null() => Value::Null,
        ScalarValue::Boolean(Some(value)) => (*value).into(),
        ScalarValue::Float64(Some(value)) => (*value).into(),
        ScalarValue::Float32(Some(value)) => f64::from(*value).into(),
        value => match value.cast_to(&datafusion::arrow::datatypes::DataType::Int64) {
            Ok(ScalarValue::Int64(Some(number))) if value.data_type().is_integer() => number.into(),
            _ => crate::show::scalar(value, zone).map_or(Value::Null, Value::from),
        },
    }
}

impl KeyedFunction for Observe {
    fn name(&self) -> &'static str {
        "observe"
    }

    fn call(&self, rows: KeyedRows) -> BoxFuture<'_, std::result::Result<KeyedAnswer, Cause>> {
        Box::pin(async move {
            let places: Vec<usize> = (0..self.rows.schema.fields().len()).collect();
            let columns = rows.rows.project(&places)?.columns().to_vec();
            let passed = RecordBatch::try_new(Arc::clone(&self.rows.schema), columns)?;
            self.seen(passed.clone(), rows.time_ms).await?;
            let states = vec![KeyState::default(); rows.lengths.len()];
            Ok(KeyedAnswer { rows: vec![passed], states })
        })
    }
}

/// The rows of the batch.
#[derive(Debug)]
struct Held {
    schema: SchemaRef,
    rows: Mutex<Option<RecordBatch>>,
}

impl PartitionStream for Held {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let rows = lock(&self.rows).take().map(Ok);
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), stream::iter(rows)))
    }
}

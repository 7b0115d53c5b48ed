//! Watermarks on computed columns.

use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, col, lit};
use datafusion::physical_plan::displayable;

use super::*;
use crate::plan::watermark::Watermark;

/// The columns of `s` under other names, `t` with a watermark of five seconds.
async fn marked_plan(context: &SessionContext) -> (LogicalPlan, SchemaRef) {
    let slot = Slot::new(schema());
    let source = Arc::clone(slot.schema());
    let stream = StreamingTable::try_new(Arc::clone(&source), vec![slot]).unwrap();
    context.register_table("s", Arc::new(stream)).unwrap();
    window::functions().for_each(|function| context.register_udf(function));
    let times = "select k as key, v, __unmark(at) + interval '1 minute' as t from s";
    let plan = context.sql(times).await.unwrap().into_unoptimized_plan();
    (Watermark::plan(plan, Column::new_unqualified("t"), 5 * SECOND).unwrap(), source)
}

async fn compiled(
    context: &SessionContext,
    plan: &LogicalPlan,
    source: SchemaRef,
) -> Result<Pipeline, CutError> {
    let plan = context.state().create_physical_plan(plan).await.unwrap();
    let config = Config { query: "q".into(), output: Some(OutputMode::Append), state_bytes_max: 64 << 20 };
    Pipeline::try_new(&plan, [source][..].into(), &config, context.task_ctx())
}

#[tokio::test]
async fn the_times_of_a_batch_are_known_before_it_runs() {
    let context = session(SessionConfig::new());
    let (plan, source) = marked_plan(&context).await;
    let window = window::TimeFunction::Window.udf().call(vec![col("t"), lit("10 seconds")]).alias("w");
    let count = datafusion::functions_aggregate::expr_fn::count(lit(1_i64)).alias("c");
    let plan = LogicalPlanBuilder::from(plan).aggregate(vec![window], vec![count]).unwrap();
    let plan = plan.project(vec![col("c")]).unwrap().build().unwrap();
    let mut pipeline = compiled(&context, &plan, source).await.unwrap();
    assert_eq!(pipeline.watermarks().len(), 1);
    let rows = [batch(&[("a", 1, 1), ("b", 2, 5), ("a", 3, 15)])];
    let observed = pipeline.observe(rows[..].into()).await.unwrap();
    assert_eq!((observed[0].newest, observed[0].delay_us), (Some(75 * SECOND), 5 * SECOND));
    let moment = Moment { batch: 1, late: None, watermark: Some(70 * SECOND), earlier: None };
    let merged = pipeline.run(rows[..].into(), &moment).await.unwrap();
    // The window from 60 to 70 is over, the next one is not.
    assert_eq!(words(&merged.rows), ["2"]);
    pipeline.abort();
    let unseen = pipeline.run(rows[..].into(), &moment).await.unwrap();
    assert_eq!(words(&unseen.rows), ["2"]);
}

#[tokio::test]
async fn what_does_not_ask_the_time_is_asked_before_the_watermark() {
    let context = session(SessionConfig::new());
    let (plan, _) = marked_plan(&context).await;
    let early = col("t").lt(lit(ScalarValue::TimestampMicrosecond(Some(0), Some(UTC.into()))));
    let filtered = LogicalPlanBuilder::from(plan).filter(col("key").eq(lit("a")).and(early)).unwrap();
    let plan = context.state().create_physical_plan(&filtered.build().unwrap()).await.unwrap();
    let text = displayable(plan.as_ref()).indent(false).to_string();
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} in {text}"));
    assert!(
        at("FilterExec: t@2 <") < at("EventTimeWatermark") && at("EventTimeWatermark") < at("k@0 = a"),
        "{text}"
    );
}

#[tokio::test]
async fn a_watermark_stands_below_what_remembers() {
    let context = session(SessionConfig::new());
    let (plan, source) = marked_plan(&context).await;
    let newest = datafusion::functions_aggregate::expr_fn::max(col("t")).alias("newest");
    let plan =
        LogicalPlanBuilder::from(plan).aggregate(vec![col("t")], vec![newest]).unwrap().build().unwrap();
    let plan = Watermark::plan(plan, Column::new_unqualified("newest"), 0).unwrap();
    let error = compiled(&context, &plan, source).await.unwrap_err();
    assert!(error.to_string().contains("a watermark"), "{error}");
    let (plan, _) = marked_plan(&session(SessionConfig::new())).await;
    assert!(Watermark::plan(plan, Column::new_unqualified("v"), 0).is_err());
}

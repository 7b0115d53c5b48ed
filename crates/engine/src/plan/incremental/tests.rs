//! What can be cut, and what is said of the rest.

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::streaming::StreamingTable;
use datafusion::datasource::MemTable;
use datafusion::physical_plan::streaming::PartitionStream;

use super::*;

fn schema() -> SchemaRef {
    let field = |name: &str, data_type| Field::new(name, data_type, true);
    Arc::new(Schema::new(vec![
        field("k", DataType::Utf8),
        field("v", DataType::Int64),
        field("tags", DataType::new_list(DataType::Utf8, true)),
    ]))
}

async fn plan(query: &str, context: SessionContext) -> Arc<dyn ExecutionPlan> {
    let stream = StreamingTable::try_new(schema(), vec![Slot::new(schema())]).unwrap();
    context.register_table("s", Arc::new(stream)).unwrap();
    let fixed = MemTable::try_new(schema(), vec![vec![]]).unwrap();
    context.register_table("fixed", Arc::new(fixed)).unwrap();
    context.sql(query).await.unwrap().create_physical_plan().await.unwrap()
}

async fn cut(query: &str, output: OutputMode) -> Result<Cut, CutError> {
    Cut::try_new(&plan(query, session(SessionConfig::new())).await, output)
}

#[tokio::test]
async fn what_needs_more_than_touched_keys_is_refused_by_name() {
    let cases = [
        ("select v from s", "StreamingTableExec"),
        ("select k, count(*) from s group by rollup(k)", "GROUPING SETS, CUBE or ROLLUP"),
        ("select k, array_agg(v order by v) from s group by k", "array_agg(s.v) ORDER BY"),
        ("select k, count(*) from s group by k order by k", "SortExec: an order needs all rows"),
        ("select k, count(*) from s group by k limit 3", "use complete mode"),
        (
            "select max(c) from (select k, count(*) as c from s group by k)",
            "an aggregation of an aggregation",
        ),
        ("select a.k, count(*) from s a join s b on a.k = b.k group by a.k", "HashJoinExec"),
        ("select k, count(*) from fixed group by k", "DataSourceExec"),
        ("select k, sum(v), rank() over (order by k) from s group by k, v", "WindowAgg"),
        ("select v, count(*) from (select * from s limit 5) group by v", "LIMIT below the aggregation"),
        ("select v, count(*) from (select * from s order by v limit 5) group by v", "SortExec"),
        ("select distinct k from s limit 2", "limit"),
    ];
    for (query, part) in cases {
        let error = cut(query, OutputMode::Update).await.unwrap_err();
        assert!(error.to_string().contains(part), "{query}: {error}");
        assert!(matches!(error, CutError::Unsupported { .. }), "{query}");
    }
}

#[tokio::test]
async fn the_rest_is_cut_whatever_the_planner_made_of_it() {
    let queries = [
        "select k, count(*) from s group by k",
        "select count(distinct k) from s",
        "select k, sum(v) as total from s where v > 3 group by k having sum(v) > 5",
        "select tag, count(*) from (select unnest(tags) as tag from s) group by tag",
        "select distinct v % 3 from s",
        "select k from s where k = 'a' group by k",
    ];
    for query in queries {
        for partitions in [1, 4] {
            let config = SessionConfig::new().with_target_partitions(partitions);
            let state = SessionStateBuilder::new()
                .with_config(config)
                .with_default_features()
                .with_optimizer_rules(logical_rules())
                .build();
            let planned = plan(query, SessionContext::new_with_state(state)).await;
            assert!(aggregates(&planned), "{query}");
            let cut = Cut::try_new(&planned, OutputMode::Update)
                .unwrap_or_else(|error| panic!("{query} over {partitions} partitions: {error}"));
            assert_eq!(cut.partial.slot.schema(), &schema(), "{query}");
            assert_eq!(cut.finish.plan.schema().fields(), planned.schema().fields(), "{query}");
            assert_eq!(cut.reduce.plan.schema().fields(), cut.layout.schema.fields(), "{query}");
        }
    }
}

#[tokio::test]
async fn a_plan_runs_any_number_of_times_and_collects_nothing() {
    let cut = cut("select min(v), max(v) from s where v > 1", OutputMode::Update).await.unwrap();
    let context = session(SessionConfig::new()).task_ctx();
    let rows = |v: i64| {
        use datafusion::arrow::array::{Int64Array, new_null_array};
        let columns = vec![
            new_null_array(&DataType::Utf8, 20_000),
            Arc::new(Int64Array::from_iter_values((0..20_000).map(|n| n + v))) as _,
            new_null_array(schema().field(2).data_type(), 20_000),
        ];
        RecordBatch::try_new(schema(), columns).unwrap()
    };
    for v in [0, 500, 10, -3] {
        let state = cut.partial.run(vec![rows(v)], &context).await.unwrap();
        let minimum = datafusion::arrow::util::display::array_value_to_string(state[0].column(0), 0).unwrap();
        assert_eq!(minimum, v.max(2).to_string(), "an earlier run shows through");
    }
    assert_eq!(cut.partial.plan.metrics().unwrap().iter().count(), 0, "metrics pile up in the kept plan");
}

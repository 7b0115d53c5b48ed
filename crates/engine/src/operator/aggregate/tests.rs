//! Batches against one run of plain DataFusion over all their rows.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, StringArray, StringViewArray,
};
use datafusion::arrow::datatypes::{DataType, Field, Float64Type, Schema, SchemaRef};
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::plan::incremental::session;
use crate::plan::pipeline::{self, Pipeline};
use crate::plan::slot::Slot;

/// One input row: a key and a value of each kind.
#[derive(Debug, Clone)]
struct Row {
    id: Option<i64>,
    name: Option<&'static str>,
    ratio: Option<f64>,
    flag: Option<bool>,
    v: Option<i64>,
    x: Option<f64>,
    t: Option<&'static str>,
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, true),
        Field::new("name", DataType::Utf8, true),
        Field::new("ratio", DataType::Float64, true),
        Field::new("flag", DataType::Boolean, true),
        Field::new("v", DataType::Int64, true),
        Field::new("x", DataType::Float64, true),
        Field::new("t", DataType::Utf8View, true),
    ]))
}

fn batch(rows: &[Row]) -> RecordBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|row| row.id).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.name).collect::<StringArray>()),
        Arc::new(rows.iter().map(|row| row.ratio).collect::<Float64Array>()),
        Arc::new(rows.iter().map(|row| row.flag).collect::<BooleanArray>()),
        Arc::new(rows.iter().map(|row| row.v).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.x).collect::<Float64Array>()),
        Arc::new(rows.iter().map(|row| row.t).collect::<StringViewArray>()),
    ];
    RecordBatch::try_new(schema(), columns).unwrap()
}

fn row(id: i64, v: i64) -> Row {
    let name = Some("a name longer than twelve bytes");
    Row { id: Some(id), name, ratio: None, flag: None, v: Some(v), x: Some(1.0), t: Some("t") }
}

/// The functions that must work, over every kind of argument.
const FUNCTIONS: &str = "count(*), count(v), sum(v), sum(x), avg(v), min(v), max(x), min(t), max(t), \
     stddev(x), count(distinct t), count(distinct v), avg(distinct v), approx_distinct(t), \
     sum(v) filter (where v > 0)";

/// Key columns in the result, and the query.
fn queries() -> Vec<(usize, String)> {
    let by =
        |keys: &str| (keys.split(", ").count(), format!("select {keys}, {FUNCTIONS} from s group by {keys}"));
    vec![
        by("id"),
        by("name"),
        by("ratio"),
        by("flag"),
        by("id, name"),
        by("ratio, id"),
        by("upper(name), flag, id"),
        (0, format!("select {FUNCTIONS} from s")),
        (2, "select distinct name, id from s".to_owned()),
        (1, "select id % 2 as odd, sum(v + 1) + count(*) from s group by id % 2".to_owned()),
        (1, CHANGING.to_owned()),
        (
            0,
            "select sum(n), count(n), avg(a) from (select odd, sum(m) as n, avg(x) as a from \
             (select id % 2 as odd, name, max(v) as m, max(x) as x from s group by id % 2, name) group by odd)"
                .to_owned(),
        ),
    ]
}

/// Results that change, added up.
const CHANGING: &str = "select odd, count(*), count(m), sum(m), avg(m), sum(low) as lowest, \
     sum(c) filter (where m > 0), sum(case when c < 3 then m end) from \
     (select id, id % 2 as odd, max(v) as m, min(x) as low, count(*) as c from s group by id, id % 2) \
     where odd is not null group by odd";

fn config(output: OutputMode) -> pipeline::Config {
    pipeline::Config { query: "q".into(), output: Some(output), state_bytes_max: 64 << 20 }
}

async fn aggregate(query: &str, output: OutputMode) -> Result<Pipeline, CutError> {
    pipeline(query, config(output)).await
}

async fn pipeline(query: &str, config: pipeline::Config) -> Result<Pipeline, CutError> {
    let context = session(SessionConfig::new());
    let schema = schema();
    let table = StreamingTable::try_new(schema.clone(), vec![Slot::new(schema.clone())]).unwrap();
    context.register_table("s", Arc::new(table)).unwrap();
    let plan = context.sql(query).await.unwrap().create_physical_plan().await.unwrap();
    Pipeline::try_new(&plan, [schema][..].into(), &config, context.task_ctx())
}

/// Merges a batch; aborts it if it fails, as the query would by ending.
async fn merge(
    pipeline: &mut Pipeline,
    batch: u64,
    rows: Vec<RecordBatch>,
) -> Result<Vec<RecordBatch>, OperatorError> {
    let rows = concat_batches(&schema(), &rows).unwrap();
    let moment = Moment { batch, ..Moment::default() };
    Ok(pipeline.run([rows][..].into(), &moment).await?.rows)
}

async fn plain(query: &str, rows: &[Row]) -> Vec<Vec<String>> {
    let context = SessionContext::new();
    let table = MemTable::try_new(schema(), vec![vec![batch(rows)]]).unwrap();
    context.register_table("s", Arc::new(table)).unwrap();
    let batches = context.sql(query).await.unwrap().collect().await.unwrap();
    words(&batches)
}

/// Rows as text, in order of their text.
fn words(batches: &[RecordBatch]) -> Vec<Vec<String>> {
    let mut rows = words_in_order(batches);
    rows.sort();
    rows
}

/// Rows as text; floating point to nine digits.
fn words_in_order(batches: &[RecordBatch]) -> Vec<Vec<String>> {
    let cell = |column: &ArrayRef, row: usize| match column.as_primitive_opt::<Float64Type>() {
        // Grouping tells a NaN with a sign from one without.
        Some(floats) if floats.is_valid(row) && floats.value(row).is_nan() => {
            format!("{:x}", floats.value(row).to_bits())
        }
        Some(floats) if floats.is_valid(row) => format!("{:.9e}", floats.value(row)),
        _ => format!("{:?}", column.is_valid(row).then(|| array_value_to_string(column, row).unwrap())),
    };
    let rows: Vec<Vec<String>> = batches
        .iter()
        .flat_map(|batch| {
            (0..batch.num_rows()).map(|row| batch.columns().iter().map(|c| cell(c, row)).collect())
        })
        .collect();
    rows
}

fn keyed(rows: Vec<Vec<String>>, keys: usize) -> BTreeMap<Vec<String>, Vec<String>> {
    let count = rows.len();
    let map: BTreeMap<_, _> = rows.into_iter().map(|row| (row[..keys].to_vec(), row)).collect();
    assert_eq!(map.len(), count, "a key left twice");
    map
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A random run: batches, and what happens on the way.
#[derive(Debug, Clone)]
struct Story {
    query: usize,
    batches: Vec<Vec<Row>>,
    /// Before this batch, another one fails after its merge.
    abort_before: usize,
    /// After this batch, a snapshot is taken.
    snapshot_after: usize,
    /// After this batch, everything is lost and restored.
    restore_after: usize,
}

fn any_row() -> impl Strategy<Value = Row> {
    let name = proptest::sample::select(vec!["", "a", "Ä", "a name longer than twelve bytes", "A"]);
    let ratio = proptest::sample::select(vec![0.0, -0.0, 1.5, f64::INFINITY, f64::NAN, -f64::NAN]);
    let t = proptest::sample::select(vec!["", "x", "y", "another text that no view can hold inline"]);
    (
        option::of(-3i64..4),
        option::of(name),
        option::of(ratio),
        option::of(any::<bool>()),
        option::of(-99i64..99),
        option::of(-9i32..9),
        option::of(t),
    )
        .prop_map(|(id, name, ratio, flag, v, x, t)| Row {
            id,
            name,
            ratio,
            flag,
            v,
            x: x.map(f64::from),
            t,
        })
}

fn any_story() -> impl Strategy<Value = Story> {
    let batches = prop::collection::vec(prop::collection::vec(any_row(), 0..12), 1..7);
    (0..queries().len(), batches, 0..7usize, 0..7usize, 0..7usize).prop_map(
        |(query, batches, abort_before, snapshot_after, restore_after)| Story {
            query,
            batches,
            abort_before,
            snapshot_after,
            restore_after,
        },
    )
}

/// Plays a story in update mode; every batch's results are compared with plain DataFusion's.
async fn play(story: Story) {
    let (keys, query) = &queries()[story.query];
    let mut aggregation = aggregate(query, OutputMode::Update).await.unwrap();
    let (mut snapshot, mut changelogs) = (None, Vec::new());
    // The one that never lost anything, once its place was taken.
    let mut twin: Option<Pipeline> = None;
    let mut seen: Vec<Row> = Vec::new();
    for (number, rows) in story.batches.iter().enumerate() {
        let id = number as u64 + 10;
        if number == story.abort_before {
            let before = (aggregation.figures().keys, aggregation.snapshot().unwrap());
            merge(&mut aggregation, id, vec![batch(&[row(1, 7), row(77, 7)])]).await.unwrap();
            aggregation.abort();
            assert_eq!((aggregation.figures().keys, aggregation.snapshot().unwrap()), before);
        }
        let (left, right) = rows.split_at(rows.len() / 2);
        let results = merge(&mut aggregation, id, vec![batch(left), batch(right)]).await.unwrap();
        changelogs.push(aggregation.changelog().unwrap());
        aggregation.commit();
        if let Some(twin) = &mut twin {
            let same = merge(twin, id, vec![batch(left), batch(right)]).await.unwrap();
            twin.commit();
            assert_eq!(words_in_order(&same), words_in_order(&results), "order after a restore");
        }

        seen.extend(rows.iter().cloned());
        let results = keyed(words(&results), *keys);
        let touched: BTreeSet<_> = if rows.is_empty() {
            BTreeSet::new()
        } else {
            keyed(plain(query, rows).await, *keys).into_keys().collect()
        };
        let mut expected = keyed(plain(query, &seen).await, *keys);
        expected.retain(|key, _| touched.contains(key));
        assert_eq!(results, expected, "batch {number} of {query}");

        if number == story.snapshot_after {
            snapshot = Some(aggregation.snapshot().unwrap());
        }
        if number == story.restore_after {
            let count = aggregation.figures().keys;
            let restored = aggregate(query, OutputMode::Update).await.unwrap();
            twin = Some(std::mem::replace(&mut aggregation, restored));
            aggregation.restore(snapshot.as_ref(), &changelogs).unwrap();
            assert_eq!(aggregation.figures().keys, count);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_into_batches_gives_what_one_run_gives(story in any_story()) {
        run(play(story));
    }
}

#[test]
fn every_query_plays_a_story_with_all_its_incidents() {
    for query in 0..queries().len() {
        let odd = |n: i64| (n % 2 == 1).then_some(n);
        let rows =
            (0..40).map(|n| Row { flag: odd(n).map(|n| n > 20), x: odd(n).map(|_| 0.5), ..row(n % 7, n) });
        let batches = rows.collect::<Vec<_>>().chunks(9).map(<[Row]>::to_vec).collect();
        run(play(Story { query, batches, abort_before: 2, snapshot_after: 1, restore_after: 3 }));
    }
}

#[test]
fn complete_mode_gives_all_keys_in_the_order_asked_for() {
    let query = "select id, sum(v) as total, count(*) from s where v >= 0 group by id \
                 having sum(v) > 3 order by total desc, id limit 3";
    run(async {
        let mut aggregation = aggregate(query, OutputMode::Complete).await.unwrap();
        let mut seen = Vec::new();
        for number in 0..6_i64 {
            let rows: Vec<Row> = (0..5).map(|n| row((number * 3 + n) % 8, n * 7 % 5 - 1)).collect();
            let results = merge(&mut aggregation, number as u64, vec![batch(&rows)]).await.unwrap();
            aggregation.commit();
            seen.extend(rows);
            assert_eq!(words(&results), plain(query, &seen).await, "batch {number}");
        }
        let again = merge(&mut aggregation, 6, Vec::new()).await.unwrap();
        assert_eq!(words(&again), plain(query, &seen).await, "an empty batch changes nothing");
    });
}

#[test]
fn in_complete_mode_keys_go_that_have_no_rows_any_more() {
    let queries = [
        "select c, count(*), sum(id) from (select id, count(*) as c from s group by id) group by c",
        "select id % 3 as k, count(*) from (select id, min(v) as m from s group by id) where m > 0 group by id % 3",
        "select sum(m) from (select id, min(v) as m from s group by id) where m > 2",
    ];
    run(async {
        for query in queries {
            let mut aggregation = aggregate(query, OutputMode::Complete).await.unwrap();
            let (mut seen, mut changes) = (Vec::new(), Vec::new());
            for number in 0..6_i64 {
                let rows: Vec<Row> = (0..5).map(|n| row((number * 3 + n) % 8, 7 - number - n)).collect();
                let results = merge(&mut aggregation, number as u64, vec![batch(&rows)]).await.unwrap();
                changes.push(aggregation.changelog().unwrap());
                aggregation.commit();
                seen.extend(rows);
                assert_eq!(words(&results), plain(query, &seen).await, "batch {number} of {query}");
                let mut again = aggregate(query, OutputMode::Complete).await.unwrap();
                again.restore(None, &changes).unwrap();
                assert_eq!(again.figures().keys, aggregation.figures().keys);
                aggregation = again;
            }
        }
    });
}

#[test]
fn an_empty_batch_touches_no_key_and_writes_no_changelog() {
    run(async {
        let mut aggregation = aggregate("select count(*) from s", OutputMode::Update).await.unwrap();
        assert!(merge(&mut aggregation, 1, vec![batch(&[])]).await.unwrap().is_empty());
        assert!(aggregation.changelog().unwrap().is_empty());
        aggregation.commit();
        assert_eq!(aggregation.figures().keys, 0);
        let mut complete = aggregate("select count(*) from s", OutputMode::Complete).await.unwrap();
        assert_eq!(
            words(&merge(&mut complete, 1, Vec::new()).await.unwrap()),
            vec![vec!["Some(\"0\")".to_owned()]]
        );
    });
}

#[test]
fn a_batch_that_fails_leaves_nothing_behind() {
    run(async {
        let query = "select id, sum(10 / v) from s group by id";
        let mut aggregation = aggregate(query, OutputMode::Update).await.unwrap();
        merge(&mut aggregation, 1, vec![batch(&[row(1, 5)])]).await.unwrap();
        aggregation.commit();
        let error = merge(&mut aggregation, 2, vec![batch(&[row(2, 5), row(1, 0)])]).await.unwrap_err();
        assert_eq!(error.to_string(), "run batch 2");
        assert_eq!(aggregation.figures().keys, 1);
        let results = merge(&mut aggregation, 2, vec![batch(&[row(1, 10)])]).await.unwrap();
        assert_eq!(words(&results), vec![vec!["Some(\"1\")".to_owned(), "Some(\"3\")".to_owned()]]);
    });
}

#[test]
fn batches_are_decided_one_after_the_other() {
    run(async {
        let mut aggregation = aggregate("select id from s group by id", OutputMode::Update).await.unwrap();
        merge(&mut aggregation, 4, vec![batch(&[row(1, 1)])]).await.unwrap();
        let undecided = merge(&mut aggregation, 5, vec![batch(&[row(1, 1)])]).await.unwrap_err();
        assert_eq!(undecided.to_string(), "batch 4 is staged: commit or abort it before batch 5");
        aggregation.commit();
        let old = merge(&mut aggregation, 4, vec![batch(&[row(1, 1)])]).await.unwrap_err();
        assert_eq!(old.to_string(), "batch 4 comes after batch 4 was committed");
    });
}

#[test]
fn the_state_has_a_limit_and_keeps_what_fits() {
    run(async {
        let config = config(OutputMode::Update);
        let config = pipeline::Config { state_bytes_max: 100_000, ..config };
        let mut aggregation = pipeline("select id, count(*) from s group by id", config).await.unwrap();
        let small: Vec<Row> = (0..10).map(|id| row(id, 1)).collect();
        merge(&mut aggregation, 1, vec![batch(&small)]).await.unwrap();
        aggregation.commit();
        let large: Vec<Row> = (0..9000).map(|id| row(id, 1)).collect();
        let error = merge(&mut aggregation, 2, vec![batch(&large)]).await.unwrap_err();
        assert!(matches!(error, OperatorError::State(StateError::Full { .. })), "{error}");
        assert_eq!(aggregation.figures().keys, 10);
        merge(&mut aggregation, 2, vec![batch(&small)]).await.unwrap();
    });
}

#[test]
fn state_of_another_definition_is_refused_with_what_changed() {
    run(async {
        let mut stored =
            aggregate("select id, sum(v), avg(x) from s group by id", OutputMode::Update).await.unwrap();
        merge(&mut stored, 1, vec![batch(&[row(1, 1)])]).await.unwrap();
        stored.commit();
        let snapshot = stored.snapshot().unwrap();
        let same = "select avg(x) as mean, sum(v) + 1, id as k from s where v > 0 group by id";
        let cases = [
            (
                "select name, sum(v), avg(x) from s group by name",
                "key 0 was `id Int64?` and is now `name Utf8?`",
            ),
            ("select id, sum(v), avg(v) from s group by id", "aggregate 1 was `avg(x)"),
            ("select id, sum(v) from s group by id", "and is now `absent`"),
            ("select id, sum(distinct v), avg(x) from s group by id", "is now `sum distinct(v)"),
        ];
        for (query, expected) in cases {
            let mut changed = aggregate(query, OutputMode::Update).await.unwrap();
            let error = changed.restore(Some(&snapshot), &[]).unwrap_err();
            assert!(error.to_string().contains(expected), "{query}: {error}");
            assert_eq!(changed.figures().keys, 0);
        }
        let mut renamed = aggregate(same, OutputMode::Update).await.unwrap();
        let reordered = renamed.restore(Some(&snapshot), &[]).unwrap_err().to_string();
        assert!(reordered.contains("aggregate 0"), "{reordered}");
        let other = pipeline::Config { query: "other".to_owned(), ..config(OutputMode::Update) };
        let mut foreign = pipeline("select id, sum(v), avg(x) from s group by id", other).await.unwrap();
        let error = foreign.restore(Some(&snapshot), &[]).unwrap_err().to_string();
        assert!(error.contains("belongs to query `q`, operator 0"), "{error}");
    });
}

#[test]
fn damaged_records_are_named_and_change_nothing() {
    run(async {
        let query = "select id, sum(v) from s group by id";
        let mut aggregation = aggregate(query, OutputMode::Update).await.unwrap();
        merge(&mut aggregation, 1, vec![batch(&[row(1, 1), row(2, 2)])]).await.unwrap();
        let changelog = aggregation.changelog().unwrap();
        aggregation.commit();
        let snapshot = aggregation.snapshot().unwrap();
        for position in 0..snapshot.len() {
            let mut damaged = snapshot.to_vec();
            damaged[position] ^= 0x41;
            let result = aggregation.restore(Some(&damaged.into()), &[]);
            assert!(result.is_err() || position == 11, "byte {position}");
            let torn = snapshot.slice(..position);
            assert!(position == 0 || aggregation.restore(Some(&torn), &[]).is_err(), "{position} bytes");
        }
        assert_eq!(aggregation.figures().keys, 2);
        let twice = [changelog.clone(), changelog.clone()];
        let error = aggregation.restore(None, &twice).unwrap_err();
        assert_eq!(error.to_string(), "changelog of batch 1 follows batch 1");
        assert!(aggregation.restore(Some(&changelog), &[]).is_err(), "a changelog is no snapshot");
        aggregation.restore(Some(&snapshot), &twice).unwrap();
        assert_eq!(aggregation.snapshot().unwrap(), snapshot);
    });
}

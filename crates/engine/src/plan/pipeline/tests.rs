//! What can be cut, what is said of the rest, and windows that the watermark closes.

use std::collections::BTreeMap;

use datafusion::arrow::array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::datasource::MemTable;
use datafusion::execution::context::SessionContext;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::prelude::SessionConfig;
use proptest::prelude::*;

use super::*;
use crate::plan::event_time::rewrite::expand_windows;
use crate::plan::event_time::{instant, marked, window};
use crate::plan::incremental::{logical_rules, session};
use crate::plan::slot::Slot;
use crate::sql::types::UTC;

mod joins;
mod keyed;
mod over;
mod top;
mod watermark;

const SECOND: i64 = 1_000_000;

/// `s (k, v, tags, at)`; rows may come ten seconds late by `at`.
fn schema() -> SchemaRef {
    let field = |name: &str, data_type| Field::new(name, data_type, true);
    Arc::new(Schema::new(vec![
        field("k", DataType::Utf8),
        field("v", DataType::Int64),
        field("tags", DataType::new_list(DataType::Utf8, true)),
        marked(&field("at", instant()), 10 * SECOND),
    ]))
}

async fn physical(query: &str, context: &SessionContext) -> (Arc<dyn ExecutionPlan>, SchemaRef) {
    let slot = Slot::new(schema());
    let source = Arc::clone(slot.schema());
    let stream = StreamingTable::try_new(Arc::clone(&source), vec![slot]).unwrap();
    context.register_table("s", Arc::new(stream)).unwrap();
    let fixed = MemTable::try_new(schema(), vec![vec![]]).unwrap();
    context.register_table("fixed", Arc::new(fixed)).unwrap();
    window::functions().for_each(|function| context.register_udf(function));
    let logical = context.sql(query).await.unwrap().into_unoptimized_plan();
    let logical = expand_windows(logical).unwrap();
    (context.state().create_physical_plan(&logical).await.unwrap(), source)
}

async fn pipeline_in(
    context: SessionContext,
    query: &str,
    output: Option<OutputMode>,
) -> Result<Pipeline, CutError> {
    let (plan, source) = physical(query, &context).await;
    let config = Config { query: "q".into(), output, state_bytes_max: 64 << 20 };
    Pipeline::try_new(&plan, [source][..].into(), &config, context.task_ctx())
}

async fn pipeline(query: &str, output: OutputMode) -> Result<Pipeline, CutError> {
    pipeline_in(session(SessionConfig::new()), query, Some(output)).await
}

/// Key, value, and seconds of event time.
type Row = (&'static str, i64, i64);

fn batch(rows: &[Row]) -> RecordBatch {
    let nothing = datafusion::arrow::array::new_null_array(schema().field(2).data_type(), rows.len());
    let times = TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.2 * SECOND));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0))),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1))),
        nothing,
        Arc::new(times.with_timezone(UTC)),
    ];
    RecordBatch::try_new(schema(), columns).unwrap()
}

fn words(batches: &[RecordBatch]) -> Vec<String> {
    let cell = |batch: &RecordBatch, row| -> Vec<String> {
        batch.columns().iter().map(|column| array_value_to_string(column, row).unwrap()).collect()
    };
    let rows =
        batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| cell(batch, row).join(" ")));
    rows.collect()
}

#[tokio::test]
async fn what_needs_more_than_touched_keys_is_refused_by_name() {
    let cases = [
        ("select k, count(*) from s group by rollup(k)", "GROUPING SETS, CUBE or ROLLUP"),
        ("select k, array_agg(v order by v) from s group by k", "array_agg(s.v) ORDER BY"),
        ("select k, count(*) from s group by k order by k", "ORDER BY: rows never end"),
        ("select k, count(*) from s group by k limit 3", "LIMIT: rows never end"),
        (
            "select max(c) from (select k, count(*) as c from s group by k)",
            "only count, sum and avg can take back",
        ),
        ("select c, count(*) from (select k, count(*) as c from s group by k) group by c", "'complete'"),
        (
            "select k, count(*) from (select k, v, count(*) as c from s group by k, v) where c > 1 group by k",
            "a condition stands on results",
        ),
        ("select a.k, b.v from s a join s b on a.k = b.k", "it works in append mode only"),
        (
            "select k, sum(v), rank() over (order by k) from s group by k, v",
            "OVER: it works in append mode only",
        ),
        ("select v, count(*) from (select * from s limit 5) group by v", "LIMIT"),
        ("select v, count(*) from (select * from s order by v limit 5) group by v", "rows never end"),
        ("select distinct k from s limit 2", "LIMIT"),
    ];
    for (query, part) in cases {
        let error = pipeline(query, OutputMode::Update).await.unwrap_err();
        assert!(error.to_string().contains(part), "{query}: {error}");
        assert!(matches!(error, CutError::Unsupported { .. }), "{query}");
    }
}

#[tokio::test]
async fn output_modes_follow_sparks_rules() {
    let windowed = "select window(at, '5 seconds'), count(*) from s group by window(at, '5 seconds')";
    let twice = "select max(c) from (select k, count(*) as c from s group by k)";
    for (query, mode, refusal) in [
        ("select k, count(*) from s group by k", OutputMode::Append, "never complete without a watermark"),
        (twice, OutputMode::Append, "never complete without a watermark"),
        (twice, OutputMode::Complete, "only count, sum and avg can take back"),
        ("select k from s", OutputMode::Complete, "there is no aggregation"),
        ("select k from s", OutputMode::Append, ""),
        ("select k from s", OutputMode::Update, ""),
        ("select distinct k from s", OutputMode::Append, ""),
        (windowed, OutputMode::Append, ""),
        (windowed, OutputMode::Update, ""),
        (windowed, OutputMode::Complete, ""),
        (SESSIONS, OutputMode::Update, "session_window in update mode"),
        (SESSIONS, OutputMode::Append, ""),
    ] {
        let refused = pipeline(query, mode).await.err().map(|error| error.to_string());
        let fits = refused
            .as_ref()
            .map_or(refusal.is_empty(), |error| !refusal.is_empty() && error.contains(refusal));
        assert!(fits, "{query} in {mode:?}: {refused:?}");
    }
}

#[tokio::test]
async fn the_rest_is_cut_whatever_the_planner_made_of_it() {
    let queries = [
        ("select k, count(*) from s group by k", "a 2|b 1"),
        ("select count(distinct k) from s", "2"),
        ("select k, sum(v) as total from s where v > 3 group by k having sum(v) > 5", "a 9|b 7"),
        ("select k, v % 2 as odd, count(*) from s group by k, v % 2", "a 1 1|a 0 1|b 1 1"),
        ("select distinct v % 3 from s", "1|2"),
        ("select k from s where k = 'a' group by k", "a"),
        ("select k, v from s where v = 7", "b 7"),
    ];
    for (query, expected) in queries {
        for partitions in [1, 4] {
            let config = SessionConfig::new().with_target_partitions(partitions);
            let state = SessionStateBuilder::new()
                .with_config(config)
                .with_default_features()
                .with_optimizer_rules(logical_rules())
                .build();
            let context = SessionContext::new_with_state(state);
            let mut pipeline = pipeline_in(context, query, None)
                .await
                .unwrap_or_else(|error| panic!("{query} over {partitions} partitions: {error}"));
            let rows = [batch(&[("a", 5, 0), ("a", 4, 0), ("b", 7, 0)])];
            let merged =
                pipeline.run(rows[..].into(), &Moment { batch: 1, ..Moment::default() }).await.unwrap();
            let (mut found, mut expected) = (words(&merged.rows), expected.split('|').collect::<Vec<_>>());
            found.sort();
            expected.sort_unstable();
            assert_eq!(found, expected, "{query} over {partitions} partitions");
        }
    }
}

/// Runs batches as the driver does: the watermark follows the newest event time by ten seconds.
struct Story {
    pipeline: Pipeline,
    batch: u64,
    watermark: Option<i64>,
    late: u64,
    /// Of every batch.
    changes: Vec<Bytes>,
}

impl Story {
    async fn new(query: &str, output: OutputMode) -> Self {
        let pipeline = pipeline(query, output).await.unwrap();
        Story { pipeline, batch: 0, watermark: None, late: 0, changes: Vec::new() }
    }

    async fn run(&mut self, rows: &[Row]) -> Vec<String> {
        self.batch += 1;
        let newest = rows.iter().map(|row| (row.2 - 10) * SECOND).max();
        let moment = Moment {
            batch: self.batch,
            late: self.watermark,
            watermark: self.watermark.max(newest),
            earlier: None,
        };
        let merged = self.pipeline.run([batch(rows)][..].into(), &moment).await.unwrap();
        self.changes.push(self.pipeline.changelog().unwrap());
        self.pipeline.commit();
        self.watermark = moment.watermark;
        self.late += merged.late.iter().map(|rows| rows.num_rows() as u64).sum::<u64>();
        words(&merged.rows)
    }
}

const COUNTS: &str = "select arrow_cast(window(at, '5 seconds')['start'], 'Int64') / 1000000 as start, k, \
                      count(*) as rows, sum(v) as total from s group by window(at, '5 seconds'), k";

#[tokio::test]
async fn a_window_leaves_once_when_the_watermark_has_passed_its_end() {
    let mut story = Story::new(COUNTS, OutputMode::Append).await;
    assert!(story.run(&[("a", 1, 0), ("a", 2, 4), ("b", 3, 5)]).await.is_empty());
    assert!(story.run(&[("a", 4, 14), ("a", 5, 1)]).await.is_empty(), "the watermark is 4: all are open");
    assert_eq!(story.run(&[("a", 6, 15)]).await, ["0 a 3 8"], "the watermark is 5");
    assert_eq!(story.late, 0);
    assert!(story.run(&[("a", 100, 4)]).await.is_empty());
    assert_eq!(story.late, 1, "its window has left");
    assert_eq!(story.run(&[("a", 7, 20)]).await, ["5 b 1 3"], "the watermark is 10");
    assert_eq!(story.run(&[("c", 9, 1_000)]).await, ["10 a 1 4", "15 a 1 6", "20 a 1 7"]);
    assert_eq!(story.pipeline.figures().keys, 1, "only the open window is remembered");
}

#[tokio::test]
async fn in_update_mode_the_watermark_ends_state_and_emits_nothing() {
    let mut story = Story::new(COUNTS, OutputMode::Update).await;
    assert_eq!(story.run(&[("a", 1, 0), ("b", 3, 5)]).await, ["0 a 1 1", "5 b 1 3"]);
    assert_eq!(story.run(&[("a", 2, 2)]).await, ["0 a 2 3"]);
    assert_eq!(story.run(&[("a", 2, 30)]).await, ["30 a 1 2"]);
    assert_eq!(story.pipeline.figures().keys, 1);
    assert!(story.run(&[("a", 2, 2)]).await.is_empty());
    assert_eq!(story.late, 1);
}

#[tokio::test]
async fn complete_mode_keeps_every_window() {
    let mut story = Story::new(COUNTS, OutputMode::Complete).await;
    story.run(&[("a", 1, 0)]).await;
    story.run(&[("a", 1, 500)]).await;
    assert_eq!(story.run(&[("a", 1, 501)]).await.len(), 2);
}

#[tokio::test]
async fn a_row_counts_in_every_window_that_it_lies_in() {
    let query = "select arrow_cast(window(at, '10 seconds', '5 seconds')['start'], 'Int64') / 1000000 as start, \
                 count(*) from s group by window(at, '10 seconds', '5 seconds')";
    let mut story = Story::new(query, OutputMode::Append).await;
    assert!(story.run(&[("a", 1, 0), ("a", 1, 7)]).await.is_empty());
    assert_eq!(story.run(&[("a", 1, 25)]).await, ["-5 1", "0 2", "5 1"]);
}

#[tokio::test]
async fn windows_of_windows_close_one_after_the_other() {
    let query = "select arrow_cast(window(w, '10 seconds')['start'], 'Int64') / 1000000 as start, max(c), count(*) \
                 from (select window(at, '5 seconds') as w, k, count(*) as c from s group by window(at, '5 seconds'), k) \
                 group by window(w, '10 seconds')";
    let mut story = Story::new(query, OutputMode::Append).await;
    assert!(story.run(&[("a", 1, 0), ("a", 1, 1), ("b", 1, 7), ("b", 1, 12)]).await.is_empty());
    assert!(story.run(&[("a", 1, 19)]).await.is_empty(), "the first inner windows have left");
    assert_eq!(
        story.run(&[("a", 1, 20)]).await,
        ["0 2 2"],
        "the last inner window and the outer one leave together"
    );
}

#[tokio::test]
async fn distinct_rows_leave_once_and_are_forgotten_with_their_time() {
    let mut story = Story::new("select distinct k, v from s", OutputMode::Append).await;
    assert_eq!(story.run(&[("a", 1, 0), ("a", 1, 0), ("b", 1, 0)]).await, ["a 1", "b 1"]);
    assert_eq!(story.run(&[("b", 1, 500), ("a", 2, 1)]).await, ["a 2"]);
    assert_eq!(story.pipeline.figures().keys, 3, "no key has a time");

    let query = "select distinct k, arrow_cast(at, 'Int64') / 1000000 as s, at from s";
    let query = format!("select k, s from ({query})");
    let mut story = Story::new(&query, OutputMode::Append).await;
    assert_eq!(story.run(&[("a", 1, 5), ("a", 2, 5), ("a", 1, 6)]).await, ["a 5", "a 6"]);
    assert_eq!(story.run(&[("a", 1, 5), ("a", 1, 16)]).await, ["a 16"]);
    assert_eq!(story.pipeline.figures().keys, 2, "second 5 is before the watermark, 6 is not");
    assert!(story.run(&[("a", 1, 5)]).await.is_empty());
    assert_eq!(story.late, 1);
}

#[tokio::test]
async fn the_first_row_of_a_key_leaves_and_the_key_is_forgotten_with_its_time() {
    let mut story = Story::new("select distinct on (k) k, v from s", OutputMode::Append).await;
    assert_eq!(story.run(&[("a", 1, 0), ("a", 2, 0), ("b", 3, 0)]).await, ["a 1", "b 3"]);
    assert_eq!(story.run(&[("b", 4, 500), ("c", 5, 500), ("a", 6, 600)]).await, ["c 5"]);
    assert_eq!(story.pipeline.figures().keys, 3, "without time a key stays");

    let query = "select distinct on (k) k, v, at from s";
    let mut story = Story::new(query, OutputMode::Append).await;
    let first = |rows: Vec<String>| rows.iter().map(|row| row[..3].to_owned()).collect::<Vec<_>>();
    assert_eq!(first(story.run(&[("a", 1, 0), ("b", 2, 5), ("a", 3, 2)]).await), ["a 1", "b 2"]);
    assert!(story.run(&[("a", 4, 20)]).await.is_empty(), "the watermark is 10: a is forgotten after it");
    assert_eq!(first(story.run(&[("c", 5, 21)]).await), ["c 5"]);
    assert_eq!(
        story.pipeline.figures().keys,
        2,
        "the watermark is 11, that of b's first row is 5 and its end 15"
    );
    assert_eq!(first(story.run(&[("b", 6, 12), ("a", 7, 12)]).await), ["a 7"]);
    assert!(story.run(&[("a", 8, 3)]).await.is_empty());
    assert_eq!(story.late, 1);
}

#[tokio::test]
async fn rows_without_their_doubles_are_added_up_as_they_come() {
    let query = "select k, count(*), sum(v) from (select distinct on (v) k, v from s) group by k";
    let mut story = Story::new(query, OutputMode::Update).await;
    assert_eq!(story.run(&[("a", 1, 0), ("a", 1, 0), ("b", 2, 0)]).await, ["a 1 1", "b 1 2"]);
    assert_eq!(story.run(&[("b", 1, 0), ("a", 3, 0)]).await, ["a 2 4"]);
    assert!(story.run(&[("a", 2, 0)]).await.is_empty());

    let query = "select n, count(*) from (select k, count(*) as n from (select distinct k, v from s) group by k) group by n";
    let mut story = Story::new(query, OutputMode::Complete).await;
    assert_eq!(story.run(&[("a", 1, 0), ("a", 1, 0), ("b", 2, 0)]).await, ["1 2"]);
    assert_eq!(story.run(&[("a", 2, 0), ("b", 2, 0)]).await, ["1 1", "2 1"]);
}

const SESSIONS: &str = "select arrow_cast(session_window(at, '5 seconds')['start'], 'Int64') / 1000000 as start, \
                        arrow_cast(session_window(at, '5 seconds')['end'], 'Int64') / 1000000 as end, \
                        k, count(*) as rows, sum(v) as total from s group by k, session_window(at, '5 seconds')";

#[tokio::test]
async fn a_session_grows_while_its_rows_follow_one_another() {
    let mut story = Story::new(SESSIONS, OutputMode::Append).await;
    assert!(story.run(&[("a", 1, 10), ("b", 1, 12), ("a", 2, 20)]).await.is_empty());
    assert_eq!(story.pipeline.figures().keys, 3);
    assert!(story.run(&[("a", 4, 15)]).await.is_empty(), "it joins two sessions, which it touches");
    assert_eq!(story.pipeline.figures().keys, 2);
    assert_eq!(story.run(&[("c", 1, 27)]).await, ["12 17 b 1 1"]);
    assert_eq!(story.run(&[("c", 2, 36)]).await, ["10 25 a 3 7"]);
    assert!(story.run(&[("a", 2, 20)]).await.is_empty());
    assert_eq!(story.late, 1);
    assert_eq!(
        story.run(&[("a", 8, 22), ("c", 4, 100)]).await,
        ["27 32 c 1 1", "36 41 c 1 2", "22 27 a 1 8"]
    );

    let mut story = Story::new(SESSIONS, OutputMode::Complete).await;
    story.run(&[("a", 1, 10)]).await;
    assert_eq!(story.run(&[("a", 2, 14)]).await, ["10 19 a 2 3"]);
}

/// Rows whose keys, values and times are small, in batches.
fn any_batches() -> impl Strategy<Value = Vec<Vec<Row>>> {
    let key = prop::sample::select(vec!["a", "b", "c"]);
    prop::collection::vec(prop::collection::vec((key, 0..5_i64, 0..120_i64), 0..8), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Appended windows, plus those still open, are what counting all rows gives that were not late; whatever is lost
    /// and restored on the way.
    #[test]
    fn appended_windows_are_those_of_all_rows_in_time(batches in any_batches(), lost in 0..12usize, snapshot in 0..12usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut story = Story::new(COUNTS, OutputMode::Append).await;
            let mut state = None;
            let mut expected: BTreeMap<(i64, &str), (i64, i64)> = BTreeMap::new();
            let mut seen = Vec::new();
            let mut rows_late = 0;
            for (number, rows) in batches.iter().enumerate() {
                for (key, value, at) in rows {
                    let start = at.div_euclid(5) * 5;
                    if story.watermark.is_some_and(|watermark| (start + 5) * SECOND <= watermark) {
                        rows_late += 1;
                        continue;
                    }
                    let group = expected.entry((start, *key)).or_default();
                    *group = (group.0 + 1, group.1 + value);
                }
                seen.extend(story.run(rows).await);
                if number == snapshot {
                    state = Some(story.pipeline.snapshot().unwrap());
                }
                if number == lost {
                    let keys = story.pipeline.figures().keys;
                    story.pipeline = pipeline(COUNTS, OutputMode::Append).await.unwrap();
                    story.pipeline.restore(state.as_ref(), &story.changes).unwrap();
                    prop_assert_eq!(story.pipeline.figures().keys, keys);
                }
            }
            seen.extend(story.run(&[("z", 0, 10_000)]).await);
            prop_assert_eq!(story.late, rows_late);
            let mut expected: Vec<String> =
                expected.iter().map(|((start, key), (rows, total))| format!("{start} {key} {rows} {total}")).collect();
            expected.sort();
            seen.sort();
            prop_assert_eq!(seen, expected);
            Ok(())
        })?;
    }

    /// What a query over distinct rows tells last of each key is what all rows at once give; whatever is lost and restored on
    /// the way.
    #[test]
    fn distinct_rows_are_added_up_as_all_at_once(batches in any_batches(), lost in 0..12usize, snapshot in 0..12usize) {
        const QUERIES: [&str; 3] = [
            "select k, count(*), sum(v) from (select distinct k, v from s) group by k",
            "select v, count(*) from (select distinct k, v from s union all select k, v + 5 from s) group by v",
            "select k, max(v) from (select distinct k, v from (select distinct k, v, at from s)) group by k",
        ];
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for (query, output) in QUERIES.into_iter().flat_map(|query| [(query, OutputMode::Update), (query, OutputMode::Complete)]) {
            runtime.block_on(async {
                let mut story = Story::new(query, output).await;
                let (mut state, mut told) = (None, BTreeMap::new());
                for (number, rows) in batches.iter().enumerate() {
                    // All at one time: nothing is late.
                    let rows: Vec<Row> = rows.iter().map(|(key, value, _)| (*key, *value, 0)).collect();
                    for row in story.run(&rows).await {
                        told.insert(row.split(' ').next().unwrap().to_owned(), row);
                    }
                    if number == snapshot {
                        state = Some(story.pipeline.snapshot().unwrap());
                    }
                    if number == lost {
                        story.pipeline = pipeline(query, output).await.unwrap();
                        story.pipeline.restore(state.as_ref(), &story.changes).unwrap();
                    }
                }
                let all: Vec<Row> = batches.concat().into_iter().map(|(key, value, _)| (key, value, 0)).collect();
                let mut expected = over::at_once(query, &all).await;
                expected.sort();
                prop_assert_eq!(told.into_values().collect::<Vec<_>>(), expected, "{} in {:?}", query, output);
                Ok(())
            })?;
        }
    }

    /// Sessions leave as a plain list of them has it: a row joins those of its key that it overlaps or touches and
    /// that have not left.
    #[test]
    fn sessions_are_those_of_a_plain_list(batches in any_batches(), lost in 0..12usize, snapshot in 0..12usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut story = Story::new(SESSIONS, OutputMode::Append).await;
            let mut state = None;
            // Start, end, key, rows, total.
            let mut open: Vec<(i64, i64, &str, i64, i64)> = Vec::new();
            let mut all = batches.clone();
            all.push(vec![("z", 0, 10_000)]);
            for (number, rows) in all.iter().enumerate() {
                for (key, value, at) in rows {
                    if story.watermark.is_some_and(|watermark| (at + 5) * SECOND <= watermark) {
                        continue;
                    }
                    let mut session = (*at, at + 5, *key, 1, *value);
                    open.retain(|other| {
                        let joins = other.2 == *key && other.0 <= session.1 && session.0 <= other.1;
                        if joins {
                            session = (session.0.min(other.0), session.1.max(other.1), key, session.3 + other.3, session.4 + other.4);
                        }
                        !joins
                    });
                    open.push(session);
                }
                let mut found = story.run(rows).await;
                let watermark = story.watermark;
                let mut expected = Vec::new();
                open.retain(|(start, end, key, rows, total)| {
                    let stays = watermark.is_none_or(|watermark| end * SECOND > watermark);
                    if !stays {
                        expected.push(format!("{start} {end} {key} {rows} {total}"));
                    }
                    stays
                });
                found.sort();
                expected.sort();
                prop_assert_eq!(found, expected);
                prop_assert_eq!(story.pipeline.figures().keys, open.len());
                if number == snapshot {
                    state = Some(story.pipeline.snapshot().unwrap());
                }
                if number == lost {
                    story.pipeline = pipeline(SESSIONS, OutputMode::Append).await.unwrap();
                    story.pipeline.restore(state.as_ref(), &story.changes).unwrap();
                }
            }
            Ok(())
        })?;
    }
}

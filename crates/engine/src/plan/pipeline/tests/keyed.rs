//! Functions of each key's rows that remember.

use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int64Type;
use futures::future::BoxFuture;

use super::*;
use crate::operator::scope::Scope;
use crate::plan::keyed::KeyedMap;
use crate::streaming::OutputMode as Mode;
use crate::streaming::keyed::{Due, KeyState, Keyed, KeyedAnswer, KeyedFunction, KeyedRows, Timeout};

/// Adds up `v`, forgets a key whose sum is 0, and times out ten seconds after the newest row.
#[derive(Debug)]
struct Sum;

impl Sum {
    fn answer(rows: &KeyedRows) -> KeyedAnswer {
        let mut answer = KeyedAnswer::default();
        let (mut keys, mut sums, mut start) = (Vec::new(), Vec::new(), 0);
        for (group, length) in rows.lengths.iter().enumerate() {
            let own = rows.rows.slice(start, *length);
            start += length;
            keys.push(own.column(0).as_string::<i32>().value(0).to_owned());
            let before = rows.states[group]
                .as_ref()
                .map_or(0, |bytes| i64::from_be_bytes(bytes[..].try_into().unwrap()));
            let sum = before + own.column(1).as_primitive::<Int64Type>().iter().flatten().sum::<i64>();
            sums.push(if rows.timed_out { -sum } else { sum });
            let newest =
                own.column(3).as_primitive::<datafusion::arrow::datatypes::TimestampMicrosecondType>();
            let newest = newest.iter().flatten().max().map(|time| time / 1_000 + 10_000);
            let stays = sum != 0 && !rows.timed_out;
            let value = stays.then(|| sum.to_be_bytes().to_vec());
            answer.states.push(KeyState { value, timeout_ms: newest.filter(|_| stays) });
        }
        let columns: Vec<ArrayRef> =
            vec![Arc::new(StringArray::from(keys)), Arc::new(Int64Array::from(sums))];
        answer.rows.push(RecordBatch::try_new(output(), columns).unwrap());
        answer
    }
}

impl KeyedFunction for Sum {
    fn name(&self) -> &str {
        "sum"
    }

    fn call(
        &self,
        rows: KeyedRows,
    ) -> BoxFuture<'_, Result<KeyedAnswer, Box<dyn std::error::Error + Send + Sync>>> {
        Box::pin(async move { Ok(Sum::answer(&rows)) })
    }
}

fn output() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("key", DataType::Utf8, true),
        Field::new("sum", DataType::Int64, true),
    ]))
}

async fn summed(timeout: Timeout) -> (Pipeline, Arc<Scope>) {
    summed_until(timeout, Due::Passed).await
}

async fn summed_until(timeout: Timeout, due: Due) -> (Pipeline, Arc<Scope>) {
    let context = session(SessionConfig::new());
    let slot = Slot::new(schema());
    let source = Arc::clone(slot.schema());
    let stream = StreamingTable::try_new(Arc::clone(&source), vec![slot]).unwrap();
    context.register_table("s", Arc::new(stream)).unwrap();
    let input = context.sql("select * from s").await.unwrap().into_unoptimized_plan();
    let scope = Arc::new(Scope::default());
    let keyed = Keyed {
        function: Arc::new(Sum),
        keys: vec![0],
        output: output(),
        state: "BIGINT".to_owned(),
        mode: Mode::Append,
        timeout,
        due,
    };
    let plan = KeyedMap::plan(input, keyed, &scope).unwrap();
    let plan = context.state().create_physical_plan(&plan).await.unwrap();
    let config = Config { query: "q".into(), output: Some(OutputMode::Append), state_bytes_max: 64 << 20 };
    (Pipeline::try_new(&plan, [source][..].into(), &config, context.task_ctx()).unwrap(), scope)
}

fn at(batch: u64, late: Option<i64>, watermark: Option<i64>) -> Moment {
    let time = |seconds: i64| seconds * SECOND;
    Moment { batch, late: late.map(time), watermark: watermark.map(time), earlier: None }
}

async fn run(pipeline: &mut Pipeline, rows: &[Row], moment: Moment) -> (Vec<String>, usize) {
    let rows = [batch(rows)];
    let merged = pipeline.run(rows[..].into(), &moment).await.unwrap();
    (words(&merged.rows), merged.late.iter().map(RecordBatch::num_rows).sum())
}

#[tokio::test]
async fn what_is_remembered_comes_with_the_next_rows_also_after_a_restore() {
    let (mut pipeline, _) = summed(Timeout::None).await;
    let (out, _) = run(&mut pipeline, &[("b", 1, 0), ("a", 2, 0), ("b", 3, 0)], at(1, None, None)).await;
    assert_eq!(out, ["b 4", "a 2"]);
    let first = pipeline.changelog().unwrap();
    pipeline.commit();
    // A batch that is taken back leaves nothing behind.
    run(&mut pipeline, &[("a", 50, 0)], at(2, None, None)).await;
    pipeline.abort();
    let (out, _) = run(&mut pipeline, &[("a", -2, 0), ("c", 7, 0)], at(2, None, None)).await;
    assert_eq!(out, ["a 0", "c 7"]);
    let second = pipeline.changelog().unwrap();
    pipeline.commit();
    assert_eq!(pipeline.figures().keys, 2, "a is forgotten");
    let snapshot = pipeline.snapshot().unwrap();
    for (snapshot, changes) in [(None, vec![first, second]), (Some(&snapshot), vec![])] {
        let (mut again, _) = summed(Timeout::None).await;
        again.restore(snapshot, &changes).unwrap();
        let (out, _) = run(&mut again, &[("a", 1, 0), ("b", 1, 0)], at(3, None, None)).await;
        assert_eq!(out, ["a 1", "b 5"]);
    }
}

#[tokio::test]
async fn the_watermark_ends_keys_and_turns_late_rows_away() {
    let (mut pipeline, _) = summed(Timeout::EventTime).await;
    let (out, _) = run(&mut pipeline, &[("a", 1, 0), ("b", 2, 5)], at(1, None, Some(0))).await;
    assert_eq!(out, ["a 1", "b 2"]);
    pipeline.commit();
    // The time is passed, not reached: that of a at 10 seconds.
    let (out, late) = run(&mut pipeline, &[("c", 3, 20)], at(2, Some(0), Some(10))).await;
    assert_eq!((out, late), (vec!["c 3".to_owned()], 0));
    pipeline.commit();
    let (out, late) = run(&mut pipeline, &[("b", 1, 20), ("a", 9, 3)], at(3, Some(10), Some(12))).await;
    assert_eq!((out, late), (vec!["b 3".to_owned(), "a -1".to_owned()], 1));
    pipeline.commit();
    assert_eq!(pipeline.figures().keys, 2);
    // What a batch brings may be over with its own watermark.
    let (out, _) = run(&mut pipeline, &[("d", 4, 15)], at(4, Some(12), Some(100))).await;
    assert_eq!(out, ["d 4", "b -3", "c -3", "d -4"]);
    pipeline.commit();
    assert_eq!((pipeline.figures().keys, pipeline.due_ms()), (0, None));
}

#[tokio::test]
async fn the_clock_ends_keys_without_rows() {
    let (mut pipeline, scope) = summed(Timeout::ProcessingTime).await;
    scope.bind(Arc::default(), 5_000);
    run(&mut pipeline, &[("a", 1, 0), ("b", 2, 5)], at(1, None, None)).await;
    assert_eq!(pipeline.due_ms(), None, "nothing is committed");
    let changes = pipeline.changelog().unwrap();
    pipeline.commit();
    assert_eq!(pipeline.due_ms(), Some(10_001));
    let (mut again, scope) = summed(Timeout::ProcessingTime).await;
    again.restore(None, &[changes]).unwrap();
    assert_eq!(again.due_ms(), Some(10_001), "a restart knows it too");
    for (batch, now, wanted, due) in [
        (2, 10_000, vec![], Some(10_001)),
        (3, 10_001, vec!["a -1"], Some(15_001)),
        (4, 60_000, vec!["b -2"], None),
    ] {
        scope.bind(Arc::default(), now);
        let (out, _) = run(&mut again, &[], at(batch, None, None)).await;
        assert_eq!(out, wanted, "at {now}");
        again.commit();
        assert_eq!(again.due_ms(), due);
    }
}

#[tokio::test]
async fn a_timer_is_reached_and_rows_are_late_by_the_watermark_before_the_last_batch() {
    let (mut pipeline, _) = summed_until(Timeout::EventTime, Due::Reached).await;
    run(&mut pipeline, &[("a", 1, 0), ("b", 2, 5)], at(1, None, Some(10))).await;
    pipeline.commit();
    assert_eq!(pipeline.figures().keys, 1, "the timer of a at 10 seconds is reached in its own batch");
    let (out, late) = run(&mut pipeline, &[("a", 9, 3)], at(2, Some(10), Some(14))).await;
    assert_eq!((out, late), (vec!["a 9".to_owned(), "a -9".to_owned()], 0), "nothing was late before");
    pipeline.commit();
    let third = Moment { earlier: Some(10 * SECOND), ..at(3, Some(14), Some(15)) };
    let (out, late) = run(&mut pipeline, &[("a", 1, 9), ("a", 5, 11)], third).await;
    assert_eq!((out, late), (vec!["a 5".to_owned(), "b -2".to_owned()], 1));
}

#[tokio::test]
async fn the_clock_reaches_timers_of_keys_that_have_rows_too() {
    let (mut pipeline, scope) = summed_until(Timeout::ProcessingTime, Due::Reached).await;
    scope.bind(Arc::default(), 5_000);
    run(&mut pipeline, &[("a", 1, 0), ("b", 2, 5)], at(1, None, None)).await;
    pipeline.commit();
    assert_eq!(pipeline.due_ms(), Some(10_000), "reached, not passed");
    scope.bind(Arc::default(), 10_000);
    let (out, _) = run(&mut pipeline, &[("b", 1, 0)], at(2, None, None)).await;
    assert_eq!(out, ["b 3", "a -1", "b -3"]);
    pipeline.commit();
    assert_eq!((pipeline.figures().keys, pipeline.due_ms()), (0, None));
}

//! Window functions against DataFusion's own over all rows that were in time.

use super::*;

pub(super) async fn at_once(query: &str, rows: &[Row]) -> Vec<String> {
    let context = SessionContext::new();
    window::functions().for_each(|function| context.register_udf(function));
    let fixed = MemTable::try_new(schema(), vec![vec![batch(rows)]]).unwrap();
    context.register_table("s", Arc::new(fixed)).unwrap();
    let mut found = words(&context.sql(query).await.unwrap().collect().await.unwrap());
    found.sort();
    found
}

#[tokio::test]
async fn a_moving_average_waits_for_what_may_come_between() {
    let query = "select k, v, avg(v) over (partition by k order by at rows between 2 preceding and current row) as m from s";
    let mut story = Story::new(query, OutputMode::Append).await;
    assert!(story.run(&[("a", 1, 0), ("a", 3, 4), ("b", 8, 1)]).await.is_empty());
    assert_eq!(
        story.run(&[("a", 2, 2), ("a", 10, 13)]).await,
        ["a 1 1.0", "a 2 1.5", "b 8 8.0"],
        "3 is at 4"
    );
    assert_eq!(story.run(&[("a", 4, 30)]).await, ["a 3 2.0", "a 10 5.0"]);
    assert!(story.run(&[("a", 100, 19)]).await.is_empty());
    assert_eq!(story.late, 1);
    assert_eq!(story.pipeline.figures().keys, 4, "two rows of a and one of b are looked back at, one waits");
}

#[tokio::test]
async fn what_would_need_the_future_or_all_of_the_past_is_refused() {
    for (over, refusal) in [
        ("avg(v) over (partition by k order by at)", "looks back at all rows"),
        ("avg(v) over (partition by k)", "ORDER BY event time"),
        ("avg(v) over (partition by k order by v rows 2 preceding)", "ORDER BY event time"),
        ("avg(v) over (order by at desc rows 2 preceding)", "ORDER BY event time"),
        ("avg(v) over (order by at rows between current row and 1 following)", "still to come"),
        ("row_number() over (partition by k order by at)", "PARTITION BY a window"),
        ("lead(v) over (partition by k order by at)", "PARTITION BY a window"),
    ] {
        let query = format!("select {over} from s");
        let error = pipeline(&query, OutputMode::Append).await.unwrap_err();
        assert!(error.to_string().contains(refusal), "{query}: {error}");
    }
    let error = pipeline("select lag(v) over (order by at) from s", OutputMode::Update).await.unwrap_err();
    assert!(error.to_string().contains("append mode only"), "{error}");
}

/// With the seconds of the window that has to end, or none where the row's instant has.
const QUERIES: [(&str, Option<i64>); 7] = [
    (
        "select k, v, sum(v) over (partition by k order by at, v rows between 2 preceding and current row) as m from s",
        None,
    ),
    (
        "select k, v, avg(v) over (order by at, v, k rows between 3 preceding and 1 preceding) as m from s",
        None,
    ),
    (
        "select k, v, count(*) over (partition by k order by at range between interval '7 seconds' preceding and current row) as m, \
         max(v) over (partition by k order by at range between interval '20 seconds' preceding and interval '1 second' preceding) as x from s",
        None,
    ),
    (
        "select v, lag(v, 2) over (partition by k order by at, v) as m, sum(v) over (partition by k order by at, v rows 1 preceding) as x from s",
        None,
    ),
    (
        "select * from (select k, v, row_number() over (partition by window(at, '5 seconds') order by v desc, k) as n from s) where n <= 2",
        Some(5),
    ),
    (
        "select k, v, ntile(2) over (partition by k, window(at, '30 seconds') order by v) as n, sum(v) over (partition by k, window(at, '30 seconds')) as x from s",
        Some(30),
    ),
    (
        "select *, sum(m) over (partition by k order by at, m rows 1 preceding) as x from \
         (select k, at, sum(v) over (order by at, v, k rows 2 preceding) as m from s)",
        None,
    ),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// What has left, once the watermark has passed everything, is what the functions give over all rows that were
    /// in time; whatever is lost and restored on the way.
    #[test]
    fn windows_are_those_of_all_rows_in_time(
        (query, window) in prop::sample::select(QUERIES.to_vec()),
        batches in any_batches(),
        lost in 0..12usize,
        snapshot in 0..12usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut story = Story::new(query, OutputMode::Append).await;
            let (mut state, mut seen, mut in_time) = (None, Vec::new(), Vec::new());
            for (number, rows) in batches.iter().enumerate() {
                let end = |at: i64| window.map_or(at * SECOND + 1, |length| (at.div_euclid(length) + 1) * length * SECOND);
                let watermark = story.watermark;
                let counts = |row: &&Row| watermark.is_none_or(|watermark| end(row.2) > watermark);
                in_time.extend(rows.iter().filter(counts));
                seen.extend(story.run(rows).await);
                if number == snapshot {
                    state = Some(story.pipeline.snapshot().unwrap());
                }
                if number == lost {
                    let keys = story.pipeline.figures().keys;
                    story.pipeline = pipeline(query, OutputMode::Append).await.unwrap();
                    story.pipeline.restore(state.as_ref(), &story.changes).unwrap();
                    prop_assert_eq!(story.pipeline.figures().keys, keys);
                }
            }
            seen.extend(story.run(&[("z", 0, 10_000)]).await);
            seen.sort();
            prop_assert_eq!(seen, at_once(query, &in_time).await);
            let all: usize = batches.iter().map(Vec::len).sum();
            prop_assert_eq!(story.late, (all - in_time.len()) as u64);
            Ok(())
        })?;
    }
}

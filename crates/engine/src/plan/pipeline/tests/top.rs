//! The first rows of partitions that never end.

use super::*;

const TOP: &str = "select k, n, v from \
    (select k, v, at, row_number() over (partition by k order by v desc, at) as n from s) where n <= 2";

#[tokio::test]
async fn a_row_takes_the_place_of_another() {
    let mut story = Story::new(TOP, OutputMode::Update).await;
    assert_eq!(
        story.run(&[("a", 1, 0), ("a", 3, 4), ("b", 8, 1), ("a", 0, 0)]).await,
        ["a 1 3", "a 2 1", "b 1 8"]
    );
    assert!(story.run(&[("a", 0, 1), ("a", 1, 9)]).await.is_empty(), "neither comes among the first");
    assert_eq!(story.run(&[("a", 5, 2)]).await, ["a 1 5", "a 2 3"], "the first one is second now");
    assert_eq!(story.run(&[("a", 4, 2), ("b", 1, 1)]).await, ["a 2 4", "b 2 1"]);
    assert_eq!(story.pipeline.figures().keys, 4);
}

#[tokio::test]
async fn who_does_not_ask_for_places_sees_a_row_once() {
    let query = "select k, v from (select *, row_number() over (partition by k order by at desc) as n from s) where n = 1";
    let mut story = Story::new(query, OutputMode::Update).await;
    assert_eq!(story.run(&[("a", 1, 0), ("a", 3, 4)]).await, ["a 3"]);
    assert_eq!(story.run(&[("a", 7, 9), ("a", 1, 2)]).await, ["a 7"]);
    let two = query.replace("n = 1", "n < 3");
    let mut story = Story::new(&two, OutputMode::Update).await;
    assert_eq!(story.run(&[("a", 1, 0)]).await, ["a 1"]);
    assert_eq!(story.run(&[("a", 3, 4)]).await, ["a 3"], "1 is second now, which nobody asks");
}

#[tokio::test]
async fn the_first_rows_of_joins_and_windows_are_kept_but_nothing_is_computed_over_them() {
    for (query, output, refusal) in [
        (TOP.to_owned(), OutputMode::Append, "choose outputMode 'update'"),
        (TOP.to_owned(), OutputMode::Complete, "choose outputMode 'update'"),
        (
            format!("select k, count(*) from ({TOP}) group by k"),
            OutputMode::Update,
            "read them by another query",
        ),
        (TOP.replace("n <= 2", "n > 2"), OutputMode::Update, "append mode only"),
        (TOP.replace("row_number", "rank"), OutputMode::Update, "append mode only"),
    ] {
        let error = pipeline(&query, output).await.unwrap_err();
        assert!(error.to_string().contains(refusal), "{query}: {error}");
    }
    let windows = "select k, n, total from (select k, total, row_number() over (partition by k order by total desc) as n \
                   from (select k, sum(v) as total from s group by window(at, '5 seconds'), k)) where n <= 1";
    let mut story = Story::new(windows, OutputMode::Update).await;
    assert!(story.run(&[("a", 1, 0), ("a", 2, 4)]).await.is_empty(), "the window has not ended");
    assert_eq!(story.run(&[("a", 9, 16)]).await, ["a 1 3"]);
    assert_eq!(story.run(&[("a", 0, 40)]).await, ["a 1 9"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// The last row of each place is the one that has it among all rows; whatever is lost and restored on the way.
    #[test]
    fn the_last_rows_of_places_are_the_first_of_all(
        batches in any_batches(),
        lost in 0..12usize,
        snapshot in 0..12usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut story = Story::new(TOP, OutputMode::Update).await;
            let (mut state, mut places) = (None, BTreeMap::new());
            for (number, rows) in batches.iter().enumerate() {
                for row in story.run(rows).await {
                    let (place, value) = row.rsplit_once(' ').unwrap();
                    let before = places.insert(place.to_owned(), value.to_owned());
                    prop_assert!(before.is_none_or(|before| before.as_str() <= value), "a place gets no worse");
                }
                if number == snapshot {
                    state = Some(story.pipeline.snapshot().unwrap());
                }
                if number == lost {
                    story.pipeline = pipeline(TOP, OutputMode::Update).await.unwrap();
                    story.pipeline.restore(state.as_ref(), &story.changes).unwrap();
                }
            }
            let last: Vec<String> = places.iter().map(|(place, value)| format!("{place} {value}")).collect();
            let all: Vec<Row> = batches.concat();
            prop_assert_eq!(last, over::at_once(TOP, &all).await);
            Ok(())
        })?;
    }
}
